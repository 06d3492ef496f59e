"""Matrix: rooms that an account of ours is in, over the client-server API."""
