"""Trading on a clock that only moves when everybody waits: hours in seconds, the same every time."""
