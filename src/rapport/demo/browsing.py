"""What people look at before and after they buy: sessions on the site and in the app, searches, log-ins."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import grammar
from rapport.demo.buying import Trade
from rapport.demo.draw import Columns, Flags, Ints, choice, choice_by_row, stream, take, where
from rapport.demo.experience import Orders
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, number_member, text_member
from rapport.demo.span import DAY_S, Span
from rapport.demo.world import CHANNELS, World, world

ORDER, RESEARCH, BROWSE, MAILING, TRACKING = range(5)
PER_DAY = 2.2 / 365  # sessions of a customer that lead to nothing
PAGES = ("home", "cart", "checkout", "orders", "delivery", "returns", "fitting", "community")
HOME, CART, CHECKOUT, ORDERS_PAGE, DELIVERY, RETURNS, FITTING, COMMUNITY = range(8)
TITLES = {
    "home": ("/", "Tarnwick car parts"),
    "cart": ("/cart", "Your basket"),
    "checkout": ("/checkout", "Checkout"),
    "orders": ("/account/orders", "Your orders"),
    "delivery": ("/help/delivery", "Delivery"),
    "returns": ("/help/returns", "Returns"),
    "fitting": ("/help/fitting", "Does it fit my car?"),
    "community": ("/community", "Community"),
}
REFERRERS = (
    "https://search.example/", "https://bluesky.example/", "https://mastodon.example/@cars",
    "https://reddit.example/r/partsadvice", "https://youtube.example/garage-talk", "https://compare.example/car-parts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sessions(Columns):
    """One row per session; `at_s` is its end where it led to an order, else its start."""

    person: Ints
    at_s: Ints
    purpose: Ints
    category: Ints
    mailing: Ints  # whose click began it, or -1
    in_app: Flags
    order: Ints  # position of the order it led to, or -1

    def __len__(self) -> int:
        return len(self.person)


@functools.cache
def pages() -> tuple[pa.StringArray, tuple[int, int, int]]:
    """JSON members of every page, and where those of categories, guides and products begin."""
    place = world()
    found = [TITLES[name] for name in PAGES]
    categories = place.categories.names
    found += [(f"/c/{name.replace('_', '-')}", name.replace("_", " ").capitalize()) for name in categories]
    found += [(f"/guide/{name.replace('_', '-')}", f"Guide: {name.replace('_', ' ')}") for name in categories]
    found += [(f"/p/{c.lower()}", n) for c, n in zip(place.products.codes, place.products.names, strict=True)]
    url = place.shop["url"]
    members = [f'"path":"{path}","url":"{url}{path}","title":"{title}","status":200' for path, title in found]
    first = len(PAGES)
    return pa.array(members, pa.string()), (first, first + len(categories), first + 2 * len(categories))


def sessions(
    when: Span, p: People, lived: Trade, clicks: tuple[Ints, Ints, Ints], seeds: tuple[int, ...], scale: float
) -> Sessions:
    """All sessions of a block; `clicks` are person, mailing and second of each click in a mailing."""
    rng = stream("sessions", *seeds, int(p.number[0]))
    o = lived.orders
    online = np.flatnonzero((o.channel == CHANNELS.index("web")) | (o.channel == CHANNELS.index("app")))
    online = online[rng.random(len(online)) < scale] if scale < 1 else online
    n_before = rng.poisson(np.where(o.channel == 0, 0.3, 0.8) * scale)
    looked = np.repeat(np.arange(len(o)), n_before)
    n_after = np.where(o.late_days > 0, rng.poisson(1.5 * scale, len(o)), 0)
    tracked = np.repeat(np.arange(len(o)), n_after)
    idle_person, idle_at = _idle(rng, when, p, lived, scale)
    click_person, click_mailing, click_at = clicks
    wish = choice_by_row(rng, p.taste[idle_person])
    parts: list[tuple[Any, ...]] = [
        (o.person[online], o.at_s[online] - 40, ORDER, o.category[online], o.mailing[online], online),
        (
            o.person[looked],
            o.at_s[looked] - _days(rng, len(looked), 0.2, 10),
            RESEARCH,
            o.category[looked],
            -1,
            -1,
        ),
        (idle_person, idle_at, BROWSE, wish, -1, -1),
        (click_person, click_at + 20, MAILING, when.mailings.category[click_mailing], click_mailing, -1),
        (
            o.person[tracked],
            o.at_s[tracked] + _days(rng, len(tracked), 2, 9),
            TRACKING,
            o.category[tracked],
            -1,
            -1,
        ),
    ]
    columns = [np.concatenate([np.broadcast_to(part[c], len(part[0])) for part in parts]) for c in range(6)]
    person, at_s, purpose, category, mailing, order = columns
    by_app = p.has_app[person] & (rng.random(len(person)) < 0.35)
    in_app = np.where(
        purpose == ORDER, o.channel[order.clip(0)] == CHANNELS.index("app") if len(o) else False, by_app
    )
    found = Sessions(person, at_s, purpose, category, mailing, in_app.astype(bool), order)
    alive = (at_s < lived.end_s[person]) | (purpose == ORDER)
    return found.take(alive & (at_s < when.end_s) & (at_s > when.start_s) & (p.kind[person] != 2))


def _days(rng: np.random.Generator, n: int, low: float, high: float) -> Ints:
    return (rng.uniform(low, high, n) * DAY_S).astype(np.int64)


def _idle(rng: np.random.Generator, when: Span, p: People, lived: Trade, scale: float) -> tuple[Ints, Ints]:
    """Person and second of sessions without a purchase in mind."""
    n = len(p)
    begin = np.where(p.is_customer, lived.entry_s - 12 * DAY_S, when.start_s).clip(when.start_s, None)
    stop = np.minimum(lived.end_s, when.end_s)
    days = ((stop - begin) / DAY_S).clip(0, None)
    curious = rng.gamma(1.2, 1 / 1.2, n)
    many = np.where(p.is_customer, PER_DAY * days * curious * scale, 0.0)
    person = np.repeat(np.arange(n), rng.poisson(many))
    at = begin[person] + rng.random(len(person)) * days[person] * DAY_S
    passing = np.flatnonzero(p.kind == 1)
    first = when.start_s + rng.random(len(passing)) * (when.end_s - when.start_s)
    again = 1 + rng.poisson(2.0 * scale, len(passing))
    who = np.repeat(passing, again)
    later = np.repeat(first, again) + rng.exponential(6 * DAY_S, len(who)) * (rng.random(len(who)) < 0.7)
    everyone, moments = np.concatenate([person, who]), np.concatenate([at, later])
    day = (moments / DAY_S).astype(np.int64).clip(0, when.n_days - 1)
    web = np.full(len(day), CHANNELS.index("web"))
    return everyone, when.utc_s(day, when.time_of_day_s(rng, web), p.country[everyone])


def record(
    rows: Rows,
    place: World,
    p: People,
    ids: Identifiers,
    s: Sessions,
    orders: Orders,
    order_device: pa.StringArray,
    seeds: tuple[int, ...],
) -> None:
    """Page views, screens, searches and log-ins of these sessions."""
    rng = stream("pages", *seeds, int(p.number[0]))
    n = len(s)
    browser = ids.device(rng, s.person, s.at_s)
    device = where(s.in_app, ids.app.take(pa.array(s.person)), browser)
    if len(orders):
        device = where(s.order >= 0, order_device.take(pa.array(s.order.clip(0))), device)
    is_order = s.purpose == ORDER
    many = 1 + rng.geometric(np.where(s.purpose == BROWSE, 0.45, 0.33), n).clip(1, 25) + 2 * is_order
    many = np.where(s.purpose == TRACKING, 1 + (rng.random(n) < 0.4), many)
    session = np.repeat(np.arange(n), many)
    step = np.arange(len(session)) - np.repeat(np.cumsum(many) - many, many)
    gap = np.where(step == 0, 0, rng.lognormal(3.3, 1.0, len(session)).clip(3, 1200)).astype(np.int64)
    run = np.cumsum(gap)
    since = run - np.repeat(run[np.cumsum(many) - many], many)
    length = since[np.cumsum(many) - 1]
    start = s.at_s - np.where(is_order, length, 0)
    at_s = start[session] + since
    page = _pages(rng, place, p, s, session, step, many)
    members, _ = pages()
    on_site = np.flatnonzero(~s.in_app[session])
    entry = step[on_site] == 0
    referrer = _referrer(rng, s.take(session[on_site]), entry)
    keys = pa.array([*rows.when.mailings.keys, None], pa.string())
    campaign = keys.take(pa.array(np.where(entry, s.mailing[session[on_site]], -1) % len(keys)))
    rows.add(
        "v", "page_viewed", at_s[on_site], device.take(pa.array(session[on_site])), channel="web",
        properties=json_object(
            members.take(pa.array(page[on_site])), text_member("referrer", referrer), text_member("campaign", campaign)
        ),
    )  # fmt: skip
    in_app = np.flatnonzero(s.in_app[session])
    rows.add(
        "a", "screen_viewed", at_s[in_app], device.take(pa.array(session[in_app])), channel="app",
        properties=json_object(text_member("name", take(_screens(place), page[in_app]))),
    )  # fmt: skip
    _searches(rows, rng, p, s, device, start)
    logs_in = (p.account[s.person] == 0) & (rng.random(n) < np.where(is_order, 0.8, 0.15))
    at = np.flatnonzero(logs_in)
    who = pa.array(s.person[at])
    rows.add(
        "l", "person_identified", start[at] + 4, ids.customer.take(who),
        also=one_each(device.take(pa.array(at))), evidence="login",
        channel=where(s.in_app[at], "app", "web"), properties='{"origin":"observed"}',
    )  # fmt: skip


def one_each(texts: pa.StringArray) -> pa.ListArray:
    """Each text in a list of its own."""
    return pa.ListArray.from_arrays(pa.array(np.arange(len(texts) + 1, dtype=np.int32)), texts)


def _screens(place: World) -> list[str]:
    many = len(place.categories.names)
    return [*(name.capitalize() for name in PAGES), *["Category"] * many, *["Guide"] * many] + [
        f"Product {code}" for code in place.products.codes
    ]


def _pages(
    rng: np.random.Generator, place: World, p: People, s: Sessions, session: Ints, step: Ints, many: Ints
) -> Ints:
    """The page of each step of each session."""
    _, (category_first, guide_first, product_first) = pages()
    n = len(session)
    category, person = s.category[session], s.person[session]
    tier = choice_by_row(rng, p.tiers[person])
    own = place.categories.product_first[category] + p.spec[person, category] * 3 + tier
    any_spec = (rng.random(n) * place.categories.n_specs[category]).astype(np.int64)
    other = place.categories.product_first[category] + any_spec * 3 + tier
    product = product_first + np.where(rng.random(n) < 0.75, own, other)
    help_page = np.array([DELIVERY, RETURNS, FITTING, COMMUNITY])[choice(rng, [2, 1, 3, 2], n)]
    kinds = np.stack(
        [np.full(n, HOME), category_first + category, product, guide_first + category, help_page]
    )
    landing = choice(rng, [0.35, 0.35, 0.22, 0.06, 0.02], n)
    inside = choice(rng, [0.04, 0.24, 0.54, 0.09, 0.09], n)
    page = kinds[np.where(step == 0, landing, inside), np.arange(n)]
    page = np.where((step == 0) & (s.purpose[session] == MAILING), category_first + category, page)
    page = np.where(s.purpose[session] == TRACKING, np.where(step == 0, ORDERS_PAGE, DELIVERY), page)
    left = many[session] - step
    page = np.where((s.purpose[session] == ORDER) & (left == 3), product_first + own, page)
    page = np.where((s.purpose[session] == ORDER) & (left == 2), CART, page)
    return np.where((s.purpose[session] == ORDER) & (left == 1), CHECKOUT, page)


def _referrer(rng: np.random.Generator, s: Sessions, entry: Flags) -> pa.StringArray:
    n = len(s)
    outside = choice(rng, [0.66, 0.04, 0.04, 0.1, 0.08, 0.08], n)
    from_mail = s.mailing >= 0
    shown = entry & (s.purpose != TRACKING) & (from_mail | (rng.random(n) < 0.62))
    return where(shown, where(from_mail, "https://mail.example/", take(REFERRERS, outside)))


def _searches(
    rows: Rows, rng: np.random.Generator, p: People, s: Sessions, device: pa.StringArray, start: Ints
) -> None:
    words = grammar.lexicon()
    chance = np.array([0.25, 0.45, 0.22, 0.05, 0.0])[s.purpose]
    at = np.flatnonzero(rng.random(len(s)) < chance)
    vain = rng.random(len(at)) < 0.06
    category, person = s.category[at], s.person[at]
    pool = np.where(vain, words.pool("search_nothing"), words.by_category("search")[category])
    fill = grammar.slots(rng, category, p.car[person], p.town[person], np.zeros(len(at), np.int64))
    query = grammar.render(words, rng, pool, p.language[person], np.ones(len(at), bool), fill)
    found = np.where(vain, 0, rng.integers(2, 40, len(at)))
    rows.add(
        "q", "site_searched", start[at] + rng.integers(2, 9, len(at)), device.take(pa.array(at)),
        channel=where(s.in_app[at], "app", "web"),
        properties=json_object(text_member("query", pc.utf8_lower(query)), number_member("n_results", found)),
    )  # fmt: skip
