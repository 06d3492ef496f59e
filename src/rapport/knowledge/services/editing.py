"""Writing entries: on screen, from a file, and what answers that resolved add for somebody of ours to take."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify

from rapport.kit import clock, money
from rapport.kit import seen as marks
from rapport.kit.errors import Invalid, NotFound
from rapport.knowledge.models import Entry, Option, Slot, Wording
from rapport.knowledge.rules import cutting, files
from rapport.knowledge.selectors import listing
from rapport.knowledge.services import indexing

AT_ONCE = 200  # entries of a file written in one transaction
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True, slots=True)
class OptionWritten:
    """One option as a form or a program writes it."""

    product: str
    place: str = ""
    url: str = ""
    is_ours: bool = True
    price_minor: int | None = None
    currency: str = ""
    priced_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is to be: every part replaces what there was."""

    title: str
    solutions: Mapping[str, str]
    wordings: Sequence[tuple[str, str]] = ()  # language, text
    options: Sequence[OptionWritten] = ()
    needs: Sequence[str] = ()
    fits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    url: str = ""
    owner: str = ""
    review_by: dt.date | None = None
    state: str = Entry.State.DRAFT
    source: str = "staff"

    @property
    def content(self) -> dict[str, object]:
        """What can be written of it, to be held against what stands."""
        return {
            "title": " ".join(self.title.split()),
            "state": str(self.state),
            "solutions": dict(self.solutions),
            "wordings": sorted([language, " ".join(text.split())] for language, text in self.wordings),
            "options": [listing.option_content(one) for one in self.options],
            "needs": sorted(self.needs),
            "fits": {slot: list(values) for slot, values in self.fits.items()},
            "url": self.url,
            "owner": self.owner,
            "review_by": self.review_by,
        }


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: entries made and changed, and every row that is none."""

    n_rows: int
    n_new: int
    n_changed: int
    n_wordings: int
    n_options: int
    bad: tuple[files.BadRow, ...]
    is_dry: bool


def write_entry(key: str, written: Written, *, by: str, seen: str | None = None) -> str:
    """Make an entry, or change the one of that key; an empty key is made from the title. Gives the key.

    seen : the mark of the entry as whoever writes has seen it; Changed where it is another now. None: as it may be
    Raises Invalid where it could not answer anything.
    """
    title = " ".join(written.title.split())[: files.TITLE_MAX]
    solutions = {code: text.strip() for code, text in written.solutions.items() if text.strip()}
    if not title:
        raise Invalid("the entry has no title", "Say in a line what the problem is.")
    if written.state == Entry.State.PUBLISHED and not (solutions or written.url):
        raise Invalid("the entry has no solution", "Write what helps, or keep it as a draft.")
    unknown = sorted({*written.needs, *written.fits} - set(Slot.objects.values_list("name", flat=True)))
    if unknown:
        raise Invalid(f"nothing is known of {', '.join(unknown)}", "Say first how one asks for it.")
    if written.url and not re.match(r"https?://", written.url):
        raise Invalid(f"{written.url!r} is no address on the web", "Write https://HOST/PATH.")
    key = key or _free_key(title)
    with transaction.atomic():
        if Entry.objects.select_for_update().filter(key=key).exists():
            marks.refuse_changed(seen, listing.entry(key).content)
        row, _made = Entry.objects.update_or_create(
            key=key,
            defaults={
                "title": title, "solutions": solutions, "needs": list(written.needs),
                "fits": {slot: list(values) for slot, values in written.fits.items() if values}, "url": written.url,
                "state": written.state, "owner": written.owner, "review_by": written.review_by,
                "changed_at": clock.now(), "changed_by": by,
            },
            create_defaults={
                "title": title, "solutions": solutions, "needs": list(written.needs),
                "fits": {slot: list(values) for slot, values in written.fits.items() if values}, "url": written.url,
                "state": written.state, "owner": written.owner, "review_by": written.review_by,
                "changed_at": clock.now(), "changed_by": by, "source": written.source, "key": key,
            },
        )  # fmt: skip
        _write_wordings(row, written.wordings)
        _write_options(row, written.options)
        _remember([row])
        indexing.changed()
    return key


def _free_key(title: str) -> str:
    base = slugify(title)[:60] or "entry"
    key = base
    while Entry.objects.filter(key=key).exists():
        key = f"{base}-{secrets.token_hex(3)}"
    return key


def _write_wordings(row: Entry, wordings: Sequence[tuple[str, str]]) -> None:
    """Those that stay keep whose words they are; those that are not there any more go. What waits goes on waiting."""
    wanted = dict.fromkeys((language, " ".join(text.split())) for language, text in wordings if text.strip())
    have = {(w.language, w.text): w for w in Wording.objects.filter(entry=row, is_live=True).defer("meaning")}
    Wording.objects.filter(pk__in=[w.pk for pair, w in have.items() if pair not in wanted]).delete()
    Wording.objects.bulk_create(
        Wording(entry=row, language=language, text=text)
        for language, text in wanted
        if (language, text) not in have
    )


def _write_options(row: Entry, options: Sequence[OptionWritten]) -> None:
    for one in options:
        if one.price_minor is not None and not (one.currency and one.priced_at):
            raise Invalid(
                f"the price of {one.product} has no currency or no time",
                "A price is only worth something with both.",
            )
        if one.url and not re.match(r"https?://", one.url):
            raise Invalid(f"{one.url!r} is no address on the web", "Write https://HOST/PATH.")
    Option.objects.filter(entry=row).delete()
    Option.objects.bulk_create(
        Option(
            entry=row, product=one.product.strip()[:200], place=one.place.strip()[:200], url=one.url.strip()[:500],
            is_ours=one.is_ours, price_minor=one.price_minor, currency=one.currency, priced_at=one.priced_at, position=k,
        )
        for k, one in enumerate(options)
    )  # fmt: skip


def _remember(rows: Sequence[Entry]) -> None:
    """Keep the vectors of entries and of those of their wordings that have none."""
    titles = indexing.kept_vectors(f"{row.title} {cutting.words_of_address(row.url)}".strip() for row in rows)
    solutions = indexing.kept_vectors("\n".join(row.solutions.values()) for row in rows)
    for row, title, solution in zip(rows, titles, solutions, strict=True):
        row.title_meaning, row.solution_meaning = title, solution
    Entry.objects.bulk_update(rows, ["title_meaning", "solution_meaning"])
    without = list(Wording.objects.filter(entry__in=rows, meaning__isnull=True))
    for wording, vector in zip(without, indexing.kept_vectors(w.text for w in without), strict=True):
        wording.meaning = vector
    Wording.objects.bulk_update(without, ["meaning"], batch_size=200)


def set_state(key: str, state: str, *, by: str) -> None:
    """Publish an entry, take it back to a draft, or retire it."""
    row = Entry.objects.filter(key=key).first()
    if row is None:
        raise NotFound(f"there is no entry {key!r}", "The list of entries has them all.")
    if state not in Entry.State.values:
        raise Invalid(f"{state!r} is no state", f"Choose one of {', '.join(Entry.State.values)}.")
    if state == Entry.State.PUBLISHED and not (row.solutions or row.url):
        raise Invalid("the entry has no solution", "Write what helps first.")
    Entry.objects.filter(pk=row.pk).update(state=state, changed_at=clock.now(), changed_by=by)
    indexing.changed()


def settle_wording(wording_id: int, *, taken: bool) -> None:
    """Take a wording that an answer added, or throw it away."""
    row = Wording.objects.filter(pk=wording_id, is_live=False)
    if taken:
        row.update(is_live=True)
    else:
        row.delete()
    indexing.changed()


def see_price(option_id: int, price_minor: int, currency: str, *, by: str) -> None:
    """Note that a price was seen just now."""
    if price_minor < 0 or not re.fullmatch(r"[A-Z]{3}", currency):
        raise Invalid("that is no price", "Write an amount, and the three letters of its currency.")
    now = clock.now()
    changed = Option.objects.filter(pk=option_id).update(
        price_minor=price_minor, currency=currency, priced_at=now
    )
    if not changed:
        raise NotFound("that option is gone", "Open the entry again.")
    entry = Option.objects.values_list("entry_id", flat=True).get(pk=option_id)
    Entry.objects.filter(pk=entry).update(changed_at=now, changed_by=by)


def write_slot(
    name: str,
    *,
    questions: Mapping[str, str],
    spellings: Mapping[str, Sequence[str]],
    is_number: bool = False,
) -> None:
    """Say what an answer may depend on, how one asks for it and how its values are written."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise Invalid(
            f"{name!r} is no name", "Use small letters, digits and underscores, such as vehicle_model."
        )
    asked = {code: text.strip() for code, text in questions.items() if text.strip()}
    if not asked:
        raise Invalid(f"nobody could be asked for {name}", "Write the question in one language at least.")
    kept = {
        value.strip(): [w.strip() for w in ways if w.strip()]
        for value, ways in spellings.items()
        if value.strip()
    }
    if not kept and not is_number:
        raise Invalid(f"{name} has no values", "Write one a line, or say that it is a number.")
    Slot.objects.update_or_create(
        name=name, defaults={"questions": asked, "spellings": kept, "is_number": is_number}
    )
    indexing.changed()


def drop_slot(name: str) -> None:
    """Forget what an answer may depend on; raises Conflict-like Invalid while an entry still does."""
    for row in Entry.objects.exclude(needs=[], fits={}).only("key", "needs", "fits"):
        if name in row.needs or name in row.fits:
            raise Invalid(f"the entry {row.key!r} depends on {name}", "Change that entry first.")
    Slot.objects.filter(name=name).delete()
    indexing.changed()


def import_file(
    content: bytes, *, name: str = "", by: str = "", dry_run: bool = False, progress: Progress | None = None
) -> Imported:
    """Write the entries of a file; with `dry_run` only say what would come of it. Good rows are written beside bad ones."""
    held = files.read(content, name)
    have = (
        set(Entry.objects.filter(key__in=[e.key for e in held.entries]).values_list("key", flat=True))
        if len(held.entries) < 500
        else set(Entry.objects.values_list("key", flat=True))
    )
    slots = set(Slot.objects.values_list("name", flat=True))
    bad = list(held.bad)
    good = []
    for row in held.entries:
        unknown = sorted({*row.needs, *row.fits} - slots)
        if unknown:
            bad.append(
                files.BadRow(0, f"the entry {row.key!r} depends on {', '.join(unknown)}, of which nothing is known",
                             "Say first, under Knowledge, how one asks for it.")
            )  # fmt: skip
        else:
            good.append(row)
    if not dry_run:
        for at in range(0, len(good), AT_ONCE):
            with transaction.atomic():
                _import_part(good[at : at + AT_ONCE], name, by)
            if progress:
                progress(min(at + AT_ONCE, len(good)), len(good), "writing entries")
        if good:
            indexing.changed()
    return Imported(
        held.n_rows, sum(r.key not in have for r in good), sum(r.key in have for r in good),
        sum(len(r.wordings) for r in good), sum(len(r.options) for r in good), tuple(bad), dry_run,
    )  # fmt: skip


def _import_part(part: Sequence[files.EntryRow], name: str, by: str) -> None:
    known = {row.key: row for row in Entry.objects.filter(key__in=[r.key for r in part])}
    now = clock.now()
    rows = []
    for given in part:
        row = known.get(given.key) or Entry(key=given.key, source=(name or "a file")[:120])
        row.title = (
            given.title
            or row.title
            or (given.wordings[0] if given.wordings else given.key)[: files.TITLE_MAX]
        )
        row.solutions = {**row.solutions, **given.solutions}
        row.needs = list(given.needs) or row.needs
        row.fits = {slot: list(values) for slot, values in given.fits.items()} or row.fits
        row.url, row.owner = given.url or row.url, given.owner or row.owner
        row.review_by = dt.date.fromisoformat(given.review_by) if given.review_by else row.review_by
        row.state = given.state if given.solutions or row.solutions or row.url else Entry.State.DRAFT
        row.changed_at, row.changed_by = now, by or "import"
        row.save()
        rows.append(row)
        have = (
            set(Wording.objects.filter(entry=row).values_list("text", flat=True))
            if row.key in known
            else set()
        )
        Wording.objects.bulk_create(
            Wording(entry=row, language=given.language, text=text, origin="import")
            for text in given.wordings
            if text not in have
        )
        if given.options:
            _write_options(row, [_option(one) for one in given.options])
    _remember(rows)


def _option(one: files.OptionRow) -> OptionWritten:
    minor = None
    if one.price:
        minor = int((Decimal(one.price) * 10 ** money.exponent(one.currency)).to_integral_value())
    return OptionWritten(
        one.product, one.place, one.url, one.is_ours, minor, one.currency if one.price else "",
        files.wire_time(one.priced_at) if one.priced_at else None,
    )  # fmt: skip
