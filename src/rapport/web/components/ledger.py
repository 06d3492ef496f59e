"""The ledger in words for colleagues: what holds for a purpose on a channel, and on what evidence."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.web.components import consenting, words

# Why the answer is as it is, in a word or two; the second says how it looks.
REASONS: dict[str, tuple[Any, str]] = {
    "granted": (gettext_lazy("allowed"), "accent"),
    "basis_contract": (gettext_lazy("needed for the contract"), ""),
    "basis_legal_obligation": (gettext_lazy("required by law"), ""),
    "basis_legitimate_interest": (gettext_lazy("no objection"), "accent"),
    "no_consent": (gettext_lazy("not asked"), ""),
    "unknown_person": (gettext_lazy("not asked"), ""),
    "denied": (gettext_lazy("refused"), "danger"),
    "withdrawn": (gettext_lazy("taken back"), "danger"),
    "objected": (gettext_lazy("objected"), "danger"),
    "expired": (gettext_lazy("no longer valid"), "warn"),
    "restricted": (gettext_lazy("restricted"), "warn"),
    "inactive_purpose": (gettext_lazy("purpose is off"), ""),
}

HOW: dict[str, Any] = {
    "confirmed": gettext_lazy("confirmed by the link of a message"),
    "form": gettext_lazy("in a form"),
    "banner": gettext_lazy("in the banner on the site"),
    "preference_page": gettext_lazy("on their preference page"),
    "one_click": gettext_lazy("by the link in a message"),
    "import": gettext_lazy("in a file"),
    "staff": gettext_lazy("told a colleague"),
    "api": gettext_lazy("through the API"),
}

STATES: dict[str, Any] = {
    **consenting.STATES,
    "unasked": gettext_lazy("not asked"),
}

BASES: dict[str, Any] = {
    "consent": gettext_lazy("consent"),
    "contract": gettext_lazy("contract"),
    "legitimate_interest": gettext_lazy("legitimate interest"),
    "legal_obligation": gettext_lazy("legal obligation"),
}

REASONS_STOPPED: dict[str, Any] = {
    "erased": gettext_lazy("asked to be forgotten"),
    "bounced": gettext_lazy("messages came back"),
    "complained": gettext_lazy("called a message unwanted"),
    "objected": gettext_lazy("objected"),
    "unsubscribed": gettext_lazy("asked for no more"),
    "staff": gettext_lazy("stopped by a colleague"),
}


@dataclass(frozen=True, slots=True)
class Holds:
    """What holds alike for some channels of a purpose: `allowed: e-mail, post`."""

    label: str
    tone: str
    channels: str


@dataclass(frozen=True, slots=True)
class Line:
    """One purpose of a person, and the answers behind what holds."""

    name: str
    basis: str
    holds: tuple[Holds, ...]
    evidence: tuple[tuple[str, str, consent.LedgerRow, str], ...]  # channel, state, the answer, how it came


@dataclass(frozen=True, slots=True)
class Part:
    """What certainly is one person; a probable identity joins no consent, so there may be several."""

    identifiers: tuple[str, ...]
    lines: tuple[Line, ...]
    suppressed: tuple[tuple[str, str, Any, Any], ...]  # identifier, channel, why, since
    restricted_at: Any
    wishes: tuple[str, ...]


def reason(code: str) -> tuple[str, str]:
    """A reason in a word, and how it looks."""
    label, tone = REASONS.get(code, (words.plain(code).lower(), ""))
    return str(label), tone


def how(key: str) -> str:
    """The way an answer came."""
    return str(HOW.get(key, words.plain(key).lower())) if key else ""


def state(key: str) -> str:
    """A state in a word."""
    return str(STATES.get(key, words.plain(key).lower()))


def basis(key: str) -> str:
    """A legal ground in a word or two."""
    return str(BASES.get(key, words.plain(key).lower()))


def channel(key: str) -> str:
    """A channel, or that all of them are meant."""
    return consenting.channel(key) if key else _("every channel")


def purpose_and_channel(name: str, key: str) -> str:
    """`News and offers, by e-mail`."""
    return _("%(purpose)s, %(channel)s") % {"purpose": name, "channel": channel(key)} if key else name


SHORT: dict[str, Any] = {
    "email": gettext_lazy("e-mail"),
    "sms": gettext_lazy("text"),
    "phone": gettext_lazy("telephone"),
    "post": gettext_lazy("post"),
    "push": gettext_lazy("app"),
    "onsite": gettext_lazy("site"),
}


def channel_and_purpose(name: str, key: str) -> str:
    """`e-mail: News and offers`, for where the end may be cut off."""
    return f"{SHORT.get(key, channel(key))}: {name}" if key else name


def parts(person_id: int) -> tuple[Part, ...]:
    """A person's panel in words."""
    return tuple(_part(found) for found in consent.panel(person_id))


def _part(found: consent.CorePanel) -> Part:
    stopped = tuple(
        (s.identifier, channel(s.channel), REASONS_STOPPED.get(s.reason, s.reason), s)
        for s in found.suppressed
    )
    lines = tuple(_line(line) for line in found.lines if line.purpose.is_active)
    return Part(found.identifiers, lines, stopped, found.restricted_at, tuple(_wishes(found.preferences)))


def _line(line: consent.PanelLine) -> Line:
    has_channels = bool(line.purpose.channels)
    return Line(
        consenting.name(line.purpose),
        basis(line.purpose.legal_basis),
        tuple(_holds(line.cells, has_channels)) if line.purpose.can_be_refused else (),
        tuple(_evidence(line.cells)),
    )


def _holds(cells: Sequence[consent.PanelCell], has_channels: bool) -> Iterable[Holds]:
    order = list(REASONS)
    ordered = sorted(cells, key=lambda cell: order.index(cell.answer.reason))
    for code, alike in itertools.groupby(ordered, key=lambda cell: cell.answer.reason):
        label, tone = reason(code)
        named = ", ".join(channel(cell.channel) for cell in alike) if has_channels else ""
        yield Holds(label, tone, named)


def _evidence(
    cells: Iterable[consent.PanelCell],
) -> Iterable[tuple[str, str, consent.LedgerRow, str]]:
    """Each deciding answer once, though it may decide for every channel."""
    seen = set()
    for cell in cells:
        if cell.record and cell.record.id not in seen:
            seen.add(cell.record.id)
            on = channel(cell.record.channel) if cell.channel else ""
            yield on, state(cell.record.state), cell.record, how(cell.record.how)


def _wishes(wished: dict[str, Any]) -> Iterable[str]:
    if wished.get("frequency") not in (None, "as_you_like"):
        yield str(consenting.FREQUENCIES.get(wished["frequency"], wished["frequency"]))
    if wished.get("topics"):
        names = {t.key: _(t.name) for t in consent.topics(active_only=False)}
        chosen = ", ".join(names.get(key, key) for key in wished["topics"])
        yield _("Only about %(topics)s") % {"topics": chosen}
    if wished.get("pause_until"):
        yield _("Pauses until %(day)s") % {"day": wished["pause_until"]}
    if wished.get("language"):
        yield _("In the language %(language)s") % {"language": wished["language"]}
