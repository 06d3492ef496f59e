"""The one way out: personal data leaves only to a registered host, for its purpose, and with its fields.

`rapport.kit.http` keeps requests out of private networks; the register says which public place may get what.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rapport.consent.selectors.recipients import recipients_at
from rapport.consent.services.recipients import note_sent
from rapport.kit import http
from rapport.kit.errors import Denied

_HINT = "Register it under Privacy, Recipients; customers then see it on their page."


def send(
    url: str,
    *,
    purpose: str,
    fields: Collection[str],
    body: bytes,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    limits: http.Limits | None = None,
    resolver: http.Resolve | None = None,
) -> http.Answer:
    """Send personal data, whose kinds `fields` names, to a registered recipient; gives the answer.

    Raises Denied where the host is not registered, not for this purpose, or not for one of the fields,
    also after a redirect; else as `rapport.kit.http.fetch`. Whose data it is was decided before, with a
    warrant for the same purpose.
    """

    def permits(place: http.Place) -> None:
        note_sent(_entry(place.named, purpose, fields))

    request = http.Request(url, method, body, dict(headers or {}))
    return http.fetch(request, permits=permits, limits=limits, resolver=resolver)


def check(host: str, purpose: str, fields: Collection[str]) -> None:
    """Raise Denied where a host may not get these fields for this purpose; sends nothing."""
    _entry(host, purpose, fields)


def _entry(host: str, purpose: str, fields: Collection[str]) -> int:
    """The number of the entry that allows it."""
    entries = recipients_at(host)
    if not entries:
        raise Denied(f"{host} is not a registered recipient", _HINT)
    entry = next((e for e in entries if e.purpose == purpose), None)
    if entry is None:
        known = ", ".join(e.purpose for e in entries)
        raise Denied(f"{host} is registered for {known}, not for {purpose}", _HINT)
    if beyond := sorted(set(fields) - set(entry.fields)):
        raise Denied(f"{entry.name} ({host}) may not get {', '.join(beyond)}", _HINT)
    return entry.id
