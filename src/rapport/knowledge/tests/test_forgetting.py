"""A question goes with whoever asked it, and with the texts it was made of."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa

from rapport.consent import erasers
from rapport.events import lake, spool
from rapport.events import rules as log_rules
from rapport.events import services as events
from rapport.kit import clock
from rapport.knowledge import handlers, services
from rapport.knowledge.models import Entry, Heard, Outcome, Unanswered, Wording

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def test_whoever_said_a_part_of_a_question_has_all_of_it_erased(known: None) -> None:
    heard = {3: "bluesky:bo", 4: "bluesky:chi"}
    services.note_unanswered("Where is the quokka? And why?", identifier="bluesky:bo", heard=heard)
    services.resolved(
        "Where is the quokka? And why?", "In Perth.", [], "a", identifier="bluesky:bo", heard=heard
    )
    erasing = erasers.Erasing((7,), ("bluesky:chi",), ("h",))
    assert handlers.erase(erasing) > 0
    assert handlers.erase(erasing) == 0
    assert not Unanswered.objects.exists()
    assert not Outcome.objects.exists()
    assert not Heard.objects.exists()
    assert not Entry.objects.filter(source="resolved").exists()


def test_a_question_made_of_texts_that_are_gone_from_the_log_goes(home: Path, known: None) -> None:
    with clock.frozen(NOW):
        seqs = [said(number) for number in ("1", "2")]
        for seq in seqs:
            services.resolved(
                f"My wipers judder {seq}", "", ["wipers-judder"], "a", heard={seq: "bluesky:bo"}
            )
        events.withdraw(seqs[:1])
        assert services.forget_gone() == 2
        assert services.forget_gone() == 0
    kept = Wording.objects.filter(origin="resolved").values_list("text", flat=True)
    assert list(kept) == [f"My wipers judder {seqs[1]}"]
    assert list(Outcome.objects.order_by("pk").values_list("question", "right")) == [
        ("", "wipers-judder"),
        (f"My wipers judder {seqs[1]}", "wipers-judder"),
    ]


def said(number: str) -> int:
    row = {
        "message_id": number,
        "name": "post_published",
        "ts": NOW,
        "identifier": "bluesky:bo",
        "channel": "social",
        "venue": "bluesky",
        "text": "My wipers judder",
        "properties": json.dumps({"network": "bluesky", "post_id": number}),
    }
    events.record(pa.Table.from_pylist([row], schema=log_rules.TOUCHPOINT), source="test")
    events.settle(spool.current().next_seq() - 1)
    con = lake.connect()
    try:
        found = con.execute("SELECT max(seq) FROM event").fetchone()
    finally:
        con.close()
    assert found is not None
    return int(found[0])
