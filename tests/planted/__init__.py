"""Bugs planted one at a time, each a changed line of the order path: what finds none of them proves nothing."""
