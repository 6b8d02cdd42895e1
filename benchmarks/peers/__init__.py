"""The same work done by other packages; each module says with `missing()` why it cannot."""
