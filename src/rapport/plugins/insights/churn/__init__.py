"""Churn: how likely somebody is not to order again soon, and how likely somebody is dissatisfied now."""
