"""The page "Journal": what was made, when, by whom, and why."""
