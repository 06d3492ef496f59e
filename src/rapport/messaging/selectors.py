"""Questions about messages: what was intended and what became of it, how channels fare."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, Q, QuerySet

from rapport.kit import bulk, clock
from rapport.kit.errors import Invalid, NotFound
from rapport.messaging.models import Account, Click, Delivery, Reply

PAGE = 50
STATES = tuple(Delivery.State.values)
WAITING = (Delivery.State.PLANNED, Delivery.State.SENDING)


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What an answer says, where, on whose word, and where it can be seen."""

    source: str
    network: str
    venue: str
    conversation: str
    text: str
    is_public: bool
    by: str
    approved_by: str
    post_id: str
    url: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One intended delivery and its fate."""

    id: uuid.UUID
    identifier: str
    purpose: str
    channel: str
    template: str
    campaign: str
    language: str
    is_service: bool
    state: str
    reason: str
    answer: str
    transcript: str
    tries: int
    planned_at: dt.datetime
    next_try_at: dt.datetime | None
    ended_at: dt.datetime | None
    maybe_twice_at: dt.datetime | None
    links: tuple[str, ...] = ()
    source: str = ""
    answer_of: AnswerView | None = None  # where it answers somebody, and one delivery is looked at

    @property
    def address(self) -> str:
        return self.identifier.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries are meant; empty: all of them."""

    state: str = ""
    reason: str = ""
    purpose: str = ""
    campaign: str = ""
    channel: str = ""
    identifier: str = ""
    since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """How many were intended, and what became of them: intended is the sum of all the others."""

    intended: int
    sent: int
    withheld: int
    failed: int
    unknown: int
    waiting: int
    maybe_twice: int
    reasons: Sequence[tuple[str, str, int]] = field(default=())  # state, reason, how many


@dataclass(frozen=True, slots=True)
class AccountView:
    """How a channel is set up, and how it fares."""

    channel: str
    postal_address: str
    changed_at: dt.datetime
    trouble: str
    trouble_since: dt.datetime | None
    sent_at: dt.datetime | None


def deliveries(wanted: Filter | None = None, before: str = "") -> list[DeliveryView]:
    """A page of deliveries, newest first; `before` is a place that `place` gave."""
    found = _filtered(wanted or Filter())
    if before:
        at, last = _read_place(before)
        found = found.filter(Q(planned_at__lt=at) | Q(planned_at=at, id__lt=last))
    return [_view(row) for row in found.order_by("-planned_at", "-id")[:PAGE]]


def delivery(delivery_id: uuid.UUID) -> DeliveryView:
    """One delivery, or NotFound."""
    row = Delivery.objects.filter(id=delivery_id).first()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}", "It may be of another installation.")
    return replace(_view(row), answer_of=_answer(row.id))


def delivery_of(key: str) -> DeliveryView | None:
    """The delivery that somebody asked for with a key; None where nobody did."""
    row = Delivery.objects.filter(key=key).first()
    return replace(_view(row), answer_of=_answer(row.id)) if row else None


def deliveries_of(keys: Sequence[str]) -> dict[str, DeliveryView]:
    """The deliveries that were asked for with these keys."""
    found = {
        row.key: _view(row) for part in bulk.parts(keys) for row in Delivery.objects.filter(key__in=part)
    }
    answers = Reply.objects.in_bulk([view.id for view in found.values()])
    return {
        key: replace(view, answer_of=_answer_view(answers[view.id])) if view.id in answers else view
        for key, view in found.items()
    }


def _answer(delivery_id: uuid.UUID) -> AnswerView | None:
    row = Reply.objects.filter(delivery=delivery_id).first()
    return _answer_view(row) if row else None


def _answer_view(row: Reply) -> AnswerView:
    return AnswerView(
        row.source,
        row.network,
        row.venue,
        row.conversation,
        row.text,
        row.is_public,
        row.by,
        row.approved_by,
        row.post_id,
        row.url,
    )


def place(view: DeliveryView) -> str:
    """Where in the list the page after this delivery begins."""
    return f"{clock.to_us(view.planned_at)}.{view.id.hex}"


def sums(wanted: Filter | None = None) -> Sums:
    """How many deliveries a filter names, by fate and reason."""
    counted = list(
        _filtered(wanted or Filter())
        .values("state", "reason")
        .annotate(n=Count("id"), twice=Count("maybe_twice_at"))
        .order_by("-n", "state", "reason")
    )

    def of(*states: str) -> int:
        return sum(row["n"] for row in counted if row["state"] in states)

    return Sums(
        intended=sum(row["n"] for row in counted),
        sent=of(Delivery.State.SENT),
        withheld=of(Delivery.State.WITHHELD),
        failed=of(Delivery.State.FAILED),
        unknown=of(Delivery.State.UNKNOWN),
        waiting=of(*WAITING),
        maybe_twice=sum(row["twice"] for row in counted),
        reasons=tuple((row["state"], row["reason"], row["n"]) for row in counted if row["reason"]),
    )


def account(channel: str) -> AccountView | None:
    """How a channel is set up; None where it is not."""
    row = Account.objects.filter(channel=channel).first()
    if row is None:
        return None
    return AccountView(
        row.channel, row.postal_address, row.changed_at, row.trouble, row.trouble_since, row.sent_at
    )


def settings_of(channel: str) -> Mapping[str, Any]:
    """The settings of a channel that are no secrets."""
    row = Account.objects.filter(channel=channel).only("config").first()
    return row.config if row else {}


def is_ready(channel: str = "email") -> bool:
    """Whether a channel is set up, so that something can be sent by it."""
    return Account.objects.filter(channel=channel).exists()


def n_waiting() -> int:
    """How many deliveries wait or are under way."""
    return Delivery.objects.filter(state__in=WAITING).count()


def n_outdated() -> int:
    """How many deliveries wait whose time is over: they end as too late once they are looked at again."""
    return Delivery.objects.filter(state=Delivery.State.PLANNED, expires_at__lte=clock.now()).count()


def overdue_since(seconds: float) -> dt.datetime | None:
    """Since when the oldest delivery has been due, where that is longer than so many seconds."""
    limit = clock.now() - dt.timedelta(seconds=seconds)
    waiting = Delivery.objects.filter(state=Delivery.State.PLANNED, next_try_at__lte=limit)
    return waiting.order_by("next_try_at").values_list("next_try_at", flat=True).first()


def n_clicks(delivery_id: uuid.UUID) -> int:
    """How often a counted link of a message was fetched, by whomever."""
    return Click.objects.filter(delivery=delivery_id).count()


def campaigns(limit: int = 50) -> list[str]:
    """The campaigns that deliveries name, for a filter."""
    names = Delivery.objects.exclude(campaign="").values_list("campaign", flat=True)
    return list(names.distinct().order_by("campaign")[:limit])


def _filtered(wanted: Filter) -> QuerySet[Delivery]:
    found = Delivery.objects.all()
    if wanted.state == "waiting":
        found = found.filter(state__in=WAITING)
    elif wanted.state:
        found = found.filter(state=wanted.state)
    for name in ("reason", "purpose", "campaign", "channel", "identifier"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.since is not None:
        found = found.filter(planned_at__gte=wanted.since)
    return found


def _view(row: Delivery) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        identifier=row.identifier,
        purpose=row.purpose,
        channel=row.channel,
        template=row.template,
        campaign=row.campaign,
        language=row.language,
        is_service=row.is_service,
        state=row.state,
        reason=row.reason,
        answer=row.answer,
        transcript=row.transcript,
        tries=row.tries,
        planned_at=row.planned_at,
        next_try_at=row.next_try_at,
        ended_at=row.ended_at,
        maybe_twice_at=row.maybe_twice_at,
        links=tuple(row.links),
        source=row.source,
    )


def _read_place(text: str) -> tuple[dt.datetime, uuid.UUID]:
    us, _dot, last = text.partition(".")
    try:
        return clock.from_us(int(us)), uuid.UUID(last)
    except (ValueError, OverflowError):
        raise Invalid("the place in the list is damaged", "Begin at the top.") from None
