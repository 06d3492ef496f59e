"""The tables of pacing."""
