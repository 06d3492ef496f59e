"""What makes one person of many identifiers, which trait is believed, and what it is called. Pure."""
