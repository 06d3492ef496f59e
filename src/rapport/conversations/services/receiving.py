"""Reckons what our public replies did in each venue and through each playbook; falls silent where they do harm."""

from __future__ import annotations

import datetime as dt
import statistics
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.conversations.models import Conversation, Message, Reception
from rapport.conversations.rules import receiving, summary
from rapport.conversations.rules.receiving import Case
from rapport.conversations.services import minding
from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.venues import services as venues

LOOKED_BACK = dt.timedelta(days=180)  # an older reply says little of how a place is now
HEARD = dt.timedelta(days=14)  # what is said later than this after a reply is about something else
ALONE_MIN = 20  # like conversations of the place itself; with fewer, those of its whole network are looked at
UNANSWERED_DELAY = dt.timedelta(hours=2)  # where nothing was answered yet that would say how late we come
CASES_MAX = 20_000
ASKING = ("complaint", "churn_threat", "question", "help_request")  # what could have been answered


@dataclass(slots=True)
class _Seen:
    """One public conversation on its way to becoming a case."""

    number: uuid.UUID
    venue: str
    network: str
    why: str
    subject: int | None
    asked_at: dt.datetime
    replied_at: dt.datetime | None
    playbook: str
    said: list[tuple[dt.datetime, float | None, bool]] = field(default_factory=list)  # when, stance, thanks

    def case(self, at: dt.datetime, blocked: bool, ordered: Mapping[int, bool | None]) -> Case | None:
        before = [s for t, s, _ in self.said if t <= at and s is not None]
        after = [(s, thanks) for t, s, thanks in self.said if at < t <= at + HEARD]
        if not before:
            return None
        told = [s for s, _ in after if s is not None]
        return Case(
            self.why,
            statistics.fmean(before),
            statistics.fmean(told) if told else None,
            any(thanks for _, thanks in after),
            blocked,
            ordered.get(30),
            ordered.get(90),
        )


def reckon_reception() -> int:
    """Reckon every venue and playbook anew; where replies do harm for certain, fall silent. Gives how many were."""
    seen = _seen(clock.now() - LOOKED_BACK)
    if not seen:
        return 0
    delays = [s.replied_at - s.asked_at for s in seen if s.replied_at is not None]
    waited_s = [d.total_seconds() for d in delays]
    delay = dt.timedelta(seconds=statistics.median(waited_s)) if waited_s else UNANSWERED_DELAY
    cases = _cases(seen, delay)
    answered = [s for s in seen if s.replied_at is not None]
    alone = [s for s in seen if s.replied_at is None]
    scopes = [("venue", s.venue) for s in answered] + [
        ("playbook", s.playbook) for s in answered if s.playbook
    ]
    for scope, name in dict.fromkeys(scopes):
        mine = [s for s in answered if (s.venue if scope == "venue" else s.playbook) == name]
        like = _like(mine, alone)
        figures = receiving.received(_of(mine, cases), _of(like, cases))
        _keep(scope, name, figures)
    return len(set(scopes))


def lift_silence(venue: str) -> None:
    """Answer there again; what our replies did before now no longer counts against it."""
    with transaction.atomic():
        n = Reception.objects.filter(scope="venue", name=venue, is_silent=True).update(
            is_silent=False, silent_since=None, lifted_at=clock.now()
        )
        venues.speak_again(venue)
    if not n:
        raise NotFound(_("we are not silent at %(venue)s") % {"venue": venue}, _("Nothing was changed."))


def _like(mine: Sequence[_Seen], alone: Sequence[_Seen]) -> list[_Seen]:
    places = {s.venue for s in mine}
    there = [s for s in alone if s.venue in places]
    if len(there) >= ALONE_MIN:
        return there
    networks = {s.network for s in mine}
    return [s for s in alone if s.network in networks]


def _of(some: Iterable[_Seen], cases: Mapping[uuid.UUID, Case]) -> list[Case]:
    return [cases[s.number] for s in some if s.number in cases]


def _keep(scope: str, name: str, figures: receiving.Received) -> None:
    now = clock.now()
    with transaction.atomic():
        row, _new = Reception.objects.select_for_update().get_or_create(
            scope=scope, name=name, defaults={"reckoned_at": now, "figures": figures.as_json()}
        )
        row.reckoned_at, row.figures = now, figures.as_json()
        if scope == "venue" and figures.does_harm and not row.is_silent:
            row.is_silent, row.silent_since = True, now
        if row.is_silent:
            venues.fall_silent(name)  # whatever leaves looks there, not here
        row.save()


def _seen(since: dt.datetime) -> list[_Seen]:
    lifted = {row.name: row.lifted_at or since for row in Reception.objects.exclude(lifted_at=None)}
    rows = Conversation.objects.filter(is_public=True, last_ts__gte=since).exclude(state="merged")
    rows = rows.filter(channel__in=summary.PUBLIC_CHANNELS).order_by("-last_ts")
    heads = {
        r["id"]: r
        for r in rows.values("id", "venue", "network", "why", "subject", "intent", "sentiment")[:CASES_MAX]
    }
    found: dict[uuid.UUID, _Seen] = {}
    said = Message.objects.filter(conversation__in=rows.values("id"), ts__gte=since - HEARD)
    columns = (
        "conversation_id",
        "ts",
        "direction",
        "why",
        "stance",
        "is_thanks",
        "state",
        "playbook",
        "event_name",
    )
    for of, ts, direction, why, stance, thanks, state, playbook, name in (
        said.exclude(direction="note").order_by("ts", "id").values_list(*columns).iterator(chunk_size=5_000)
    ):
        head = heads.get(of)
        if head is None:
            continue
        one = found.get(of)
        if direction == "in":
            if one is None:
                if not (why or head["intent"] in ASKING or head["sentiment"] == "negative"):
                    continue
                one = found[of] = _Seen(
                    of, head["venue"], head["network"], why or "aside", head["subject"], ts, None, ""
                )
            one.said.append((ts, stance, thanks))
        elif one is not None and one.replied_at is None and state in summary.GIVEN and name != "message_sent":
            one.replied_at, one.playbook = ts, playbook
    return [s for s in found.values() if s.asked_at >= max(since, lifted.get(s.venue, since))]


def _cases(seen: Sequence[_Seen], delay: dt.timedelta) -> dict[uuid.UUID, Case]:
    now = clock.now()
    at = {s.number: s.replied_at or s.asked_at + delay for s in seen}
    blocked = _blocked({s.subject for s in seen if s.subject is not None}, min(at.values()))
    ordered: dict[uuid.UUID, dict[int, bool | None]] = {}
    for days in minding.ORDERED_DAYS:
        over = [s for s in seen if s.subject is not None and at[s.number] < now - dt.timedelta(days=days)]
        bought = minding.ordered_after([(n, s.subject or 0, at[s.number]) for n, s in enumerate(over)], days)
        known = minding.customers([s.subject or 0 for s in over])
        for n, s in enumerate(over):
            # A handle that nobody has joined to a customer cannot be seen to order.
            ordered.setdefault(s.number, {})[days] = (n in bought) if s.subject in known else None
    cases = {}
    for s in seen:
        moment = at[s.number]
        is_blocked = any(moment < t <= moment + HEARD for t in blocked.get(s.subject or 0, ()))
        case = s.case(moment, is_blocked, ordered.get(s.number, {}))
        if case is not None:
            cases[s.number] = case
    return cases


def _blocked(subjects: set[int], since: dt.datetime) -> dict[int, list[dt.datetime]]:
    if not subjects:
        return {}
    con = lake.connect()
    try:
        found = query.run(con, query.load("rapport.conversations", "blocked"), {"since": since}).fetchall()
    finally:
        con.close()
    moments: dict[int, list[dt.datetime]] = {}
    for subject, ts in found:
        if subject in subjects:
            moments.setdefault(subject, []).append(ts)
    return moments
