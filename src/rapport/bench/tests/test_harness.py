"""What all benches share: pairing, medians, goals, and how they are printed."""

from __future__ import annotations

import json

import pytest

from rapport.bench import harness
from rapport.bench.harness import Measure, Missing, bench, paired, timed
from rapport.kit import clock
from rapport.kit.errors import NotFound

RATES = Measure(
    "loading", "plain Parquet", "events/s", [300_000, 200_000, 100_000], [400_000] * 3, at_least=0.5
)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry without the real benches."""
    monkeypatch.setattr(harness, "_benches", {})
    monkeypatch.setattr(harness, "benches", lambda: dict(harness._benches))


def test_each_ratio_is_of_one_pair_run_next_to_each_other() -> None:
    calls: list[str] = []

    def figure(name: str, values: list[float]) -> float:
        calls.append(name)
        return values.pop(0)

    ours, peer = [2.0, 6.0, 3.0], [4.0, 3.0, 3.0]
    measure = paired(
        "x", lambda: figure("ours", ours), lambda: figure("peer", peer), unit="s", of="a peer", runs=3
    )
    assert calls == ["ours", "peer"] * 3
    assert measure.ratios == [0.5, 2.0, 1.0]


def test_a_measure_says_its_ratio_its_spread_and_its_goal() -> None:
    first, second = RATES.lines()
    assert first == "loading: 0.50x of plain Parquet (median of 3; 0.25 to 0.75); goal at least 0.5x: met"
    assert second == "  200,000 (100,000 to 300,000) against 400,000 (400,000 to 400,000) events/s"


@pytest.mark.parametrize(
    ("goal", "met"),
    [({}, None), ({"at_least": 2.1}, False), ({"at_most": 2.0}, True), ({"at_most": 1.9}, False)],
)
def test_a_goal_is_for_the_median(goal: dict[str, float], met: bool | None) -> None:
    measure = Measure("page", "the limit of 50 ms", "ms", [100, 100, 900], [50, 50, 50], **goal)
    assert measure.is_met is met
    assert measure.lines()[0].endswith("missed") is (met is False)


def test_run_prints_each_measure_and_what_could_not_be_measured(
    alone: None, capsys: pytest.CaptureFixture[str]
) -> None:
    @bench("two")
    def two() -> list[Measure]:
        return [RATES, RATES]

    @bench("lacking")
    def lacking() -> Measure:
        raise Missing("the peer is not installed")

    assert harness.run([], json=False) == 0
    printed = capsys.readouterr().out
    assert printed.count("loading: 0.50x") == 2
    assert "lacking: not measured: the peer is not installed" in printed
    assert harness.run(["lacking"], json=True) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == {"lacking": "the peer is not installed"}


def test_json_holds_every_figure_with_its_unit(alone: None, capsys: pytest.CaptureFixture[str]) -> None:
    bench("one")(lambda: RATES)
    harness.run(["one"], json=True)
    document = json.loads(capsys.readouterr().out)
    (measure,) = document["measures"]
    assert measure["unit"] == "events/s"
    assert measure["ratio"] == {"median": 0.5, "min": 0.25, "max": 0.75, "runs": 3}
    assert measure["ours"]["median"] == 200_000
    assert (measure["at_least"], measure["met"]) == (0.5, True)
    assert document["machine"]["cores"] >= 1


def test_an_unknown_name_is_refused_with_those_there_are(alone: None) -> None:
    bench("one")(lambda: RATES)
    with pytest.raises(NotFound, match="one"):
        harness.run(["other"], json=False)


def test_the_benches_are_found_by_their_folder() -> None:
    assert "collector" in harness.benches()


def test_timed_is_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr(clock, "monotonic_s", lambda: next(ticks))
    assert timed(lambda: None) == 2.5
