"""Questions to the firm's own figures, put without knowing SQL."""
