"""The purposes the firm has, and the words that people read before they answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.consent import shown
from rapport.consent.models import Purpose, Wording
from rapport.kit import clock
from rapport.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class PurposeView:
    """One purpose: what data may be used for, on which legal ground, over which channels."""

    key: str
    name: str
    meaning: str
    legal_basis: str
    channels: tuple[str, ...]
    expires_days: int | None
    is_active: bool
    position: int

    @property
    def needs_consent(self) -> bool:
        return self.legal_basis == "consent"

    @property
    def can_be_refused(self) -> bool:
        return self.legal_basis in ("consent", "legitimate_interest")


@dataclass(frozen=True, slots=True)
class WordingView:
    """One version of a text in one language."""

    purpose: str
    language: str
    version: str
    text: str
    created_at: dt.datetime
    created_by: str


def purposes(*, active_only: bool = False) -> list[PurposeView]:
    """Every purpose in the firm's order."""
    found = Purpose.objects.order_by("position", "key")
    if active_only:
        found = found.filter(is_active=True)
    return [_view(p) for p in found]


def purpose(key: str) -> PurposeView:
    """One purpose, or NotFound."""
    row = Purpose.objects.filter(key=key).first()
    if row is None:
        raise NotFound(f"there is no purpose {key!r}", "The page Consent lists the purposes.")
    return _view(row)


def wordings(key: str) -> list[WordingView]:
    """Every version of every language of a purpose's wording, newest first."""
    found = Wording.objects.filter(purpose=key).order_by("-created_at", "-id")
    return [WordingView(w.purpose, w.language, w.version, w.text, w.created_at, w.created_by) for w in found]


def current_wording(key: str, language: str = "en") -> WordingView | None:
    """The newest wording of a purpose in a language, else in any; None where the firm wrote none."""
    found = wordings(key)
    base = language.partition("-")[0]
    return next((w for w in found if w.language in (language, base)), found[0] if found else None)


def wording(key: str, version: str) -> WordingView | None:
    """The text behind a version that a grant names, or None where it was given elsewhere."""
    if own := next((w for w in wordings(key) if w.version == version), None):
        return own
    text = shown.text_of(version)
    return None if text is None else WordingView(key, "", version, text, clock.EPOCH, "")


def _view(row: Purpose) -> PurposeView:
    return PurposeView(
        row.key,
        row.name,
        row.meaning,
        row.legal_basis,
        tuple(row.channels),
        row.expires_days,
        row.is_active,
        row.position,
    )
