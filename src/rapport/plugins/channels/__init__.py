"""Channel plug-ins: one folder each, found by the registry."""
