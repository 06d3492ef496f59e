"""What people say in public and in our community: who, when, where, and in answer to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rapport.demo import talking
from rapport.demo.buying import Trade
from rapport.demo.draw import Columns, Flags, Ints, choice, choice_by_row, stream, take
from rapport.demo.experience import PROMISED_DAYS
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, number_member, text_member
from rapport.demo.span import DAY_S, PAST_DAYS, Span
from rapport.demo.talking import Opinion, Talk
from rapport.demo.world import CHANNELS, LANGUAGES, World

FRESH_DAYS = 25  # how long an order is what one talks about
ANSWERS_DAYS = 7  # how long a post is answered
REPLY_SHARE = 0.34
SPACES = ("workshop", "classics", "electric")
REPLY_HELP, AGREE_NEGATIVE, AGREE_POSITIVE, DEFEND, CHAT = range(1, 6)
_BIG = 1 << 33


@dataclass(frozen=True, slots=True)
class Posts(Columns):
    """One row per post; the network after the last one is our own community."""

    person: Ints
    network: Ints
    at_s: Ints
    order: Ints  # what it is about, or -1
    root: Ints  # the post whose thread it belongs to, or -1
    parent: Ints  # the post it answers, or -1


def talk(
    place: World, when: Span, p: People, lived: Trade, seeds: tuple[int, ...], scale: float
) -> tuple[Posts, Talk]:
    """All posts of a block and what is meant by them."""
    rng = stream("posts", *seeds, int(p.number[0]))
    o = lived.orders
    posts = _written(rng, when, p, lived, scale)
    person = posts.person
    about = posts.order >= 0
    order = posts.order.clip(0)
    category = choice_by_row(rng, p.taste[person])
    late = np.zeros(len(person), dtype=np.int64)
    trouble, leaves = np.full(len(person), -1), np.zeros(len(person), dtype=bool)
    if len(o):
        category = np.where(about, o.category[order], category)
        late = np.where(about, o.late_days[order], 0)
        trouble = np.where(about, o.trouble[order], -1)
        leaves = about & o.leaves[order]
    of_us = talking.opinion(rng, place, p, person, category, trouble, leaves)
    kinds = np.array([talking.STATEMENT, talking.HELP, talking.QUESTION, talking.PURCHASE, talking.PRAISE])
    free = kinds[choice(rng, [0.27, 0.17, 0.11, 0.09, 0.36], len(person))]
    meant = talking.chosen(about | (free == talking.PRAISE), of_us, talking.plain(free))
    post_language = _language(rng, p, person)
    reply, root = _replies(rng, p, posts, post_language, meant)
    posts, meant = _threads(rng, posts, meant, reply, root)
    source = np.where(posts.root >= 0, posts.root, np.arange(len(person)))
    speech = Talk(
        person=person,
        language=post_language,
        register=np.where(posts.network == len(place.networks.names), talking.COMMUNITY, talking.PUBLIC),
        category=category[source],
        car=p.car[person[source]],
        late_days=late,
        reply=reply,
        tags=np.append(place.networks.tags, False)[posts.network],
        opinion=meant,
    )
    return posts, speech


def _written(rng: np.random.Generator, when: Span, p: People, lived: Trade, scale: float) -> Posts:
    """Posts at everybody's own pace, and those that a bad experience wrings out of people."""
    o = lived.orders
    n_posts = rng.poisson(p.posts_per_week * (PAST_DAYS / 7) * scale)
    person, network = (np.repeat(a.ravel(), n_posts.ravel()) for a in np.indices(n_posts.shape))
    low, high = (when.weight_at(when.even, np.array([s])) for s in (when.start_s, when.end_s))
    day = when.days_between(rng, when.even, np.repeat(low, len(person)), np.repeat(high, len(person)))
    at_s = when.utc_s(
        day, when.time_of_day_s(rng, np.full(len(day), CHANNELS.index("web"))), p.country[person]
    )
    outsider = (network == n_posts.shape[1] - 1) & (at_s < lived.entry_s[person])
    person, network, at_s = person[~outsider], network[~outsider], at_s[~outsider]
    order = np.full(len(person), -1)
    if len(o):
        key = o.person * _BIG + o.at_s + PROMISED_DAYS * DAY_S
        last = np.searchsorted(key, person * _BIG + at_s, side="right") - 1
        near = (last >= 0) & (o.person[last] == person) & (at_s - o.at_s[last] < FRESH_DAYS * DAY_S)
        order = np.where(near & (rng.random(len(person)) < 0.6), last, -1)
    speaks = p.level.max(axis=1)
    bad = np.flatnonzero(o.troubled)
    loud = rng.random(len(bad)) < np.array([0.0, 0.16, 0.4, 0.6])[speaks[o.person[bad]] + 1] * min(scale, 1.0)
    bad = bad[loud]
    where_to = choice_by_row(rng, (p.level[o.person[bad]] + 1) ** 2 + 1e-9)
    after = (o.late_days[bad] + rng.uniform(1, 4, len(bad))) * DAY_S
    none = np.full(len(person) + len(bad), -1)
    return Posts(
        person=np.concatenate([person, o.person[bad]]),
        network=np.concatenate([network, where_to]),
        at_s=np.concatenate([at_s, o.at_s[bad] + after.astype(np.int64)]),
        order=np.concatenate([order, bad]),
        root=none,
        parent=none,
    )


def _language(rng: np.random.Generator, p: People, person: Ints) -> Ints:
    """One's own language, now and then English."""
    return np.where(rng.random(len(person)) < 0.04, LANGUAGES.index("en"), p.language[person])


def _replies(
    rng: np.random.Generator, p: People, posts: Posts, language: Ints, meant: Opinion
) -> tuple[Ints, Ints]:
    """Kind of reply (0: none) and the post whose thread it joins."""
    n = len(posts.person)
    group = posts.network * len(LANGUAGES) + language
    answers = (rng.random(n) < REPLY_SHARE) & (posts.order < 0)
    roots = np.flatnonzero(~answers)
    roots = roots[np.lexsort((posts.at_s[roots], group[roots]))]
    if not len(roots):
        return np.zeros(n, dtype=np.int64), np.full(n, -1)
    key = group[roots] * _BIG + posts.at_s[roots]
    back = rng.geometric(0.5, n) - 1  # mostly the latest post, sometimes one before it
    found = roots[(np.searchsorted(key, group * _BIG + posts.at_s) - 1 - back).clip(0)]
    age_s = posts.at_s - posts.at_s[found]
    fits = answers & (group[found] == group) & (age_s > 0) & (age_s < ANSWERS_DAYS * DAY_S)
    fits &= posts.person[found] != posts.person
    asked = np.isin(meant.intent[found], (talking.HELP, talking.QUESTION, talking.PURCHASE))
    tone = meant.sentiment[found]
    u, fond = rng.random(n), p.advocacy[posts.person]
    kind = np.select(
        [
            asked & (u < 0.7),
            (tone < 0) & (fond > 0.25) & (u < 0.5),
            (tone < 0) & (fond < 0.35) & (u < 0.75),
            (tone > 0) & (fond > -0.1) & (u < 0.6),
        ],
        [REPLY_HELP, DEFEND, AGREE_NEGATIVE, AGREE_POSITIVE],
        CHAT,
    )
    return np.where(fits, kind, 0), np.where(fits, found, -1)


def _threads(
    rng: np.random.Generator, posts: Posts, meant: Opinion, reply: Ints, root: Ints
) -> tuple[Posts, Opinion]:
    """Replies follow their thread's first post within hours; some answer the reply before them."""
    n = len(root)
    joins = root >= 0
    hours = rng.lognormal(1.2, 1.1, n).clip(0.05, 150)
    at_s = np.where(joins, posts.at_s[root.clip(0)] + (hours * 3600).astype(np.int64), posts.at_s)
    parent = root.copy()
    order = np.flatnonzero(joins)
    order = order[np.lexsort((at_s[order], root[order]))]
    follows = (
        np.flatnonzero((root[order][1:] == root[order][:-1]) & (rng.random(max(len(order) - 1, 0)) < 0.35))
        + 1
    )
    parent[order[follows]] = order[follows - 1]
    intent = np.array(
        [0, talking.ANSWER, talking.COMPLAINT, talking.PRAISE, talking.PRAISE, talking.STATEMENT]
    )[reply]
    tone = np.array([0, 0, -1, 1, 1, 0])[reply]
    said = talking.plain(intent)
    said = Opinion(said.intent, tone, said.aspect, said.polarity, said.aspect_2, said.polarity_2, said.ironic)
    threaded = Posts(posts.person, posts.network, at_s, np.where(joins, -1, posts.order), root, parent)
    return threaded, talking.chosen(joins, said, meant)


def record(
    rows: Rows, place: World, p: People, ids: Identifiers, posts: Posts, t: Talk, texts: pa.StringArray,
    seeds: tuple[int, ...],
) -> pa.StringArray:  # fmt: skip
    """Touchpoints of posts; gives their message ids."""
    rng = stream("venues", *seeds, int(p.number[0]))
    n = len(posts.person)
    message_id = rows.ids("p", n)
    source = np.where(posts.root >= 0, posts.root, np.arange(n))
    parent = message_id.take(pa.array(posts.parent.clip(0), mask=posts.parent < 0))
    level = p.level[posts.person, posts.network]
    reach = np.rint(rng.lognormal(3.2 + 1.5 * level, 1.0, n)).clip(1, 2_000_000).astype(np.int64)
    language = text_member("language", take(LANGUAGES, t.language))
    post_id = text_member("post_id", message_id)
    answered = text_member("in_reply_to", parent)
    for k, name in enumerate(place.networks.names):
        at = np.flatnonzero(posts.network == k)
        venues = place.networks.venues[k]
        first = source[at]  # a thread stays where it began
        shift = np.where(t.late_days[first] % 2 == 1, 1, posts.at_s[first] % 3)
        venue = take(venues, (posts.person[first] + shift) % len(venues))
        who = pa.array(posts.person[at])
        some = pa.array(at)
        rows.add(
            f"p{k}", "post_published", posts.at_s[at], ids.handles[k].take(who), message_id=message_id.take(some),
            channel="social", venue=venue, text=texts.take(some),
            properties=json_object(
                post_id.take(some), f_text("network", name, len(at)), text_member("author_name", ids.nick.take(who)),
                answered.take(some), text_member("place", venue), language.take(some), number_member("reach", reach[at]),
            ),
        )  # fmt: skip
    _community(rows, place, p, ids, posts, texts, message_id, post_id, answered)
    return message_id


def _community(
    rows: Rows, place: World, p: People, ids: Identifiers, posts: Posts, texts: pa.StringArray,
    message_id: pa.StringArray, post_id: pa.StringArray, answered: pa.StringArray,
) -> None:  # fmt: skip
    at = np.flatnonzero(posts.network == len(place.networks.names))
    source = np.where(posts.root >= 0, posts.root, np.arange(len(posts.person)))
    writer = posts.person[source[at]]
    space = text_member("space", take(SPACES, _space(place, p, writer)))
    some = pa.array(at)
    rows.add(
        "p9", "community_posted", posts.at_s[at], ids.customer.take(pa.array(posts.person[at])),
        message_id=message_id.take(some), channel="community", venue="community", text=texts.take(some),
        properties=json_object(space, post_id.take(some), answered.take(some)),
    )  # fmt: skip


def join_community(rows: Rows, place: World, p: People, ids: Identifiers, lived: Trade) -> None:
    """Who became a member of our community, soon after becoming a customer."""
    at = np.flatnonzero(p.in_community)
    rows.add(
        "j", "community_joined", lived.entry_s[at] + 900, ids.customer.take(pa.array(at)), channel="community",
        venue="community", properties=json_object(text_member("space", take(SPACES, _space(place, p, at)))),
    )  # fmt: skip


def _space(place: World, p: People, person: Ints) -> Ints:
    electric: Flags = p.fuel[person] == 3
    return np.select([place.cars.classic[p.car[person]], electric], [1, 2], 0)


def f_text(key: str, value: str, n: int) -> pa.StringArray:
    """The same JSON member for every row."""
    return pa.repeat(pa.scalar(f'"{key}":"{value}"'), n)
