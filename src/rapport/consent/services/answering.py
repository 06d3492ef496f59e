"""Grant, deny, withdraw, prefer: into the log first, which is the evidence, and into force at once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from rapport.consent import rules
from rapport.consent.models import Purpose
from rapport.consent.selectors.wishes import FREQUENCIES, NAMES
from rapport.consent.services import writing
from rapport.events import erased
from rapport.events import services as events
from rapport.events.rules import CONFIRMED_HOW, EARLIEST, IDENTIFIER_PATTERN, normal_identifier
from rapport.kit import bulk, clock, ids
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import selectors as people

SOURCE = "consent"
HOWS = (
    "confirmed",  # by the link of a message, after the form: double opt-in
    "form",
    "banner",
    "preference_page",
    "one_click",
    "import",
    "staff",
    "api",
)


def grant(
    identifier: str,
    purpose: str,
    channel: str = "",
    *,
    how: str,
    shown: str = "",
    wording: str = "",
    at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,
    source: str = SOURCE,
) -> str:
    """Note that somebody allows a purpose on a channel (empty: on all of them); gives the event's id.

    Raises NotFound for a purpose that the firm has not, Invalid for a channel that it has not.
    """
    chosen = Purpose.objects.filter(key=purpose, is_active=True).first()
    if chosen is None:
        raise NotFound(f"there is no active purpose {purpose!r}", "The page Consent lists the purposes.")
    if channel and channel not in chosen.channels:
        raise Invalid(
            f"{purpose} has no channel {channel!r}",
            f"It has {', '.join(chosen.channels) or 'none; leave the channel empty'}.",
        )
    return _state(
        rules.GRANTED,
        identifier,
        purpose,
        channel,
        how=how,
        shown=shown,
        wording=wording,
        at=at,
        expires_at=expires_at,
        source=source,
    )


def deny(
    identifier: str,
    purpose: str,
    channel: str = "",
    *,
    how: str,
    shown: str = "",
    wording: str = "",
    at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,  # noqa: ARG001  so that the three verbs are called alike
    source: str = SOURCE,
) -> str:
    """Note that somebody refuses a purpose on a channel (empty: on all of them)."""
    return _state(
        rules.DENIED,
        identifier,
        purpose,
        channel,
        how=how,
        shown=shown,
        wording=wording,
        at=at,
        source=source,
    )


def withdraw(
    identifier: str,
    purpose: str,
    channel: str = "",
    *,
    how: str,
    shown: str = "",
    wording: str = "",
    at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,  # noqa: ARG001  so that the three verbs are called alike
    source: str = SOURCE,
) -> str:
    """Note that somebody takes back what they allowed, or objects; in force when this returns.

    No channel or purpose is refused here: that the firm has since renamed one is not the customer's fault.
    """
    return _state(
        rules.WITHDRAWN,
        identifier,
        purpose,
        channel,
        how=how,
        shown=shown,
        wording=wording,
        at=at,
        source=source,
    )


def state_preference(identifier: str, name: str, value: Any, *, source: str = SOURCE) -> str:
    """Note a wish: topics (list of keys or None), frequency, pause_until (ISO date or None), language."""
    _check_preference(name, value)
    text = _normal(identifier)
    if erased.is_erased(text):
        return ""
    message_id, at, plain = str(ids.uuid7()), clock.now(), json.dumps(value)
    span = events.touchpoint(
        "preference_stated",
        text,
        source=source,
        message_id=message_id,
        ts=at,
        properties={"name": name, "value": plain},
    )
    key = writing.event_id(source, message_id)
    subject = people.subjects_for([text]).get(text)
    writing.preferences(
        [
            (
                bulk.uuid_value(key),
                subject,
                "" if subject else text,
                name,
                plain,
                bulk.time_value(at),
                source,
                span.first,
            )
        ]
    )
    return str(key)


def _state(
    state: str,
    identifier: str,
    purpose: str,
    channel: str,
    *,
    how: str,
    shown: str,
    wording: str,
    at: dt.datetime | None,
    source: str,
    expires_at: dt.datetime | None = None,
) -> str:
    text = _normal(identifier)
    at = _time(at)
    if _keeps_out(text, state, how):
        return ""
    if state == rules.GRANTED:
        expires_at = expires_at or expiry(purpose, at)
    told = {"purpose": purpose, "channel": channel, "how": how, "shown": shown, "wording": wording}
    if expires_at:
        told["expires_at"] = expires_at.astimezone(dt.UTC).isoformat()
    message_id = str(ids.uuid7())
    span = events.touchpoint(
        f"consent_{state}",
        text,
        source=source,
        message_id=message_id,
        ts=at,
        properties={key: value for key, value in told.items() if value},
    )
    key = writing.event_id(source, message_id)
    subject = people.subjects_for([text]).get(text)
    writing.records(
        [
            (
                bulk.uuid_value(key),
                subject,
                "" if subject else text,
                purpose,
                channel,
                state,
                bulk.time_value(at),
                bulk.time_value(expires_at),
                how,
                shown,
                wording,
                source,
                span.first,
            )
        ]
    )
    return str(key)


def _keeps_out(identifier: str, state: str, how: str) -> bool:
    """Whether nothing is kept of this, because they were erased: a refusal holds without being kept.

    A grant makes them known again only where they confirmed it by its link; otherwise it is a Conflict.
    """
    if (state == rules.GRANTED and how == CONFIRMED_HOW) or not erased.is_erased(identifier):
        return False
    if state == rules.GRANTED:
        raise Conflict(
            "whoever this is was erased at their wish", "They can allow it again by confirming a message."
        )
    return True


def expiry(purpose: str, at: dt.datetime) -> dt.datetime | None:
    """When a grant given at `at` ends by the firm's rule, if it has one."""
    days = Purpose.objects.filter(key=purpose).values_list("expires_days", flat=True).first()
    return at + dt.timedelta(days=days) if days else None


def _time(at: dt.datetime | None) -> dt.datetime:
    now = clock.now()
    if at is None:
        return now
    if at.tzinfo is None:
        raise Invalid(f"the time {at.isoformat()} names no time zone", "Give it one, for example UTC.")
    if not EARLIEST <= at <= now:
        raise Invalid(
            f"an answer cannot have been given at {at.isoformat()}",
            f"Give a time from {EARLIEST.year} until now.",
        )
    return at


def _normal(identifier: str) -> str:
    namespace, _, value = identifier.strip().partition(":")
    text = normal_identifier(namespace, value)
    if not IDENTIFIER_PATTERN.match(text):
        raise Invalid(
            f"{identifier!r} is no identifier", "Write namespace:value, for example email:ana@example.org."
        )
    return text


def _check_preference(name: str, value: Any) -> None:
    if name not in NAMES:
        raise Invalid(f"there is no preference {name!r}", f"There are {', '.join(NAMES)}.")
    if name == "frequency" and value not in FREQUENCIES:
        raise Invalid(f"{value!r} is no frequency", f"There are {', '.join(FREQUENCIES)}.")
    if name == "topics" and not (value is None or isinstance(value, list)):
        raise Invalid(f"{value!r} is no list of topics", "Give a list of topic keys, or None for all.")
    if name == "pause_until" and value is not None:
        try:
            dt.date.fromisoformat(str(value))
        except ValueError:
            raise Invalid(f"{value!r} is no date", "Write it as 2026-03-31.") from None
