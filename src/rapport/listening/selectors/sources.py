"""Networks that are read, or could be: their state, their gaps, their terms."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from rapport.kit import clock, registry
from rapport.kit.errors import NotFound
from rapport.listening.contract import (
    KIND,
    Connector,
    Finding,
    Manners,
    Pictures,
    Publishes,
    Reads,
    Receives,
    Rechecks,
    Terms,
)
from rapport.listening.models import Gap, Posted, Source
from rapport.listening.rules.pictures import Shape
from rapport.listening.services import archives, fitting, unchecked
from rapport.listening.services import sources as setting_up

LATE_S = 15 * 60.0  # a source in trouble for longer is worth somebody's look


@dataclass(frozen=True, slots=True)
class Offered:
    """A network that can be added, and what it would mean."""

    name: str
    title: str
    network: str
    costs: str
    sees: str
    cannot_see: str
    terms: Terms
    manners: Manners
    is_asked: bool
    is_called: bool
    posts: bool
    n_sources: int = 0


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source as others may see it: no secret, and no setting that could hold one."""

    name: str
    connector: str
    title: str  # of the connector; its name where the plug-in was taken away
    network: str
    state: str
    terms: Terms | None
    manners: Manners
    is_asked: bool
    is_called: bool
    posts: bool
    rechecks: bool  # can be asked what of it was deleted
    keep_days: int | None  # the shorter of the terms' and the firm's own
    own_keep_days: int | None
    kept_since: dt.datetime | None  # what is older is not kept
    forgets_at: dt.datetime | None  # its words go then, because nobody can ask what of them was deleted
    asks_approval: bool
    days_back: int
    n_said: int
    began_at: dt.datetime | None
    seen_at: dt.datetime | None
    said_at: dt.datetime | None
    next_at: dt.datetime | None
    trouble: str
    trouble_hint: str
    trouble_since: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime
    changed_by: str

    @property
    def is_on(self) -> bool:
        return self.state == Source.State.ON

    @property
    def needs_login(self) -> bool:
        return self.state == Source.State.NEEDS_LOGIN

    @property
    def is_late(self) -> bool:
        """Whether its trouble has lasted longer than such things do, or it was never read before it."""
        if self.trouble_since is None:
            return False
        return self.seen_at is None or (clock.now() - self.trouble_since).total_seconds() > LATE_S


@dataclass(frozen=True, slots=True)
class GapRow:
    """A stretch of which a source may have missed something."""

    source: str
    since: dt.datetime
    until: dt.datetime | None  # None: it lasts
    reason: str
    message: str
    is_made_good: bool


def offered() -> list[Offered]:
    """Every network that can be added, by title."""
    counts: dict[str, int] = {}
    for name in Source.objects.values_list("connector", flat=True):
        counts[name] = counts.get(name, 0) + 1
    found = [
        _offered(plugin.offers, counts.get(plugin.name, 0)) for plugin in registry.plugins(KIND).values()
    ]
    return sorted(found, key=lambda one: one.title.lower())


def _offered(one: Connector, n_sources: int) -> Offered:
    return Offered(
        one.name,
        one.title,
        one.network,
        one.costs,
        one.sees,
        one.cannot_see,
        one.terms,
        one.manners,
        isinstance(one, Reads),
        isinstance(one, Receives),
        isinstance(one, Publishes),
        n_sources,
    )


def sources(*, connector: str = "") -> list[SourceRow]:
    """Every source by name."""
    rows = Source.objects.order_by("name")
    return [_row(row) for row in (rows.filter(connector=connector) if connector else rows)]


def source(name: str) -> SourceRow:
    """One source, or NotFound."""
    return _row(setting_up.row(name))


def settings_of(name: str) -> dict[str, Any]:
    """How a source is set up, without its secrets: what a form shows."""
    row = setting_up.row(name)
    config = setting_up.plain_of(row)
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if not field.metadata.get("secret")
    }


def _row(row: Source) -> SourceRow:
    try:
        one: Connector | None = setting_up.connector(row.connector)
    except NotFound:
        one = None
    return SourceRow(
        name=row.name,
        connector=row.connector,
        title=one.title if one else row.connector,
        network=row.network,
        state=row.state,
        terms=setting_up.terms_of_row(row),
        manners=one.manners if one else Manners(),
        is_asked=isinstance(one, Reads),
        is_called=isinstance(one, Receives),
        posts=isinstance(one, Publishes),
        rechecks=isinstance(one, Rechecks),
        keep_days=setting_up.keep_days(row),
        own_keep_days=row.keep_days,
        kept_since=unchecked.keep_since(row, clock.now()),
        forgets_at=unchecked.forgets_at(row),
        **{name: getattr(row, name) for name in _SAME},
    )


_SAME = (
    "asks_approval",
    "days_back",
    "n_said",
    "began_at",
    "seen_at",
    "said_at",
    "next_at",
    "trouble",
    "trouble_hint",
    "trouble_since",
    "created_at",
    "changed_at",
    "changed_by",
)


def gaps(
    source: str = "", since: dt.datetime | None = None, until: dt.datetime | None = None
) -> list[GapRow]:
    """Gaps that touch a stretch of time, oldest first; of every source where none is named."""
    rows = Gap.objects.filter(source=source) if source else Gap.objects.all()
    if since is not None:
        rows = rows.filter(Q(until__gt=since) | Q(until__isnull=True))
    if until is not None:
        rows = rows.filter(since__lt=until)
    columns = ("source", "since", "until", "reason", "message", "is_made_good")
    return [GapRow(*row) for row in rows.order_by("since", "id").values_list(*columns)]


def terms_of(network: str) -> Terms | None:
    """What may be done with what is said on a network: the strictest of its sources and archives; None without any."""
    found = [t for row in Source.objects.filter(network=network) if (t := setting_up.terms_of_row(row))]
    found += [one.terms for _, one in archives.imported() if one.network == network]
    return strictest(found)


def strictest(found: Iterable[Terms]) -> Terms | None:
    """One set of terms that breaks none of those given."""
    held: Terms | None = None
    for one in found:
        if held is None:
            held = one
            continue
        days = [d for d in (held.keep_days, one.keep_days) if d is not None]
        held = dataclasses.replace(
            held,
            keep_days=min(days) if days else None,
            may_match=held.may_match and one.may_match,
            may_derive=held.may_derive and one.may_derive,
            may_train=held.may_train and one.may_train,
            may_answer=held.may_answer and one.may_answer,
            may_answer_unasked=held.may_answer_unasked and one.may_answer_unasked,
            deletes_within_h=min(held.deletes_within_h, one.deletes_within_h),
            is_public=held.is_public and one.is_public,
        )
    return held


def keep_days_of(network: str) -> int | None:
    """For how many days words and handles of a network may be kept; None: no longer limit than the firm's own."""
    days = [
        d for row in Source.objects.filter(network=network) if (d := setting_up.keep_days(row)) is not None
    ]
    days += [d for _, one in archives.imported() if one.network == network and (d := one.terms.keep_days)]
    return min(days) if days else None


def forbidding(member: str) -> tuple[list[str], list[str]]:
    """Networks whose terms forbid something (`may_match`, `may_derive`, `may_train`), and their sources' names."""
    networks: set[str] = set()
    names: list[str] = []
    for row in Source.objects.order_by("name"):
        terms = setting_up.terms_of_row(row)
        if terms is not None and not getattr(terms, member):
            networks.add(row.network)
            names.append(row.name)
    for name, connector in archives.imported():
        if not getattr(connector.terms, member):
            networks.add(connector.network)
            names.append(name)
    return sorted(networks), sorted(set(names))


def may_answer(source: str, was_asked: bool) -> Finding:
    """Whether the network's terms let us answer somebody there, who addressed us or did not."""
    row = _row(setting_up.row(source))
    what = "terms"
    if not row.posts:
        return Finding(
            what, "bad", f"{row.title} cannot be posted to from here", "Open the post and answer there."
        )
    terms = row.terms
    if terms is None or not terms.may_answer:
        return Finding(what, "bad", f"the terms of {row.title} allow no answers from here", "Answer there.")
    if not was_asked and not terms.may_answer_unasked:
        return Finding(
            what,
            "bad",
            f"the terms of {row.title} allow an answer only to whoever addressed us",
            "Wait until they do, or answer as a person, there.",
        )
    return Finding(what, "ok", f"the terms of {row.title} allow it")


def about_pictures(source: str, shapes: Sequence[Shape], n_chars: int = 0) -> list[Finding]:
    """What is to say of a post of our own with such pictures by a source: `bad` where it may not leave with them."""
    return fitting.findings(setting_up.row(source), shapes, n_chars)


def pictures_of(source: str) -> Pictures:
    """The pictures that a source takes along with a post of our own."""
    return fitting.taken_by(setting_up.row(source))


def posted(draft_id: str) -> tuple[str, str, str] | None:
    """State, post id and address of what we posted under a draft's id; None where nothing was begun."""
    found = Posted.objects.filter(pk=draft_id).values_list("state", "post_id", "url").first()
    return None if found is None else (str(found[0]), str(found[1]), str(found[2]))
