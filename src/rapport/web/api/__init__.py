"""The documented HTTP API: what other systems of the firm ask and tell, each with a token and for a purpose."""
