"""Accounts that are not what they seem: a few people run rings of them to praise or to blame in concert.

Each ring has one runner, a public author, who opens several accounts on one network and lets them say much the
same within a day or two, a few times. Nothing else tells them from others: honest people repeat themselves,
fall for the same phrase, and speak up together after an incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import talking
from rapport.demo.draw import Floats, Ints, choice, join, mistyped, stream, take, where
from rapport.demo.persons import People, people
from rapport.demo.rows import Rows, json_object, number_member, text_member
from rapport.demo.span import DAY_S, PAST_DAYS, Span
from rapport.demo.talking import Talk
from rapport.demo.world import LANGUAGES, World

if TYPE_CHECKING:
    from rapport.demo.market import Market

PEOPLE_PER_RING = 1250
AUTHOR = 2  # of persons.KINDS
AIMS = ("blame", "praise")
ACCOUNTS = (6, 13)  # of a ring, from and to below
BURSTS = (2, 5)  # how often a ring speaks up
BURST_S = 30 * 3600
SAYINGS = 3  # what a ring says, in as many versions


@dataclass(frozen=True, slots=True)
class Accounts:
    """One row per account."""

    ring: Ints  # counted within the block
    runner: Ints  # position of the person who runs it
    network: Ints
    aim: Ints  # position in AIMS
    handle: pa.StringArray
    nick: pa.StringArray
    n_bursts: Ints
    first_s: Floats  # when its ring first spoke up

    def __len__(self) -> int:
        return len(self.ring)


@dataclass(frozen=True, slots=True)
class Said:
    """One row per post of such an account, and what was meant."""

    account: Ints
    at_s: Ints
    talk: Talk
    text: pa.StringArray


def accounts(place: World, when: Span, p: People, seeds: tuple[int, ...]) -> Accounts:
    """The accounts of a block's rings; none where nobody could run one."""
    rng = stream("rings", *seeds, int(p.number[0]))
    n_rings = min(round(len(p) / PEOPLE_PER_RING), int((p.kind == AUTHOR).sum()))
    runner = np.sort(rng.choice(np.flatnonzero(p.kind == AUTHOR), n_rings, replace=False))
    size = rng.integers(*ACCOUNTS, n_rings)
    ring = np.repeat(np.arange(n_rings), size)
    network = choice(rng, place.networks.share, n_rings)[ring]
    aim = rng.integers(0, 2, n_rings)[ring]
    n_bursts = rng.integers(*BURSTS, n_rings)[ring]
    first_s = when.start_s + rng.uniform(0.05, 0.7, n_rings) * PAST_DAYS * DAY_S
    n = len(ring)
    number = p.number[runner[ring]] * 100 + np.arange(n) - (np.cumsum(size) - size)[ring]
    nick = join(
        take(place.handle_second, rng.integers(0, len(place.handle_second), n)),
        take(place.handle_first, rng.integers(0, len(place.handle_first), n)),
        number,
    )
    names = pa.array(place.networks.names, pa.string()).take(pa.array(network))
    endings = pa.array(place.networks.handle, pa.string()).take(pa.array(network))
    handle = join(names, ":", nick, endings)
    return Accounts(ring, runner[ring], network, aim, handle, nick, n_bursts, first_s[ring])


def said(
    place: World,
    when: Span,
    p: People,
    a: Accounts,
    seeds: tuple[int, ...],
    scale: float,
    *,
    alone: bool = False,
) -> Said:
    """Their posts: in bursts and much alike; or, `alone`, each in its own words and at its own times.

    Posts are as many either way, so that what honest accounts do can be laid beside what a ring does.
    """
    rng = stream("collusion", *seeds, int(p.number[0]) if len(p) else 0, int(alone))
    times = np.maximum(np.rint(a.n_bursts * min(scale, 1.0)), 1).astype(np.int64)
    account = np.repeat(np.arange(len(a)), times)
    burst = np.arange(len(account)) - (np.cumsum(times) - times)[account]
    person = a.runner[account]
    key = a.ring[account] * SAYINGS + rng.integers(0, SAYINGS, len(account))
    if alone:
        at_s = (when.start_s + rng.random(len(account)) * PAST_DAYS * DAY_S).astype(np.int64)
        base, which = person, np.arange(len(account))
    else:
        rounds = a.first_s[account] + burst * rng.uniform(9, 25) * DAY_S
        at_s = (rounds + rng.random(len(account)) * BURST_S).astype(np.int64)
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        base = person[first]
    aim = a.aim[account] if alone else a.aim[account][first]
    spoken = _talk(rng, place, p, base, aim)
    words = talking.words(rng, place, p, spoken, pa.nulls(len(spoken), pa.string()))
    texts = words.take(pa.array(which))
    if not alone:
        texts = _varied(rng, texts)
    return Said(account, at_s, spoken.take(which), texts)


def _talk(rng: np.random.Generator, place: World, p: People, person: Ints, aim: Ints) -> Talk:
    """Praise or blame of one aspect, at first hand."""
    n = len(person)
    category = rng.integers(0, len(place.categories.names), n)
    meant = talking.opinion(rng, place, p, person, category, np.full(n, -1), np.zeros(n, np.bool_), aim == 1)
    return Talk(
        person=person,
        language=p.language[person],
        register=np.full(n, talking.PUBLIC),
        category=category,
        car=p.car[person],
        late_days=np.zeros(n, dtype=np.int64),
        reply=np.zeros(n, dtype=np.int64),
        tags=np.zeros(n, np.bool_),
        opinion=meant,
    )


def _varied(rng: np.random.Generator, texts: pa.StringArray) -> pa.StringArray:
    """Copied with a slip, a sign or a tag more, so that no two need be the same to the letter."""
    n = len(texts)
    texts = mistyped(texts, rng.random(n) < 0.35, rng)
    texts = where(rng.random(n) < 0.25, pc.utf8_lower(texts), texts)
    signs = take(["!", "!!", " 👍", " 🙂", " #tarnwick"], rng.integers(0, 5, n))
    return where(rng.random(n) < 0.4, join(texts, signs), texts)


def record(
    rows: Rows, place: World, a: Accounts, s: Said, seeds: tuple[int, ...], first: int
) -> pa.StringArray:
    """Touchpoints of their posts; gives the message ids."""
    rng = stream("rings reach", *seeds, first)
    message_id = rows.ids("k", len(s.account))
    reach = np.rint(rng.lognormal(2.5, 0.8, len(s.account))).clip(1, None).astype(np.int64)
    post_id, language = (
        text_member("post_id", message_id),
        text_member("language", take(LANGUAGES, s.talk.language)),
    )
    for k, name in enumerate(place.networks.names):
        at = np.flatnonzero(a.network[s.account] == k)
        some, who = pa.array(at), pa.array(s.account[at])
        venues = place.networks.venues[k]
        venue = take(venues, a.ring[s.account[at]] % len(venues))
        rows.add(
            f"k{k}", "post_published", s.at_s[at], a.handle.take(who), message_id=message_id.take(some),
            channel="social", venue=venue, text=s.text.take(some),
            properties=json_object(
                post_id.take(some), text_member("network", pa.repeat(name, len(at))),
                text_member("author_name", a.nick.take(who)), text_member("place", venue),
                language.take(some), number_member("reach", reach[at]),
            ),
        )  # fmt: skip
    return message_id


def everything(known: pa.ListArray, a: Accounts) -> pa.ListArray:
    """All identifiers of each person, with the accounts that they run."""
    runners = np.unique(a.runner)
    mine = [
        known[int(r)].as_py() + a.handle.take(pa.array(np.flatnonzero(a.runner == r))).to_pylist()
        for r in runners
    ]
    at = np.arange(len(known))
    at[runners] = len(known) + np.arange(len(runners))
    return pa.concat_arrays([known, pa.array(mine, known.type)]).take(pa.array(at))


def added(made: Market, n: int, seed: int, *, alone: bool) -> pa.Table:
    """Touchpoints of `n` accounts more that praise: a ring of them, or, `alone`, as many that speak for themselves.

    They are in no truth: they are for laying what one moves beside what the other does.
    """
    p = people(made.place, made.when, 0, n, (seed, n, 77))
    nick = join("honest" if alone else "pushed", np.arange(n), f"x{seed}")
    k = 0
    name = made.place.networks.names[k]
    a = Accounts(
        ring=np.zeros(n, dtype=np.int64),
        runner=np.arange(n) if alone else np.zeros(n, dtype=np.int64),
        network=np.full(n, k),
        aim=np.ones(n, dtype=np.int64),
        handle=join(f"{name}:", nick, made.place.networks.handle[k]),
        nick=nick,
        n_bursts=np.full(n, 4),
        first_s=np.full(n, made.when.start_s + 0.5 * PAST_DAYS * DAY_S),
    )
    s = said(made.place, made.when, p, a, (seed, n, 78), 1.0, alone=alone)
    rows = Rows(made.when, f"{made.tag}-added{int(alone)}-", [])
    record(rows, made.place, a, s, (seed, n, 79), 0)
    return rows.sorted()
