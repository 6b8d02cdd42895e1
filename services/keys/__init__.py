"""API keys: kept where nobody reads them, shown to nobody, and asked what they are allowed to do."""
