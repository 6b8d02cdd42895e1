"""The page "Live": the way from paper to money, and everything of a venue."""
