"""What each thing that a statement can be about is called."""

from __future__ import annotations

from rapport.aio import rules
from rapport.aio.models import Question, Topic
from rapport.consent import selectors as consent
from rapport.insights import selectors as insights


def titles() -> dict[tuple[str, str], str]:
    """By kind and key."""
    found = {(rules.INTEREST, t.key): t.name for t in consent.topics(active_only=False)}
    found |= {(rules.INTEREST, t.key): t.title for t in Topic.objects.all()}
    found |= {(rules.OPINION, q.key): q.title for q in Question.objects.all()}
    return found | {(rules.ATTITUDE, a.key): a.title for a in insights.aspects(active_only=False)}


def titled(name: str) -> str:
    """`winter_tyres` as `Winter tyres`."""
    spaced = " ".join(name.replace("_", " ").replace("-", " ").split())
    return (spaced[:1].upper() + spaced[1:])[:120]
