"""Personas: clusters of people by who they are, what they do, what they buy and what they stand for."""
