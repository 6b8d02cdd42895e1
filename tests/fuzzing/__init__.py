"""Malformed frames and REST bodies by the hundred thousand: no crash, no order."""
