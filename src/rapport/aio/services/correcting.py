"""What people, or staff for them, say of a statement: it is wrong, or this is right."""

from __future__ import annotations

from django.db.models import QuerySet

from rapport.aio import rules
from rapport.aio.models import Statement, Word
from rapport.aio.selectors.persons import BY_PERSON
from rapport.aio.services import forgetting
from rapport.kit import bulk, clock
from rapport.kit.errors import Conflict, Invalid
from rapport.people import selectors as people


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


def take_back(ref: int | str, kind: str, about: str, *, by: str) -> int:
    """Forget that a statement was called wrong or put right; the next refresh may work it out again.

    Raises Conflict where staff would take back what the person said themselves.
    """
    mine = people.subjects_of(people.person_id(ref))
    words = Word.objects.filter(subject__in=mine, kind=kind, about=about)
    _leave_theirs(words, by)
    return words.delete()[0]


def _say(ref: int | str, kind: str, about: str, state: str, value: float | None, by: str) -> None:
    if kind not in rules.KINDS or not about:
        raise Invalid(f"{kind!r} is no kind of statement", f"Use one of {', '.join(rules.KINDS)}.")
    if not by:
        raise Invalid("nobody says it", "Give `by`.")
    subject = people.subject_of(ref)
    mine = people.subjects_of(people.person_id(subject))
    words = Word.objects.filter(subject__in=mine, kind=kind, about=about)
    _leave_theirs(words, by)
    # By every identifier that it was shown by, so that it stays with it where they are parted.
    stated = Statement.objects.filter(subject__in=mine, kind=kind, about=about)
    kept = [rows.values_list("subject", flat=True) for rows in (stated, words)]
    shown_by = {each for found in kept for each in found} or {subject}
    at = bulk.time_value(clock.now())
    bulk.upsert(
        "aio_word",
        ["subject", "kind", "about", "state", "value", "made_by", "made_at"],
        [(each, kind, about, state, value, by, at) for each in sorted(shown_by)],
        conflict=("subject", "kind", "about"),
        update=("state", "value", "made_by", "made_at"),
    )
    forgetting.drop(subject, kind, about)
    forgetting.drop_score(subject, kind, about)


def _leave_theirs(words: QuerySet[Word], by: str) -> None:
    if by != BY_PERSON and words.filter(made_by=BY_PERSON).exists():
        raise Conflict("they said themselves how this is", "Only they can say otherwise, on their own page.")
