"""From paper to money in four steps, each with its proof: computed from what the accounts left in the database."""
