"""Rules over people, and who is in them; membership moves with what is known."""
