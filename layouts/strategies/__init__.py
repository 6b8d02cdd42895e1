"""The page "Strategies": a shelf, a builder, and what the rule would have done."""
