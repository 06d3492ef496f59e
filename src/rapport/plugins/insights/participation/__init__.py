"""Participation: who lurks, contributes or leads on each network, and how far their posts travel."""
