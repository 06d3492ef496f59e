from __future__ import annotations

import pytest

from rapport.staff.models import Staff
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.conftest import logged_in


@pytest.mark.parametrize(
    ("form", "content_type"),
    [("svg", "image/svg+xml"), ("png", "image/png"), ("csv", "text/csv; charset=utf-8")],
)
def test_a_chart_is_taken_away_by_those_who_may_see_its_page(
    alice: Staff, bob: Staff, charlie: Staff, form: str, content_type: str
) -> None:
    chart = charts.ranked(
        "Größte Quellen", [("a", 3, "")], label_title="l", value_title="v", right=Right.SEE_SOURCES
    )
    answer = logged_in(alice).get(f"/charts/{chart.key}.{form}")
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert logged_in(bob).get(f"/charts/{chart.key}.{form}").status_code == 403
    assert logged_in(charlie).get(f"/charts/{chart.key}.{form}").status_code == 403


def test_a_key_is_nothing_but_a_key(alice: Staff) -> None:
    client = logged_in(alice)
    assert client.get("/charts/" + "0" * 32 + ".svg").status_code == 404
    assert client.get("/charts/../../secret.key.svg").status_code == 404
