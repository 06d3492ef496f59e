"""Reviews on Google of the firm's own places."""
