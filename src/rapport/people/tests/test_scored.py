"""Who has which figure: in a range, with a label, at both ends; and all of them as Arrow."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rapport.people import selectors, services
from rapport.people.selectors import Within
from rapport.people.tests.conftest import Say, identified

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def scored(figures: dict[int, float], name: str = "churn_risk", label: str = "") -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "person": person,
            "name": name,
            "value": value,
            "unit": "probability",
            "as_of": NOON,
            "model": "churn",
            "version": "1",
            "label": label,
            "reason": f"because of {value}",
        }
        for person, value in figures.items()
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture
def four(say: Say) -> list[int]:
    say(*(identified(f"customer:{k}", traits={"name": f"Person {k}"}) for k in range(4)))
    found = [selectors.person_id(f"customer:{k}") for k in range(4)]
    services.write_scores(scored(dict(zip(found, (0.1, 0.5, 0.5, 0.9), strict=True))))
    services.write_scores(scored({found[0]: 1.0}, "service_tier", "A"))
    return found


def test_a_range_holds_its_lower_end_and_not_its_upper(four: list[int]) -> None:
    assert selectors.persons_within(Within("churn_risk", 0.1, 0.5)).tolist() == [four[0]]
    assert selectors.persons_within(Within("churn_risk", 0.5)).tolist() == sorted(four[1:])
    assert selectors.persons_within(Within("churn_risk", None, 0.9)).tolist() == sorted(four[:3])
    assert selectors.n_within(Within("churn_risk", 0.5)) == 3
    assert selectors.persons_within(Within("nobody_has_it")).tolist() == []


def test_a_label_chooses_too(four: list[int]) -> None:
    assert selectors.persons_within(Within("service_tier", label="A")).tolist() == [four[0]]
    assert selectors.n_within(Within("service_tier", label="B")) == 0


def test_only_those_with_most_of_another_figure(four: list[int]) -> None:
    services.write_scores(scored(dict(zip(four, (40.0, 30.0, 20.0, 10.0), strict=True)), "clv_minor"))
    best_two = Within("churn_risk", 0.4, best_of="clv_minor", best=2)
    assert selectors.persons_within(best_two).tolist() == [four[1]]
    assert selectors.n_within(best_two) == 1


def test_the_ends_come_with_names_and_reasons(four: list[int]) -> None:
    most, least = selectors.extremes("churn_risk", 2)
    assert [one.score.value for one in most] == [0.9, 0.5]
    assert (least[0].person, least[0].display_name, least[0].score.reason) == (
        four[0],
        "Person 0",
        "because of 0.1",
    )
    assert selectors.extremes("nobody_has_it", 2) == ([], [])


def test_a_figures_unit_is_read_from_one_row(four: list[int], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as asked:
        assert selectors.unit_of("churn_risk") == "probability"
    assert "ORDER BY" not in asked.captured_queries[0]["sql"]
    assert selectors.unit_of("nobody_has_it") == ""


def test_a_figure_over_people_as_they_were_counts_for_nobody_until_the_model_has_run_again(
    four: list[int],
) -> None:
    services.merge(four[2], four[3], "staff", "alice@example.com")
    assert selectors.n_within(Within("churn_risk")) == 2
    assert sorted(selectors.scores_arrow(["churn_risk"])["person"].to_pylist()) == sorted(four[:2])
    assert selectors.scores_arrow([]).num_rows == 0
    assert selectors.scores_arrow().num_rows == 3


def test_of_who_was_erased_since_the_model_read_no_figure_is_kept(four: list[int]) -> None:
    read = selectors.identity_arrow()
    services.forget([four[1]], ["customer:1"])
    given = dict(zip(four, (0.2, 0.4, 0.6, 0.8), strict=True))
    assert services.write_scores(scored(given, "loyalty"), identity=read) == 3
    assert set(selectors.persons_within(Within("loyalty")).tolist()) == {four[0], *four[2:]}
