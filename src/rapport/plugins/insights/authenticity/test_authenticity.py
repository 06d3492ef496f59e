from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.plugins.insights.authenticity import likeness
from rapport.plugins.insights.authenticity.plugin import plugin

CONTEXT = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), parameters=dict(plugin.parameters))
SAME = "Never again will I order brake pads for my old car from them, what a mess"
PLACES = ("Lyon", "Bath", "Ghent", "Turin", "Malmo", "Porto", "Split", "Graz", "Brno", "Cork")


def post(ago: float, words: str, **given: Any) -> dict[str, Any]:
    return {"ago": ago, "network": "bluesky", "words": words, "is_reply": False, "value": 0.0} | given


def account(person: int, *posts: dict[str, Any], n_orders: int = 0, said: str = "") -> dict[str, Any]:
    return {"person": person, "n_orders": n_orders, "said": said, "posts": list(posts)}


def crowd(n: int = 30) -> list[dict[str, Any]]:
    """People who each say things of their own, over two years."""
    return [
        account(
            1000 + k,
            post(
                700 - 20 * k,
                f"Drove from {PLACES[k % 10]} to {PLACES[(k + 3) % 10]} with the new filter number {k}",
            ),
            post(
                300 - 5 * k,
                f"My mechanic in {PLACES[(k * 7) % 10]} liked part {k * 13} more than I did myself",
            ),
        )
        for k in range(n)
    ]


def said_of(rows: list[dict[str, Any]]) -> dict[int, tuple[str, float]]:
    table = pa.Table.from_pylist(rows)
    scored = plugin.score(plugin.fit(table, CONTEXT), table, CONTEXT).to_pylist()
    return {r["person"]: (r["label"], r["value"]) for r in scored}


def test_a_ring_is_left_out_and_the_crowd_is_not() -> None:
    ring = [
        account(k, post(50 - k / 10, SAME + "!" * k), post(20 - k / 10, f"{SAME} again")) for k in range(6)
    ]
    found = said_of(crowd() + ring)
    assert {found[k][0] for k in range(6)} == {"left_out"}
    assert {found[1000 + k][0] for k in range(30)} == {"genuine"}


def test_a_phrase_that_everybody_uses_tells_nothing() -> None:
    """Forty people say the same over two years, and two of them by chance on one day."""
    rows = [account(k, post(700 - 17 * k, "That is why I stay with this shop")) for k in range(40)]
    rows[5]["posts"][0]["ago"] = rows[6]["posts"][0]["ago"] + 0.1
    assert {label for label, _value in said_of(rows).values()} == {"genuine"}


def test_two_who_hit_on_the_same_words_once_are_not_left_out() -> None:
    own = ("Asked in Lyon what the large one costs", "Rain all week and the blades still do their work")
    pair = [account(k, post(50 - k / 10, SAME), post(9, own[k])) for k in range(2)]
    assert {said_of(crowd() + pair)[k][0] for k in range(2)} <= {"genuine", "doubtful"}


def test_buying_and_answering_speak_for_an_account() -> None:
    rows = [account(k, post(50 - k / 10, SAME), n_orders=3 if k == 0 else 0) for k in range(2)]
    found = said_of(crowd() + rows)
    assert found[0][1] > found[1][1]


def test_the_same_again_and_again_at_regular_times_is_a_machine() -> None:
    robot = account(
        1, *(post(100 - 2 * k, "Best deals on filters, click here now for more") for k in range(30))
    )
    label, value = said_of([*crowd(), robot])[1]
    assert label != "genuine"
    assert value < 0.6


@pytest.mark.parametrize(("said", "value"), [("genuine", 1.0), ("left_out", 0.0)])
def test_staffs_word_stands(said: str, value: float) -> None:
    rows = [account(k, post(50 - k / 10, SAME), said=said if k == 0 else "") for k in range(5)]
    assert said_of(crowd() + rows)[0] == (said, value)


def test_much_the_same_shares_a_key_and_other_texts_do_not() -> None:
    texts = pa.array(
        [SAME, SAME.lower() + "!!", "A quite different sentence about wipers and rain in spring", "ok"]
    )
    keys = likeness.keys(texts)
    assert (keys[0] == keys[1]).all()
    assert not (keys[0] == keys[2]).any()
    assert not keys[3].any(), "too short to tell"
    assert likeness.keys(texts.slice(0, 1)).tolist() == keys[:1].tolist()


def test_what_is_kept_names_no_account() -> None:
    ring = [account(k, post(50 - k / 10, SAME)) for k in range(6)]
    other = [account(k + 500, *row["posts"]) for k, row in enumerate(ring)]
    assert plugin.fit(pa.Table.from_pylist(ring), CONTEXT) == plugin.fit(pa.Table.from_pylist(other), CONTEXT)
