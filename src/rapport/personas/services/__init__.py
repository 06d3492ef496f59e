"""Verbs of personas: paint them anew after a fit, name them, make a segment of one."""

from __future__ import annotations

from rapport.personas.services.changing import as_segment, write
from rapport.personas.services.painting import paint

__all__ = ["as_segment", "paint", "write"]
