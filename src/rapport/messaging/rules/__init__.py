"""What a message may consist of, when it is tried again, who fetched its links. Pure."""
