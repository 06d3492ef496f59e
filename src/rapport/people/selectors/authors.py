"""Public authors: on which terms they are kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.people.models import AuthorObjection, AuthorTerms
from rapport.people.rules import authors


@dataclass(frozen=True, slots=True)
class AuthorTermsView:
    """How long authors are kept after their last post, and what was forgotten so far."""

    days: int
    changed_at: dt.datetime | None
    changed_by: str
    carried_out_at: dt.datetime | None
    n_forgotten: int
    n_waiting: int  # objections whose posts the worker has yet to take out of the log's files


def author_terms() -> AuthorTermsView:
    """The firm's terms, or those a new installation begins with."""
    row = AuthorTerms.objects.filter(id=1).first() or AuthorTerms(days=authors.DAYS)
    return AuthorTermsView(
        days=row.days,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        carried_out_at=row.carried_out_at,
        n_forgotten=row.n_forgotten,
        n_waiting=AuthorObjection.objects.count(),
    )
