"""Pure: no Django, no database, no network."""
