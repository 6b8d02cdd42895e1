"""A soak: exchange and cockpit as processes of their own, a fault every minute, a person at the page, for an hour."""
