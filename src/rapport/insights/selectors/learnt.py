"""What a model has learnt last, for whoever shows it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from rapport.insights.models import StoredModel


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the fit that scores now has learnt."""

    version: str
    run: uuid.UUID | None
    content: bytes
    at: dt.datetime


def learnt(name: str) -> Learnt | None:
    """What a model learnt last; None where it has not."""
    kept = StoredModel.objects.filter(name=name, is_active=True).first()
    return None if kept is None else Learnt(kept.version, kept.run, bytes(kept.content), kept.created_at)
