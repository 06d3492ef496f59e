"""What people, or staff for them, say of a statement: it is wrong, or this is right."""

from __future__ import annotations

from rapport.aio import rules
from rapport.aio.models import Word
from rapport.aio.services import forgetting
from rapport.kit import bulk, clock
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.rules.graph import as_subjects

BY_PERSON = "person"


def not_so(ref: int | str, kind: str, about: str, *, by: str) -> None:
    """Take a statement back: it is dropped at once, and not worked out again. NotFound where nobody goes by `ref`."""
    _say(ref, kind, about, rules.SAID_WRONG, None, by)


def correct(ref: int | str, kind: str, about: str, value: float, *, by: str) -> None:
    """Put a statement right: what is said now stands before whatever was worked out, and stays.

    Raises Invalid for a value that no such statement can have.
    """
    low = 0.0 if kind == rules.INTEREST else -1.0
    if not low <= value <= 1.0:
        raise Invalid(f"{value} is no {kind}", f"Give a number from {low:g} to 1.")
    _say(ref, kind, about, rules.CORRECTED, value, by)


def take_back(ref: int | str, kind: str, about: str) -> int:
    """Forget that a statement was called wrong or put right; the next refresh may work it out again."""
    subject = people.subject_of(ref)
    mine = people.subjects_of(people.person_id(subject))
    return Word.objects.filter(subject__in=list(mine), kind=kind, about=about).delete()[0]


def _say(ref: int | str, kind: str, about: str, state: str, value: float | None, by: str) -> None:
    if kind not in rules.KINDS or not about:
        raise Invalid(f"{kind!r} is no kind of statement", f"Use one of {', '.join(rules.KINDS)}.")
    if not by:
        raise Invalid("nobody says it", "Give `by`.")
    subject = people.subject_of(ref)
    bulk.upsert(
        "aio_word",
        ["subject", "kind", "about", "state", "value", "made_by", "made_at"],
        [(subject, kind, about, state, value, by, bulk.time_value(clock.now()))],
        conflict=("subject", "kind", "about"),
        update=("state", "value", "made_by", "made_at"),
    )
    forgetting.drop(subject, kind, about)
    people_services.drop_scores(as_subjects([subject]), forgetting.MODEL, name=f"{kind}:{about}")
