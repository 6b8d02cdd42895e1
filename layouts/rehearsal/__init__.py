"""The page "Rehearsal"."""
