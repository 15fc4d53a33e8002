"""How fast this package is, against the same work done in a straightforward way."""
