"""What stands beside a conversation: who they are, as far as they allow it, and what could be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from rapport.consent import selectors as consent
from rapport.conversations import selectors
from rapport.conversations.selectors import rows
from rapport.kit.errors import NotFound
from rapport.knowledge import selectors as entries
from rapport.knowledge import services as knowledge
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web.access import may
from rapport.web.components import formats, inboxing, lines, standing, words
from rapport.web.pages.inbox import shown

FIGURES = ("service_tier", "alive", "clv_minor", "dissatisfaction")
ORDERS = 3
EARLIER = 8
SERVES = "service"  # the purpose that answering somebody with what they told us is
DERIVED = "profiling"  # the purpose without which figures about one person are not shown here
WORDS_MAX = 2_000  # of what was asked; more says nothing more about what it is


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: str
    note: str
    reason: str


@dataclass(frozen=True, slots=True)
class PersonShown:
    """Who writes, as far as the reader may see them and they allow it."""

    name: str
    url: str = ""
    kind: str = ""
    standing: tuple[str, str, str] | None = None
    figures: list[Figure] = field(default_factory=list)
    limits: str = ""
    orders: list[lines.Shown] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, slots=True)
class ProposalShown:
    row: knowledge.Proposal
    options: list[str]
    sources: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class ProposalsShown:
    shown: list[ProposalShown]
    asks: knowledge.Ask | None
    because: str
    left_out: str


def context(request: HttpRequest, head: rows.ConversationView, view: str) -> dict[str, Any]:
    """Everything beside one conversation."""
    is_over = head.state in shown.OVER
    sees_knowledge = may(request, Right.SEE_KNOWLEDGE) and not is_over
    staff_names = shown.names()
    return {
        "id": head.id,
        "version": head.version,
        "can_answer": may(request, Right.ANSWER) and not is_over,
        "proposals": _proposals(request, head) if sees_knowledge else None,
        "person": _person(request, head),
        "earlier": [
            {
                "url": shown.address(view, row.id),
                "title": row.title or row.preview or inboxing.place(row.channel, row.network, row.venue),
                "state": inboxing.state(row.state),
                "at": row.last_ts,
            }
            for row in _earlier(request, head)
        ],
        "log": [shown.done(line, staff_names) for line in selectors.log_of(head.id, 20)],
    }


def _earlier(request: HttpRequest, head: rows.ConversationView) -> list[rows.Row]:
    """Their other conversations, whichever of their addresses they came from, as far as the reader may see whose."""
    if head.identifier and may(request, Right.SEE_PEOPLE):
        try:
            theirs = people.subjects_of(people.person(head.identifier).id)
        except NotFound:
            return selectors.earlier(head.id, EARLIER)
        return [row for row in selectors.of_subjects(theirs, EARLIER + 1) if row.id != head.id][:EARLIER]
    return selectors.earlier(head.id, EARLIER)


def asked(head: rows.ConversationView) -> str:
    """What they want to know: their words since ours."""
    return "\n".join(message.text for message in asking(head))[-WORDS_MAX:]


def asking(head: rows.ConversationView) -> list[rows.MessageView]:
    """The messages in which they ask: theirs since ours, oldest first."""
    said: list[rows.MessageView] = []
    for message in reversed(selectors.messages(head.id).rows):
        if message.direction == "out" and said:
            break
        if message.direction == "in" and message.text:
            said.append(message)
    return said[::-1]


def known(request: HttpRequest, head: rows.ConversationView) -> dict[str, str]:
    """What answers depend on and they told us before, such as their vehicle; in public nothing, where all read it."""
    if head.is_public or not head.identifier or not may(request, Right.SEE_PEOPLE):
        return {}
    if not consent.allows(head.identifier, SERVES):
        return {}
    try:
        found = people.person(head.identifier)
    except NotFound:
        return {}
    slots = {slot.name: slot for slot in entries.slots()}
    said = {
        of.name: of.chosen.value
        for of in found.traits
        if of.name in slots and isinstance(of.chosen.value, str) and not of.chosen.is_sensitive
    }
    # What they tell now goes before what they told once.
    words = asked(head)
    still = {name: value for name, value in said.items() if not slots[name].found(words)}
    return still | ({"country": found.country} if found.country else {})


def propose(request: HttpRequest, head: rows.ConversationView) -> knowledge.Proposals:
    """What could be answered; changes nothing."""
    return knowledge.propose(asked(head), language=head.language, known=known(request, head))


def _proposals(request: HttpRequest, head: rows.ConversationView) -> ProposalsShown:
    found = propose(request, head)
    options = [option for one in found.proposals for option in one.options]
    stale = sum(option.is_stale for option in options)
    left_out = _("Prices that were seen more than a day ago are left out.") if stale else ""
    return ProposalsShown(
        [
            ProposalShown(
                one,
                [_option(option) for option in one.options],
                [
                    {"text": source.name, "url": source.url}
                    for source in one.sources
                    if source.name or source.url
                ],
            )
            for one in found.proposals
        ],
        found.asks,
        found.because,
        left_out,
    )


def _option(option: knowledge.OptionView) -> str:
    parts = [option.product]
    if option.place:
        parts.append(option.place)
    if option.price_minor is not None and option.priced_at is not None:
        said = {
            "price": formats.money(option.price_minor, option.currency),
            "at": formats.when_text(option.priced_at),
        }
        parts.append(_("%(price)s, seen %(at)s") % said)
    if not option.is_ours:
        parts.append(_("not ours"))
    return " · ".join(part for part in parts if part)


def _person(request: HttpRequest, head: rows.ConversationView) -> PersonShown:
    name = shown.who(head.author_name, head.identifier)
    if not head.identifier:
        return PersonShown(name, why=_("We began this conversation."))
    if not may(request, Right.SEE_PEOPLE):
        return PersonShown(name, why=_("Your role does not open profiles."))
    try:
        found = people.person(head.identifier)
    except NotFound:
        return PersonShown(name, why=_("Nothing else is known of them."))
    answer = consent.allows(head.identifier, DERIVED)
    is_stopped = answer.reason in ("restricted", "objected", "withdrawn", "denied")
    by_name = {score.name: score for score in found.scores}
    figures = [
        Figure(
            words.score(key),
            words.score_value(by_name[key]),
            words.score_note(by_name[key]),
            by_name[key].reason,
        )
        for key in FIGURES
        if key in by_name and not is_stopped
    ]
    orders = (
        people.timeline(found.id, kinds=["bought"], limit=ORDERS).events if found.kind == "person" else ()
    )
    return PersonShown(
        # A public author goes by the handle that everybody sees.
        name=found.display_name if found.kind == "person" and found.display_name else name,
        url=reverse("person", args=[found.id]),
        kind=str(words.KIND.get(found.kind, found.kind)),
        standing=None if is_stopped else standing.headline(found.scores),
        figures=figures,
        limits=_("They have limited what we may work out about them, so no figures are shown.")
        if is_stopped
        else "",
        orders=[
            lines.shown(one, at=one.at, subject=one.subject, money=one.value, properties=one.properties)
            for one in orders
        ],
    )
