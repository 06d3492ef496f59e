"""Sentences from a small grammar: pools of templates per language, slots filled in columns.

A template is cut into literals and slots once; a text is then a join of columns, whatever the number of rows.
The pools of all five languages lie in one table, so that one pass renders them all.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.demo.draw import Flags, Floats, Ints, join
from rapport.demo.world import LANGUAGES, World, world

SLOTS_MAX = 3
NUMBERS = 1000  # numbers 0..999 can be said; kilometres are said in thousands
SHARED_SLOTS = ("car", "short", "town", "rival", "late", "days", "weeks", "price", "minutes", "km")
VOWELS = "AEIO"
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The grammar of every language, compiled to columns."""

    pools: dict[str, int]
    first: Ints  # language x pool: position of its first template
    n_any: Ints  # language x pool: templates that suit every part
    n_all: Ints  # language x pool: those and the ones for parts that are built in
    literals: list[pa.StringArray]  # SLOTS_MAX + 1 columns over the templates
    slots: Ints  # template x SLOTS_MAX: kind of slot, 0 for none
    kinds: list[str]
    words: pa.StringArray
    base: Ints  # language x kind: position of the kind's first word
    slips: list[list[dict[str, Any]]]  # by language

    def pool(self, name: str) -> int:
        return self.pools[name]

    def by_category(self, prefix: str) -> Ints:
        """The pools `<prefix>_<category>` in the order of the categories."""
        return np.array([self.pools[f"{prefix}_{name}"] for name in world().categories.names])


@dataclass(frozen=True, slots=True)
class Slots:
    """What fills the slots of each row: positions in the world, and numbers."""

    category: Ints
    car: Ints  # short name; the full name lies `n_cars` further
    town: Ints
    rival: Ints
    late: Ints
    weeks: Ints
    price: Ints
    minutes: Ints
    km: Ints

    def take(self, rows: Ints) -> Slots:
        return Slots(**{name: getattr(self, name)[rows] for name in self.__slots__})

    def column(self, kind: str, n_cars: int) -> Ints:
        if kind in ("late", "weeks", "price", "minutes", "km", "town", "rival", "car"):
            return np.asarray(getattr(self, kind))
        if kind == "short":
            return self.car % n_cars
        if kind == "days":
            return self.late + 2
        return self.car if kind.endswith("_car") else self.category


def slots(rng: np.random.Generator, category: Ints, car: Ints, town: Ints, late: Ints) -> Slots:
    """Slots with the numbers that nobody asked about drawn at random."""
    n, n_cars = len(category), len(world().cars.names)
    return Slots(
        category=category,
        car=car + n_cars * (rng.random(n) < 0.25),
        town=town,
        rival=rng.integers(0, 3, n),
        late=np.where(late > 0, late, 2 + rng.geometric(0.3, n)).clip(2, 60),
        weeks=rng.integers(2, 9, n),
        price=(_usual_price()[category] * rng.uniform(0.6, 1.6, n)).astype(np.int64).clip(5, NUMBERS - 1),
        minutes=rng.integers(2, 13, n) * 5,
        km=rng.integers(18, 240, n),
    )


@functools.cache
def _usual_price() -> Floats:
    """What is usually paid for each category, in whole units of the currency."""
    c, products = world().categories, world().products
    total = np.bincount(products.category, products.price_minor) / np.bincount(products.category)
    usual: Floats = total * c.quantity / 100
    return usual


def render(
    lexicon: Lexicon, rng: np.random.Generator, pool: Ints, language: Ints, mounted: Flags, fill: Slots
) -> pa.StringArray:
    """One sentence per row, drawn from the row's pool in the row's language."""
    many = np.where(mounted, lexicon.n_all[language, pool], lexicon.n_any[language, pool])
    template = lexicon.first[language, pool] + (rng.random(len(pool)) * many).astype(np.int64)
    n_cars = len(world().cars.names)
    columns = np.stack([np.zeros(len(pool), np.int64)] + [fill.column(k, n_cars) for k in lexicon.kinds[1:]])
    parts: list[pa.Array] = [lexicon.literals[0].take(pa.array(template))]
    rows = np.arange(len(pool))
    for s in range(SLOTS_MAX):
        kind = lexicon.slots[template, s]
        word = lexicon.base[language, kind] + columns[kind, rows]
        parts.append(lexicon.words.take(pa.array(word)))
        parts.append(lexicon.literals[s + 1].take(pa.array(template)))
    return join(*parts)


@functools.cache
def lexicon() -> Lexicon:
    """The grammar of `lexicon/*.toml`, compiled."""
    folder = resources.files("rapport.demo").joinpath("lexicon")
    raw = [tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")) for name in LANGUAGES]
    forms = sorted({form for one in raw for part in one["parts"].values() for form in part})
    before = sorted({form for one in raw for form in one.get("car_forms", {})})
    kinds = ["", *forms, *before, *SHARED_SLOTS]
    sentences = [_pools(one) for one in raw]
    pools = {name: at for at, name in enumerate(sentences[0])}
    shape = (len(LANGUAGES), len(pools))
    first, n_any, n_all = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    pieces: list[tuple[list[str], list[int]]] = []
    for language, one in enumerate(sentences):
        for name, at in pools.items():
            ordered = sorted(one[name], key=lambda text: text.startswith("+ "))
            first[language, at], n_all[language, at] = len(pieces), len(ordered)
            n_any[language, at] = sum(not text.startswith("+ ") for text in ordered)
            pieces.extend(_cut(text.removeprefix("+ "), kinds) for text in ordered)
    words, base = _words(world(), raw, kinds)
    return Lexicon(
        pools=pools,
        first=first,
        n_any=n_any,
        n_all=n_all,
        literals=[pa.array([cut[s] for cut, _ in pieces], pa.string()) for s in range(SLOTS_MAX + 1)],
        slots=np.array([kind for _, kind in pieces]),
        kinds=kinds,
        words=pa.array(words, pa.string()),
        base=base,
        slips=[one["slip"] for one in raw],
    )


def _pools(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    pools: dict[str, list[str]] = (
        raw["pools"]
        | {f"search_{name}": texts for name, texts in raw["search"].items()}
        | {f"asked_{name}": [text] for name, text in raw["asked"].items()}
        | {f"subject_{name}": texts for name, texts in raw["letter_subject"].items()}
    )
    return pools


def _cut(text: str, kinds: list[str]) -> tuple[list[str], list[int]]:
    parts = _SLOT.split(text)
    literals, names = parts[::2], parts[1::2]
    spare = SLOTS_MAX - len(names)
    return literals + [""] * spare, [kinds.index(name) for name in names] + [0] * spare


def _words(place: World, raw: list[dict[str, Any]], kinds: list[str]) -> tuple[list[str], Ints]:
    words = [""]
    base = np.zeros((len(raw), len(kinds)), dtype=np.int64)
    numbers = [str(n) for n in range(NUMBERS)]
    for language, one in enumerate(raw):
        korean = LANGUAGES[language] == "ko"
        short = place.cars.short_ko if korean else place.cars.short
        shared = {
            "car": short + (place.cars.short_ko if korean else place.cars.names),
            "short": [name.replace(" ", "") for name in short],
            "town": place.countries.town,
            "rival": place.shop["rivals_ko" if korean else "rivals"],
            **_with_articles(one.get("car_forms", {}), short + place.cars.names),
            "km": [f"{n * 1000:,}".replace(",", one["thousands"]) for n in range(NUMBERS)],
        }
        at = len(words)
        words += numbers
        for k, kind in enumerate(kinds[1:], start=1):
            if kind in ("late", "days", "weeks", "price", "minutes"):
                base[language, k] = at
                continue
            base[language, k] = len(words)
            words += shared.get(kind) or [one["parts"][c].get(kind, "") for c in place.categories.names]
    return words, base


def _with_articles(forms: Mapping[str, list[str]], cars: list[str]) -> dict[str, list[str]]:
    """A car's name with what stands before it, which differs before a vowel: a Tern, an Ostra."""
    return {form: [before[name[0] in VOWELS] + name for name in cars] for form, before in forms.items()}
