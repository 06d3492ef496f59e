"""When and how often a person may be reached; so far who is held out, for good."""
