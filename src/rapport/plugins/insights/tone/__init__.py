"""How a text sounds: which feeling it shows, how soon it needs an answer, and whether it insults."""
