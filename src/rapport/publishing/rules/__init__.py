"""What holds by definition. Pure."""
