"""What lies in the basket of an order: lines, prices, totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.demo.draw import Floats, Ints, choice_by_row, stream
from rapport.demo.experience import Orders
from rapport.demo.persons import People
from rapport.demo.span import DAY_S, Span
from rapport.demo.world import World

PRICE_NOISE = 0.03  # standard deviation of the logarithm of what is paid against the list
MAILING_DISCOUNT = 0.9
STEP_DAYS = 365  # before the end, some prices went up


@dataclass(frozen=True, slots=True)
class Baskets:
    """Lines sorted by order; one count and one total per order."""

    product: Ints
    quantity: Ints
    unit_minor: Ints
    count: Ints
    total_minor: Ints
    pieces: Ints


def baskets(
    world: World, when: Span, p: People, orders: Orders, name: str, seeds: tuple[int, ...]
) -> Baskets:
    """The lines of each order: what was wanted, and what goes with it."""
    rng = stream(name, *seeds, int(p.number[0]))
    n = len(orders)
    c = world.categories
    rows, wanted = [np.arange(n)], [orders.category]
    for had, other, chance in c.goes_with:
        also = np.flatnonzero((orders.category == had) & (rng.random(n) < chance))
        rows.append(also)
        wanted.append(np.full(len(also), other))
    row = np.concatenate(rows)
    category = np.concatenate(wanted)
    order = np.argsort(row, kind="stable")
    row, category = row[order], category[order]
    person = orders.person[row]
    tier = choice_by_row(rng, p.tiers[orders.person])[row]
    product = c.product_first[category] + p.spec[person, category] * 3 + tier
    quantity = c.quantity[category] * (1 + (rng.random(n) < p.bulk[orders.person])[row])
    listed = world.products.price_minor[product] * _step(world, when, product, orders.at_s[row])
    noise = np.exp(rng.normal(-(PRICE_NOISE**2) / 2, PRICE_NOISE, len(row)))
    discount = np.where(orders.mailing[row] >= 0, MAILING_DISCOUNT, 1.0)
    unit = np.maximum(np.rint(listed * noise * discount), 1).astype(np.int64)
    count = np.bincount(row, minlength=n)
    return Baskets(
        product=product,
        quantity=quantity,
        unit_minor=unit,
        count=count,
        total_minor=np.bincount(row, unit * quantity, minlength=n).astype(np.int64),
        pieces=np.bincount(row, quantity, minlength=n).astype(np.int64),
    )


def _step(world: World, when: Span, product: Ints, at_s: Ints) -> Floats:
    stepped = at_s >= when.end_s - STEP_DAYS * DAY_S
    factors: Floats = np.where(stepped, world.products.step[product], 1.0)
    return factors


def expected_minor(world: World, p: People) -> Floats:
    """Person x category: what an order of the category costs on average, at present prices."""
    c = world.categories
    n, many = len(p), len(c.names)
    own = np.zeros((n, many))
    for tier in range(3):
        product = c.product_first[None, :] + p.spec * 3 + tier
        own += p.tiers[:, tier, None] * world.products.price_minor[product] * world.products.step[product]
    own *= c.quantity[None, :] * (1 + p.bulk[:, None])
    whole = own.copy()
    for category, other, chance in c.goes_with:
        whole[:, category] += chance * own[:, other]
    return whole
