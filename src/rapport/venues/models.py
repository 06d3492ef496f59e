"""Tables of venues."""
