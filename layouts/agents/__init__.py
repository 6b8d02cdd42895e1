"""The page "Agents": who advises, how each one fares, and whom Mother AI would choose."""
