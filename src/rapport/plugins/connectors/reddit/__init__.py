"""Reddit, through its Data API."""
