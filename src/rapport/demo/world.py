"""The invented world as columns: countries, towns, products, cars, personas, networks, names."""

from __future__ import annotations

import functools
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from rapport.demo.draw import Flags, Floats, Ints

LANGUAGES = ("en", "de", "fr", "es", "ko")
CHANNELS = ("shop", "web", "app", "phone")
RESPONSES = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")
ASPECTS = ("delivery", "price", "quality", "service", "fit", "website", "returns", "availability")
FUELS = "pdhe"
FUEL_NAMES = ("petrol", "diesel", "hybrid", "electric")
SPELLINGS = {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "'": ""}


@dataclass(frozen=True, slots=True)
class Countries:
    codes: list[str]
    language: Ints  # position in LANGUAGES
    share: Floats
    late: Floats
    misfit: Floats
    answer_hours: Floats
    timezone: list[str]
    dial: list[str]
    town_first: Ints  # position of the country's first town
    town_count: Ints
    town: list[str]
    town_postcode: list[str]


@dataclass(frozen=True, slots=True)
class Categories:
    names: list[str]
    weight: Floats
    peak_month: Floats
    sharpness: Floats
    fuels: Flags  # category x fuel
    fits: Flags
    mounted: Flags
    quantity: Ints
    cycle_days: Floats  # 0 where it is not bought again and again
    cycle_share: Floats
    cycle_peak: Floats  # month, 0 where the cycle keeps to no season
    goes_with: list[tuple[int, int, float]]  # category, what lands in the basket too, probability
    worn: Ints  # the categories with a cycle
    n_specs: Ints
    product_first: Ints  # product = product_first + spec * 3 + tier


@dataclass(frozen=True, slots=True)
class Products:
    codes: list[str]
    names: list[str]
    category: Ints
    price_minor: Ints
    step: Floats  # price factor from one year before the end on


@dataclass(frozen=True, slots=True)
class Cars:
    names: list[str]
    short: list[str]
    short_ko: list[str]
    fuels: Flags  # car x fuel
    share: Floats
    misfit: Floats
    classic: Flags


@dataclass(frozen=True, slots=True)
class Personas:
    names: list[str]
    share: Floats
    rate: Floats
    hazard: Floats
    age: Floats  # mean, standard deviation
    tiers: Floats
    channels: Floats
    response: Floats
    advocacy: Floats
    talk: Floats
    service: Floats
    likes: Floats  # persona x category
    cares: Floats  # persona x aspect


@dataclass(frozen=True, slots=True)
class Networks:
    names: list[str]
    share: Floats
    venues: list[list[str]]
    tags: Flags
    handle: list[str]


@dataclass(frozen=True, slots=True)
class Names:
    given: list[str]
    given_ascii: list[str]
    family: list[str]
    family_ascii: list[str]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that does not depend on people, seed or time."""

    shop: dict[str, Any]
    countries: Countries
    categories: Categories
    products: Products
    cars: Cars
    personas: Personas
    networks: Networks
    incidents: dict[str, dict[str, Any]]
    names: list[Names]  # by language
    handle_first: list[str]
    handle_second: list[str]


@functools.cache
def world() -> World:
    """The world of `world.toml`."""
    raw = tomllib.loads(resources.files("rapport.demo").joinpath("world.toml").read_text(encoding="utf-8"))
    categories, products = _catalogue(raw)
    return World(
        shop=raw["shop"],
        countries=_countries(raw["country"]),
        categories=categories,
        products=products,
        cars=_cars(raw["car"]),
        personas=_personas(raw["persona"], categories.names),
        networks=_networks(raw["network"]),
        incidents=raw["incident"],
        names=[_names(raw["names"][language]) for language in LANGUAGES],
        handle_first=raw["handles"]["first"],
        handle_second=raw["handles"]["second"],
    )


def _floats(rows: list[dict[str, Any]], name: str, default: float = 0.0) -> Floats:
    return np.array([float(row.get(name, default)) for row in rows])


def _countries(raw: dict[str, dict[str, Any]]) -> Countries:
    rows = list(raw.values())
    counts = np.array([len(row["towns"]) for row in rows])
    return Countries(
        codes=list(raw),
        language=np.array([LANGUAGES.index(row["language"]) for row in rows]),
        share=_floats(rows, "share"),
        late=_floats(rows, "late"),
        misfit=_floats(rows, "misfit"),
        answer_hours=_floats(rows, "answer_hours"),
        timezone=[row["timezone"] for row in rows],
        dial=[row["dial"] for row in rows],
        town_first=np.cumsum(counts) - counts,
        town_count=counts,
        town=[town for row in rows for town, _ in row["towns"]],
        town_postcode=[postcode for row in rows for _, postcode in row["towns"]],
    )


def _catalogue(raw: dict[str, Any]) -> tuple[Categories, Products]:
    names, rows = list(raw["category"]), list(raw["category"].values())
    n_specs = np.array([len(row["specs"]) for row in rows])
    count = n_specs * 3
    codes, titles, prices = [], [], []
    for name, row in zip(names, rows, strict=True):
        for s, spec in enumerate(row["specs"]):
            for brand, factor in raw["shop"]["tiers"]:
                codes.append(f"{row['code']}-{brand[0]}-{s + 1:02d}")
                titles.append(f"{brand} {name.replace('_', ' ')} {spec}")
                step = 0.85 + 0.3 * s / max(len(row["specs"]) - 1, 1)
                prices.append(round(row["price_minor"] * factor * step / 50) * 50 - 1)
    position = np.arange(len(codes))
    categories = Categories(
        names=names,
        weight=_floats(rows, "weight"),
        peak_month=_floats(rows, "peak"),
        sharpness=_floats(rows, "sharpness"),
        fuels=np.array([[fuel in row["fuels"] for fuel in FUELS] for row in rows]),
        fits=np.array([row["fits"] for row in rows]),
        mounted=np.array([row.get("mounted", True) for row in rows]),
        quantity=_floats(rows, "quantity", 1).astype(np.int64),
        cycle_days=_floats(rows, "cycle_days"),
        cycle_share=_floats(rows, "cycle_share"),
        cycle_peak=_floats(rows, "cycle_peak"),
        goes_with=[
            (c, names.index(other), p) for c, row in enumerate(rows) for other, p in row.get("goes_with", [])
        ],
        worn=np.flatnonzero(_floats(rows, "cycle_days")),
        n_specs=n_specs,
        product_first=np.cumsum(count) - count,
    )
    products = Products(
        codes=codes,
        names=titles,
        category=np.repeat(np.arange(len(names)), count),
        price_minor=np.array(prices, dtype=np.int64),
        step=np.where(position % 10 < 3, 1.06, 1.0),
    )
    return categories, products


def _cars(rows: list[dict[str, Any]]) -> Cars:
    return Cars(
        names=[row["name"] for row in rows],
        short=[row["short"] for row in rows],
        short_ko=[row["ko"] for row in rows],
        fuels=np.array([[fuel in row["fuels"] for fuel in FUELS] for row in rows]),
        share=_floats(rows, "share"),
        misfit=_floats(rows, "misfit"),
        classic=np.array([row.get("classic", False) for row in rows]),
    )


def _personas(raw: dict[str, dict[str, Any]], categories: list[str]) -> Personas:
    rows = list(raw.values())
    return Personas(
        names=list(raw),
        share=_floats(rows, "share"),
        rate=_floats(rows, "rate"),
        hazard=_floats(rows, "hazard"),
        age=np.array([row["age"] for row in rows], dtype=float),
        tiers=np.array([row["tiers"] for row in rows]),
        channels=np.array([row["channels"] for row in rows]),
        response=np.array([row["response"] for row in rows]),
        advocacy=_floats(rows, "advocacy"),
        talk=_floats(rows, "talk"),
        service=_floats(rows, "service"),
        likes=np.array([[row["likes"].get(name, 1.0) for name in categories] for row in rows]),
        cares=np.array([[row["cares"].get(name, 0.5) for name in ASPECTS] for row in rows]),
    )


def _networks(raw: dict[str, dict[str, Any]]) -> Networks:
    rows = list(raw.values())
    return Networks(
        names=list(raw),
        share=_floats(rows, "share"),
        venues=[[f"{name}/{v}" if v else name for v in row["venues"]] for name, row in raw.items()],
        tags=np.array([row["tags"] for row in rows]),
        handle=[row["handle"] for row in rows],
    )


def _names(raw: dict[str, list[str]]) -> Names:
    given = [name.partition("|") for name in raw["given"]]
    family = [name.partition("|") for name in raw["family"]]
    return Names(
        given=[name for name, _, _ in given],
        given_ascii=[plain(latin or name) for name, _, latin in given],
        family=[name for name, _, _ in family],
        family_ascii=[plain(latin or name) for name, _, latin in family],
    )


def plain(text: str) -> str:
    """A name in lower-case ASCII, as it stands in a mail address: Müller as mueller, Núñez as nunez."""
    text = "".join(SPELLINGS.get(letter, letter) for letter in text.lower())
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
