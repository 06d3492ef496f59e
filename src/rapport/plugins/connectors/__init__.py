"""Plug-ins: each folder sees only its contract and kit."""
