"""What outlives the run: candles, the database, the journal, caches."""
