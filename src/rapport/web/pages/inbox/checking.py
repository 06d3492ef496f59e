"""The rule card while one types: what would leave, what stands against it, what it says too much."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.conversations import selectors
from rapport.conversations.selectors import rows
from rapport.kit.errors import RapportError
from rapport.knowledge import services as knowledge
from rapport.messaging import services as messaging
from rapport.staff.rules import Right
from rapport.web.access import needs
from rapport.web.errors import sentence

ASKED = ("private", "asked_us", "answered_us", "review", "survey")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is said about a draft."""

    text: str
    hint: str
    is_forbidden: bool


@dataclass(frozen=True, slots=True)
class Rule:
    title: str
    state: str  # ok, warn, bad
    remarks: list[Remark]


@dataclass(frozen=True, slots=True)
class Checked:
    """What would leave, rule by rule, and what of it nobody can stand for."""

    rules: list[Rule]
    added: str  # what is written in beside the words: who speaks
    stops: list[Remark]
    doubts: list[Remark]

    @property
    def is_forbidden(self) -> bool:
        return bool(self.stops) or any(rule.state == "bad" for rule in self.rules)


@needs(Right.ANSWER)
@require_POST
def check(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """The card of this conversation's venue, held against what stands in the composer."""
    text = request.POST.get("text", "").strip()
    head = selectors.conversation(number)
    found = checked(head, text) if text else None
    return render(request, "pages/inbox/check.html", {"check": found})


def checked(head: rows.ConversationView, text: str) -> Checked:
    """What stands for and against sending these words into this conversation now."""
    newest = next((m for m in reversed(selectors.messages(head.id).rows) if m.direction == "in"), None)
    answer = messaging.Answer(
        source=newest_source(head),
        to=newest.identifier if newest else head.identifier,
        text=text,
        key=f"preview:{head.id.hex}",
        conversation=head.id.hex,
        in_reply_to=newest.post_id if newest else "",
        venue=head.venue,
        language=head.language,
        is_public=head.is_public,
        was_asked=head.why in ASKED,
    )
    doubts = [
        Remark(sentence(_(one.message)), sentence(_(one.hint)) if one.hint else "", False)
        for one in knowledge.check_draft(text, head.language)
    ]
    try:
        found = messaging.preview_reply(answer)
    except RapportError as error:
        return Checked([], "", [Remark(sentence(_(error.message)), sentence(_(error.hint)), True)], doubts)
    rules = [
        Rule(
            _(tick.title),
            tick.state,
            [
                Remark(
                    _(one.said).format(**one.values),
                    _(one.hint_said).format(**one.values) if one.hint_said else "",
                    one.is_forbidden,
                )
                for one in tick.findings
            ],
        )
        for tick in found.ticks
    ]
    stops = []
    if found.reason and found.reason not in ("rule_card", "needs_approval", "not_approver"):
        stops.append(Remark(sentence(_(found.message)), sentence(_(found.hint)), True))
    return Checked(rules, _added(text, found.text), stops, doubts)


def newest_source(head: rows.ConversationView) -> str:
    """By which source the answer leaves: the one by which they were read."""
    return head.source


def _added(text: str, leaving: str) -> str:
    """What is written in before or after the words, so that who speaks is said."""
    if leaving == text or text not in leaving:
        return ""
    before, _words, after = leaving.partition(text)
    return " ".join(part.strip() for part in (before, after) if part.strip())
