"""Aspect: which things about the firm somebody judges, and how each of them fares."""
