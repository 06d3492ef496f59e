"""What the calendar says of posts: states in words, a post held against each of its networks."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from rapport.listening import selectors as listening
from rapport.publishing import selectors, services
from rapport.staff import selectors as staff
from rapport.venues import selectors as venues
from rapport.web.components import ruling, sending
from rapport.web.errors import sentence

STATES: dict[str, tuple[Any, str]] = {
    "draft": (gettext_lazy("draft"), ""),
    "waiting": (gettext_lazy("waits for approval"), "warn"),
    "approved": (gettext_lazy("approved, without a time"), "accent"),
    "planned": (gettext_lazy("planned"), "accent"),
    "leaving": (gettext_lazy("leaving"), "accent"),
    "published": (gettext_lazy("published"), "ok"),
    "failed": (gettext_lazy("not published everywhere"), "danger"),
    "withdrawn": (gettext_lazy("withdrawn"), ""),
    "withheld": (gettext_lazy("did not leave"), "danger"),
    "unknown": (gettext_lazy("nobody can say"), "warn"),
}
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
HURDLES: dict[str, Any] = {
    "letters": gettext_lazy(
        "“%(words)s” is drawn from signs of mathematics; read aloud, it is spelled out or left out."
    ),
    "pictographs": gettext_lazy("“%(words)s” is read aloud picture by picture; one or two say as much."),
    "tag_run_on": gettext_lazy("“%(words)s” is read as one word; write each word of a tag with a capital."),
    "tags": gettext_lazy("With “%(words)s” there are more tags than sentences need."),
    "capitals": gettext_lazy(
        "“%(words)s”: capitals alone are hard to read, and read aloud letter by letter."
    ),
}


WHY: dict[str, Any] = sending.REASONS | {
    "too_late": gettext_lazy("Its time is more than a day ago. Read whether it still holds, then try again."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A post by one of its sources: what would leave, the rules' ticks, and remarks."""

    source: str
    title: str
    against: str
    lines: list[ruling.Line]
    remarks: list[str]
    adds: str
    card: Any
    n_chars: int
    hint: str = ""  # what to do about what stands against it, where that is more than other words


def state(code: str) -> tuple[str, str]:
    """A state in words, and the tone of its chip."""
    words, tone = STATES.get(code, (code, ""))
    return str(words), tone


def why(answer: str) -> str:
    """Why a post did not leave: the network's own words, or a reason of ours in the reader's."""
    return sentence(str(WHY.get(answer, answer)))


def shown(found: services.Checked) -> Shown:
    """What was found of a post by one source, as a screen says it."""
    remarks = [str(DOUBTS[f.code]) % {"words": f.words} for f in found.findings if f.code in DOUBTS]
    remarks += [str(HURDLES[h.code]) % {"words": h.words} for h in found.hurdles]
    remarks += [
        sentence(one.message) if not one.hint else f"{sentence(one.message)} {sentence(one.hint)}"
        for one in found.pictures
        if one.message != found.stands_against
    ]
    preview = found.preview
    return Shown(
        found.source,
        found.title,
        sentence(found.stands_against),
        [ruling.line(tick) for tick in preview.ticks] if preview else [],
        remarks,
        "",
        venues.card(preview.venue).card if preview else None,
        len(found.text),
        sentence(found.hint) if found.hint else "",
    )


def zone() -> zoneinfo.ZoneInfo:
    """The firm's time zone, in which the calendar is written."""
    firm = staff.organisation()
    return zoneinfo.ZoneInfo(firm.timezone if firm else "UTC")


def posting_sources() -> list[listening.SourceRow]:
    """The sources that can be posted to, by name."""
    return [row for row in listening.sources() if row.posts]


def fares(views: list[selectors.PostView]) -> dict[str, selectors.Fared]:
    """What came of each of some posts, over all of its networks."""
    found = selectors.fared(views)
    summed: dict[str, selectors.Fared] = {}
    for view in views:
        parts = [found[p.network, p.post_id] for p in view.postings if (p.network, p.post_id) in found]
        if parts:
            summed[str(view.id)] = selectors.Fared(
                *(sum(getattr(one, name) for one in parts) for name in _COUNTS)
            )
    return summed


_COUNTS = ("n_replies", "n_reactions", "n_read", "n_negative", "n_positive")
