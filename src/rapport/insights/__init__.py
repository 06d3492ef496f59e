"""Insights: models that write scores and annotations."""
