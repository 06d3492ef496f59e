"""Described clusters of people with typical needs, discovered from who they are, what they do and what they say."""
