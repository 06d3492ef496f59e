"""Rapport: self-hosted software for relationship marketing."""
