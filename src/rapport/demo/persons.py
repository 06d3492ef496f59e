"""Who lives in the market: the truth about each person, before anything happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.demo.draw import Flags, Floats, Ints, choice, choice_by_row, stream
from rapport.demo.span import DAY_S, PAST_DAYS, Span
from rapport.demo.world import World

KINDS = ("person", "visitor", "author")
KIND_SHARE = (0.80, 0.12, 0.08)
ACCOUNTS = ("account", "guest", "card")  # what the firm can know somebody by
ACCOUNT_SHARE = (0.72, 0.16, 0.12)
LEVELS = ("lurker", "contributor", "leader")
POSTS_PER_WEEK = np.array([0.006, 0.11, 0.65])
SENDS = np.array([0.2, 0.5, 0.9])  # share of mailings that a person is drawn for, by arm
ONE_OFF_PER_DAY = 2.0 / 365  # purchases of the middle person, apart from what wears out in a cycle
HAZARD_PER_DAY = 0.24 / 365  # of leaving for reasons of one's own
HOUSEHOLD_SHARE = 0.12  # of people who live with another customer


@dataclass(frozen=True, slots=True)
class People:
    """Columns over the people of one block; `number` is the true person."""

    number: Ints
    kind: Ints  # position in KINDS
    persona: Ints
    country: Ints
    language: Ints
    town: Ints
    car: Ints
    fuel: Ints
    car_year: Ints
    birth_day: Ints  # days since 1970
    given: Floats  # in [0, 1): how far down the language's list of names
    family: Floats
    partner: Ints  # position of the other one of the household, or -1
    shares_device: Flags
    entry_s: Floats  # first moment as a customer
    is_new: Flags  # came within the span; the others were customers before
    natural_end_s: Floats
    hazard: Floats  # per day
    rate: Floats  # one-off purchases per average day
    taste: Floats  # person x category, sums to 1
    cycle: Floats  # person x what wears out: days between purchases, 0 for none
    first_due: Floats  # person x what wears out: day of the first due date
    tiers: Floats  # person x 3
    spec: Ints  # person x category: the one that fits the car
    bulk: Floats  # probability of buying twice the quantity
    channels: Floats  # person x channel
    account: Ints
    has_email: Flags
    has_phone: Flags
    has_loyalty: Flags
    has_app: Flags
    is_double: Flags  # has a second customer id
    agrees_to_mail: Flags
    is_held_out: Flags
    send_share: Floats
    response: Ints
    effect: Floats  # persuadable: probability of an extra order; sleeping dog: share of orders lost
    fatigue: Ints  # messages in 30 days that are still welcome
    opens: Floats
    advocacy: Floats
    networks: Flags  # person x network: has a handle there
    level: Ints  # person x (network and community): participation
    posts_per_week: Floats  # person x (network and community)
    in_community: Flags
    joins_handle: Flags  # shows a handle in the own profile

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_customer(self) -> Flags:
        flags: Flags = self.kind == 0
        return flags


def people(world: World, when: Span, first: int, n: int, seeds: tuple[int, ...]) -> People:
    """The people numbered first to first + n - 1."""
    rng = stream("people", *seeds, first)
    number = np.arange(first, first + n)
    kind = choice(rng, KIND_SHARE, n)
    customer = kind == 0
    persona = choice(rng, world.personas.share, n)
    country = choice(rng, world.countries.share, n)
    language = world.countries.language[country]
    strangers = rng.random(n) < 0.03  # speak another language than their country
    language = np.where(strangers, rng.integers(0, len(world.names), n), language)
    family = rng.random(n) ** 1.5  # the first names of the list are the common ones
    town = world.countries.town_first[country] + (
        rng.random(n) ** 1.5 * world.countries.town_count[country]
    ).astype(np.int64)
    partner = _partners(rng, customer)
    first_one = np.where((partner >= 0) & (partner < np.arange(n)), partner, np.arange(n))
    country, language, town = (a[first_one] for a in (country, language, town))
    family = family[first_one]
    car, fuel = _cars(rng, world, persona)
    shares = (partner >= 0) & (rng.random(n) < 0.6)[first_one]
    age = rng.normal(world.personas.age[persona, 0], world.personas.age[persona, 1]).clip(18, 88)
    rate = world.personas.rate[persona] * rng.gamma(1.0, 1.0, n) * ONE_OFF_PER_DAY
    hazard = world.personas.hazard[persona] * rng.gamma(1.5, 1 / 1.5, n) * HAZARD_PER_DAY
    is_new = rng.random(n) < 0.5
    entry = np.where(is_new, when.start_s + rng.random(n) * PAST_DAYS * DAY_S, when.start_s)
    account = np.where(customer, choice(rng, ACCOUNT_SHARE, n), -1)
    cycle, first_due = _cycles(rng, world, when, persona, fuel, entry / DAY_S)
    response, effect = _responses(rng, world, persona, rate)
    talk = world.personas.talk[persona]
    networks = rng.random((n, len(world.networks.names))) < (
        np.where(kind == 2, 0.45, np.where(kind == 0, 0.34 * np.sqrt(talk), 0.0))[:, None]
        * world.networks.share[None, :]
        * 1.3
    )
    networks[kind == 2, 0] |= ~networks[kind == 2].any(axis=1)
    in_community = (account == 0) & (rng.random(n) < 0.09 * talk)
    level, posts = _participation(rng, talk, np.column_stack([networks, in_community]))
    has_email = (account == 0) | (account == 1)
    taste = _tastes(rng, world, persona, fuel)
    return People(
        number=number,
        kind=kind,
        persona=persona,
        country=country,
        language=language,
        town=town,
        car=car,
        fuel=fuel,
        car_year=when.end.year - 1 - rng.integers(0, 17, n),
        birth_day=((when.end.year - 1970 - age) * 365.25).astype(np.int64),
        given=rng.random(n) ** 1.3,
        family=family,
        partner=partner,
        shares_device=shares,
        entry_s=entry,
        is_new=is_new,
        natural_end_s=entry + rng.exponential(1.0, n) / hazard * DAY_S,
        hazard=hazard,
        rate=rate,
        taste=taste,
        cycle=cycle,
        first_due=first_due,
        tiers=_dirichlet(rng, world.personas.tiers[persona] * 10),
        spec=(car[:, None] * 7 + np.arange(len(world.categories.names)) * 3)
        % world.categories.n_specs[None, :],
        bulk=np.where(np.array(world.personas.names)[persona] == "fleet", 0.35, 0.03),
        channels=_dirichlet(rng, world.personas.channels[persona] * 8 + 0.05),
        account=account,
        has_email=has_email,
        has_phone=customer & (rng.random(n) < 0.55),
        has_loyalty=(account == 2) | ((account == 0) & (rng.random(n) < 0.45)),
        has_app=(account == 0) & (rng.random(n) < 0.35 + world.personas.channels[persona, 2]),
        is_double=(account == 0) & (rng.random(n) < 0.06),
        agrees_to_mail=has_email & (rng.random(n) < 0.75),
        is_held_out=rng.random(n) < 0.10,
        send_share=SENDS[choice(rng, [0.7, 0.2, 0.1], n)],
        response=response,
        effect=effect,
        fatigue=1 + choice(rng, [0.15, 0.35, 0.30, 0.20], n),
        opens=rng.beta(3, 6, n),
        advocacy=np.tanh(world.personas.advocacy[persona] + rng.normal(0, 0.45, n)),
        networks=networks,
        level=level,
        posts_per_week=posts,
        in_community=in_community,
        joins_handle=customer & networks.any(axis=1) & (account == 0) & (rng.random(n) < 0.15),
    )


def _partners(rng: np.random.Generator, customer: Flags) -> Ints:
    """Neighbours 0 and 1, 2 and 3 and so on, of whom some share a household."""
    n = len(customer)
    even = np.arange(0, n - 1, 2)
    together = (rng.random(len(even)) < HOUSEHOLD_SHARE / KIND_SHARE[0]) & customer[even] & customer[even + 1]
    partner = np.full(n, -1)
    partner[even[together]], partner[even[together] + 1] = even[together] + 1, even[together]
    return partner


def _cars(rng: np.random.Generator, world: World, persona: Ints) -> tuple[Ints, Ints]:
    likes_classics = np.where(np.array(world.personas.names) == "classic", 12.0, 0.5)[persona]
    weights = world.cars.share[None, :] * np.where(world.cars.classic[None, :], likes_classics[:, None], 1.0)
    car = choice_by_row(rng, weights)
    fuel = choice_by_row(rng, world.cars.fuels[car] * np.array([1.0, 0.9, 0.7, 0.5])[None, :])
    return car, fuel


def _tastes(rng: np.random.Generator, world: World, persona: Ints, fuel: Ints) -> Floats:
    weights = (
        world.categories.weight[None, :] * world.personas.likes[persona] * world.categories.fuels[:, fuel].T
    )
    weights = weights * rng.gamma(1.2, 1.0, weights.shape)
    tastes: Floats = weights / weights.sum(axis=1, keepdims=True)
    return tastes


def _cycles(
    rng: np.random.Generator, world: World, when: Span, persona: Ints, fuel: Ints, entry_day: Floats
) -> tuple[Floats, Floats]:
    """Days between purchases of what wears out, and the day the first one falls due."""
    c, worn = world.categories, world.categories.worn
    shape = (len(persona), len(worn))
    share = c.cycle_share[worn][None, :] * world.personas.service[persona][:, None]
    buys = (rng.random(shape) < share.clip(0, 0.9)) & c.fuels[worn][:, fuel].T
    fast = np.where(np.array(world.personas.names)[persona] == "fleet", 0.4, 1.0)[:, None]
    own = (c.cycle_days[worn][None, :] * np.exp(rng.normal(0, 0.3, shape)) * fast).clip(75, 480)
    seasonal = c.cycle_peak[worn][None, :] > 0
    cycle = np.where(buys, np.where(seasonal, 365.25, own), 0.0)
    peak_day = (c.cycle_peak[worn] - 1) * 30.44 - when.start.timetuple().tm_yday
    in_season = (peak_day % 365.25)[None, :] + rng.normal(0, 18, shape)
    return cycle, np.where(seasonal, in_season, entry_day[:, None] + rng.random(shape) * cycle)


def _responses(rng: np.random.Generator, world: World, persona: Ints, rate: Floats) -> tuple[Ints, Floats]:
    quick = (rate / ONE_OFF_PER_DAY).clip(0.1, 6)
    weights = world.personas.response[persona] * np.column_stack(
        [np.ones_like(quick), quick**0.6, quick**-0.4, np.ones_like(quick)]
    )
    response = choice_by_row(rng, weights)
    effect = np.select(
        [response == 0, response == 3],
        [0.03 + 0.17 * rng.beta(2, 3, len(rate)), rng.uniform(0.25, 0.7, len(rate))],
        0.0,
    )
    return response, effect


def _participation(rng: np.random.Generator, talk: Floats, present: Flags) -> tuple[Ints, Floats]:
    """Level and posts a week, per network and for the community; 90-9-1 with the talkative above it."""
    weights = np.column_stack([np.full_like(talk, 0.80), 0.15 * talk, 0.02 * talk])
    own = choice_by_row(rng, weights)
    shape = present.shape
    drop = (rng.random(shape) < 0.25).astype(np.int64)  # somebody may lead here and lurk there
    level = np.where(present, (own[:, None] - drop).clip(0, 2), -1)
    posts = np.where(present, POSTS_PER_WEEK[level.clip(0)] * rng.gamma(3.0, 1 / 3.0, shape), 0.0)
    return level, posts


def _dirichlet(rng: np.random.Generator, alpha: Floats) -> Floats:
    drawn = rng.gamma(alpha, 1.0) + 1e-9
    shares: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return shares
