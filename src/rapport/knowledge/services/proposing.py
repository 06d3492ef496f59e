"""Proposing an answer: up to three, each with how sure we are and why; a question back, or silence, where unsure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count
from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.texts import meaning
from rapport.knowledge.models import Entry, Fact, Notice, Option, Outcome
from rapport.knowledge.rules import asking, checking, cutting, matching, weighing
from rapport.knowledge.services import indexing
from rapport.staff import selectors as staff

CONSIDERED = 8  # of the likeliest, before what is known rules some out
LEAST = 0.05  # of one that is not the first: less is not worth reading
NOTICE_FROM = 0.12  # a notice that may be meant is read before anything else
ASK_FROM = 0.2  # of an entry that depends on something, to be worth asking for it


@dataclass(frozen=True, slots=True)
class OptionView:
    """One thing that would help; without its price where that was seen longer than a day ago."""

    product: str
    place: str
    url: str
    is_ours: bool
    price_minor: int | None
    currency: str
    priced_at: dt.datetime | None
    is_stale: bool  # there is a price, and it is left out


@dataclass(frozen=True, slots=True)
class Source:
    """What a proposal stands on."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """One answer that may be right."""

    key: str
    kind: str  # entry, notice, fact
    title: str
    text: str
    options: tuple[OptionView, ...]
    probability: float
    because: str
    sources: tuple[Source, ...]
    language: str = ""  # of the text, where it is not the one asked for


@dataclass(frozen=True, slots=True)
class Ask:
    """What one has to know first, and how one asks for it."""

    slot: str
    question: str


@dataclass(frozen=True, slots=True)
class Proposals:
    """What may be answered: proposals, or what to ask, or why we keep quiet."""

    proposals: tuple[Proposal, ...]
    asks: Ask | None
    abstains: bool
    because: str


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    probability: float
    shared: tuple[str, ...]
    near: str  # the wording that is most alike


def propose(
    question: str, *, language: str = "", known: Mapping[str, str] | None = None, limit: int = weighing.SHOWN
) -> Proposals:
    """Up to `limit` answers to a question; changes nothing.

    known : what is known of whoever asks, by slot, beside what the question tells (such as a vehicle's model)
    """
    held = indexing.held()
    if held.index is None:
        return Proposals((), None, True, _("Nothing is known yet: the first entry is still to be written."))
    if not cutting.words(question):
        return Proposals((), None, True, _("The question has no words."))
    have = asking.filled(held.slots, question, known or {})
    found = _found(held, question, have, {k: v for k, v in (known or {}).items() if v})
    asks = _asks(held, found, have, language)
    if asks is not None:
        found = [
            f for f in found if not asking.missing(held.needs.get(f.key, ()), held.fits.get(f.key, {}), have)
        ]
    notices = [f for f in found if f.key.startswith(indexing.NOTICE) and f.probability >= NOTICE_FROM]
    rest = [f for f in found if f not in notices and not f.key.startswith(indexing.NOTICE)]
    if asks is not None:
        # What to ask for is the answer; beside it only what may well be right as it is.
        rest = [f for f in rest if f.probability >= weighing.SILENT_BELOW]
    shown = [*notices, *(f for k, f in enumerate(rest) if not k or f.probability >= LEAST)][:limit]
    if asks is None and sum(f.probability for f in shown) < weighing.SILENT_BELOW:
        surest = max((f.probability for f in shown), default=0.0)
        return Proposals((), None, True, _because_silent(surest))
    return Proposals(_views(shown, language), asks, False, _("One thing is missing.") if asks else "")


def _because_silent(surest: float) -> str:
    return _(
        "Nothing fits well enough: the likeliest entry would be right in %(n)d of 100 such cases, and we keep quiet"
        " below %(least)d."
    ) % {"n": round(100 * surest), "least": round(100 * weighing.SILENT_BELOW)}


def _found(
    held: indexing.Held, question: str, have: Mapping[str, str], known: Mapping[str, str]
) -> list[_Found]:
    """The likeliest entries that what is known does not rule out."""
    index = held.index
    assert index is not None
    asked = index.ask([question], meaning.vectors)
    each = index.of_wordings(asked)
    like = index.of_entries(asked, each)
    ruled = {*held.fits, *held.countries}
    out = [k for k, key in enumerate(index.keys) if key in ruled and not _may_be(held, key, have, known)]
    foreign = np.array([weighing.is_foreign(question)])
    p = weighing.likelihoods(held.weights, like, foreign)
    p = weighing.without(p, slice(None), out)
    chosen = weighing.first(p, CONSIDERED)[0]
    sure = weighing.probabilities(held.weights, p[:, chosen], like[:, chosen], foreign)[0]
    made = []
    for place, probability in zip(chosen, sure, strict=True):
        key = index.keys[place]
        if p[0, place] <= 0:
            continue
        rows = np.flatnonzero(index.owner == place)
        near = ""
        if len(rows):
            near = index.texts[rows[int((each[0][0, rows] + each[1][0, rows]).argmax())]]
        shared = matching.shared_words(question, near or key, index.rarity)
        made.append(_Found(key, float(probability), shared, near))
    return sorted(made, key=lambda f: -f.probability)


def _may_be(held: indexing.Held, key: str, have: Mapping[str, str], known: Mapping[str, str]) -> bool:
    countries = held.countries.get(key)
    if countries and known.get("country") and known["country"].upper() not in {c.upper() for c in countries}:
        return False
    return asking.suits(held.fits.get(key, {}), have)


def _asks(held: indexing.Held, found: Sequence[_Found], have: Mapping[str, str], language: str) -> Ask | None:
    """What the likeliest entry depends on and nobody told; together with others that depend on the same."""
    if not found:
        return None
    by_slot: dict[str, float] = {}
    for f in found[: weighing.SHOWN]:
        for slot in asking.missing(held.needs.get(f.key, ()), held.fits.get(f.key, {}), have):
            by_slot[slot] = by_slot.get(slot, 0.0) + f.probability
    first = asking.missing(held.needs.get(found[0].key, ()), held.fits.get(found[0].key, {}), have)
    wanted = max(by_slot, key=lambda slot: by_slot[slot], default="")
    rule = next((slot for slot in held.slots if slot.name == wanted), None)
    if rule is None or by_slot[wanted] < ASK_FROM or (not first and found[0].probability > by_slot[wanted]):
        return None
    firm = staff.organisation()
    return Ask(wanted, rule.question(language, firm.language if firm else "en"))


def _views(found: Sequence[_Found], language: str) -> tuple[Proposal, ...]:
    firm = staff.organisation()
    main = firm.language if firm else "en"
    keys = [f.key for f in found]
    entries = {
        row.key: row for row in Entry.objects.filter(key__in=keys).defer("title_meaning", "solution_meaning")
    }
    options: dict[str, list[OptionView]] = {}
    for option in (
        Option.objects.filter(entry__key__in=keys).select_related("entry").order_by("position", "id")
    ):
        options.setdefault(option.entry.key, []).append(option_view(option))
    right = dict(Outcome.objects.filter(right__in=keys).values_list("right").annotate(n=Count("id")))
    notices = {
        indexing.NOTICE + n.slug: n for n in Notice.objects.filter(slug__in=_after(keys, indexing.NOTICE))
    }
    facts = {indexing.FACT + f.key: f for f in Fact.objects.filter(key__in=_after(keys, indexing.FACT))}
    made = []
    for f in found:
        because = _because(f, right.get(f.key, 0))
        if f.key in notices:
            notice = notices[f.key]
            text, code = asking.in_language(notice.texts, language, main)
            title = asking.in_language(notice.titles, language, main)[0]
            sources = (Source(_("Notice"), f"/notices/{notice.slug}/"),)
            made.append(Proposal(f.key, "notice", title, text, (), f.probability, because, sources, code))
        elif f.key in facts:
            fact = facts[f.key]
            sources = (Source(fact.source_name, fact.source_url),)
            title = ", ".join(fact.about)
            made.append(
                Proposal(
                    f.key, "fact", title, fact.statement, (), f.probability, because, sources, fact.language
                )
            )
        elif f.key in entries:
            row = entries[f.key]
            text, code = asking.in_language(row.solutions, language, main)
            sources = (Source(row.source or row.owner, row.url),)
            made.append(
                Proposal(
                    f.key,
                    "entry",
                    row.title,
                    text,
                    tuple(options.get(f.key, ())),
                    f.probability,
                    because,
                    sources,
                    code,
                )
            )
    return tuple(made)


def _after(keys: Sequence[str], mark: str) -> list[str]:
    return [key.removeprefix(mark) for key in keys if key.startswith(mark)]


def option_view(row: Option) -> OptionView:
    """An option as it may be said now."""
    fresh = row.priced_at is not None and clock.now() - row.priced_at <= checking.FRESH
    return OptionView(
        row.product, row.place, row.url, row.is_ours, row.price_minor if fresh else None,
        row.currency if fresh else "", row.priced_at, row.price_minor is not None and not fresh,
    )  # fmt: skip


def _because(found: _Found, n_right: int) -> str:
    said = []
    if found.near:
        said.append(_("Put alike before: “%(wording)s”.") % {"wording": _short(found.near)})
    if found.shared:
        said.append(_("In common: %(words)s.") % {"words": ", ".join(found.shared)})
    if n_right:
        said.append(_("It answered %(n)d such questions.") % {"n": n_right})
    return " ".join(said) or _("Alike in meaning, without a word in common.")


def _short(text: str, most: int = 90) -> str:
    text = asking.masked(text)
    return text if len(text) <= most else text[: most - 1].rpartition(" ")[0] + "…"
