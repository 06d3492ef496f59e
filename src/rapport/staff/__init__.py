"""Staff: those who log in to Rapport's screens."""
