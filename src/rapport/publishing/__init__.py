"""What the firm says unasked on its own pages: posts on their days, and broadcasts while they run."""
