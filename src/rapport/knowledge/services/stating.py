"""Facts and notices: writing them, ending them, and flagging texts that contradict a fact."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.utils.text import slugify

from rapport.kit import clock
from rapport.kit import seen as marks
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.knowledge.models import Fact, Flag, Notice, NoticeUpdate
from rapport.knowledge.rules import checking
from rapport.knowledge.selectors import telling
from rapport.knowledge.selectors.listing import known_facts, known_prices
from rapport.knowledge.services import indexing
from rapport.people import selectors as people


@dataclass(frozen=True, slots=True)
class FactWritten:
    """A fact as it is to be."""

    statement: str
    source_name: str
    stated_on: dt.date
    about: Sequence[str]
    aspect: Sequence[str]
    language: str = "en"
    source_url: str = ""
    valid_until: dt.date | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class NoticeWritten:
    """A notice as it is to be."""

    titles: Mapping[str, str]
    texts: Mapping[str, str]
    owner: str
    words: Sequence[str] = ()
    products: Sequence[str] = ()
    countries: Sequence[str] = ()
    ordered_from: dt.datetime | None = None
    ordered_until: dt.datetime | None = None
    until: dt.datetime | None = None


def write_fact(key: str, written: FactWritten, *, by: str, seen: str | None = None) -> str:
    """Make a fact, or change the one of that key. Raises Invalid where it has no source, or nothing to be told by.

    seen : the mark of the fact as whoever writes has seen it; Changed where it is another now
    """
    statement = " ".join(written.statement.split())
    about, aspect = _words(written.about), _words(written.aspect)
    if not statement or not written.source_name.strip():
        raise Invalid(
            "a fact needs a statement and its source", "Write both; the source is what one can look up."
        )
    if not about or not aspect:
        raise Invalid(
            "nobody can tell what the fact is about",
            "Name what it is about, and the words for what it says of it.",
        )
    if written.stated_on > clock.now().date():
        raise Invalid(f"{written.stated_on} is still to come", "Write the day on which it was stated.")
    if written.valid_until and written.valid_until < written.stated_on:
        raise Invalid("it would expire before it was stated", "Correct one of the two days.")
    if written.source_url and not re.match(r"https?://", written.source_url):
        raise Invalid(f"{written.source_url!r} is no address on the web", "Write https://HOST/PATH.")
    key = key or f"{slugify(statement)[:50] or 'fact'}-{secrets.token_hex(2)}"
    with transaction.atomic():
        if Fact.objects.select_for_update().filter(key=key).exists():
            marks.refuse_changed(seen, telling.fact(key).content)
        Fact.objects.update_or_create(
            key=key,
            defaults={
                "statement": statement, "language": written.language, "about": about, "aspect": aspect,
                "source_name": written.source_name.strip()[:200], "source_url": written.source_url,
                "stated_on": written.stated_on, "valid_until": written.valid_until, "owner": written.owner,
                "state": "published", "changed_at": clock.now(), "changed_by": by,
            },
        )  # fmt: skip
    indexing.changed()
    return key


def retire_fact(key: str, *, by: str) -> None:
    """Say a fact no more; flags on it are settled with it."""
    with transaction.atomic():
        if not Fact.objects.filter(key=key).update(state="retired", changed_at=clock.now(), changed_by=by):
            raise NotFound(f"there is no fact {key!r}", "The list of facts has them all.")
        Flag.objects.filter(fact__key=key, state="open").update(state="wrong", settled_by=by)
        indexing.changed()


def write_notice(slug: str, written: NoticeWritten, *, by: str, seen: str | None = None) -> str:
    """Write a notice as a draft, or change one. Raises Invalid where it would not be honest or nobody looks after it.

    seen : the mark of the notice as whoever writes has seen it; Changed where it is another now
    """
    titles = {code: text.strip() for code, text in written.titles.items() if text.strip()}
    texts = {code: text.strip() for code, text in written.texts.items() if text.strip()}
    if not titles or not texts:
        raise Invalid(
            "the notice says nothing",
            "Write a title, the cause and what one can do, in one language at least.",
        )
    if missing := sorted(set(titles) ^ set(texts)):
        raise Invalid(
            f"in {', '.join(missing)} only one of title and text is written", "Write both, or neither."
        )
    if not written.owner.strip():
        raise Invalid("nobody looks after the notice", "Name who does: they are asked when it takes longer.")
    if written.ordered_from and written.ordered_until and written.ordered_from >= written.ordered_until:
        raise Invalid("the orders end before they begin", "Correct one of the two days.")
    slug = slug or _free_slug(titles)
    with transaction.atomic():
        if Notice.objects.select_for_update().filter(slug=slug).exists():
            marks.refuse_changed(seen, telling.notice(slug).content)
        Notice.objects.update_or_create(
            slug=slug,
            defaults={
                "titles": titles, "texts": texts, "words": _words(written.words), "products": _words(written.products),
                "countries": [c.upper() for c in _words(written.countries)], "ordered_from": written.ordered_from,
                "ordered_until": written.ordered_until, "until": written.until, "owner": written.owner.strip(),
                "changed_at": clock.now(), "changed_by": by,
            },
        )  # fmt: skip
    indexing.changed()
    return slug


def _free_slug(titles: Mapping[str, str]) -> str:
    base = next((s for s in (slugify(titles.get("en", "")), *map(slugify, titles.values())) if s), "notice")[
        :60
    ]
    slug = base
    while Notice.objects.filter(slug=slug).exists():
        slug = f"{base}-{secrets.token_hex(2)}"
    return slug


def publish_notice(slug: str, *, by: str) -> None:
    """Show a notice to everybody, and put it first in answers; safe to repeat."""
    row = _notice(slug)
    if row.state == "ended":
        raise Conflict("the notice has ended", "Write a new one: what ended stays as it was.")
    if row.state == "draft":
        Notice.objects.filter(pk=row.pk).update(
            state="published", published_at=clock.now(), changed_at=clock.now(), changed_by=by
        )
        indexing.changed()


def update_notice(slug: str, texts: Mapping[str, str], *, by: str) -> None:
    """Add what became known since."""
    row = _notice(slug)
    said = {code: text.strip() for code, text in texts.items() if text.strip()}
    if not said:
        raise Invalid("the update says nothing", "Write what became known.")
    now = clock.now()
    NoticeUpdate.objects.create(notice=row, at=now, texts=said, by=by)
    Notice.objects.filter(pk=row.pk).update(changed_at=now, changed_by=by)
    indexing.changed()


def end_notice(slug: str, *, by: str) -> None:
    """Say that it is over; the page stays, and says when it ended."""
    row = _notice(slug)
    if row.state != "published":
        raise Conflict("the notice is not published", "Only what was published can end.")
    Notice.objects.filter(pk=row.pk).update(
        state="ended", ended_at=clock.now(), changed_at=clock.now(), changed_by=by
    )
    indexing.changed()


def note_warned(slug: str) -> None:
    """Note that those concerned were written to."""
    Notice.objects.filter(slug=slug).update(warned_at=clock.now())


def _notice(slug: str) -> Notice:
    row = Notice.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"there is no notice {slug!r}", "The list of notices has them all.")
    return row


def _words(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(word.split()) for word in given if word.strip()))


def check_draft(text: str, language: str, *, sources: Sequence[str] = ()) -> list[checking.DraftFinding]:
    """What a draft of ours says too much: spin, prices that are stale or others, claims without a fact, promises."""
    return checking.check_draft(text, language, known_facts(), known_prices(), clock.now(), sources=sources)


def contradictions(text: str, language: str) -> list[checking.Contradiction]:
    """The facts that a text seems to contradict."""
    return checking.contradictions(text, language, known_facts(), clock.now())


def flag(events: pa.Table) -> int:
    """Flag those of some events (seq, ts, subject, text) whose text contradicts a fact; gives how many were new."""
    facts = [fact for fact in known_facts() if fact.about and fact.aspect]
    if not facts:
        return 0
    # Few texts name both what a fact is about and what it says of it; only those are read sentence by sentence.
    arrow: Any = pc
    texts = arrow.fill_null(events["text"], "")
    near: Any = None
    for fact in facts:
        both = arrow.and_(_names(texts, fact.about), _names(texts, fact.aspect))
        near = both if near is None else arrow.or_(near, both)
    near = events.filter(near)
    now = clock.now()
    found = [
        (row, told)
        for row in near.select(["seq", "ts", "subject", "text"]).to_pylist()
        for told in checking.contradictions(row["text"], "", facts, now)
    ]
    if not found:
        return 0
    whose = people.identifiers_for([row["subject"] for row, _told in found])
    numbers = dict(Fact.objects.values_list("key", "pk"))
    before = Flag.objects.count()
    Flag.objects.bulk_create(
        (
            Flag(
                seq=row["seq"], fact_id=numbers[told.fact], identifier=whose.get(row["subject"], ""),
                probability=told.probability, said_at=row["ts"],
            )
            for row, told in found
        ),
        ignore_conflicts=True,
    )  # fmt: skip
    return Flag.objects.count() - before


def _names(texts: pa.ChunkedArray, words: Sequence[str]) -> Any:
    """Which texts have one of these words, however it is written large or small."""
    arrow: Any = pc
    return arrow.match_substring_regex(texts, "|".join(re.escape(word) for word in words), ignore_case=True)


def settle_flag(number: int, *, is_right: bool, by: str) -> None:
    """Say that a flag was answered, or was wrong."""
    state = "answered" if is_right else "wrong"
    if not Flag.objects.filter(pk=number).update(state=state, settled_by=by):
        raise NotFound("that flag is gone", "Its text was erased.")
