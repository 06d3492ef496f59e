"""The live desk at fifty comments a second for ten minutes: none lost, and questions shown within two seconds.

Comments are recorded as a connector's pages are, five every tenth of a second; a loader and a worker run in
processes of their own, as in production, with every subscriber there is. A reader asks the desk's own question
all the while, and notes when it first counts each comment. The page asks once a second, so that second is added.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from rapport.bench import child
from rapport.bench.harness import Measure, bench
from rapport.kit import clock, home, process

SECONDS = 600
PER_S = 50
PAGE = 5  # comments that come at once
LIMIT_S = 2.0
ASKED_EVERY_S = 1.0  # by the page
WAIT_S = 60.0  # after the last one, until what is missing counts as lost
WORDS = (
    "blade",
    "saw",
    "table",
    "stand",
    "pump",
    "light",
    "rack",
    "belt",
    "valve",
    "wiper",
    "battery",
    "mat",
    "lamp",
)
ASKED = ("How much is the {0}?", "does the {0} fit a 20{1:02} model", "is the {0} back in stock??", "Was kostet {0} {1}?",
         "HOW MUCH is the {0}", "où trouver {0} {1} ?")  # fmt: skip
SAID = (
    "Love the {0}! {2}",
    "Greetings from {2}",
    "my {0} is {1} years old and runs, {2}",
    "wow {2}",
    "bought {1} of the {0} {2}",
)


@bench("live", by_name_only=True)
def live() -> Iterator[Measure]:
    """Seconds until a comment is on the desk, beside the limit; and how many of all arrive."""
    found = child.measure("rapport.bench.live", home.env("BENCH_LIVE_S", str(SECONDS)))
    took = found["took_s"]
    yield Measure(
        f"a comment on the live desk, p95, {PER_S}/s for {found['seconds']} s",
        f"the limit of {LIMIT_S:g} s",
        "s, with the page's own second",
        [float(np.percentile(took, 95)) + ASKED_EVERY_S],
        [LIMIT_S],
        at_most=1.0,
        figures={
            "median": f"{np.percentile(took, 50) + ASKED_EVERY_S:.2f} s",
            "slowest": f"{max(took) + ASKED_EVERY_S:.2f} s",
            "bunches": f"{found['bunches']:,} of {found['sent']:,} comments",
        },
    )
    yield Measure(
        "comments that arrive",
        "those that were said",
        "comments",
        [float(found["arrived"])],
        [float(found["sent"])],
        at_least=1.0,
    )


def main(seconds: int) -> None:
    from rapport.web.stores import initialise

    initialise()
    from rapport.listening import services as listening
    from rapport.publishing import selectors, services

    listening.add_source(
        "bench", "webhook", {"network": "bench", "secret": "x" * 32, "items": "", "members": "id = id\nts = ts\ntext = text"}
    )  # fmt: skip
    now = clock.now()
    ends = now + dt.timedelta(seconds=seconds + 120)
    number = services.begin(title="Bench", sources=["bench"], joins=[], starts_at=now, ends_at=ends, by="").pk
    parts = [subprocess.Popen([sys.executable, "-m", "rapport", part]) for part in ("load", "work")]
    try:
        _wait_for("load", "work", "live")
        sent = [0]
        took = _measured(seconds, sent, lambda: selectors.broadcast(number).n_comments)
        n_bunches = sum(1 for _ in _all(selectors, number))
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(30)
    arrived = selectors.broadcast(number).n_comments
    found = {"seconds": seconds, "took_s": took, "sent": sent[0], "arrived": arrived, "bunches": n_bunches}
    print(json.dumps(found))


def _wait_for(*names: str) -> None:
    """Until these run, as they do when a broadcast begins."""
    began = clock.monotonic_s()
    while not {*names} <= {one.name for one in process.running() if one.alive}:
        if clock.monotonic_s() - began > WAIT_S:
            raise RuntimeError(f"{names} do not run")
        clock.sleep(0.1)


def _measured(seconds: int, sent: list[int], arrived: Any) -> list[float]:
    """Say comments at their pace, and look meanwhile how many are on the desk; gives seconds for each page of them."""
    rng = random.Random(7)  # noqa: S311  invented comments
    at: list[tuple[int, float]] = []  # how many had been said, and when
    took: list[float] = []
    began = clock.monotonic_s()
    pages = seconds * PER_S // PAGE
    last = began
    while len(took) < pages and clock.monotonic_s() - last < WAIT_S:
        if len(at) < pages and clock.monotonic_s() - began >= len(at) * PAGE / PER_S:
            said = clock.monotonic_s()
            _say(rng, sent[0])
            sent[0] += PAGE
            at.append((sent[0], said))
            last = clock.monotonic_s()
        n = arrived()  # also where saying them lags behind on a busy machine
        seen = clock.monotonic_s()
        while len(took) < len(at) and at[len(took)][0] <= n:
            took.append(seen - at[len(took)][1])
        clock.sleep(0.02)
    return took


def _say(rng: random.Random, first: int) -> None:
    import pyarrow as pa

    from rapport.events import rules, services

    rows = []
    for i in range(first, first + PAGE):
        is_question = rng.random() < 0.3
        pattern = rng.choice(ASKED if is_question else SAID)
        text = pattern.format(
            rng.choice(WORDS), rng.randrange(4, 24), f"{rng.choice(WORDS)} {rng.randrange(9_999)}"
        )
        rows.append(
            {
                "message_id": f"c{i}",
                "name": "post_published",
                "ts": clock.now(),
                "identifier": f"bench:p{rng.randrange(8_000)}",
                "channel": "social",
                "venue": "bench",
                "text": text,
                "properties": json.dumps({"network": "bench", "post_id": f"c{i}", "thread": "live"}),
            }
        )
    services.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source="bench", trusted=True)


def _all(selectors: Any, number: Any) -> Iterator[Any]:
    """Every bunch of a broadcast, a page after the other."""
    found = selectors.bunches(number, "all")
    while found:
        yield from found
        found = selectors.bunches(number, "all", before=min(one.id for one in found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
