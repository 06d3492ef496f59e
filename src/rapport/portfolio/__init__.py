"""How service effort is shared among people, with a floor that nobody falls below."""
