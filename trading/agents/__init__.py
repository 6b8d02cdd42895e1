"""Signal sources: each advises on one symbol, bar by bar."""
