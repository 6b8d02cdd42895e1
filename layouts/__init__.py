"""What the screen looks like: domain values in, components out."""
