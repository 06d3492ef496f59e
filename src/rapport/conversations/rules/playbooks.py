"""Recoveries after something went wrong: which steps each has, when each is due, how it ended. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; due so many hours after the recovery began. `needs_note`: with what was found or given."""

    code: str
    due_h: int
    needs_note: bool = False


PLAYBOOKS: dict[str, tuple[Step, ...]] = {
    "correction": (
        Step("find_source", 4, needs_note=True),  # a correction without a source is an assertion
        Step("correct_in_place", 24),
        Step("see_whether_it_took", 72),
    ),
    "apology": (
        Step("apologise", 4),
        Step("offer_remedy", 24, needs_note=True),
        Step("carry_out_remedy", 72),
        Step("ask_whether_settled", 168),
    ),
    "handover": (
        Step("name_owner", 2, needs_note=True),
        Step("tell_them_who", 4),
        Step("owner_reports", 48, needs_note=True),
    ),
    "follow_up": (
        Step("ask_whether_solved", 72),
        Step("close_or_reopen", 168),
    ),
}
OUTCOMES = ("better", "same", "worse", "silent", "given_up")
MOVED = 0.15  # of the range from -1 to 1; less is the noise of one message


def steps(kind: str, begun: dt.datetime) -> list[tuple[Step, dt.datetime]]:
    """The steps of a playbook with when each is due. Raises Invalid."""
    if kind not in PLAYBOOKS:
        raise Invalid(f"{kind!r} is no playbook", f"There are {', '.join(PLAYBOOKS)}.")
    return [(step, begun + dt.timedelta(hours=step.due_h)) for step in PLAYBOOKS[kind]]


def outcome(before: float | None, after: float | None) -> str:
    """How they stood afterwards beside before; who said nothing more is not known to be content.

    >>> outcome(-0.8, 0.3), outcome(-0.8, None), outcome(-0.2, -0.25)
    ('better', 'silent', 'same')
    """
    if after is None:
        return "silent"
    moved = after - (before or 0.0)
    return "better" if moved > MOVED else "worse" if moved < -MOVED else "same"
