"""The page "Models": training, what is known of a model, and who votes."""
