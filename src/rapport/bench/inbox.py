"""The inbox at 100,000 conversations and 1,000,000 messages: each action beside its limit; threads rebuilt from links.

The rows are written straight into the store, for gathering them one by one is another matter. What is measured
then are the very calls that the inbox makes. Threads of real support are rebuilt by gathering, in whatever
order, and set beside the components that their reply links have.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapport.bench import child
from rapport.bench.harness import Measure, Missing, bench
from rapport.kit import clock, home, ids

CONVERSATIONS = 100_000
MESSAGES_EACH = 10
LIMIT_MS = 200.0
SEARCH_LIMIT_MS = 500.0
RUNS = 40
STATES = ("open", "pending", "snoozed", "resolved")
SHARE = (0.04, 0.04, 0.02, 0.9)
LANGUAGES = ("en", "de", "fr", "es", "ko")
Link = tuple[str, str, bool]  # a post, what it answers, whether it is ours


@bench("inbox", by_name_only=True)
def inbox() -> Iterator[Measure]:
    n = int(home.env("BENCH_CONVERSATIONS", str(CONVERSATIONS)))
    found = child.measure("rapport.bench.inbox", str(n))
    for name, took in found["ms"].items():
        limit = SEARCH_LIMIT_MS if name.startswith("search") else LIMIT_MS
        yield Measure(
            f"{name}, p95, {n:,} conversations",
            f"the limit of {limit:g} ms",
            "ms",
            [float(np.percentile(took, 95))],
            [limit],
            at_most=1.0,
            figures={"median": f"{np.percentile(took, 50):.1f} ms", "asked": str(len(took))},
        )
    for name, (same, all_) in found["rebuilt"].items():
        yield Measure(
            f"conversations of {name} rebuilt as their reply links say",
            "the components of the links",
            "conversations",
            [float(same)],
            [float(all_)],
            at_least=1.0,
        )


def twcs_links(file: Path) -> list[Link]:
    """Support tweets with what each answers, and our answers as far as they are named there."""
    links: list[Link] = []
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            tweet = row["tweet_id"]
            if not tweet:
                continue
            links.append((tweet, (row["in_response_to_tweet_id"] or "").partition(".")[0], False))
            for answer in (row["response_tweet_id"] or "").split(","):
                if answer.strip():
                    links.append((answer.strip().partition(".")[0], tweet, True))
    return links


def care_links(file: Path) -> list[Link]:
    """Care conversations: each message answers the one before it, and ours with the document answers the last."""
    links: list[Link] = []
    for dialog in json.loads(file.read_text(encoding="utf-8")):
        before = ""
        for message in dialog["dialogContent"]:
            links.append((message["tweet_ID"], before, "agent" in message))
            before = message["tweet_ID"]
        links.append((dialog["agentURL"]["tweet_ID"], before, True))
    return links


def components(links: Iterable[Link]) -> set[frozenset[str]]:
    """What the links say: posts that hang together, those that only are answered left out. Plain breadth-first."""
    near: dict[str, set[str]] = {}
    said: set[str] = set()
    for post, answered, _ours in links:
        said.add(post)
        near.setdefault(post, set())
        if answered:
            near[post].add(answered)
            near.setdefault(answered, set()).add(post)
    found, seen = set(), set()
    for begin in near:
        if begin in seen:
            continue
        group, edge = {begin}, [begin]
        while edge:
            edge = [m for at in edge for m in near[at] if m not in group and not group.add(m)]  # type: ignore[func-returns-value]
        seen |= group
        if group & said:
            found.add(frozenset(group & said))
    return found


def gather(links: Sequence[Link], first_seq: int = 1, batch: int = 5_000) -> set[frozenset[str]]:
    """The conversations that gathering makes of posts with these links, given batch by batch in this order."""
    feed(links, first_seq, batch)
    found: dict[Any, set[str]] = {}
    for of, post in _asked("SELECT origin, post_id FROM conversations_message WHERE source = 'bench'"):
        found.setdefault(of, set()).add(post)
    return {frozenset(posts) for posts in found.values()}


def feed(links: Sequence[Link], first_seq: int = 1, batch: int = 5_000) -> None:
    """Have posts with these links gathered, batch by batch in this order."""
    import pyarrow as pa

    from rapport.conversations.services import gathering
    from rapport.events.subscriptions import Batch

    now = clock.now()
    rows: list[dict[str, Any]] = [
        {
            "seq": first_seq + k,
            "ts": now - dt.timedelta(minutes=len(links) - k),
            "subject": 8 * (first_seq + k),
            "name": "reply_published" if is_ours else "post_published",
            "source": "bench",
            "channel": "social",
            "venue": "x",
            "text": f"post {post}",
            "properties": json.dumps(
                {"network": "x", "post_id": post} | ({"in_reply_to": answered} if answered else {})
            ),
        }
        for k, (post, answered, is_ours) in enumerate(links)
    ]
    empty = pa.table({})
    known = gathering.identifiers_of
    gathering.identifiers_of = lambda subjects: {s: f"x:a{s}" for s in subjects}  # no log stands behind these
    try:
        for at in range(0, len(rows), batch):
            part = rows[at : at + batch]
            table = pa.Table.from_pylist(part)
            gathering.gather(Batch(part[0]["seq"], part[-1]["seq"], table, empty, empty))
    finally:
        gathering.identifiers_of = known


def shuffled(links: Sequence[Link], seed: int = 1) -> list[Link]:
    """The same links in another order."""
    order = np.random.default_rng(seed).permutation(len(links))
    return [links[k] for k in order]


def main(n: int) -> None:
    from rapport.web.stores import initialise

    initialise()
    from rapport.staff import services as staff

    owner = staff.create_owner(
        name="Alice",
        email="alice@example.org",
        password="a long enough word",  # noqa: S106  of an installation that lives for a minute
        organisation="Bench",
    )
    numbers = _fill(n, owner.pk)
    took = _actions(numbers, owner.pk)
    rebuilt: dict[str, tuple[int, int]] = {}
    for name, read, parts in (
        ("twcs_spotify", twcs_links, ("twcs_spotify", "support_requests.csv")),
        ("ibm_twitter_care", care_links, ("ibm_twitter_care", "dev.json")),
    ):
        try:
            links = read(child.shared_file(*parts))
        except Missing:
            links = []  # the data set is not on this machine
        if not links:
            continue
        _do("DELETE FROM conversations_message WHERE source = 'bench'")
        wanted = components(links)
        found = gather(shuffled(links), first_seq=10_000_000 + 1_000_000 * len(rebuilt))
        rebuilt[name] = (len(wanted & found), len(wanted | found))
    print(json.dumps({"ms": took, "rebuilt": rebuilt}))


def _fill(n: int, owner: int) -> list[uuid.UUID]:
    from rapport.kit import bulk

    rng = random.Random(7)  # noqa: S311  invented rows
    now = clock.now()
    numbers = [ids.uuid7() for _ in range(n)]
    words = _words(rng)
    heads, said = [], []
    for k, number in enumerate(numbers):
        state = rng.choices(STATES, SHARE)[0]
        last = now - dt.timedelta(minutes=rng.randrange(1, 500_000))
        language = rng.choice(LANGUAGES)
        heads.append(
            (
                bulk.uuid_value(number), 8 * k, f"email:p{k}@example.org", "email", "email", "mail", "", f"Matter {k}",
                state, "private", bulk.time_value(last - dt.timedelta(days=1)), bulk.time_value(last),
                bulk.time_value(last),
                bulk.time_value(last) if state == "open" else None, False, rng.random(), 0, rng.random(), "[]",
                rng.choice((None, owner)), "", False, language, rng.choice(("negative", "neutral", "positive")),
                rng.choice(("question", "complaint", "praise")), MESSAGES_EACH, "what was said last", "", "", "", "",
                "", 1, k + 1,
            )
        )  # fmt: skip
    columns = (
        "id", "subject", "identifier", "channel", "network", "source", "venue", "title", "state", "why",
        "first_ts", "last_ts",
        "last_in_ts", "waiting_since", "is_overdue", "urgency", "value_at_risk_minor", "priority", "because", "assignee",
        "team", "is_public", "language", "sentiment", "intent", "n_messages", "preview", "author_name", "outcome",
        "resolved_why", "failure", "state_before", "version", "changed_no",
    )  # fmt: skip
    _insert("conversations_conversation", columns, heads)
    message = (
        "conversation_id", "origin", "seq", "ts", "direction", "subject", "identifier", "author_name", "text", "language",
        "network", "source", "venue", "post_id", "in_reply_to", "thread", "url", "event_name", "why", "topic", "asks_us",
        "may_open", "is_help", "is_complaint", "is_thanks", "signs", "contact_reason", "aspect", "sentiment",
        "intent", "urgency", "state",
        "reason", "playbook",
    )  # fmt: skip
    for at in range(0, n, 5_000):
        said = [
            (
                bulk.uuid_value(numbers[k]), bulk.uuid_value(numbers[k]), k * MESSAGES_EACH + m + 1,
                bulk.time_value(now - dt.timedelta(minutes=500_000 - m * 60)), "in" if m % 2 == 0 else "out", 8 * k,
                f"email:p{k}@example.org", "", " ".join(rng.choices(words, k=16)), "en", "email", "mail", "",
                f"<{k}.{m}@x>",
                f"<{k}.{m - 1}@x>" if m else "", "", "", "message_received", "", "", False, False, False,
                False, False, "", "", "",
                "", "", 0.0, "", "", "",
            )
            for k in range(at, min(at + 5_000, n))
            for m in range(MESSAGES_EACH)
        ]  # fmt: skip
        _insert("conversations_message", message, said)
    _insert("conversations_change", ("id", "no"), [(1, n + 1)])
    return numbers


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rapport.kit import bulk

    marks = ", ".join(["%s"] * len(columns))
    bulk.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows, slice_rows=20_000)


def _asked(sql: str) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _do(sql: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)


def _words(rng: random.Random) -> list[str]:
    """A vocabulary in which, as in life, few words are said often and most are said seldom."""
    syllables = ("ka", "lo", "mi", "ter", "van", "sol", "pre", "dus", "ran", "qui", "bel", "os")
    kinds = ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(6_000)]
    often = [word for k, word in enumerate(kinds[:300]) for _ in range(300 // (k + 1))]
    return [*often, *kinds, *["delivery", "refund"] * 40, "zanzibar"]


def _actions(numbers: Sequence[uuid.UUID], owner: int) -> dict[str, list[float]]:
    from rapport.conversations import selectors, services
    from rapport.conversations.rules.views import Wanted

    rng = random.Random(3)  # noqa: S311  which ones are asked for
    asked = "SELECT id FROM conversations_conversation WHERE state = 'open' LIMIT 2000"
    live = [n if isinstance(n, uuid.UUID) else uuid.UUID(n) for (n,) in _asked(asked)]
    deep = _deep(selectors.page, owner)
    later = clock.now() + dt.timedelta(days=1)

    def some() -> uuid.UUID:
        return rng.choice(live)

    def version(number: uuid.UUID) -> int:
        return selectors.conversation(number).version

    def merge_and_back() -> None:
        a, b = rng.sample(live, 2)
        services.merge(a, b, by=owner)
        services.unmerge(a, by=owner)

    def heard() -> None:
        number = rng.randrange(10**9)
        feed([(f"n{number}", f"n{number - 1}", False)], first_seq=20_000_000 + number)

    todo: Mapping[str, Callable[[], object]] = {
        "first page by priority": lambda: selectors.page("open", owner),
        "first page of resolved, newest first": lambda: selectors.page("resolved", owner),
        "page 200 of resolved": lambda: selectors.page("resolved", owner, deep),
        "page of what is rare": lambda: selectors.page(
            Wanted(states=STATES, language="ko", intent="complaint", sentiment="negative", assignee="me"), owner
        ),
        "page of what there is none of": lambda: selectors.page(Wanted(states=STATES, team="nobody"), owner),
        "numbers beside every view": lambda: selectors.counts(owner),
        "a conversation with its messages": lambda: (
            selectors.conversation(n := rng.choice(numbers)), selectors.messages(n), selectors.earlier(n),
            selectors.watching(n),
        ),
        "what moved since": lambda: selectors.changes(max(1, selectors.changes(0).token - 20)),
        "search for what was said once or so": lambda: selectors.search("zanzibar"),
        "search for what is said often": lambda: selectors.search("delivery refund"),
        "search for the beginning of a word": lambda: selectors.search("kal"),
        "assign": lambda: services.assign(some(), owner, by=owner),
        "snooze": lambda: services.snooze(some(), later, by=owner),
        "resolve": lambda: services.resolve(some(), by=owner),
        "reopen": lambda: services.reopen(some(), by=owner),
        "note": lambda: services.note(some(), "call them back", by=owner),
        "save a draft": lambda: services.keep_draft(n := some(), owner, "Dear", version(n)),
        "merge and take back": merge_and_back,
        "a message arrives": heard,
        "look after what is due": services.mind,
    }  # fmt: skip
    took: dict[str, list[float]] = {}
    for name, do in todo.items():
        do()
        took[name] = []
        for _ in range(RUNS):
            begin = clock.monotonic_s()
            do()
            took[name].append((clock.monotonic_s() - begin) * 1000)
    return took


def _deep(page: Callable[..., Any], owner: int) -> str:
    token = ""
    for _ in range(200):
        token = page("resolved", owner, token).next or token
    return token


if __name__ == "__main__":
    import django

    django.setup()
    main(int(sys.argv[1]))
