"""Real support conversations are rebuilt as their links say; few who want nothing of us are gone to in the market."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rapport.bench import inbox
from rapport.conversations.rules import summary
from rapport.conversations.services import reading
from rapport.demo.market import market
from rapport.insights.contract import Context
from rapport.kit import registry

SOME = 400  # of the links; the bench takes all


@pytest.mark.shared
def test_care_conversations_are_rebuilt_as_their_links_say(home: Path, db: None, shared: Path) -> None:
    links = inbox.care_links(shared / "ibm_twitter_care" / "dev.json")
    assert inbox.gather(inbox.shuffled(links), batch=400) == inbox.components(links)


@pytest.mark.shared
def test_support_tweets_are_rebuilt_as_their_links_say(home: Path, db: None, shared: Path) -> None:
    links = inbox.twcs_links(shared / "twcs_spotify" / "support_requests.csv")
    some = links[:SOME]
    assert max(map(len, inbox.components(some))) > 4
    assert inbox.gather(inbox.shuffled(some), batch=300) == inbox.components(some)


def test_few_who_want_nothing_of_us_are_gone_to_in_the_synthetic_market() -> None:
    end = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    parts = [
        block.truth["text"].join(
            block.touchpoints.select(["message_id", "text", "name"]), "message_id", join_type="inner"
        )
        for block in market(700, end=end).blocks()
    ]
    arrow: Any = pc
    table = pa.concat_tables(parts)
    table = table.filter(
        arrow.and_(arrow.is_valid(table["text"]), arrow.equal(table["name"], "post_published"))
    ).sort_by("message_id")
    rows = table.to_pylist()
    said = {name: _said(model, name, table["text"]) for model, name in MODELS}
    wants = {"help_request", "question", "purchase_intent", "complaint", "churn_threat"}
    gone_to, wanted_nothing, found = 0, 0, 0
    for k, row in enumerate(rows):
        intent, sure = said["intent"][k]
        piece = summary.Piece(
            id=1, ts=end, seq=1, direction="in", channel_is_public=True, may_open=True,
            is_help=said["help_request"][k][0] == "yes", is_complaint=reading.complains(intent, sure, by_staff=False),
            sentiment=said["sentiment"][k][0], intent=intent, is_thanks=summary.is_thanks(row["text"]),
        )  # fmt: skip
        opens = bool(summary.why(piece, frozenset(), 2.0))
        if row["intent"] not in wants:
            wanted_nothing += 1
            gone_to += opens
        elif row["intent"] == "help_request":
            found += opens
    assert gone_to / wanted_nothing < 0.02
    assert found / sum(row["intent"] == "help_request" for row in rows) > 0.4


MODELS = (("intent", "intent"), ("intent", "help_request"), ("sentiment", "sentiment"))


def _said(model: str, name: str, texts: Any) -> list[tuple[str, float]]:
    plugin = registry.plugin("insights", model).offers
    context = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), parameters=plugin.parameters)
    nothing = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
    given = pa.table({"seq": pa.array(range(len(texts)), pa.int64()), "text": texts})
    rows = plugin.score(plugin.fit(nothing, context), given, context).to_pylist()
    return [(r["label"], r["probability"]) for r in sorted(rows, key=lambda r: r["seq"]) if r["name"] == name]
