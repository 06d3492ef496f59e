"""The index of what is known, held in memory by each process, and made anew when the mark of its last change is another.

Vectors of meaning are made when a text is written and kept with it, so that making the index reads no text twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import close_old_connections

from rapport.kit import home, ids
from rapport.kit.texts import meaning
from rapport.knowledge.models import Change, Entry, Fact, Learnt, Notice, Slot, Wording
from rapport.knowledge.rules import asking, cutting, matching, weighing

log = logging.getLogger(__name__)

AT_ONCE_MAX = (
    3_000  # wordings; with more, who asks is answered from the index before while the new one is made
)
NOTICE, FACT = "notice:", "fact:"


@dataclass(frozen=True, slots=True)
class Held:
    """What a process knows of what is known."""

    place: str  # of the data folder it is of
    mark: str
    index: matching.Index | None
    weights: weighing.Weights
    fits: dict[str, dict[str, Sequence[str]]]
    needs: dict[str, Sequence[str]]
    slots: tuple[asking.SlotRule, ...]
    countries: dict[str, Sequence[str]]  # of notices


class _Process:
    """What this process holds, and the thread that makes what it will hold next."""

    held: Held | None = None
    making: threading.Thread | None = None


_lock = threading.Lock()


def mark() -> str:
    """The mark of what is known now; empty where nothing ever was."""
    row = Change.objects.filter(pk=1).first()
    return row.mark if row else ""


def changed() -> None:
    """Note that what is known has changed; every process then makes its index anew."""
    Change.objects.update_or_create(pk=1, defaults={"mark": ids.token(12)})


def held() -> Held:
    """What is known now; with very much of it, what was known a moment ago while the new index is made."""
    now, place = mark(), str(home.path(""))
    mine = _Process.held
    if mine is not None and mine.mark == now and mine.place == place:
        return mine
    is_large = mine is not None and mine.place == place and mine.index is not None
    if is_large and mine is not None and mine.index is not None and len(mine.index.texts) > AT_ONCE_MAX:
        with _lock:
            if _Process.making is None or not _Process.making.is_alive():
                _Process.making = threading.Thread(
                    target=_make_beside, args=(now, place), name="knowledge", daemon=True
                )
                _Process.making.start()
        return mine
    with _lock:
        if _Process.held is None or _Process.held.mark != now or _Process.held.place != place:
            _Process.held = _make(now, place)
        return _Process.held


def _make_beside(now: str, place: str) -> None:
    try:
        _Process.held = _make(now, place)
    except Exception:
        log.exception("the index of what is known could not be made; the one before goes on")
    finally:
        close_old_connections()


def _make(now: str, place: str) -> Held:
    learnt = Learnt.objects.order_by("-id").first()
    weights = weighing.Weights.from_json(learnt.content) if learnt else weighing.Weights()
    knowns, kept, fits, needs, countries = _known()
    index = matching.build(knowns, meaning.vectors, kept) if knowns else None
    slots = tuple(
        asking.SlotRule(s.name, s.questions, s.spellings, s.is_number) for s in Slot.objects.order_by("name")
    )
    return Held(place, now, index, weights, fits, needs, slots, countries)


def _known() -> tuple[
    list[matching.Known], matching.Meanings, dict[str, dict[str, Sequence[str]]], dict[str, Sequence[str]],
    dict[str, Sequence[str]],
]:  # fmt: skip
    """Everything that may be proposed, with the vectors that are kept of it."""
    wordings: dict[int, list[tuple[str, bytes | None]]] = {}
    for entry, text, vector in (
        Wording.objects.filter(is_live=True, entry__state="published")
        .order_by("id")
        .values_list("entry_id", "text", "meaning")
    ):
        wordings.setdefault(entry, []).append((text, _bytes(vector)))
    knowns: list[matching.Known] = []
    vectors: tuple[list[bytes | None], list[bytes | None], list[bytes | None]] = ([], [], [])
    fits, needs = {}, {}
    for row in Entry.objects.filter(state="published").order_by("pk"):
        mine = wordings.get(row.pk, [])
        knowns.append(
            matching.Known(
                row.key, _title(row), "\n".join(row.solutions.values()), tuple(text for text, _ in mine)
            )
        )
        vectors[0].extend(vector for _, vector in mine)
        vectors[1].append(_bytes(row.title_meaning))
        vectors[2].append(_bytes(row.solution_meaning))
        if row.fits:
            fits[row.key] = row.fits
        if row.needs:
            needs[row.key] = row.needs
    countries = {}
    for notice in Notice.objects.filter(state="published").order_by("pk"):
        knowns.append(
            matching.Known(
                NOTICE + notice.slug,
                " ".join(notice.titles.values()),
                " ".join(notice.texts.values()),
                tuple(notice.words),
            )
        )
        countries[NOTICE + notice.slug] = notice.countries
    for fact in Fact.objects.filter(state="published").order_by("pk"):
        about = " ".join((*fact.about, *fact.aspect))
        knowns.append(matching.Known(FACT + fact.key, about, fact.statement, (fact.statement,)))
    return knowns, _vectors(knowns, vectors), fits, needs, countries


def _bytes(kept: bytes | memoryview | None) -> bytes | None:
    """A kept vector; PostgreSQL's driver hands out views."""
    return bytes(kept) if kept else None


def _title(row: Entry) -> str:
    return " ".join(part for part in (row.title, cutting.words_of_address(row.url)) if part)


def _vectors(
    knowns: Sequence[matching.Known], kept: tuple[list[bytes | None], list[bytes | None], list[bytes | None]]
) -> matching.Meanings:
    """Kept vectors, and those of texts that have none yet, such as notices."""
    made = []
    for texts, have in zip(matching.texts_of(knowns), kept, strict=True):
        given = [*have, *[None] * (len(texts) - len(have))]
        out = np.zeros((len(texts), meaning.SIZE), np.float32)
        without = [k for k, vector in enumerate(given) if not vector]
        if len(without) < len(texts):
            rows = [k for k, vector in enumerate(given) if vector]
            joined = b"".join(given[k] or b"" for k in rows)
            out[rows] = np.frombuffer(joined, np.float16).reshape(-1, meaning.SIZE)
        if without:
            out[without] = meaning.vectors([cutting.plain(texts[k]) for k in without])
        made.append(out)
    return matching.Meanings(*made)


def kept_vectors(texts: Iterable[str]) -> list[bytes]:
    """The vectors of texts as they are kept: two bytes a number, which moves no likeness by more than a thousandth."""
    plain = [cutting.plain(text) for text in texts]
    return [row.tobytes() for row in meaning.vectors(plain).astype(np.float16)] if plain else []
