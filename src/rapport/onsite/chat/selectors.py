"""Questions to the chat: how a site's is set up, who is there, what a window has not heard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from rapport.consent.exporters import Exporting, Section
from rapport.kit import clock, secret
from rapport.onsite.chat import rules
from rapport.onsite.models import Chat, ChatDesk, ChatLine, ChatPresence, Site
from rapport.staff import selectors as staff

CHAT = "chat of a browser"  # the use of the keyed hash that a chat is known by
LINES = 100


@dataclass(frozen=True, slots=True)
class DeskView:
    """How a site's chat is set up."""

    source: str
    key: str
    is_on: bool
    hours: dict[str, list[list[str]]]
    zone: str
    greeting: dict[str, str]
    within_min: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody answers now, and else by when: `here`, `away` or `closed`."""

    state: str
    answered_by: dt.datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the window shows it; `key` is the browser's own name of what it sent."""

    id: int
    is_ours: bool
    text: str
    said_at: dt.datetime
    key: str


def chat_id(token: str) -> str:
    """The number of the chat that a browser's secret opens; it does not give the secret away."""
    return rules.PREFIX + secret.keyed_hash(CHAT, rules.token(token))[:24]


def identifier(chat: str) -> str:
    """Who chats, as the log knows them."""
    return f"{rules.NAMESPACE}:{chat}"


def desk(source: str) -> DeskView:
    """How a site's chat is set up; off where nobody set it up yet."""
    site = Site.objects.get(source=source)
    return _view(site, ChatDesk.objects.filter(site=site).first())


def desk_of_key(key: str) -> tuple[DeskView, tuple[str, ...]] | None:
    """The chat of the site with this public key and where its pages live; None where there is none or it is off."""
    site = Site.objects.filter(key=key, is_on=True).first()
    row = ChatDesk.objects.filter(site=site, is_on=True).first() if site else None
    if site is None or row is None:
        return None
    return _view(site, row), tuple(site.origins)


def _view(site: Site, row: ChatDesk | None) -> DeskView:
    if row is None:
        firm = staff.organisation()
        return DeskView(site.source, site.key, False, {}, firm.timezone if firm else "UTC", {}, 60)
    return DeskView(site.source, site.key, row.is_on, row.hours, row.zone, row.greeting, row.within_min)


def standing(desk: DeskView) -> Standing:
    """Whether somebody answers now."""
    now = clock.now()
    by = rules.answered_by(desk.hours, desk.zone, now, desk.within_min)
    if not rules.is_open(desk.hours, desk.zone, now):
        return Standing("closed", by)
    is_here = ChatPresence.objects.filter(seen_at__gte=now - rules.HERE).exists()
    return Standing("here" if is_here else "away", by)


def lines(chat: str, after: int) -> list[Line]:
    """What was said after a line, oldest first; both sides, so that a window that was closed has it again."""
    found = ChatLine.objects.filter(chat=chat, id__gt=after).order_by("id")[:LINES]
    return [
        Line(row.id, row.is_ours, row.text, row.said_at, "" if row.is_ours else row.key.partition(":")[2])
        for row in found
    ]


def mail_of(chat: str) -> str:
    """The address that was left in a chat; empty where none was."""
    return Chat.objects.filter(id=chat).values_list("mail", flat=True).first() or ""


def unmailed(identifier: str) -> str:
    """Why an answer in somebody's chat was not mailed to the address they left, while they have not read it.

    A code: `limit`, or messaging's reason; empty where it was, or need not be.
    """
    namespace, _colon, chat = identifier.partition(":")
    found = Chat.objects.filter(id=chat, unmailed_upto__gt=F("heard_upto"))
    if namespace != rules.NAMESPACE:
        return ""
    return found.values_list("unmailed_why", flat=True).first() or ""


def everything(exporting: Exporting) -> Iterator[Section]:
    """What the windows of somebody's chats hold, and the address they left there."""
    mine = [
        text.partition(":")[2]
        for text in exporting.identifiers
        if text.startswith(f"{rules.NAMESPACE}:{rules.PREFIX}")
    ]
    chats = list(Chat.objects.filter(id__in=mine).order_by("began_at"))
    rows: list[dict[str, Any]] = [
        {"began_at": row.began_at, "language": row.language, "address_left": row.mail} for row in chats
    ]
    rows += [
        {"said_at": row.said_at, "by": "us" if row.is_ours else "you", "text": row.text}
        for row in ChatLine.objects.filter(chat__in=chats).order_by("id")
    ]
    if rows:
        yield Section("Chat on our site", rows, "chat")
