"""The tables of onsite."""
