"""Capabilities that the screen and the command line call."""
