"""Everything that leaves: templates, the one send pipeline, deliveries."""
