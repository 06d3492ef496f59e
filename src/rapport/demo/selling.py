"""Registrations, orders and refunds as sources report them, under the identifiers each of them knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import identifiers as known
from rapport.demo.basket import Baskets
from rapport.demo.browsing import one_each
from rapport.demo.buying import Trade
from rapport.demo.draw import Flags, Floats, Ints, join, joined_groups, lists_of, padded, stream, take, where
from rapport.demo.experience import REASONS, Orders
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, number_member, text_member
from rapport.demo.span import DAY_S
from rapport.demo.world import CHANNELS, World

ORDERS_PER_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Sold:
    """What other sources need of the orders."""

    order_id: pa.StringArray
    identifier: pa.StringArray
    device: pa.StringArray


def identity(p: People, ids: Identifiers, o: Orders, block: int, seeds: tuple[int, ...]) -> Sold:
    """Under which identifier, and from which device, each order was placed."""
    rng = stream("selling", *seeds, int(p.number[0]))
    n = len(o)
    who = pa.array(o.person)
    shop, app, phone = (o.channel == CHANNELS.index(name) for name in ("shop", "app", "phone"))
    double = p.is_double[o.person]
    account = pc.coalesce(
        where(double & (shop | phone), ids.customer_2.take(who)),
        where(shop, ids.loyalty.take(who)),
        ids.customer.take(who),
        ids.email.take(who),
        ids.loyalty.take(who),
    )
    identifier = where(phone, ids.phone.take(who), account)
    browser = ids.device(rng, o.person, o.at_s) if n else pa.array([], pa.string())
    return Sold(
        order_id=join("O", padded(block * ORDERS_PER_BLOCK + np.arange(n), 10)),
        identifier=identifier,
        device=where(app, ids.app.take(who), where(~shop & ~phone, browser)),
    )


def record(
    rows: Rows,
    place: World,
    p: People,
    ids: Identifiers,
    o: Orders,
    b: Baskets,
    sold: Sold,
    seeds: tuple[int, ...],
) -> None:
    """Touchpoints of orders and refunds."""
    rng = stream("refunds", *seeds, int(p.number[0]))
    n = len(o)
    who = pa.array(o.person)
    phone = o.channel == CHANNELS.index("phone")
    shop = o.channel == CHANNELS.index("shop")
    double = p.is_double[o.person]
    customer = pc.coalesce(
        where(double, ids.customer_2.take(who)), ids.customer.take(who), ids.loyalty.take(who)
    )
    email = where(~shop & ~double & (rng.random(n) < 0.9), ids.email.take(who))
    also = [where(phone, customer), email, sold.device]
    also = [
        where(pc.not_equal(a, sold.identifier).fill_null(False).to_numpy(zero_copy_only=False), a)
        for a in also
    ]
    lines = _lines(place, b)
    items = join('"items":[', joined_groups(lines, b.count, ","), "]")
    country = text_member("country", take(place.countries.codes, p.country[o.person]))
    keys = pa.array([*rows.when.mailings.keys, None], pa.string())
    seen = (o.mailing >= 0) & (o.channel != CHANNELS.index("shop"))
    campaign = keys.take(pa.array(np.where(seen, o.mailing, len(keys) - 1)))
    order_id = text_member("order_id", sold.order_id)
    rows.add(
        "b", "order_placed", o.at_s, sold.identifier, also=lists_of(*also), evidence="order",
        channel=take(CHANNELS, o.channel), value_minor=b.total_minor, currency=place.shop["currency"],
        properties=json_object(
            order_id, items, number_member("n_items", b.pieces), country, text_member("campaign", campaign)
        ),
    )  # fmt: skip
    back = np.flatnonzero(o.refund >= 0)
    at = pa.array(back)
    days = o.late_days[back] + rng.uniform(3, 21, len(back))
    rows.add(
        "r", "order_refunded", o.at_s[back] + (days * DAY_S).astype(np.int64), sold.identifier.take(at),
        channel=take(CHANNELS, o.channel[back]), value_minor=-b.total_minor[back], currency=place.shop["currency"],
        properties=json_object(
            order_id.take(at), items.take(at), number_member("n_items", b.pieces[back]), country.take(at),
            text_member("reason", take(REASONS, o.refund[back])),
        ),
    )  # fmt: skip


def _lines(place: World, b: Baskets) -> pa.StringArray:
    """Each line as JSON; what does not depend on the order is written once per product."""
    products = place.products
    names = [place.categories.names[c] for c in products.category]
    heads = [
        f'{{"product_code":"{code}","product_name":"{name}","category":"{category}","quantity":'
        for code, name, category in zip(products.codes, products.names, names, strict=True)
    ]
    return join(take(heads, b.product), b.quantity, ',"unit_price_minor":', b.unit_minor, "}")


def register(
    rows: Rows, place: World, p: People, ids: Identifiers, lived: Trade, seeds: tuple[int, ...]
) -> None:
    """Who told us what about themselves, and who did so twice, or only in part."""
    rng = stream("register", *seeds, int(p.number[0]))
    n = len(p)
    member = p.account == 0
    old, new = np.flatnonzero(member & ~p.is_new), np.flatnonzero(member & p.is_new)
    single = ~p.is_double
    for kind, at, evidence, when_s in (
        ("ri", old, "import", lived.entry_s[old] + rng.random(len(old)) * 600),
        ("rn", new, "account", _before(rows, lived.entry_s[new], rng)),
    ):
        who = pa.array(at)
        gave_phone = single[at] & (rng.random(len(at)) < 0.6)
        also = lists_of(
            ids.email.take(who),
            where(gave_phone, ids.phone.take(who)),
            where(single[at], ids.loyalty.take(who)),
        )
        _identified(
            rows, kind, when_s, ids.customer.take(who), also, evidence, known.traits(place, p, ids, at, rng)
        )
    double = np.flatnonzero(p.is_double)
    who = pa.array(double)
    also = lists_of(ids.email_2.take(who), ids.phone.take(who), ids.loyalty.take(who))
    traits = known.traits(place, p, ids, double, rng, second=True)
    _identified(
        rows,
        "rd",
        lived.entry_s[double] + rng.random(len(double)) * 200,
        ids.customer_2.take(who),
        also,
        "import",
        traits,
    )
    guest = np.flatnonzero((p.account == 1) & (rng.random(n) < 0.6))
    _from_traits(rows, "rg", place, p, ids, lived, guest, ids.email, "order", rng)
    card = np.flatnonzero((p.account == 2) & (rng.random(n) < 0.5))
    _from_traits(rows, "rc", place, p, ids, lived, card, ids.loyalty, "import", rng)
    _profiles(rows, place, p, ids, lived, rng)


def _before(rows: Rows, entry_s: Floats, rng: np.random.Generator) -> Floats:
    """Somebody new registers before the session that leads to the first order."""
    return np.maximum(entry_s - rng.integers(2400, 5400, len(entry_s)), rows.when.start_s)


def _from_traits(
    rows: Rows, kind: str, place: World, p: People, ids: Identifiers, lived: Trade, at: Ints,
    identifier: pa.StringArray, evidence: str, rng: np.random.Generator,
) -> None:  # fmt: skip
    who = pa.array(at)
    also = lists_of(ids.phone.take(who))
    traits = known.traits(place, p, ids, at, rng)
    _identified(rows, kind, lived.entry_s[at] + 90, identifier.take(who), also, evidence, traits)


def _profiles(
    rows: Rows, place: World, p: People, ids: Identifiers, lived: Trade, rng: np.random.Generator
) -> None:
    """Those who show their handle in the profile, and those who moved."""
    until = np.minimum(lived.end_s, rows.when.end_s)

    def moment(at: Ints) -> Floats:
        days: Floats = (until - lived.entry_s)[at].clip(0, None)
        return lived.entry_s[at] + rng.random(len(at)) * days

    for k, name in enumerate(place.networks.names):
        at = np.flatnonzero(p.joins_handle & p.networks[:, k])
        who = pa.array(at)
        _identified(
            rows, f"h{k}", moment(at), ids.customer.take(who), one_each(ids.handles[k].take(who)), "account",
            json_object(text_member(f"{name}_name", ids.nick.take(who))),
        )  # fmt: skip
    moved: Flags = (p.account == 0) & (rng.random(len(p)) < 0.06)
    at = np.flatnonzero(moved)
    town = place.countries.town_first[p.country[at]] + rng.integers(0, 3, len(at))
    city = text_member("city", take(place.countries.town, town))
    postcode = join(take(place.countries.town_postcode, town), padded(rng.integers(0, 100, len(at)), 2))
    _identified(
        rows, "rm", moment(at), ids.customer.take(pa.array(at)), None, "account",
        json_object(city, text_member("postcode", postcode)),
    )  # fmt: skip


def _identified(
    rows: Rows,
    kind: str,
    at_s: Ints | Floats,
    identifier: pa.Array,
    also: pa.Array | None,
    evidence: str,
    traits: pa.Array,
) -> None:
    rows.add(
        kind, "person_identified", at_s, identifier, also=also, evidence=evidence,
        properties=join('{"traits":', traits, ',"origin":"declared"}'),
    )  # fmt: skip
