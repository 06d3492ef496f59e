"""What a view wants to see and in which order, and the words of states. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rapport.kit.errors import Invalid

STATES = ("open", "pending", "snoozed", "resolved")
OUTCOMES = ("solved", "no_answer_needed", "handed_over", "left_alone")
ORDERS = ("priority", "last", "waiting")
# Why a conversation was opened.
WHY = (
    "private",  # said to us alone
    "asked_us",  # addresses an account of ours
    "answered_us",  # answers words of ours
    "help",  # asks for help about what we follow
    "complaint",  # complains about what we follow
    "review",  # a review with few stars
    "survey",  # unhappy words in a survey
    "staff",  # somebody of ours began or split it off
)
# A message of ours: written down, waits for approval, on its way, gone, refused, unknown; theirs: edited, deleted,
# written by a machine.
MESSAGE_STATES = (
    "", "waiting", "refused", "planned", "withheld", "sent", "failed", "unknown", "edited", "deleted", "automatic",
)  # fmt: skip
ME, NOBODY = "me", "nobody"
COUNTED_MAX = 99  # a view with more says "99+"; counting all of them is no use to anybody


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations, and in which order. Empty means any.

    assignee : "me", "nobody", or the number of a member of staff as text
    mentions_me : only those whose notes name whoever looks, and that they have not seen
    needs_approval : an answer waits for somebody who may let it out
    playbook_due : a step of a recovery is overdue
    order : priority, last (words first), waiting (only those who wait, the longest first)
    """

    states: tuple[str, ...] = ("open",)
    assignee: str = ""
    team: str = ""
    channel: str = ""
    network: str = ""
    source: str = ""
    language: str = ""
    sentiment: str = ""
    intent: str = ""
    is_public: bool | None = None
    is_overdue: bool | None = None
    urgency_min: float = 0.0
    mentions_me: bool = False
    needs_approval: bool = False
    playbook_due: bool = False
    order: str = "priority"

    def as_json(self) -> dict[str, Any]:
        plain = Wanted()
        return {k: v for k, v in asdict(self).items() if v != getattr(plain, k) or k == "states"}


def wanted(given: Mapping[str, Any]) -> Wanted:
    """What a view wants, checked. Raises Invalid."""
    known = set(Wanted.__dataclass_fields__)
    if unknown := sorted(set(given) - known):
        raise Invalid(f"a view has no {unknown[0]!r}", f"It may have: {', '.join(sorted(known))}.")
    values: dict[str, Any] = {k: tuple(v) if k == "states" else v for k, v in given.items()}
    made = Wanted(**values)
    if not made.states or (bad := [s for s in made.states if s not in STATES]):
        raise Invalid(f"{(bad[0] if made.states else '')!r} is no state", f"Choose of {', '.join(STATES)}.")
    if made.order not in ORDERS:
        raise Invalid(f"nothing is ordered by {made.order!r}", f"Choose one of {', '.join(ORDERS)}.")
    if made.assignee and made.assignee not in (ME, NOBODY) and not made.assignee.isdigit():
        raise Invalid(f"{made.assignee!r} is nobody of ours", 'Write "me", "nobody" or a number of staff.')
    return made


# What everybody has before anything is saved: (key, what it wants). Their titles are the screen's.
STARTING = (
    ("open", Wanted()),
    ("mine", Wanted(states=("open", "pending"), assignee=ME)),
    ("nobodys", Wanted(assignee=NOBODY)),
    ("overdue", Wanted(is_overdue=True)),
    ("public", Wanted(is_public=True)),
    ("approvals", Wanted(states=("open", "pending"), needs_approval=True, order="last")),
    ("mentions", Wanted(states=STATES, mentions_me=True, order="last")),
    ("recoveries", Wanted(states=STATES, playbook_due=True)),
    ("pending", Wanted(states=("pending",), order="last")),
    ("snoozed", Wanted(states=("snoozed",), order="last")),
    ("resolved", Wanted(states=("resolved",), order="last")),
)
