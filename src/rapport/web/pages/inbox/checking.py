"""The rule card while one types: what would leave, what stands against it, what it says too much."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors
from rapport.conversations.selectors import rows
from rapport.events.rules import reachable
from rapport.kit.errors import NotFound, RapportError
from rapport.knowledge import services as knowledge
from rapport.messaging import services as messaging
from rapport.staff.rules import Right
from rapport.venues import selectors as cards
from rapport.venues import services as venues
from rapport.venues.rules.cards import Tick
from rapport.web.access import needs
from rapport.web.components import ruling
from rapport.web.errors import sentence
from rapport.web.pages.inbox import shown

ASKED = ("private", "asked_us", "answered_us", "review", "survey")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is said about a draft."""

    message: str
    hint: str
    is_forbidden: bool


@dataclass(frozen=True, slots=True)
class Rule:
    title: str
    state: str  # ok, warn, bad
    findings: list[Remark]


@dataclass(frozen=True, slots=True)
class Checked:
    """What would leave, rule by rule, and what of it nobody can stand for."""

    lines: list[Rule]
    adds: str  # what is written in beside the words: who speaks
    stops: list[Remark]
    doubts: list[Remark]
    title: str
    source: str
    read_on: dt.date | None

    @property
    def is_forbidden(self) -> bool:
        return bool(self.stops) or any(line.state == "bad" for line in self.lines)


@needs(Right.ANSWER)
@require_POST
def check(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """The card of this conversation's venue, held against what stands in the composer."""
    text = request.POST.get("text", "").strip()
    head = selectors.conversation(number)
    keys = [key for key in request.POST.get("keys", "").split(",") if key]
    found = checked(head, text, keys) if text else None
    return render(request, "pages/inbox/check.html", {"checked": found})


def checked(head: rows.ConversationView, text: str, keys: Sequence[str] = ()) -> Checked:
    """What stands for and against sending these words into this conversation now.

    keys : of the proposals that the words stand on, whose figures they may say
    """
    to = selectors.answering(head.id)
    is_public = to.is_public if to else head.is_public
    answer = messaging.Answer(
        source=to.source if to else head.source,
        to=reachable(to.identifier if to else head.identifier),
        text=text,
        key=f"preview:{head.id.hex}",
        conversation=head.id.hex,
        in_reply_to=to.post_id if to else "",
        venue=(to.venue or to.network) if to else shown.venue_of(head),
        language=head.language,
        is_public=is_public,
        was_asked=head.why in ASKED,
    )
    said = knowledge.sources_of(keys, shown.language_of(head)) if keys else []
    doubts = [_doubt(one.code, one.words) for one in knowledge.check_draft(text, head.language, sources=said)]
    try:
        found = messaging.preview_reply(answer)
    except RapportError as error:
        # Nothing can leave there; the card is worth knowing all the same.
        stop = Remark(_told(error.message), _told(error.hint), True)
        if isinstance(error, NotFound):
            stop = Remark(
                _("What came in by “%(source)s” cannot be answered from here.") % {"source": answer.source},
                _("It was a file, or a network that is not set up: add it under Networks."),
                True,
            )
        card = venues.check(
            answer.venue, text, language=head.language, was_asked=answer.was_asked, is_public=is_public
        )
        return _of(card.view, card.ticks, _added(text, card.text), [stop], doubts)
    stops = []
    if found.reason and found.reason not in ("rule_card", "needs_approval", "not_approver"):
        stops.append(Remark(_told(found.message), _told(found.hint), True))
    return _of(cards.card(answer.venue), found.ticks, _added(text, found.text), stops, doubts)


def _of(
    view: cards.CardView, ticks: Sequence[Tick], adds: str, stops: list[Remark], doubts: list[Remark]
) -> Checked:
    return Checked(_rules(ticks), adds, stops, doubts, view.title, view.card.source, view.card.read_on)


def _rules(ticks: Sequence[Tick]) -> list[Rule]:
    return [
        Rule(
            _(tick.title),
            tick.state,
            [
                Remark(ruling.filled(one.said, one), ruling.filled(one.hint_said, one), one.is_forbidden)
                for one in tick.findings
            ],
        )
        for tick in ticks
    ]


DOUBTS: dict[str, Any] = {
    "spin": gettext_lazy("“%(words)s” says nothing that could be wrong."),
    "superlative": gettext_lazy("“%(words)s” claims to be first, and no fact says so."),
    "promise": gettext_lazy("“%(words)s” promises something; be sure that it can be kept."),
    "stale_price": gettext_lazy("“%(words)s” is a price that was seen more than a day ago."),
    "wrong_price": gettext_lazy("“%(words)s” is not the price that we know."),
    "claim_without_fact": gettext_lazy("“%(words)s” stands in no fact and no source."),
    "expired_fact": gettext_lazy("“%(words)s” rests on a fact whose time is over."),
    "contradicts_fact": gettext_lazy("“%(words)s” contradicts a fact of ours."),
}


def _doubt(code: str, words: str) -> Remark:
    said = DOUBTS.get(code)
    return Remark(str(said) % {"words": words} if said else f"{code}: {words}", "", False)


def _told(text: str) -> str:
    return sentence(_(text)) if text else ""


def _added(text: str, leaving: str) -> str:
    """What is written in before or after the words, so that who speaks is said."""
    if leaving == text or text not in leaving:
        return ""
    before, _words, after = leaving.partition(text)
    return " ".join(part.strip() for part in (before, after) if part.strip())
