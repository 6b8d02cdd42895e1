"""Learning: from candles to a model that was trained, judged against the one that votes, and kept."""
