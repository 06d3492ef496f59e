"""Chat on the firm's own site: a conversation like any other, begun in a small window on a page."""
