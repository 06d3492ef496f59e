"""The tables of consent."""
