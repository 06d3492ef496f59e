"""Reviews on Google Play, of the firm's own apps."""
