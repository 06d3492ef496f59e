"""The visitor script, its settings, and what it may show on the firm's own site."""
