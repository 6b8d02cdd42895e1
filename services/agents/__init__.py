"""Agents as configuration: which there are, what they say, how they fare, and what Mother AI would make of them."""
