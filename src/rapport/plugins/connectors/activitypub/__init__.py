"""ActivityPub: an account of the firm's own on the Fediverse."""
