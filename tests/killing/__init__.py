"""Kill the cockpit with -9 wherever an order may be between two states."""
