"""The one way out: everything that is meant to leave becomes a row here, or is withheld with its reason."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from rapport.consent import selectors as consent
from rapport.consent import services as warrants
from rapport.consent.selectors import many
from rapport.events.rules import IDENTIFIER_PATTERN, normal_identifier
from rapport.kit import bulk, clock, ids
from rapport.kit.errors import Invalid
from rapport.messaging.models import Delivery
from rapport.messaging.rules import blocks
from rapport.messaging.rules.blocks import Template
from rapport.messaging.services import steps
from rapport.messaging.services.templates import template
from rapport.people import selectors as people
from rapport.people.rules.graph import as_subjects
from rapport.staff import selectors as staff
from rapport.venues.rules import Finding

BASES_OF_SERVICE = ("contract", "legal_obligation")
KEY_CHARS_MAX = 200
GIVEN = frozenset({"firm"})  # values that every message has without being given them

COLUMNS = (
    "id",
    "key",
    "identifier",
    "purpose",
    "channel",
    "template",
    "campaign",
    "language",
    "context",
    "links",
    "is_service",
    "state",
    "reason",
    "answer",
    "transcript",
    "tries",
    "planned_at",
    "next_try_at",
    "expires_at",
    "ended_at",
    "is_told",
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message that somebody wants sent.

    to : identifier, `namespace:value`; `staff:<address>` for a colleague, who is nobody in the log
    key : idempotency key; whoever asks twice with one key sends once
    language : empty for what the person prefers, else the firm's
    """

    to: str
    purpose: str
    template: str
    key: str
    context: Mapping[str, Any] = field(default_factory=dict)
    channel: str = "email"
    campaign: str = ""
    language: str | None = None
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery that is planned or has left already; `state` says which."""

    delivery: uuid.UUID
    state: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A delivery that is not made, and why: a stable code.

    message, hint, findings : of an answer, in words, and everything that the venue's rule card says of it
    """

    delivery: uuid.UUID
    reason: str
    message: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()


Outcome = Sent | Withheld


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of a set: intended = planned + withheld + known, where known were asked for before."""

    intended: int
    planned: int
    withheld: Mapping[str, int]
    known: int
    outcomes: Sequence[Outcome]


def send(message: Outgoing) -> Outcome:
    """Plan one message, or withhold it; it leaves within a moment where the worker runs.

    Raises Invalid where the message cannot be sent to anybody: its template, purpose or values are wrong.
    """
    return send_many([message]).outcomes[0]


def send_many(messages: Iterable[Outgoing], *, withheld_again: bool = False) -> Planned:
    """Plan a set of messages: each becomes one row, planned or withheld with its reason.

    Nothing is written where one of them is wrong in itself (Invalid). A set that was cut short may be given
    again as a whole: what has a row keeps it.
    withheld_again : what was withheld and may leave now is planned in the place of its row
    """
    purposes = {purpose.key: purpose for purpose in consent.purposes()}
    given = [_checked(message, purposes) for message in messages]
    keys = [message.key for message, _ in given]
    if len(set(keys)) != len(keys):
        double = next(key for key, n in Counter(keys).items() if n > 1)
        raise Invalid(
            f"the key {double!r} was given twice in one set", "Give every message a key of its own."
        )
    known = _known(keys)
    before = {key for key, one in known.items() if withheld_again and isinstance(one, Withheld)}
    known = {key: one for key, one in known.items() if key not in before}
    fresh = {place: pair for place, pair in enumerate(given) if pair[0].key not in known}
    _warranted(fresh.values(), purposes)
    reasons = steps.reasons({place: intended(*pair) for place, pair in fresh.items()})
    languages = _languages([message for message, _ in fresh.values()])
    now = clock.now()
    leaving = [pair[0].key for place, pair in fresh.items() if place not in reasons]
    with transaction.atomic():
        for part in bulk.parts([key for key in leaving if key in before]):
            Delivery.objects.filter(key__in=part, state=Delivery.State.WITHHELD).delete()
        bulk.upsert(
            "messaging_delivery",
            COLUMNS,
            (
                _row(message, of, reasons.get(place, ""), languages[message.key], now)
                for place, (message, of) in fresh.items()
            ),
            conflict=("key",),
        )
    stored = known | _known([message.key for message, _ in fresh.values()])
    outcomes = [stored[key] for key in keys]
    return Planned(
        intended=len(given),
        planned=len(fresh) - len(reasons),
        withheld=dict(Counter(reasons.values())),
        known=len(given) - len(fresh),
        outcomes=outcomes,
    )


def intended(message: Outgoing, of: Template) -> steps.Intended:
    """The message as the steps see it."""
    return steps.Intended(message.to, message.purpose, message.channel, of.is_service, message.campaign)


def _checked(message: Outgoing, purposes: Mapping[str, consent.PurposeView]) -> tuple[Outgoing, Template]:
    """The message with its identifier in the one spelling, and its template; Invalid where it makes no sense."""
    of = template(message.template)
    _check_purpose(message, of, purposes.get(message.purpose) or consent.purpose(message.purpose))
    if not message.key or len(message.key) > KEY_CHARS_MAX:
        raise Invalid(
            f"{message.key!r} cannot be an idempotency key",
            f"Give a text of 1 to {KEY_CHARS_MAX} characters.",
        )
    missing = blocks.needs(of) - set(message.context) - GIVEN
    if missing:
        raise Invalid(
            f"the template {of.key} needs {', '.join(sorted(missing))}", "Put them into the context."
        )
    blocks.filled(of, message.context)
    namespace, _, value = message.to.partition(":")
    to = normal_identifier(namespace, value)
    if not IDENTIFIER_PATTERN.match(to):
        raise Invalid(f"{message.to!r} is no identifier", "Write namespace:value.")
    if namespace == steps.STAFF and not of.is_service:
        raise Invalid("colleagues are nobody's customers here", "Send to the identifier of a person.")
    return (message if to == message.to else _with(message, to)), of


def _with(message: Outgoing, to: str) -> Outgoing:
    return replace(message, to=to)


def _check_purpose(message: Outgoing, of: Template, known: consent.PurposeView) -> None:
    if of.is_service and known.legal_basis not in BASES_OF_SERVICE:
        raise Invalid(
            f"the service message {of.key} cannot be sent for the purpose {message.purpose}",
            "Service messages have a legal basis of their own: contract or legal obligation.",
        )
    if not of.is_service and known.legal_basis in BASES_OF_SERVICE:
        raise Invalid(
            f"{of.key} is no service message, so it cannot be sent for the purpose {message.purpose}",
            "Send it for a purpose that people can refuse, or write a service template.",
        )
    if of.purposes and message.purpose not in of.purposes:
        raise Invalid(
            f"{of.key} is not meant for the purpose {message.purpose}", f"It is for {', '.join(of.purposes)}."
        )


def _known(keys: Sequence[str]) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for part in bulk.parts(keys):
        rows = Delivery.objects.filter(key__in=part).values_list("key", "id", "state", "reason")
        for key, delivery, state, reason in rows:
            withheld = state == Delivery.State.WITHHELD
            found[key] = Withheld(delivery, reason) if withheld else Sent(delivery, state)
    return found


def _warranted(
    fresh: Iterable[tuple[Outgoing, Template]], purposes: Mapping[str, consent.PurposeView]
) -> None:
    """Leave to read who may be written to, once for each purpose; service messages stand on their own basis."""
    asked = {
        (message.purpose, message.channel, message.campaign or message.template)
        for message, of in fresh
        if not of.is_service and purposes[message.purpose].is_active
    }
    for purpose, channel, what in sorted(asked):
        warrants.warrant(purpose, by="messaging", why=f"send {what}", channel=channel)


def _languages(messages: Sequence[Outgoing]) -> dict[str, str]:
    """The language of each message by its key: as given, as wished, as known of the person, as the firm's."""
    spoken = {code for code, _ in settings.LANGUAGES}
    firm = staff.organisation()
    unsaid = [m.to for m in messages if not m.language]
    wishes = many.wishes_of(unsaid, "language") if unsaid else {}
    known = _known_languages(unsaid)
    found = {}
    for message in messages:
        of = (
            message.language,
            wishes.get(message.to),
            known.get(message.to),
            firm.language if firm else None,
        )
        wanted = (str(language).lower().partition("-")[0] for language in of if language)
        found[message.key] = next((language for language in wanted if language in spoken), "en")
    return found


def _known_languages(identifiers: Sequence[str]) -> dict[str, str]:
    """The language that is known of each one's person, for those who have one."""
    subjects = steps.subjects_of(identifiers)
    if not subjects:
        return {}
    found = people.people_for(as_subjects(sorted(set(subjects.values())))).to_pylist()
    person_of = {row["subject"]: row["person"] for row in found}
    persons = sorted(set(person_of.values()))
    spoken = {row.id: row.language for part in bulk.parts(persons) for row in people.person_rows(part)}
    languages = {i: spoken.get(person_of.get(subject, 0), "") for i, subject in subjects.items()}
    return {identifier: language for identifier, language in languages.items() if language}


def _row(message: Outgoing, of: Template, reason: str, language: str, now: dt.datetime) -> tuple[Any, ...]:
    expires_at = message.expires_at or (now + dt.timedelta(seconds=of.ttl_s) if of.ttl_s else None)
    withheld = bool(reason)
    return (
        bulk.uuid_value(ids.uuid7()),
        message.key,
        message.to,
        message.purpose,
        message.channel,
        of.key,
        message.campaign,
        language,
        "{}" if withheld else json.dumps(dict(message.context), cls=DjangoJSONEncoder),
        "[]",
        of.is_service,
        Delivery.State.WITHHELD if withheld else Delivery.State.PLANNED,
        reason,
        "",
        "",
        0,
        bulk.time_value(now),
        None if withheld else bulk.time_value(now),
        bulk.time_value(expires_at),
        bulk.time_value(now) if withheld else None,
        not withheld,
    )
