"""Trading at a venue outside this process: which one, on which conditions, and how it starts and ends."""
