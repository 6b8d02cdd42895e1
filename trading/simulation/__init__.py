"""Markets made here: an order book, an exchange on top of it, and those who trade there."""
