"""Files are joined while others read: nobody sees fewer rows than there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rapport.events import lake, loader, upkeep
from rapport.events.tests import say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home", "noon")]

# What a subscriber does, in a process of its own: the rows that came since, until it is told to stop.
READER = """
import os, sys, time
import django
django.setup()
from rapport.events import lake, loader, subscriptions
told = subscriptions.Subscriber("told", ("page_viewed",), print, with_identities=True)
con, after = lake.connect(), 0
print("reads", flush=True)
while not os.path.exists(sys.argv[1]) or loader.offset(con) > after:
    upto = loader.offset(con)
    if upto > after:
        batch = subscriptions.read_batch(con, told, after, upto)
        print(upto - after - batch.events.num_rows, upto - after - batch.subjects.num_rows, flush=True)
        after = upto
    time.sleep(0.005)
print("all", after)
"""


def test_a_subscriber_that_reads_while_files_are_joined_misses_nothing(home: Path, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(stop)],
        env={**os.environ, "RAPPORT_HOME": str(home), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reads\n"
        writer = loader.Loader()
        for n in range(8):
            say.send(say.message("page", messageId=f"m{n}", anonymousId=f"d{n}"))
            writer.load_next()
            upkeep.compact(writer.con)
        stop.touch()
        said, _ = reader.communicate(timeout=60)
    finally:
        reader.kill()
    *rounds, last = said.splitlines()
    assert last == "all 8"
    assert set(rounds) == {"0 0"}


def test_files_are_joined_later_where_somebody_reads_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "READERS_WAIT_S", 0.0)
    for n in range(3):
        say.send(say.message("page", messageId=f"m{n}", anonymousId="d1"))
        say.load()
    writer = loader.Loader()
    reads, go_on = threading.Event(), threading.Event()

    def read() -> None:
        con = lake.connect()
        with lake.together(con):
            reads.set()
            go_on.wait(10)
        con.close()

    thread = threading.Thread(target=read)
    thread.start()
    assert reads.wait(10)
    assert upkeep.compact(writer.con) == 0
    go_on.set()
    thread.join()
    assert upkeep.compact(writer.con) > 0
    assert say.ask("SELECT count(*) FROM event") == [(3,)]
