from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import pytest
from django.utils import translation

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.charts import manner, render, shapes, spec

FIRST = dt.date(2026, 3, 1)
NOW = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))


def week(**chosen: object) -> charts.Chart:
    figures = [3, 5, None, None, 8, 2, 4]
    points = [
        charts.Point(
            FIRST + dt.timedelta(days=i),
            figure,
            "web",
            href=f"/events/?day=2026-03-0{i + 1}&name=page_viewed",
        )
        for i, figure in enumerate(figures)
    ]
    options: dict[str, object] = {
        "y_title": "Pages per day",
        "right": Right.SEE_HOME,
        "gaps": [charts.Gap(FIRST + dt.timedelta(days=2), FIRST + dt.timedelta(days=3), "server down")],
    }
    with clock.frozen(NOW):
        return charts.over_time(
            "lines",
            "Visits dipped",
            points,
            charts.series(("web", "Web")),
            **{**options, **chosen},  # type: ignore[arg-type]
        )


def test_a_gap_breaks_the_line_and_is_never_zero() -> None:
    chart = week()
    (path,) = re.findall(r'<path[^>]*aria-roledescription="line mark"[^>]* d="([^"]*)"', chart.wide)
    assert path.count("M") == 2  # the pen is lifted once
    assert len(re.findall(r"[ML]", path)) == 5  # five figures, and none for the two days not seen
    assert chart.lines[2].cells[1].text == "–"
    assert chart.lines[2].cells[1].href == ""
    assert "No coverage from 3 Mar to 4 Mar: server down." in chart.alt


def test_a_gap_of_an_hour_is_narrow_and_still_seen_and_many_are_not_all_told() -> None:
    at = dt.datetime(2026, 3, 3, 10, tzinfo=dt.UTC)
    hour = charts.Gap(at, at + dt.timedelta(hours=1), "server down")
    moment = charts.Gap(at, at + dt.timedelta(seconds=1), "moment")
    many = [charts.Gap(FIRST, FIRST, f"reason {i}") for i in range(charts.GAPS_TOLD + 2)]
    points = [charts.Point(FIRST, 1), charts.Point(FIRST + dt.timedelta(days=6), 1)]
    drawn = spec._gap_layer([hour, moment, many[0]], {}, points)["data"]["values"]
    spans = [(dt.datetime.fromisoformat(v["x"]), dt.datetime.fromisoformat(v["x2"])) for v in drawn]
    widths = [(b - a).total_seconds() / 3600 for a, b in spans]
    assert widths == [1, 6 * 24 / spec.SEEN_FROM, 24]
    alt = week(gaps=many).alt
    assert "reason 0" not in alt
    assert "reason 2" in alt
    assert "And 2 gaps before that." in alt


def test_what_is_counted_has_whole_numbers_on_its_axis() -> None:
    points = [charts.Point(FIRST + dt.timedelta(days=i), n, "web") for i, n in enumerate([0, 1, 0])]
    chart = charts.over_time(
        "lines", "Few", points, charts.series(("web", "Web")), y_title="Pages", right=Right.SEE_HOME
    )
    assert ">0.5<" not in chart.wide
    assert ">0.2<" not in chart.wide


def test_marks_open_the_events_behind_them_and_so_does_the_table() -> None:
    chart = week()
    links = re.findall(r'<a href="([^"]*)" aria-label="([^"]*)"><title>([^<]*)</title>', chart.wide)
    assert len(links) == 5
    assert links[0] == ("/events/?day=2026-03-01&amp;name=page_viewed", "1 Mar, Web: 3", "1 Mar, Web: 3")
    assert chart.lines[0].cells[1].href == "/events/?day=2026-03-01&name=page_viewed"
    assert "vega.github.io" not in chart.wide


def test_one_drawing_serves_light_and_dark() -> None:
    chart = week()
    assert "var(--series-1)" in chart.wide
    assert not re.search(r'(fill|stroke)="#', str(chart.wide).replace('fill="#000"', ""))
    assert "style=" not in chart.wide  # the content policy would refuse it


def test_the_alternative_text_has_the_figures() -> None:
    chart = week()
    assert "Web: lowest 2 on 6 Mar, highest 8 on 5 Mar, last 4." in chart.alt
    assert f'aria-label="{chart.alt}"' in chart.wide


def test_labels_from_outside_cannot_become_markup() -> None:
    evil = '<script>alert(1)</script>"><b'
    chart = charts.ranked(
        evil,
        [(evil, 3, '/events/?q="><script>')],
        label_title="Referrer",
        value_title="Sessions",
        right=Right.SEE_HOME,
    )
    for drawn in (chart.wide, chart.narrow):
        assert "<script" not in drawn
        assert "<b" not in re.sub(r"</?(svg|g|path|text|a|title|rect|line|tspan)\b", "", drawn)


def test_a_share_of_a_whole_is_drawn_as_one() -> None:
    rows = [("a", 0.4, "0.40", "", "a: 0.40")]
    drawn = shapes.ranked(rows, width=300, colour="series-1", x_title="v", whole=1.0)
    assert drawn["layer"][0]["encoding"]["x"]["scale"] == {"domain": [0, 1.0]}


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//elsewhere.example/", "https://elsewhere.example/"]
)
def test_a_mark_never_leads_off_this_site(target: str) -> None:
    chart = charts.ranked("t", [("a", 3, target)], label_title="l", value_title="v", right=Right.SEE_HOME)
    for found in re.findall(r'href="([^"]*)"', chart.wide):
        assert re.match(r"/(?!/)", found), found


def test_the_same_chart_keeps_one_key_and_another_does_not() -> None:
    assert week().key == week().key
    assert week().key != week(y_title="Other").key


def test_downloads_say_what_the_screen_says() -> None:
    drawing = render.kept(week().key)
    rows = list(csv.reader(io.StringIO(render.to_csv(drawing))))
    assert rows[:4] == [["Day", "Web"], ["2026-03-01", "3"], ["2026-03-02", "5"], ["2026-03-03", ""]]
    svg = render.to_svg(drawing)
    assert "Visits dipped" in svg
    assert "var(" not in svg
    assert "#fe0" not in svg
    assert "<a" not in svg
    assert render.to_png(drawing).startswith(b"\x89PNG")


def test_a_spreadsheet_runs_nothing_of_ours() -> None:
    chart = charts.ranked(
        "t", [("=HYPERLINK(1)", 3, "")], label_title="l", value_title="v", right=Right.SEE_HOME
    )
    assert "'=HYPERLINK(1)" in render.to_csv(render.kept(chart.key))


def test_a_chart_that_is_gone_is_said_so() -> None:
    with pytest.raises(NotFound, match="no longer kept"):
        render.kept("0" * 32)


def test_old_drawings_make_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(render, "KEPT_MAX", 3)
    for i in range(5):
        week(y_title=f"unit {i}")
    assert len(list((tmp_path / "cache" / "charts").glob("*.json"))) == 3


def test_months_and_days_are_named_in_the_readers_language() -> None:
    with translation.override("de"):
        assert "Mrz" in week().wide or "Mär" in week().wide


def test_bars_stack_and_ratios_are_percent() -> None:
    shown = charts.series(("n", "Negative"), ("p", "Positive"), colours=("negative", "positive"))
    points = [charts.Point(FIRST, 0.25, "n"), charts.Point(FIRST, 0.5, "p")]
    with clock.frozen(NOW):
        chart = charts.over_time(
            "bars", "t", points, shown, y_title="Share", right=Right.SEE_HOME, as_percent=True
        )
    assert [s.swatch for s in chart.legend] == ["negative", "positive"]
    assert "80%" in chart.wide


def test_intervals_are_said_and_drawn() -> None:
    points = [charts.Point(FIRST + dt.timedelta(days=i), 4.0, "a", low=3.0, high=6.0) for i in range(3)]
    with clock.frozen(NOW):
        chart = charts.over_time(
            "lines", "t", points, charts.series(("a", "")), y_title="y", right=Right.SEE_HOME
        )
    assert "1 Mar: 3 to 6, likely 4" in chart.narrow or 'aria-roledescription="area mark"' in chart.narrow
    assert 'aria-roledescription="area mark"' in chart.wide


def test_distribution_names_its_ranges() -> None:
    chart = charts.distribution(
        "Most bought once",
        [(0, 1, 70, "/people/"), (1, 2, 30, "")],
        x_title="Orders",
        y_title="People",
        right=Right.SEE_HOME,
    )
    assert chart.lines[0].cells[0] == "0 to 1"
    assert "Most frequent: 0 to 1, 70." in chart.alt


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (0.34, 0.4), (7, 8), (1158, 1200), (99_000, 100_000)])
def test_an_axis_ends_on_a_short_figure(highest: float, top: float) -> None:
    assert manner.nice_top(highest) == pytest.approx(top)
