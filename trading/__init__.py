"""The trading core: knows numpy, numba and the standard library only."""
