"""One block of people, lived through: what the log gets to see, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import (
    basket,
    browsing,
    colluding,
    consenting,
    feedback,
    mailing,
    posts,
    selling,
    talking,
    tell,
)
from rapport.demo.buying import trade
from rapport.demo.draw import join, stream
from rapport.demo.expected import expected
from rapport.demo.identifiers import identifiers
from rapport.demo.persons import people
from rapport.demo.rows import Rows
from rapport.demo.span import Span
from rapport.demo.tell import Tally
from rapport.demo.world import World

BLOCK_PEOPLE = 2500


@dataclass(frozen=True, slots=True)
class Block:
    """The touchpoints of a block of people, its truth by file, and its share of the totals."""

    touchpoints: pa.Table
    truth: dict[str, pa.Table]
    tally: Tally


def live(
    world: World, when: Span, prefix: str, number: int, n: int, seeds: tuple[int, ...], scale: float
) -> Block:
    """Live through the block of this number, which has n people."""
    first = number * BLOCK_PEOPLE
    rows = Rows(when, f"{prefix}-{number:x}-", [])
    p = people(world, when, first, n, seeds)
    ids = identifiers(world, p, seeds)
    lived = trade(world, when, p, seeds, scale)
    sold = selling.identity(p, ids, lived.orders, number, seeds)
    bought = basket.baskets(world, when, p, lived.orders, "basket", seeds)
    selling.register(rows, world, p, ids, lived, seeds)
    selling.record(rows, world, p, ids, lived.orders, bought, sold, seeds)
    consenting.record(rows, p, ids, lived, seeds)
    clicks = mailing.record(rows, p, ids, lived, seeds)
    looked = browsing.sessions(when, p, lived, clicks, seeds, scale)
    browsing.record(rows, world, p, ids, looked, lived.orders, sold.device, seeds)
    public, meant = posts.talk(world, when, p, lived, seeds, scale)
    private = feedback.feedback(world, when, p, lived, seeds, scale)
    rng = stream("words", *seeds, first)
    said = talking.words(rng, world, p, meant, pa.nulls(len(meant), pa.string()))
    about = sold.order_id.take(pa.array(private.order.clip(0), mask=private.order < 0))
    told = talking.words(rng, world, p, private.talk, about)
    posts.join_community(rows, world, p, ids, lived)
    post_ids = posts.record(rows, world, p, ids, public, meant, said, seeds)
    feedback_ids = feedback.record(rows, p, ids, private, sold, told, seeds)
    rings = colluding.accounts(world, when, p, seeds)
    pushed = colluding.said(world, when, p, rings, seeds, scale)
    pushed_ids = colluding.record(rows, world, rings, pushed, seeds, first)
    coming = basket.baskets(world, when, p, lived.future, "future", seeds)
    person = tell.person(world, when, p, ids, lived, expected(world, when, p, lived))
    known = colluding.everything(person.column("identifiers").combine_chunks(), rings)
    return Block(
        touchpoints=rows.sorted(),
        truth={
            "person": person.set_column(person.schema.get_field_index("identifiers"), "identifiers", known),
            "participation": tell.participation(world, p, ids),
            "account": tell.account(world, when, p, rings, prefix),
            "text": tell.text(
                world, when, p, rows, (public, meant, post_ids), (private, feedback_ids), (pushed, pushed_ids)
            ),
            "complaint": tell.complaint(when, p, rows, lived, private, feedback_ids),
            "future": tell.future(world, when, p, lived, coming),
        },
        tally=tell.tally(world, when, p, lived),
    )


def listings(world: World, when: Span, prefix: str) -> pa.Table:
    """What is on offer, at its first price and at its later one where that changed."""
    products = world.products
    n = len(products.codes)
    rows = Rows(when, f"{prefix}-", [])
    stepped = (products.step > 1).nonzero()[0]
    codes = pa.array(products.codes, pa.string())
    names = pa.array([world.categories.names[c] for c in products.category], pa.string())
    url = join(world.shop["url"], "/p/", pa.array([code.lower() for code in products.codes]))
    old, new = products.price_minor, (products.price_minor * products.step).round().astype("int64")
    for kind, price, at, at_s in (
        ("x", old, pa.array(range(n)), when.start_s),
        ("y", new, pa.array(stepped), when.end_s - basket.STEP_DAYS * 86_400),
    ):
        picked = at.to_numpy(zero_copy_only=False)
        rows.add(
            kind, "product_listed", [at_s] * len(picked), join("product:", pc.utf8_lower(codes.take(at))), channel="web",
            properties=join(
                '{"product_code":"', codes.take(at), '","product_name":"', pa.array(products.names).take(at),
                '","category":"', names.take(at), '","price_minor":', price[picked], ',"currency":"',
                world.shop["currency"], '","url":"', url.take(at), '","place":"Tarnwick"}',
            ),
        )  # fmt: skip
    return rows.sorted()
