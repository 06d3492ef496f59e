"""What people wrote, with what models and staff say of it: a page at a time, each word with its reason."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Count
from numpy.typing import NDArray

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights import rules
from rapport.insights.contract import KIND, Gives, Insight, is_of_texts
from rapport.insights.models import Correction, LabelledFile
from rapport.insights.selectors.texts import PURPOSE
from rapport.kit import bulk, clock, query, registry
from rapport.kit.errors import Invalid
from rapport.listening import selectors as listening

PAGE = 30
LABELS_MOST = 60  # offered of one annotation
RECENT = dt.timedelta(days=90)  # looked at before all of history: a few monthly files instead of all
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which texts: of a time, a venue; with a label of an annotation; those that staff corrected, and from what."""

    name: str = ""  # of the annotation, such as sentiment or aspect:delivery
    label: str = ""
    venue: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    is_corrected: bool = False
    said: str | None = None  # with is_corrected: what the model had said
    is_unsure_first: bool = False
    follow: str = ""  # only texts that name what is followed under this key


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a text under one name, and by whom."""

    name: str
    label: str
    value: float | None
    probability: float | None  # of the label, 0 to 1
    model: str
    version: str
    words: tuple[str, ...]  # that decided, as models compare them: lower case
    quote: str  # the part of the text it is about; empty where it is about all of it
    reason: str  # one sentence
    by: str = ""  # the member of staff who corrected it
    instead_of: str = ""  # what the model had said, where staff said otherwise


@dataclass(frozen=True, slots=True)
class Spoken:
    """One text that somebody wrote."""

    seq: int
    subject: int
    at: dt.datetime
    text: str
    event: str
    source: str
    channel: str | None
    venue: str | None
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class SpokenPage:
    """A page of texts, and the cursor of the next; empty at the end."""

    texts: tuple[Spoken, ...]
    next: str


def texts_page(wanted: Wanted, *, before: str = "", limit: int = PAGE) -> SpokenPage:
    """Texts newest first, or those first of which the model is least sure; of whoever refuses none is shown."""
    chosen = _chosen(wanted) if wanted.is_corrected else None
    if wanted.follow:
        named = _naming(wanted)
        chosen = named if chosen is None else np.intersect1d(chosen, named)
    if chosen is not None and not len(chosen):
        return SpokenPage((), "")
    con = lake.connect()
    try:
        lake.give(con, "refused", consent.refused_subjects(PURPOSE))
        lake.give(con, "chosen", pa.table({"seq": pa.array([] if chosen is None else chosen, pa.int64())}))
        rows = _rows(con, wanted, before, limit, only_chosen=chosen is not None)
        shown = rows[:limit]
        texts = tuple(_spoken(row) for row in shown)
        said = said_of(con, [(text.seq, text.at) for text in texts])
    finally:
        con.close()
    more = ""
    if len(rows) > limit:
        last = shown[-1]
        more = f"{clock.to_us(last['ts'])}.{last['seq']}"
        if wanted.is_unsure_first and wanted.name:
            more += f".{last['probability']!r}"
    return SpokenPage(tuple(replace(text, said=said.get(text.seq, ())) for text in texts), more)


def _naming(wanted: Wanted) -> NDArray[np.int64]:
    """Texts that name what is followed: of the time asked for, else of the last weeks; ascending."""
    until = wanted.until or clock.now() + dt.timedelta(days=1)
    found = listening.mentions(wanted.since or until - RECENT, until)
    seqs = found.filter(pc.equal(found["key"], wanted.follow))["seq"].to_numpy()
    return np.unique(seqs.astype(np.int64))


def one_text(seq: int) -> Spoken | None:
    """One text with what is said of it; None where there is none, or its writer refuses."""
    con = lake.connect()
    try:
        asked = {"seq": seq, "own_words": list(rules.OWN_WORDS)}
        found = query.run(con, query.load("rapport.insights", "one_text"), asked).to_arrow_table().to_pylist()
        refused = consent.refused_subjects(PURPOSE)["subject"].to_pylist()
        if not found or found[0]["subject"] in set(refused):
            return None
        text = _spoken(found[0])
        return replace(text, said=said_of(con, [(text.seq, text.at)]).get(seq, ()))
    finally:
        con.close()


def said_of(
    con: duckdb.DuckDBPyConnection, texts: Sequence[tuple[int, dt.datetime]]
) -> dict[int, tuple[Said, ...]]:
    """What is said of these texts (seq, ts) now, by text; staff's word at once, before the log has it."""
    if not texts:
        return {}
    lake.give(con, "page", pa.table({"seq": pa.array([seq for seq, _ in texts], pa.int64())}))
    times = [at for _, at in texts]
    asked = {"first_ts": min(times), "last_ts": max(times)}
    rows = query.run(con, query.load("rapport.insights", "said_of_page"), asked).to_arrow_table().to_pylist()
    by_text: dict[int, dict[str, Said]] = {}
    models = _models()
    for row in rows:
        if row["model"] != rules.STAFF:
            by_text.setdefault(row["seq"], {})[row["name"]] = _said(row, models.get(row["model"]))
    for one in _corrections([seq for seq, _ in texts]):
        given = by_text.setdefault(one.seq, {})
        instead = one.said if one.said != one.label else ""
        given[one.name] = Said(
            one.name, one.label, None, 1.0, rules.STAFF, "", (), "", "", by=one.made_by, instead_of=instead
        )
    order = {gives.name: k for k, gives in enumerate(given_names())}

    def place(said: Said) -> tuple[int, str]:
        return (order.get(said.name.partition(":")[0], len(order)), said.name)

    return {seq: tuple(sorted(given.values(), key=place)) for seq, given in by_text.items()}


def given_names() -> list[Gives]:
    """Everything that models of texts say, in the order of the registry."""
    return [gives for model in _models().values() for gives in model.gives]


def labels_offered() -> dict[str, Sequence[str]]:
    """The labels that staff may give, by the annotation; where a model has none of its own, those the firm gives most."""
    found: dict[str, Sequence[str]] = {gives.name: gives.labels for gives in given_names() if gives.labels}
    for gives in given_names():
        if not gives.labels:
            given = Correction.objects.filter(name=gives.name).values("label").annotate(n=Count("pk"))
            mine = Counter({row["label"]: row["n"] for row in given})
            for labels in LabelledFile.objects.filter(of=gives.name).values_list("labels", flat=True):
                mine.update(labels)
            frequent = sorted(mine, key=lambda label: (-mine[label], label))
            found[gives.name] = tuple(frequent[:LABELS_MOST])
    return found


def _models() -> dict[str, Insight]:
    found = registry.plugins(KIND).values()
    return {one.name: one.offers for one in found if is_of_texts(one.offers)}


def _rows(
    con: duckdb.DuckDBPyConnection, wanted: Wanted, before: str, limit: int, *, only_chosen: bool
) -> list[dict[str, Any]]:
    """The texts asked for: of recent weeks, and only where those are too few of all time."""
    at, seq, probability = _read_cursor(before)
    asked: dict[str, Any] = {
        "until": wanted.until or clock.now() + dt.timedelta(days=1),
        "venue": wanted.venue,
        "before_ts": at,
        "before_seq": seq,
        "only_chosen": only_chosen,
        "most": limit + 1,
    }
    name = "texts_newest"
    if wanted.name:
        name = "texts_said"
        asked |= {
            "name": wanted.name,
            "label": None
            if wanted.is_corrected
            else wanted.label or None,  # staff's own, known before the log has it
            "is_unsure_first": wanted.is_unsure_first,
            "before_probability": probability,
            "staff": rules.STAFF,
        }
    else:
        asked["own_words"] = list(rules.OWN_WORDS)
    text = query.load("rapport.insights", name)
    latest = min(t for t in (asked["until"], at) if t is not None)
    recent = latest - RECENT
    # The least sure of all time stand anywhere; the newest stand near the end.
    spans = [wanted.since or BEGINNING]
    if not wanted.is_unsure_first and (wanted.since is None or wanted.since < recent):
        spans.insert(0, recent)
    found: list[dict[str, Any]] = []
    for since in spans:
        found = query.run(con, text, {**asked, "since": since}).to_arrow_table().to_pylist()
        if len(found) > limit:
            break
    return found


def _chosen(wanted: Wanted) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The texts that staff corrected as asked."""
    found = Correction.objects.all()
    if wanted.name:
        found = found.filter(name=wanted.name)
    if wanted.label:
        found = found.filter(label=wanted.label)
    if wanted.said is not None:
        found = found.filter(said=wanted.said)
    return np.fromiter(set(found.values_list("seq", flat=True)), np.int64)


def _corrections(seqs: Iterable[int]) -> list[Correction]:
    found: list[Correction] = []
    for part in bulk.parts(list(seqs)):
        found += Correction.objects.filter(seq__in=part)
    return found


def _spoken(row: dict[str, Any]) -> Spoken:
    return Spoken(
        row["seq"], row["subject"], row["ts"], row["text"], row["name"], row["source"], row["channel"],
        row["venue"], (),
    )  # fmt: skip


def _said(row: dict[str, Any], model: Insight | None) -> Said:
    detail = _detail(row["detail"])
    words = detail.get("words")
    quote = detail.get("quote")
    try:
        reason = model.explain({**row, "detail": row["detail"] or "{}"}) if model else ""
    except (KeyError, TypeError, ValueError):
        reason = ""  # written by a version whose details this one does not know
    return Said(
        row["name"],
        row["label"],
        row["value"],
        row["probability"],
        row["model"],
        row["version"],
        tuple(str(word) for word in words) if isinstance(words, list) else (),
        quote if isinstance(quote, str) else "",
        reason,
    )


def _detail(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _read_cursor(before: str) -> tuple[dt.datetime | None, int | None, float | None]:
    if not before:
        return None, None, None
    us, _, rest = before.partition(".")
    seq, _, sure = rest.partition(".")
    try:
        return clock.from_us(int(us)), int(seq), float(sure) if sure else None
    except (ValueError, OverflowError):
        raise Invalid(f"the place in the list {before!r} is damaged", "Begin at the top.") from None
