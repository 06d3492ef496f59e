from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.insights.contract import Context
from rapport.plugins.insights.advocacy.plugin import plugin

CONTEXT = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), parameters=dict(plugin.parameters))
GOOD, BAD = (0.02, 0.95), (0.95, 0.02)


def text(
    ago: float, tone: tuple[float, float], network: str = "bluesky", weight: float = 1.0
) -> dict[str, Any]:
    return {"ago": ago, "network": network, "negative": tone[0], "positive": tone[1], "weight": weight}


def person(
    number: int, *texts: dict[str, Any], scores: tuple[float, ...] = (), referrals: int = 0
) -> dict[str, Any]:
    return {
        "person": number,
        "texts": list(texts) or None,
        "answers": [{"ago": 10.0, "score": s} for s in scores] or None,
        "referrals": [5.0] * referrals or None,
    }


def crowd(n: int = 60, seed: int = 3) -> list[dict[str, Any]]:
    """People of either mind, half of what they say good."""
    rng = np.random.default_rng(seed)
    return [
        person(1000 + k, *(text(float(30 * j + 1), GOOD if rng.random() < p else BAD) for j in range(6)))
        for k, p in enumerate(rng.beta(1.5, 1.5, n))
    ]


def stood(rows: list[dict[str, Any]], **parameters: Any) -> dict[tuple[int, str], dict[str, Any]]:
    table = pa.Table.from_pylist(rows)
    context = dataclasses.replace(CONTEXT, parameters={**plugin.parameters, **parameters})
    scored = plugin.score(plugin.fit(table, context), table, context).to_pylist()
    return {(r["person"], r["name"]): r for r in scored}


def test_one_post_makes_no_advocate_and_many_do() -> None:
    found = stood(
        [*crowd(), person(1, text(5, GOOD)), person(2, *(text(float(k), GOOD) for k in range(1, 15)))]
    )
    one, many = found[1, "advocacy:bluesky"], found[2, "advocacy:bluesky"]
    assert one["label"] == "unclear"
    assert many["label"] == "advocate"
    assert many["value"] > one["value"] > 0
    assert many["high"] - many["low"] < one["high"] - one["low"]


def test_good_and_bad_are_mirrored() -> None:
    good = [person(k, *(text(float(j + 1), GOOD) for j in range(8))) for k in range(20)]
    bad = [person(100 + k, *(text(float(j + 1), BAD) for j in range(8))) for k in range(20)]
    found = stood(good + bad)
    assert found[0, "advocacy"]["label"] == "advocate"
    assert found[100, "advocacy"]["label"] == "detractor"
    assert abs(found[0, "advocacy"]["value"] + found[100, "advocacy"]["value"]) < 0.1


def test_who_is_left_out_has_no_voice_anywhere() -> None:
    """Their words move nobody's figure, and their own stays at the network's mean."""
    rows = crowd()
    pushed = [person(k, *(text(float(j + 1), GOOD, weight=0.0) for j in range(9))) for k in range(20)]
    without, with_them = stood(rows), stood(rows + pushed)
    for key, row in without.items():
        assert with_them[key] == row
    mine = with_them[0, "advocacy:bluesky"]
    assert mine["label"] == "unclear"
    assert "does not look genuine" in mine["reason"]
    assert (0, "advocacy") not in with_them


def test_answers_and_recommending_count_and_a_network_kept_apart_does_not() -> None:
    rows = [
        *crowd(),
        person(1, text(3, GOOD), text(9, GOOD), scores=(10.0,), referrals=1),
        person(2, text(3, GOOD), text(9, GOOD)),
    ]
    found = stood(rows)
    assert found[1, "advocacy"]["value"] > found[2, "advocacy"]["value"]
    assert found[1, "advocacy:bluesky"]["value"] > found[2, "advocacy:bluesky"]["value"]
    assert "recommended us 1 time" in found[1, "advocacy"]["reason"]
    apart = stood(rows, apart="bluesky")
    assert apart[1, "advocacy:bluesky"]["value"] == apart[2, "advocacy:bluesky"]["value"]
    assert (2, "advocacy") not in apart, "nothing else is known of them"


def test_what_is_misread_is_put_right_by_answers() -> None:
    """Every tone is read as bad half as often as it is good; those who answer are promoters."""
    dark = (0.6, 0.3)
    rows = [
        person(k, *(text(float(j * 9 + 1), dark) for j in range(5)), scores=(9.0, 10.0)) for k in range(150)
    ]
    silent = [person(1000 + k, *(text(float(j * 9 + 1), dark) for j in range(5))) for k in range(50)]
    assert stood(rows + silent)[1000, "advocacy"]["value"] > stood(silent)[1000, "advocacy"]["value"] + 0.1


def test_the_interval_holds_what_it_says_of_people_drawn_at_random() -> None:
    rng = np.random.default_rng(5)
    true = rng.beta(3, 2, 400)
    rows = [
        person(
            k,
            *(text(float(j + 1) * 3, GOOD if rng.random() < p else BAD) for j in range(rng.integers(1, 12))),
        )
        for k, p in enumerate(true)
    ]
    found = stood(rows)
    inside = [
        found[k, "advocacy:bluesky"]["low"] <= 2 * p - 1 <= found[k, "advocacy:bluesky"]["high"]
        for k, p in enumerate(true)
    ]
    assert 0.72 < np.mean(inside) < 0.88
