"""What people buy and why they stop: Pareto/NBD purchases with seasons and cycles, mailings that move or annoy,
parcels that come late and drive people away.

One-off purchases are a Poisson process with a gamma-distributed rate; a person's own reasons to leave come
after an exponential time (Schmittlein, Morrison and Colombo 1987). Not taken from there: the rate follows the
season of what is bought, some things wear out in a personal cycle, and a bad experience ends a relation early.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport.demo.draw import Columns, Flags, Floats, Ints, choice_by_row, last_before, stream
from rapport.demo.experience import Orders, experienced
from rapport.demo.persons import People
from rapport.demo.span import DAY_S, FUTURE_DAYS, Span
from rapport.demo.world import World

EFFECT_DAYS = 14  # within which a message has its effect
CYCLE_JITTER = 0.06  # of a cycle: standard deviation of a purchase around its due date
CYCLE_BOUGHT = 0.8  # of what falls due is bought here
TIRED_EFFECT = 0.3  # of its effect that a message keeps beyond the fatigue threshold
ENDS = ("alive", "own_reasons", "bad_experience", "too_many_messages")
_BIG = 1 << 33  # seconds; keeps people apart in a sorted key


@dataclass(frozen=True, slots=True)
class Sends(Columns):
    """One row per message of a mailing, by person and time."""

    person: Ints  # position in the block
    mailing: Ints
    at_s: Ints
    tired: Flags  # one more than is welcome
    unsubscribes: Flags
    caused: Flags  # an order that would not have been placed
    effect: Floats  # true change of the probability of an order within EFFECT_DAYS

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True)
class Due:
    """Due dates of what wears out: persons with a cycle x dates that may still come about."""

    person: Ints
    day: Floats
    sd: Floats  # of the purchase around its date, in days
    pending: Flags


@dataclass(frozen=True, slots=True)
class Trade:
    """Everything bought and sent in a block, and when each person's relation ended."""

    entry_s: Floats
    end_s: Floats
    ending: Ints  # position in ENDS
    orders: Orders
    future: Orders
    sends: Sends
    eligible: Ints  # per mailing
    prevented: Ints  # per mailing: orders that a message drove away
    due: list[Due]  # by what wears out


def trade(world: World, when: Span, p: People, seeds: tuple[int, ...], scale: float) -> Trade:
    """Live through the span and half a year beyond it."""
    rng = stream("trade", *seeds, int(p.number[0]))
    entry_s, person, at_s, category, channel, due = _organic(rng, world, when, p)
    sends, eligible = _sends(rng, when, p, entry_s, scale)
    lost, by_mailing = _driven_away(rng, when, p, sends, person, at_s)
    mailing = np.full(len(person), -1)
    keep = ~lost
    caused = np.flatnonzero(sends.caused)
    who = sends.person[caused]
    by = _channel(rng, p, who)
    wait = 1 + rng.exponential(3.0, len(caused)).clip(max=EFFECT_DAYS - 3).astype(np.int64)
    extra_at = when.utc_s(sends.at_s[caused] // DAY_S + wait, when.time_of_day_s(rng, by), p.country[who])
    in_time = extra_at < when.end_s
    caused, extra_at, who, by = (a[in_time] for a in (caused, extra_at, who, by))
    theme = when.mailings.category[sends.mailing[caused]]
    drives = world.categories.fuels[theme, p.fuel[who]]
    orders = experienced(
        rng,
        world,
        when,
        p,
        person=np.concatenate([person[keep], who]),
        at_s=np.concatenate([at_s[keep], extra_at]),
        category=np.concatenate([category[keep], np.where(drives, theme, _one_category(rng, p, who))]),
        channel=np.concatenate([channel[keep], by]),
        mailing=np.concatenate([mailing[keep], sends.mailing[caused]]),
        desk=stream("desk", *seeds, int(p.number[0])),
    )
    end_s, ending = _endings(rng, when, p, orders, sends)
    orders = orders.take(orders.at_s <= end_s[orders.person])
    past = orders.at_s < when.end_s
    ahead = ~past & (orders.at_s < when.end_s + FUTURE_DAYS * DAY_S)
    return Trade(
        entry_s=entry_s,
        end_s=end_s,
        ending=ending,
        orders=orders.take(past),
        future=orders.take(ahead),
        sends=sends,
        eligible=eligible,
        prevented=by_mailing,
        due=due,
    )


def _organic(
    rng: np.random.Generator, world: World, when: Span, p: People
) -> tuple[Floats, Ints, Ints, Ints, Ints, list[Due]]:
    """Entry, and person, second, category and channel of each purchase that nobody prompted, and what is due."""
    customers = np.flatnonzero(p.is_customer)
    fresh = np.flatnonzero(p.is_customer & p.is_new)
    channel = _channel(rng, p, fresh)
    day = (p.entry_s[fresh] / DAY_S).astype(np.int64)
    entry_s = p.entry_s.copy()
    entry_s[fresh] = when.utc_s(day, when.time_of_day_s(rng, channel), p.country[fresh])
    entry_s = entry_s.clip(when.start_s, None)
    persons, days, categories = [], [], []
    horizon = np.minimum(p.natural_end_s, (when.n_days - 1) * DAY_S)
    for c in range(len(world.categories.names)):
        low = when.weight_at(when.season[c], entry_s[customers])
        high = when.weight_at(when.season[c], horizon[customers])
        n = rng.poisson((p.rate * p.taste[:, c])[customers] * np.maximum(high - low, 0))
        persons.append(np.repeat(customers, n))
        days.append(when.days_between(rng, when.season[c], np.repeat(low, n), np.repeat(high, n)))
        categories.append(np.full(n.sum(), c))
    dues = []
    for w, c in enumerate(world.categories.worn):
        who, day, due = _due(rng, when, p, w, customers)
        dues.append(due)
        persons.append(who)
        days.append(day)
        categories.append(np.full(len(who), c))
    person, category = np.concatenate(persons), np.concatenate(categories)
    by = _channel(rng, p, person)
    at_s = when.utc_s(np.concatenate(days), when.time_of_day_s(rng, by), p.country[person])
    keep = at_s > entry_s[person] + 60
    return (
        entry_s,
        np.concatenate([fresh, person[keep]]),
        np.concatenate([entry_s[fresh].astype(np.int64), at_s[keep]]),
        np.concatenate([_one_category(rng, p, fresh), category[keep]]),
        np.concatenate([channel, by[keep]]),
        dues,
    )


def _due(rng: np.random.Generator, when: Span, p: People, w: int, customers: Ints) -> tuple[Ints, Ints, Due]:
    """Person and day of each purchase of what wears out: due dates of a personal cycle, with jitter."""
    own = customers[p.cycle[customers, w] > 0]
    cycle = p.cycle[own, w]
    k = np.arange(int(np.ceil((when.n_days + 60) / cycle.min())) + 1 if len(own) else 0)
    day = p.first_due[own, w][:, None] + k[None, :] * cycle[:, None]
    sd = CYCLE_JITTER * cycle
    at = day + rng.normal(0, 1, day.shape) * sd[:, None]
    bought = (rng.random(day.shape) < CYCLE_BOUGHT) & (at >= 0) & (at < when.n_days - 1)
    row, _ = np.nonzero(bought)
    pending = at >= when.end_s / DAY_S
    soon = np.flatnonzero(pending.any(axis=0) & (day < when.n_days + 60).any(axis=0))
    return own[row], at[bought].astype(np.int64), Due(own, day[:, soon], sd, pending[:, soon])


def _one_category(rng: np.random.Generator, p: People, person: Ints) -> Ints:
    return choice_by_row(rng, p.taste[person])


def _channel(rng: np.random.Generator, p: People, person: Ints) -> Ints:
    """The channel of each purchase, among those open to the person."""
    card, guest = p.account[person] == 2, p.account[person] == 1
    app = p.has_app[person]
    weights = p.channels[person] * np.column_stack(
        [np.where(guest, 0.3, 1.0), ~card, app & ~card, np.where(p.has_phone[person], 1.0, 0.0)]
    )
    weights[:, 0] += 1e-9
    return choice_by_row(rng, weights)


def _sends(
    rng: np.random.Generator, when: Span, p: People, entry_s: Floats, scale: float
) -> tuple[Sends, Ints]:
    """Who gets which mailing, until they ask for no more."""
    n, many = len(p), len(when.mailings.day)
    opens_s = when.mailings.day * DAY_S + 9 * 3600
    open_to = (p.agrees_to_mail)[:, None] & (entry_s[:, None] < opens_s[None, :])
    drawn = rng.random((n, many)) < (p.send_share * scale)[:, None]
    person, mailing = np.nonzero(open_to & drawn & ~p.is_held_out[:, None])
    at_s = opens_s[mailing] + rng.integers(0, 5400, len(person)) - 3600
    key = person * _BIG + at_s
    recent = np.arange(len(key)) - last_before(key, key - 30 * DAY_S)
    tired = recent > p.fatigue[person]
    gone = at_s > p.natural_end_s[person]
    unsubscribes = rng.random(len(person)) < 0.003 + 0.05 * tired + 0.012 * gone
    stop = _first_time(n, person[unsubscribes], at_s[unsubscribes])
    persuadable = (p.response[person] == 0) & ~gone
    effect = p.effect[person] * np.where(tired, TIRED_EFFECT, 1.0)
    daily = _daily_rate(p)[person]
    unprompted = 1 - np.exp(-EFFECT_DAYS * daily)
    annoyed = (p.response[person] == 3) & ~gone
    kept = 1 - np.exp(-EFFECT_DAYS * daily * (1 - effect))
    sends = Sends(
        person=person,
        mailing=mailing,
        at_s=at_s,
        tired=tired,
        unsubscribes=unsubscribes,
        caused=persuadable & (rng.random(len(person)) < effect),
        effect=np.select([persuadable, annoyed], [effect * (1 - unprompted), kept - unprompted], 0.0),
    )
    return sends.take(at_s <= stop[person]), open_to.sum(axis=0)


def _daily_rate(p: People) -> Floats:
    """Orders on an average day, as long as the relation lasts."""
    worn = np.divide(CYCLE_BOUGHT, p.cycle, out=np.zeros_like(p.cycle), where=p.cycle > 0)
    daily: Floats = np.where(p.is_customer, p.rate + worn.sum(axis=1), 0.0)
    return daily


def _first_time(n: int, person: Ints, at_s: npt.ArrayLike) -> Floats:
    first = np.full(n, np.inf)
    np.minimum.at(first, person, np.asarray(at_s, dtype=np.float64))
    return first


def _driven_away(
    rng: np.random.Generator, when: Span, p: People, sends: Sends, person: Ints, at_s: Ints
) -> tuple[Flags, Ints]:
    """Purchases of sleeping dogs that a message within the days before prevented."""
    lost = np.zeros(len(person), dtype=bool)
    many = len(when.mailings.day)
    if not len(sends):
        return lost, np.zeros(many, dtype=np.int64)
    key = sends.person * _BIG + sends.at_s
    last = last_before(key, person * _BIG + at_s).clip(0, None)
    near = (sends.person[last] == person) & (at_s >= sends.at_s[last])
    near &= (at_s - sends.at_s[last] < EFFECT_DAYS * DAY_S) & (at_s < when.end_s)
    lost = near & (p.response[person] == 3) & (rng.random(len(person)) < p.effect[person])
    return lost, np.bincount(sends.mailing[last[lost]], minlength=many)


def _endings(
    rng: np.random.Generator, when: Span, p: People, orders: Orders, sends: Sends
) -> tuple[Floats, Ints]:
    n = len(p)
    bad = np.flatnonzero(orders.leaves)
    after = orders.at_s[bad] + (orders.late_days[bad] + rng.uniform(1, 6, len(bad))) * DAY_S
    dog = p.response[sends.person] == 3
    fed_up = np.flatnonzero(rng.random(len(sends)) < 0.010 * dog + 0.012 * sends.tired)
    times = np.stack(
        [
            np.where(p.is_customer, p.natural_end_s, np.inf),
            _first_time(n, orders.person[bad], np.where(orders.kept[bad], np.inf, after)),
            _first_time(n, sends.person[fed_up], sends.at_s[fed_up] + 3600.0),
        ]
    )
    end_s = times.min(axis=0)
    ending = np.where(end_s < when.end_s, times.argmin(axis=0) + 1, 0)
    return end_s, ending
