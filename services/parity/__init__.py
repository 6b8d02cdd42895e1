"""Is the account what its rules would have made of the same candles? Each trade beside its own replay."""
