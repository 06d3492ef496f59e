"""What holds by definition: finding, asking, checking, wording. Pure."""
