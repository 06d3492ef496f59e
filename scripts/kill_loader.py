#!/usr/bin/env python3
"""Kill the loader and the worker with SIGKILL at random points while events flow in, then count.

    .venv/bin/python scripts/kill_loader.py --kills 50 --events 200000

Uses a data folder of its own. Status 1, and a sentence per finding, where anything is lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 50
PEOPLE = 500


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--events", type=int, default=200_000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="rapport-kill-") as folder:
        os.environ["RAPPORT_HOME"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "rapport.web.settings"
        findings = trial(chosen.kills, chosen.events, random.Random(chosen.seed))  # noqa: S311  repeatable, not secret
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


def trial(kills: int, n_events: int, chance: random.Random) -> list[str]:
    """Feed, kill, drain, count; gives what was wrong, in sentences."""
    subprocess.run([sys.executable, "-m", "rapport", "init"], check=True, stdout=subprocess.DEVNULL)
    from rapport.events import spool

    box = spool.current()
    parts = {"load": start("load"), "work": start("work")}
    sent, killed = 0, 0
    batches_per_kill = max(1, n_events // BATCH // kills)
    n_batches = n_events // BATCH
    for b in range(n_batches):
        box.append([spool.Body(spool.SEGMENT, "site", BATCH, body(b))])
        sent += BATCH
        if b % batches_per_kill == batches_per_kill - 1 and killed < kills:
            time.sleep(chance.uniform(0.05, 0.9))  # anywhere: between commits, in one, in a compaction
            name = chance.choice(["load", "load", "work"])
            parts[name].send_signal(signal.SIGKILL)
            parts[name].wait()
            killed += 1
            parts[name] = start(name)
    for part in parts.values():
        part.send_signal(signal.SIGTERM)
        part.wait(60)
    for command in ("load", "work"):
        subprocess.run(
            [sys.executable, "-m", "rapport", command, "--drain"], check=True, stdout=subprocess.DEVNULL
        )
    print(f"{killed} kills while {sent:,} events came in; counting.")
    return count(sent, n_batches)


def start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "rapport", name], stderr=subprocess.DEVNULL)


def body(b: int) -> bytes:
    """One request: some sent twice, some orders, some log-ins."""
    messages = []
    for i in range(BATCH):
        k = b * BATCH + i
        person = k % PEOPLE
        entry = {"messageId": f"m{k}", "timestamp": f"2026-{1 + k % 9:02d}-{1 + k % 28:02d}T10:00:00Z"}
        if k % 10 == 0:
            entry |= {
                "type": "track",
                "event": "order_placed",
                "userId": f"p{person}",
                "properties": {"order_id": f"o{k}", "total": 1, "currency": "EUR"},
            }
        elif k % 10 == 1:
            entry |= {
                "type": "identify",
                "userId": f"p{person}",
                "anonymousId": f"d{person}",
                "traits": {"name": f"N {person}"},
            }
        else:
            entry |= {"type": "page", "anonymousId": f"d{person}", "properties": {"path": f"/{k % 7}"}}
        messages.append(entry)
    messages[-1] = messages[0]  # a client's retry within the batch
    return json.dumps({"batch": messages}).encode()


def count(sent: int, n_batches: int) -> list[str]:
    from rapport.web import stores

    stores.set_up()
    from rapport.events import lake
    from rapport.people import selectors

    expected = sent - n_batches
    orders = sum(1 for k in range(sent) if k % 10 == 0)
    con = lake.connect()
    questions = {
        "events": ("SELECT count(*) FROM event", expected),
        "distinct events": ("SELECT count(DISTINCT id) FROM event", expected),
        "orders counted": (
            "SELECT sum(n) FROM subject_day WHERE name = 'order_placed' AND dimension = ''",
            orders,
        ),
        "order value": (
            "SELECT sum(value_minor) FROM subject_day WHERE name = 'order_placed' AND dimension = ''",
            orders * 100,
        ),
        "pages in sessions": (
            "SELECT (SELECT sum(n_pages) FROM session) - (SELECT count(*) FROM event WHERE name = 'page_viewed')",
            0,
        ),
        "receipts": ("SELECT sum(n_accepted) FROM receipt", expected),
        "receipts read": ("SELECT sum(n_read) FROM receipt", sent),
    }
    findings = []
    for name, (sql, wanted) in questions.items():
        (found,) = con.execute(sql).fetchone()
        print(f"{name}: {found} (expected {wanted})")
        if int(found or 0) != wanted:
            findings.append(f"{name}: {found}, expected {wanted}")
    # The last message of each batch is a retry of its first, so some people never appear.
    known = len({k % PEOPLE for k in range(sent) if k % BATCH != BATCH - 1})
    found_people = len(set(selectors.identity_arrow()["person"].to_pylist()))
    print(f"people: {found_people} (expected {known})")
    if found_people != known:
        findings.append(f"people: {found_people}, expected {known}")
    shown = sum(1 for person in range(0, PEOPLE, 50) for _ in everything(selectors, f"customer:p{person}"))
    wanted_identifiers = [
        f"{prefix}{k}" for k in range(0, PEOPLE, 50) for prefix in ("customer:p", "anonymous:d")
    ]
    (in_lake,) = con.execute(
        "SELECT count(*) FROM event AS e JOIN subject AS s ON e.subject = s.subject"
        f" WHERE list_contains({wanted_identifiers}, s.identifier)"
    ).fetchone()
    print(f"events on ten timelines: {shown} (expected {in_lake})")
    if shown != in_lake:
        findings.append(f"timelines show {shown} events, the lake has {in_lake}")
    return findings


def everything(selectors, ref: str):
    """Every event of a person's timeline, page by page."""
    person = selectors.person(ref)
    before = ""
    while True:
        page = selectors.timeline(person.id, before=before, limit=500)
        yield from page.events
        before = page.next
        if not before:
            return


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
    sys.exit(main())
