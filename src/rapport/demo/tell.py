"""The truth as tables: who people are, what they mean, what they would buy, what our doings did to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo.answering import HOUR_S, keep_probability
from rapport.demo.basket import Baskets
from rapport.demo.buying import ENDS, Trade
from rapport.demo.colluding import AIMS, Accounts, Said
from rapport.demo.draw import Floats, Ints, join, take
from rapport.demo.expected import HORIZONS_DAYS, Expected
from rapport.demo.experience import LEAVES, PROMISED_DAYS
from rapport.demo.feedback import Feedback
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import ACCOUNTS, KINDS, LEVELS, People
from rapport.demo.posts import Posts
from rapport.demo.rows import Rows
from rapport.demo.span import DAY_S, Span
from rapport.demo.talking import INTENTS, POLARITY, Talk
from rapport.demo.world import ASPECTS, CHANNELS, FUEL_NAMES, LANGUAGES, RESPONSES, World
from rapport.kit import clock

TIME = pa.timestamp("us", tz="UTC")
LEAVES_FOR = {"delivery": "late", "fit": "misfit", "quality": "defect"}


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over one block, by mailing and by country; added up at the end."""

    mailing: dict[str, Floats]
    country: dict[str, Floats]

    def plus(self, other: Tally) -> Tally:
        return Tally(
            {k: v + other.mailing[k] for k, v in self.mailing.items()},
            {k: v + other.country[k] for k, v in self.country.items()},
        )


def named(names: tuple[str, ...] | list[str], at: Ints) -> pa.DictionaryArray:
    """Names by position as a dictionary column; a negative position is null."""
    indices = pa.array(np.where(at < 0, 0, at).astype(np.int32), mask=at < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def moments(when: Span, at_s: Floats | Ints, known: np.ndarray | None = None) -> pa.Array:
    """Seconds since day 0 as moments; null where not known or never."""
    at_s = np.asarray(at_s, dtype=np.float64)
    good = np.isfinite(at_s) if known is None else known
    us = np.where(good, at_s, 0).astype(np.int64) * 1_000_000 + clock.to_us(when.start)
    return pa.array(us, TIME, mask=~good)


def person(world: World, when: Span, p: People, ids: Identifiers, lived: Trade, e: Expected) -> pa.Table:
    """One row per true person."""
    customer = p.is_customer
    ended = customer & (lived.ending > 0)
    columns: dict[str, pa.Array] = {
        "person": pa.array(p.number),
        "kind": named(KINDS, p.kind),
        "persona": named(world.personas.names, p.persona),
        "identifiers": ids.everything(),
        "name": ids.name,
        "country": named(world.countries.codes, p.country),
        "language": named(LANGUAGES, p.language),
        "car": take(world.cars.names, p.car),
        "fuel": named(FUEL_NAMES, p.fuel),
        "birth_year": pa.array((1970 + p.birth_day / 365.25).astype(np.int32)),
        "household": pa.array(
            np.minimum(p.number, p.number - np.arange(len(p)) + p.partner), mask=p.partner < 0
        ),
        "shares_device": pa.array(p.shares_device),
        "account": named(ACCOUNTS, p.account),
        "is_double": pa.array(p.is_double),
        "entered_at": moments(when, lived.entry_s, customer),
        "is_alive": pa.array(customer & ~ended),
        "died_at": moments(when, lived.end_s, ended),
        "churn": named(ENDS, np.where(customer, lived.ending, -1)),
        "orders_per_day": pa.array(e.orders_per_day),
        "hazard_per_day": pa.array(np.where(customer, p.hazard, 0.0)),
        "order_minor": pa.array(e.order_minor),
        "response": named(RESPONSES, np.where(customer, p.response, -1)),
        "message_effect_14d": pa.array(_effect(p, e)),
        "is_held_out": pa.array(p.is_held_out),
        "agrees_to_mail": pa.array(p.agrees_to_mail),
        "fatigue_threshold_30d": pa.array(p.fatigue),
        "advocacy": pa.array(p.advocacy),
        "participation": named(LEVELS, p.level.max(axis=1)),
    }
    for h, days in enumerate(HORIZONS_DAYS):
        columns[f"expected_orders_{days}d"] = pa.array(e.purchases[:, h])
        columns[f"expected_spend_{days}d_minor"] = pa.array(e.spend_minor[:, h])
    columns["next_category"] = named(world.categories.names, e.next_category)
    columns["next_category_probability"] = pa.array(e.next_category_probability)
    return pa.table(columns)


def _effect(p: People, e: Expected) -> Floats:
    """Change of the probability of an order in 14 days that one welcome message causes in a living person."""
    unprompted = 1 - np.exp(-14 * e.orders_per_day)
    kept = 1 - np.exp(-14 * e.orders_per_day * (1 - p.effect))
    effect: Floats = np.select(
        [p.response == 0, p.response == 3], [p.effect * (1 - unprompted), kept - unprompted], 0.0
    )
    return effect * p.is_customer


def participation(world: World, p: People, ids: Identifiers) -> pa.Table:
    """One row per person and network where the person has a name."""
    row, network = np.nonzero(p.level >= 0)
    handles = pa.concat_arrays([*ids.handles, ids.customer])
    return pa.table(
        {
            "person": pa.array(p.number[row]),
            "network": named([*world.networks.names, "community"], network),
            "identifier": handles.take(pa.array(network * len(p) + row)),
            "level": named(LEVELS, p.level[row, network]),
            "posts_per_week": pa.array(p.posts_per_week[row, network]),
            "advocacy": pa.array(p.advocacy[row]),
        }
    )


def account(world: World, when: Span, p: People, a: Accounts, prefix: str) -> pa.Table:
    """One row per account that somebody runs beside their own, to push an opinion."""
    return pa.table(
        {
            "identifier": a.handle,
            "person": pa.array(p.number[a.runner]),
            "network": named(world.networks.names, a.network),
            "ring": join(prefix, "-", p.number[a.runner]),
            "aim": named(AIMS, a.aim),
            "first_at": moments(when, a.first_s),
        }
    )


def text(
    world: World, when: Span, p: People, rows: Rows, public: tuple[Posts, Talk, pa.Array],
    private: tuple[Feedback, pa.Array], rings: tuple[Said, pa.Array],
) -> pa.Table:  # fmt: skip
    """One row per text in the log."""
    posts, said, post_ids = public
    told, feedback_ids = private
    pushed, pushed_ids = rings
    spoken = np.flatnonzero(told.spoken)
    parts = [
        _texts(world, when, p, said, posts.at_s, post_ids, posts.parent >= 0),
        _texts(
            world, when, p, told.talk.take(spoken), told.at_s[spoken], feedback_ids.take(pa.array(spoken)),
            np.zeros(len(spoken), dtype=bool),
        ),
        _texts(
            world, when, p, pushed.talk, pushed.at_s, pushed_ids, np.zeros(len(pushed_ids), dtype=bool), True
        ),
    ]  # fmt: skip
    logged = pa.chunked_array([t.column("message_id") for t in rows.tables])
    table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    return table.filter(pc.is_in(table.column("message_id"), logged))


def _texts(
    world: World, when: Span, p: People, t: Talk, at_s: Ints, ids: pa.Array, answers: np.ndarray,
    is_pushed: bool = False,
) -> pa.Table:  # fmt: skip
    o = t.opinion
    two = o.aspect_2 >= 0
    return pa.table(
        {
            "message_id": ids,
            "person": pa.array(p.number[t.person]),
            "at": moments(when, at_s),
            "language": named(LANGUAGES, t.language),
            "register": named(("public", "community", "letter", "survey"), t.register),
            "sentiment": named(POLARITY, o.sentiment + 1),
            "is_mixed": pa.array(two & (o.polarity_2 != o.polarity)),
            "is_ironic": pa.array(o.ironic),
            "intent": named(INTENTS, o.intent),
            "aspect": named(ASPECTS, o.aspect),
            "aspect_polarity": named(POLARITY, np.where(o.aspect >= 0, o.polarity + 1, -1)),
            "aspect_2": named(ASPECTS, o.aspect_2),
            "aspect_2_polarity": named(POLARITY, np.where(two, o.polarity_2 + 1, -1)),
            "category": named(world.categories.names, t.category),
            "is_reply": pa.array(answers),
            "is_pushed": pa.repeat(is_pushed, len(ids)),
        }
    )


def complaint(when: Span, p: People, rows: Rows, lived: Trade, told: Feedback, ids: pa.Array) -> pa.Table:
    """One row per complaint in the log: what it would have cost, and what the answer did."""
    o = lived.orders
    mine = np.flatnonzero(told.kind == 0)
    order = told.order[mine]
    hours = told.answer_hours[mine]
    answered = np.isfinite(hours)
    at_s = told.at_s[mine].astype(np.float64)
    answered_s = at_s + np.where(answered, hours, 0) * HOUR_S
    leaves = np.array([LEAVES.get(LEAVES_FOR.get(name, ""), 0.0) for name in ASPECTS])
    table = pa.table(
        {
            "message_id": ids.take(pa.array(mine)),
            "person": pa.array(p.number[told.person[mine]]),
            "at": moments(when, at_s),
            "aspect": named(ASPECTS, o.trouble[order]),
            "answered_at": moments(when, answered_s, answered),
            "would_leave": pa.array(o.leaves[order]),
            "is_kept": pa.array(o.kept[order]),
            "leave_probability": pa.array(leaves[o.trouble[order]]),
            "keep_probability": pa.array(keep_probability(hours)),
        }
    )
    logged = pa.chunked_array([t.column("message_id") for t in rows.tables])
    return table.filter(pc.is_in(table.column("message_id"), logged))


def future(world: World, when: Span, p: People, lived: Trade, coming: Baskets) -> pa.Table:
    """One row per customer: what was bought after the end, in one course of events without messages."""
    o, n = lived.future, len(p)
    columns: dict[str, pa.Array] = {"person": pa.array(p.number)}
    for days in HORIZONS_DAYS:
        near = o.at_s < when.end_s + days * DAY_S
        columns[f"orders_{days}d"] = pa.array(np.bincount(o.person[near], minlength=n).astype(np.int32))
        spend = np.bincount(o.person[near], coming.total_minor[near], minlength=n)
        columns[f"spend_{days}d_minor"] = pa.array(spend.astype(np.int64))
    who, first = np.unique(o.person, return_index=True)
    at, category = np.full(n, np.inf), np.full(n, -1)
    at[who], category[who] = o.at_s[first], o.category[first]
    columns["next_at"] = moments(when, at)
    columns["next_category"] = named(world.categories.names, category)
    late = np.minimum(lived.end_s, when.end_s + HORIZONS_DAYS[-1] * DAY_S + DAY_S)
    ended = (lived.end_s >= when.end_s) & (lived.end_s < late)
    columns["died_at"] = moments(when, lived.end_s, ended & p.is_customer)
    return pa.table(columns).filter(pa.array(p.is_customer))


def tally(world: World, when: Span, p: People, lived: Trade) -> Tally:
    """What the mailings did and how the promises were kept, in this block."""
    many = len(when.mailings.keys)
    s, o = lived.sends, lived.orders

    def by_mailing(weights: np.ndarray | None = None) -> Floats:
        return np.bincount(s.mailing, weights, minlength=many).astype(np.float64)

    mailing = {
        "n_eligible": lived.eligible.astype(np.float64),
        "n_sent": by_mailing(),
        "n_tired": by_mailing(s.tired),
        "n_unsubscribed": by_mailing(s.unsubscribes),
        "n_orders_caused": np.bincount(o.mailing[o.mailing >= 0], minlength=many).astype(np.float64),
        "n_orders_prevented": lived.prevented.astype(np.float64),
        "effect_sum": by_mailing(s.effect),
    }
    for r, name in enumerate(RESPONSES):
        mailing[f"n_{name}"] = by_mailing((p.response[s.person] == r) & (s.at_s < lived.end_s[s.person]))
    return Tally(mailing, _promises(world, p, lived))


def _promises(world: World, p: People, lived: Trade) -> dict[str, Floats]:
    o = lived.orders
    countries = len(world.countries.codes)
    where = p.country[o.person]

    def by_country(weights: np.ndarray) -> Floats:
        return np.bincount(where, weights, minlength=countries).astype(np.float64)

    sent = o.channel != CHANNELS.index("shop")
    fits = world.categories.fits[o.category]
    return {
        "delivery_n": by_country(sent),
        "delivery_kept": by_country(sent & (o.late_days == 0)),
        "delivery_days": by_country(sent * (PROMISED_DAYS + o.late_days)),
        "fit_n": by_country(fits),
        "fit_kept": by_country(fits & ~o.misfit),
        "quality_n": by_country(np.ones(len(o))),
        "quality_kept": by_country(~o.defect),
    }


def campaign(when: Span, total: Tally) -> pa.Table:
    """One row per mailing."""
    m = total.mailing
    sent = np.maximum(m["n_sent"], 1)
    counts = {k: pa.array(v.astype(np.int64)) for k, v in m.items() if k != "effect_sum"}
    return pa.table(
        {
            "campaign": pa.array(when.mailings.keys, pa.string()),
            "sent_at": moments(when, when.mailings.day * DAY_S + 8 * 3600),
            **counts,
            "effect_14d": pa.array(m["effect_sum"] / sent),
        }
    )


# Aspect, what is claimed, target share.
PROMISES = {
    "delivery": ("delivered in 2 days", 0.95),
    "fit": ("fits your car at the first try", 0.97),
    "quality": ("works out of the box", 0.99),
}


def promise(world: World, total: Tally) -> pa.Table:
    """One row per promise and country: what is claimed and what was true."""
    columns: dict[str, list[object]] = {
        k: []
        for k in (
            "promise",
            "aspect",
            "claim",
            "country",
            "target_share",
            "n_orders",
            "kept_share",
            "mean_days",
            "gap",
        )
    }
    for aspect, (claim, target) in PROMISES.items():
        for c, country in enumerate(world.countries.codes):
            n = total.country[f"{aspect}_n"][c]
            kept = total.country[f"{aspect}_kept"][c] / n if n else None
            days = total.country["delivery_days"][c] / n if n and aspect == "delivery" else None
            gap = target - kept if kept is not None else None
            values = (f"{aspect}_{country}", aspect, claim, country, target, int(n), kept, days, gap)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return pa.table(columns)
