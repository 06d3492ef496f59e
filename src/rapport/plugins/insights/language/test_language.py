"""Languages are told offline, and what is no language is left undetermined."""

from __future__ import annotations

import datetime as dt
import socket
from pathlib import Path

import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.plugins.insights.language.names import NAMES
from rapport.plugins.insights.language.plugin import Language, plugin

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))


def said(*texts: str | None) -> list[tuple[str, float]]:
    table = pa.table({"seq": range(len(texts)), "text": pa.array(texts, pa.string())})
    rows = plugin.score(plugin.fit(table, CONTEXT), table, CONTEXT).to_pylist()
    return [(row["label"], row["probability"]) for row in rows]


def test_it_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    fresh = Language()
    table = pa.table({"seq": [1], "text": ["Der Scheibenwischer quietscht seit gestern."]})
    assert fresh.score(fresh.fit(table, CONTEXT), table, CONTEXT).column("label").to_pylist() == ["de"]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "ok", "!!! 12345", "https://example.org/a/long/path", "@ana @bo", "😀😀", "RT @ana", None],
)
def test_what_says_nothing_is_undetermined(text: str | None) -> None:
    assert said(text) == [("und", 0.0)]


def test_addresses_and_mentions_do_not_sway_it() -> None:
    (plain, _), (laden, _) = said(
        "Das Kabel ist nach zwei Tagen gerissen.",
        "@support_team Das Kabel ist nach zwei Tagen gerissen. https://help.example.com/where/is/my/order",
    )
    assert plain == laden == "de"


def test_lines_and_capitals_are_read() -> None:
    assert [
        label for label, _ in said("WHERE IS\nMY ORDER?\nIT SHOULD HAVE BEEN HERE", "여기는 와이퍼 없어요")
    ] == ["en", "ko"]


def test_below_the_least_probability_it_does_not_say() -> None:
    table = pa.table({"seq": [1], "text": ["Where is my order?"]})
    strict = Context(now=CONTEXT.now, parameters={"probability_min": 1.1})
    assert plugin.score(plugin.fit(table, strict), table, strict).column("label").to_pylist() == ["und"]


def test_it_explains_itself_in_words() -> None:
    assert plugin.explain({"label": "de", "probability": 0.98}) == "Written in German (98 % sure)."
    assert (
        plugin.explain({"label": "und", "probability": 0.0}) == "Too little is written to tell the language."
    )


def test_a_backtest_counts_what_is_right_beside_the_most_frequent_one() -> None:
    texts = ["Where is my order?", "The wiper squeaks all day", "Wo ist meine Bestellung?", "ok"]
    table = pa.table({"text": texts, "label": ["en", "en", "de", "en"]})
    found = plugin.backtest(table, CONTEXT)
    assert found.n == 4
    assert (found.metrics[0].value, found.metrics[0].baseline_value) == (0.75, 0.75)
    by_name = {m.name: m.value for m in found.metrics}
    assert by_name["found, German"] == 1.0
    with pytest.raises(Invalid, match="label"):
        plugin.backtest(pa.table({"text": texts}), CONTEXT)


def test_the_card_tells_the_measured_figures() -> None:
    card = (Path(__file__).parent / "README.md").read_text("utf-8")
    for metric in plugin.shipped.metrics:
        name = metric.name.removeprefix("found, ") if "," in metric.name else "all seven"
        assert f"| {name} | {100 * metric.value:.1f} %" in card, metric.name
    assert "en" in NAMES
