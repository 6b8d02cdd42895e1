"""The page "Backtest": one file per card, domain values in, components out."""
