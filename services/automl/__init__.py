"""Searches for better rules and settings that must prove themselves on candles they never saw."""
