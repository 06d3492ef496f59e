"""What sources know people by: identifiers and traits as columns, with the flaws that real ones have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo.draw import (
    Flags,
    Floats,
    Ints,
    hexadecimal,
    join,
    join_present,
    lists_of,
    mistyped,
    padded,
    scattered,
    stream,
    take,
    where,
)
from rapport.demo.persons import People
from rapport.demo.span import DAY_S
from rapport.demo.world import LANGUAGES, World

DEVICES = 3  # browsers of one person over two years: one, its successor after a reset, and a second one


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Columns over people; null where somebody has none."""

    customer: pa.StringArray
    email: pa.StringArray
    phone: pa.StringArray
    loyalty: pa.StringArray
    customer_2: pa.StringArray  # the same person registered a second time
    email_2: pa.StringArray
    devices: list[pa.StringArray]  # the first stands in where there is no other
    has_device: Flags  # device x person
    app: pa.StringArray
    handles: list[pa.StringArray]  # by network
    nick: pa.StringArray
    name: pa.StringArray
    reset_s: Floats  # when the first browser forgot its cookie

    def everything(self) -> pa.ListArray:
        """All identifiers that truly belong to the person."""
        known = [self.customer, self.email, self.phone, self.loyalty, self.customer_2, self.email_2]
        own = [where(has, device) for has, device in zip(self.has_device, self.devices, strict=True)]
        return lists_of(*known, *own, self.app, *self.handles)

    def device(self, rng: np.random.Generator, person: Ints, at_s: Ints | Floats) -> pa.StringArray:
        """The browser somebody used at a moment."""
        n = len(self.reset_s)
        which = np.where(rng.random(len(person)) < 0.15, 2, (at_s > self.reset_s[person]).astype(np.int64))
        return pa.concat_arrays(self.devices).take(pa.array(which * n + person))


def identifiers(world: World, p: People, seeds: tuple[int, ...]) -> Identifiers:
    """The identifiers of a block of people."""
    rng = stream("identifiers", *seeds, int(p.number[0]))
    n = len(p)
    account = p.account == 0
    given = _by_language(p, [names.given_ascii for names in world.names], p.given)
    family = _by_language(p, [names.family_ascii for names in world.names], p.family)
    domains = world.shop["mail_domains"]
    plain_style = rng.random(n) < 0.7
    initial = pc.utf8_slice_codeunits(given, 0, 1)
    box = pc.if_else(pa.array(plain_style), join(given, ".", family), join(initial, family))
    email = join("email:", box, p.number, "@", take(domains, rng.integers(0, len(domains), n)))
    other = join("email:", family, ".", given, p.number, "@", take(domains, rng.integers(0, len(domains), n)))
    dial = take(world.countries.dial, p.country)
    digits = (p.number * 479_001_599 + seeds[0] % 10**9) % 10**9  # a prime factor: no two alike
    phone = join("phone:", dial, padded(digits, 9))
    nick = join(
        take(world.handle_first, rng.integers(0, len(world.handle_first), n)),
        take(world.handle_second, rng.integers(0, len(world.handle_second), n)),
        p.number,
    )
    network = world.networks
    handles = [
        where(p.networks[:, k], join(f"{name}:", nick, network.handle[k]))
        for k, name in enumerate(network.names)
    ]
    has_device = p.kind != 2
    resets = p.is_customer & (rng.random(n) < 0.3)
    wears = np.stack([has_device, resets, has_device & (rng.random(n) < 0.4)])
    devices = [_device("anonymous", p, k, wears[k], seeds[0]) for k in range(DEVICES)]
    return Identifiers(
        customer=where(account, join("customer:C", padded(p.number, 8))),
        email=where(p.has_email, email),
        phone=where(p.has_phone, phone),
        loyalty=where(p.has_loyalty, join("loyalty:L", padded(p.number * 7 + 3, 9))),
        customer_2=where(p.is_double, join("customer:T", padded(p.number * 48271 % 10**8, 8))),
        email_2=where(p.is_double & (rng.random(n) < 0.7), other),
        devices=[pc.coalesce(device, devices[0]) for device in devices],
        has_device=wears,
        app=_device("device", p, DEVICES, p.has_app, seeds[0]),
        handles=handles,
        nick=nick,
        name=full_name(world, p),
        reset_s=np.where(resets, p.entry_s + rng.random(n) * 540 * DAY_S, np.inf),
    )


def _device(namespace: str, p: People, k: int, has: Flags, seed: int) -> pa.StringArray:
    first = np.where(p.shares_device & (k == 0), np.minimum(np.arange(len(p)), p.partner), np.arange(len(p)))
    return where(has, join(f"{namespace}:", hexadecimal(scattered(p.number[first] * 4 + k, seed + 1))))


def _by_language(p: People, lists: list[list[str]], at: Floats) -> pa.StringArray:
    sizes = np.array([len(names) for names in lists])
    first = np.cumsum(sizes) - sizes
    flat = pa.array([name for names in lists for name in names], pa.string())
    return flat.take(pa.array(first[p.language] + (at * sizes[p.language]).astype(np.int64)))


def full_name(world: World, p: People) -> pa.StringArray:
    """The name as its bearer writes it: family name first in Korean, and without a space."""
    given, family = given_name(world, p), family_name(world, p)
    korean = p.language == LANGUAGES.index("ko")
    return pc.if_else(pa.array(korean), join(family, given), join(given, " ", family))


def given_name(world: World, p: People) -> pa.StringArray:
    return _by_language(p, [names.given for names in world.names], p.given)


def family_name(world: World, p: People) -> pa.StringArray:
    return _by_language(p, [names.family for names in world.names], p.family)


def traits(
    world: World, p: People, ids: Identifiers, rows: Ints, rng: np.random.Generator, *, second: bool = False
) -> pa.StringArray:
    """Traits as JSON for these people; `second` is the careless registration with slips and gaps."""
    n = len(rows)
    gaps = 0.4 if second else 0.12
    slip = (rng.random(n) < 0.75) if second else np.zeros(n, dtype=bool)
    given = mistyped(given_name(world, p).take(pa.array(rows)), slip & (rng.random(n) < 0.5), rng)
    family = mistyped(family_name(world, p).take(pa.array(rows)), slip, rng)
    korean = p.language[rows] == LANGUAGES.index("ko")
    name = pc.if_else(pa.array(korean), join(family, given), join(given, " ", family))
    email = (ids.email_2 if second else ids.email).take(pa.array(rows))
    born = pa.array(p.birth_day[rows].astype(np.int32)).cast(pa.date32()).cast(pa.string())
    values = {
        "name": (name, 0.02),
        "given_name": (given, gaps),
        "family_name": (family, gaps),
        "email": (pc.utf8_slice_codeunits(email, len("email:")), 0.0),
        "birth_date": (born, 0.45),
        "country": (take(world.countries.codes, p.country[rows]), 0.03),
        "city": (take(world.countries.town, p.town[rows]), gaps),
        "postcode": (_postcode(world, p, rows), gaps),
        "language": (take(LANGUAGES, p.language[rows]), 0.05),
        "car": (join(take(world.cars.names, p.car[rows]), " ", p.car_year[rows]), 0.35),
    }
    present = [
        where(rng.random(n) >= missing, join(f'"{key}":"', value, '"'))
        for key, (value, missing) in values.items()
    ]
    return join("{", join_present(present, ","), "}")


def _postcode(world: World, p: People, rows: Ints) -> pa.StringArray:
    """The town's prefix and two more digits, the same for everybody of one household."""
    home = np.where(p.partner >= 0, np.minimum(np.arange(len(p)), p.partner), np.arange(len(p)))[rows]
    digits = (scattered(p.number[home], 77) % np.uint64(100)).astype(np.int64)
    return join(take(world.countries.town_postcode, p.town[rows]), padded(digits, 2))
