"""Sentiment: whether a text is negative, neutral or positive, and the words that decided."""
