"""What staff keeps for answering: canned answers and macros."""

from __future__ import annotations

from rapport.conversations.models import CannedAnswer, Macro
from rapport.conversations.selectors.rows import CannedView, MacroView

OFFERED = 20


def canned(begins: str = "", limit: int = OFFERED) -> list[CannedView]:
    """Canned answers whose short name begins so, or whose title holds it."""
    begins = begins.strip().lstrip("/").lower()
    rows = CannedAnswer.objects.order_by("short")
    found = list(rows.filter(short__startswith=begins)[:limit])
    if begins and len(found) < limit:
        found += list(
            rows.filter(title__icontains=begins).exclude(short__startswith=begins)[: limit - len(found)]
        )
    return [CannedView(c.short, c.title, c.texts) for c in found]


def macros() -> list[MacroView]:
    """Every macro by name."""
    return [MacroView(m.id, m.name, tuple(m.steps)) for m in Macro.objects.order_by("name")]
