"""Verbs of onsite: set up a site, change what its script does, and publish that to the collector."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import IntegrityError, transaction

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.events.collector import sites as published
from rapport.events.collector import visitor
from rapport.kit import clock, home, ids, signing
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.onsite import rules, selectors
from rapport.onsite.models import Shown, Site, Slot, Withdrawn

DEFAULT = "website"
LINK_TTL = dt.timedelta(days=30)  # of the proof in a link: long enough for a mail that is read late


def _chosen(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(given: str) -> str:
        _one_of(given, known)
        return given

    return check


def _purposes(given: list[str]) -> list[str]:
    known = {purpose.key for purpose in consent.purposes()}
    for key in given:
        if key not in known:
            raise Invalid(f"there is no purpose {key!r}", "The page Consent lists the purposes.")
    return list(dict.fromkeys(given))


# What `change_site` takes, and how each is checked and brought into form.
_FORMS: dict[str, Callable[[Any], Any]] = {
    "is_on": bool,
    "is_asking": bool,
    "greets": bool,
    "before_consent": _chosen(rules.POLICIES),
    "language": _chosen(rules.LANGUAGES),
    "purposes": _purposes,
    "origins": lambda given: list(dict.fromkeys(rules.origin(one) for one in given if one.strip())),
    "search": rules.parameters,
    "forms": lambda given: list(dict.fromkeys(one.strip()[:80] for one in given if one.strip())),
    "texts": rules.checked_words,
    "ask_again_days": int,
}


def add_site(name: str, *, by: str = "", origins: list[str] | None = None) -> selectors.SiteView:
    """A new site with a public key; it asks for what needs consent, and takes nothing before."""
    source = rules.source(name)
    now = clock.now()
    site = Site(
        source=source,
        key=f"site_{ids.token(15)}",
        origins=_FORMS["origins"](origins or []),
        purposes=[rules.MEASURING, rules.PERSONAL],
        search=list(rules.SEARCH),
        created_at=now,
        changed_at=now,
        changed_by=by,
    )
    try:
        with transaction.atomic():
            site.save(force_insert=True)
            words = {
                language: {"text": said["greeting"], "named": said["greeting_named"]}
                for language, said in rules.starting().items()
            }
            Slot.objects.create(
                site=site, name="greeting", kind=rules.GREETING, content=words, changed_at=now
            )
    except IntegrityError:
        raise Conflict(f"there is a site called {source} already", "Choose another name.") from None
    publish()
    return selectors.site(source)


def ensure_site() -> None:
    """Make sure that there is a site to begin with, and that the collector knows of it."""
    if Site.objects.exists():
        publish()
    else:
        add_site(DEFAULT)


def change_site(source: str, *, by: str, **changes: Any) -> selectors.SiteView:
    """Change some of a site's settings, and publish them. Raises Invalid, and then nothing is changed."""
    row = _site(source)
    for name, given in changes.items():
        if name not in _FORMS:
            raise Invalid(f"a site has no setting {name!r}", "The page Tracking shows its settings.")
        setattr(row, name, _FORMS[name](given))
    if not 1 <= row.ask_again_days <= 730:
        raise Invalid(
            f"{row.ask_again_days} days is no time to ask again in", "Choose between 1 and 730 days."
        )
    row.changed_at, row.changed_by = clock.now(), by
    row.save()
    publish()
    return selectors.site(source)


def allow_origin(source: str, origin: str, *, by: str) -> selectors.SiteView:
    """Let the pages of one more address send."""
    return change_site(source, by=by, origins=[*_site(source).origins, origin])


def replace_key(source: str, *, by: str) -> selectors.SiteView:
    """Give a site another public key; pages that carry the old one are refused from then on."""
    return _renewed(source, by, key=f"site_{ids.token(15)}")


def replace_login_secret(source: str, *, by: str) -> selectors.SiteView:
    """Make another login secret; signatures made with the old one prove nothing from then on."""
    return _renewed(source, by, login=_site(source).login + 1)


def write_slot(
    source: str, name: str, *, kind: str, content: Mapping[str, Mapping[str, str]], is_on: bool = True
) -> None:
    """Write what stands in a slot, by language."""
    _one_of(kind, rules.KINDS)
    kept = {
        language: {key: text.strip() for key, text in said.items() if text.strip()}
        for language, said in content.items()
        if language in rules.LANGUAGES and any(text.strip() for text in said.values())
    }
    for said in kept.values():
        href = said.get("href", "")
        if href and not href.startswith(("https://", "http://", "/")):
            raise Invalid(f"{href!r} is not an address", "Write it like https://shop.example/offer.")
    Slot.objects.update_or_create(
        site=_site(source),
        name=rules.slot_name(name),
        defaults={"kind": kind, "content": kept, "is_on": is_on, "changed_at": clock.now()},
    )
    publish()


def remove_slot(source: str, name: str) -> None:
    """Take a slot away; pages that still name it show what they hold themselves."""
    if not Slot.objects.filter(site=_site(source), name=name).delete()[0]:
        raise NotFound(f"{source} has no slot {name!r}", "It may have been removed already.")
    publish()


def personal_link(url: str, identifier: str) -> str:
    """The same address with a proof of who it was sent to, for a link in a message to that person."""
    parts = urlsplit(url)
    token = signing.sign(visitor.LINK, identifier, ttl=LINK_TTL)
    query = "&".join(part for part in (parts.query, urlencode({"rp": token})) if part)
    return urlunsplit(parts._replace(query=query))


def publish() -> None:
    """Write what the collector needs to know, whole or not at all."""
    document = {
        "web": links.public_url(),
        "sites": {row.key: _published(row) for row in Site.objects.order_by("id")},
        "withdrawn": list(Withdrawn.objects.order_by("hash").values_list("hash", flat=True)),
    }
    file = published.location()
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    home.fsync_file(temporary)
    temporary.replace(file)


def _published(row: Site) -> dict[str, Any]:
    purposes = [{"key": key, "texts": _texts(key)} for key in _asked(row)]
    words = {language: rules.words(row.texts, language) for language in rules.LANGUAGES}
    slots = Slot.objects.filter(site=row, is_on=True).order_by("name")
    return {
        "source": row.source,
        "is_on": row.is_on,
        "origins": row.origins,
        "before_consent": row.before_consent,
        "is_asking": row.is_asking,
        "version": rules.asked_version([purposes, words]),
        "ask_again_days": row.ask_again_days,
        "language": row.language,
        "purposes": purposes,
        "texts": words,
        "search": row.search,
        "forms": row.forms,
        "greeting": row.greets,
        "slots": {slot.name: {"kind": slot.kind, "content": _addressed(slot)} for slot in slots},
        "login": row.login,
    }


def _addressed(slot: Slot) -> dict[str, dict[str, str]]:
    """A slot's content; the address of a survey of ours is made whole, because it stands on another site."""
    if slot.kind != rules.SURVEY:
        return dict(slot.content)
    web = links.public_url()
    return {
        language: {
            **said,
            "href": web + said["href"] if said.get("href", "").startswith("/") else said["href"],
        }
        for language, said in slot.content.items()
        if said.get("href")
    }


def _asked(row: Site) -> list[str]:
    """The purposes that the banner asks for; one that the firm ended is not asked for any more."""
    active = {purpose.key for purpose in consent.purposes(active_only=True)}
    return [key for key in row.purposes if key in active]


def _texts(purpose: str) -> dict[str, tuple[str, str]]:
    """A purpose's text by language with its version: the firm's wording, else what ships, else its meaning."""
    found: dict[str, tuple[str, str]] = {}
    written = {w.language: w for w in reversed(consent.wordings(purpose))}
    for language in rules.LANGUAGES:
        if language in written:
            found[language] = (written[language].text, written[language].version)
            continue
        text = rules.shipped_text(purpose, language) or consent.purpose(purpose).meaning
        version = rules.text_version(text)
        Shown.objects.get_or_create(
            version=version,
            defaults={"purpose": purpose, "language": language, "text": text, "first_at": clock.now()},
        )
        found[language] = (text, version)
    return found


def _renewed(source: str, by: str, **values: Any) -> selectors.SiteView:
    row = _site(source)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at, row.changed_by = clock.now(), by
    row.save()
    publish()
    return selectors.site(source)


def _site(source: str) -> Site:
    row = Site.objects.filter(source=source).first()
    if row is None:
        raise NotFound(f"there is no site {source!r}", "The page Tracking lists the sites.")
    return row


def _one_of(given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise Invalid(f"{given!r} cannot be chosen here", f"Choose one of {', '.join(known)}.")
