"""The policy in force, and those before it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import OperationalError, ProgrammingError

from rapport.portfolio.models import PolicyVersion
from rapport.portfolio.rules import Policy
from rapport.staff import selectors as staff

SHOWN = 50


def policy() -> Policy:
    """The policy in force; the starting one, off, where nobody has set any."""
    row = PolicyVersion.objects.order_by("-id").first()
    return Policy() if row is None else of_version(row)


def history(limit: int = SHOWN) -> list[Policy]:
    """Every version, the newest first."""
    return [of_version(row) for row in PolicyVersion.objects.order_by("-id")[:limit]]


def of_version(row: PolicyVersion) -> Policy:
    return Policy.from_json(
        row.content,
        version=row.pk,
        is_on=row.is_on,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        why=row.why,
    )


def parameters() -> dict[str, Any]:
    """What the model is told of the firm's own figures; nothing where no store has been made yet."""
    try:
        row = PolicyVersion.objects.order_by("-id").first()
        currency = staff.currency(default="")
    except (OperationalError, ProgrammingError):
        return {}
    if row is None:
        return {"currency": currency}
    found = of_version(row)
    return {**asdict(found.costs), "half_life_hours": found.half_life_hours, "currency": currency}
