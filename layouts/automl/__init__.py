"""The page "AutoML"."""
