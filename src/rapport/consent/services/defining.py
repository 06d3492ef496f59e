"""Define purposes, topics and the words that people read before they answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from rapport.consent import rules
from rapport.consent.models import Purpose, Record, Topic, Wording
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound

CHANNELS = ("email", "sms", "phone", "post", "push", "onsite")
_KEY = re.compile(r"^[a-z][a-z0-9_]{1,31}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")


def define_purpose(
    key: str,
    *,
    name: str,
    meaning: str,
    legal_basis: str,
    channels: Sequence[str] = (),
    expires_days: int | None = None,
) -> str:
    """Add a purpose; gives its key. Nobody has consented to it yet."""
    if not _KEY.match(key):
        raise Invalid(f"{key!r} is no key of a purpose", "Use 2 to 32 small letters, digits and underscores.")
    _check(name, meaning, legal_basis, channels, expires_days)
    with transaction.atomic():
        if Purpose.objects.filter(key=key).exists():
            raise Conflict(f"there is a purpose {key!r} already", "Change it, or choose another key.")
        if Record.objects.filter(purpose=key).exists() and legal_basis != rules.CONSENT:
            raise Conflict(
                f"people have answered about {key!r} before", "Define it as one that needs consent."
            )
        last = Purpose.objects.aggregate(last=Max("position"))["last"] or 0
        Purpose.objects.create(
            key=key,
            name=name.strip(),
            meaning=meaning.strip(),
            legal_basis=legal_basis,
            channels=list(channels),
            expires_days=expires_days,
            position=last + 1,
        )
    return key


def change_purpose(
    key: str,
    *,
    name: str,
    meaning: str,
    channels: Sequence[str],
    expires_days: int | None,
    is_active: bool,
) -> None:
    """Change how a purpose is called, explained and reached.

    Its legal ground stays: whoever was asked for consent cannot be told afterwards that none was needed.
    """
    with transaction.atomic():
        row = Purpose.objects.select_for_update().filter(key=key).first()
        if row is None:
            raise NotFound(f"there is no purpose {key!r}", "The page Consent lists the purposes.")
        _check(name, meaning, row.legal_basis, channels, expires_days)
        row.name, row.meaning, row.channels = name.strip(), meaning.strip(), list(channels)
        row.expires_days, row.is_active = expires_days, is_active
        row.save(update_fields=["name", "meaning", "channels", "expires_days", "is_active"])


def add_wording(purpose: str, language: str, text: str, *, by: str, version: str = "") -> str:
    """Add a version of the words for a purpose in a language; gives the version. None is ever changed."""
    if not Purpose.objects.filter(key=purpose).exists():
        raise NotFound(f"there is no purpose {purpose!r}", "The page Consent lists the purposes.")
    if not _LANGUAGE.match(language):
        raise Invalid(f"{language!r} is no language", "Write its code, such as en or pt-BR.")
    if not text.strip():
        raise Invalid("the wording is empty", "Write what people read before they answer.")
    with transaction.atomic():
        mine = Wording.objects.filter(purpose=purpose, language=language)
        version = version.strip() or f"{language}-{mine.count() + 1}"
        if mine.filter(version=version).exists():
            raise Conflict(f"there is a version {version!r} already", "Give the new one another name.")
        Wording.objects.create(
            purpose=purpose,
            language=language,
            version=version,
            text=text.strip(),
            created_at=clock.now(),
            created_by=by,
        )
    return version


def set_topic(key: str, *, name: str, meaning: str = "", is_active: bool = True) -> None:
    """Add a topic that people can choose, or change it."""
    if not _KEY.match(key):
        raise Invalid(f"{key!r} is no key of a topic", "Use 2 to 32 small letters, digits and underscores.")
    if not name.strip():
        raise Invalid("the topic has no name", "Give it the name that customers read.")
    last = Topic.objects.aggregate(last=Max("position"))["last"] or 0
    Topic.objects.update_or_create(
        key=key,
        defaults={"name": name.strip(), "meaning": meaning.strip(), "is_active": is_active},
        create_defaults={
            "name": name.strip(),
            "meaning": meaning.strip(),
            "is_active": is_active,
            "position": last + 1,
        },
    )


def _check(
    name: str, meaning: str, legal_basis: str, channels: Sequence[str], expires_days: int | None
) -> None:
    if not name.strip() or not meaning.strip():
        raise Invalid("the purpose lacks a name or a meaning", "Customers read both; write them for them.")
    if legal_basis not in rules.BASES:
        raise Invalid(f"{legal_basis!r} is no legal ground", f"There are {', '.join(rules.BASES)}.")
    odd = [channel for channel in channels if channel not in CHANNELS]
    if odd:
        raise Invalid(f"there is no channel {odd[0]!r}", f"There are {', '.join(CHANNELS)}.")
    if expires_days is not None and not 1 <= expires_days <= 36_500:
        raise Invalid(f"a consent cannot hold {expires_days} days", "Give 1 or more, or leave it empty.")
