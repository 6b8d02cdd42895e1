"""Machine learning: features, labels, ensemble, validation, registry."""
