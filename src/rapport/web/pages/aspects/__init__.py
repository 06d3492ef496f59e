"""Aspects: what of the firm people judge, how each fares, and the words by which it is found."""
