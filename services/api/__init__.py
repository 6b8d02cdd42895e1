"""The REST API: the same services as the screen, for scripts that show a token."""
