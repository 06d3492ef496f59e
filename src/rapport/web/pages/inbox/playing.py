"""Recoveries as the inbox shows them: which there are, what their steps are called, where we keep quiet."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from rapport.conversations.rules import playbooks
from rapport.web.components import words

STEPS: dict[str, Any] = {
    "find_source": gettext_lazy("Find the source that settles it"),
    "correct_in_place": gettext_lazy("Correct it where it was said, with the source"),
    "see_whether_it_took": gettext_lazy("See whether it was taken up"),
    "apologise": gettext_lazy("Apologise"),
    "offer_remedy": gettext_lazy("Offer a remedy"),
    "carry_out_remedy": gettext_lazy("Carry the remedy out"),
    "ask_whether_settled": gettext_lazy("Ask whether it is settled"),
    "name_owner": gettext_lazy("Say who takes it over"),
    "tell_them_who": gettext_lazy("Tell them who it is"),
    "owner_reports": gettext_lazy("Hear from whoever took it over"),
    "ask_whether_solved": gettext_lazy("Ask whether it is solved"),
    "close_or_reopen": gettext_lazy("Close it, or open it again"),
}

ENDED: dict[str, Any] = {
    "better": gettext_lazy("ended: they speak better of us than before"),
    "same": gettext_lazy("ended: they speak of us as before"),
    "worse": gettext_lazy("ended: they speak worse of us than before"),
    "silent": gettext_lazy("ended: they have said nothing since"),
    "given_up": gettext_lazy("ended before its last step"),
}


def ended(outcome: str) -> str:
    """How a recovery ended, by how they spoke after it beside before."""
    return str(ENDED.get(outcome, words.plain(outcome)))


def kinds() -> list[str]:
    """The recoveries that can be begun."""
    return list(playbooks.PLAYBOOKS)


def step_title(code: str) -> str:
    """What a step asks to be done."""
    return str(STEPS.get(code, words.plain(code)))


def needs_note(kind: str, position: int) -> bool:
    """Whether a step is done only with a word on what was found or given."""
    steps = playbooks.PLAYBOOKS.get(kind, ())
    return 0 < position <= len(steps) and steps[position - 1].needs_note
