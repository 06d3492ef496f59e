"""The screens of segments: the list, the builder and its fragments, one segment, and where else segments stand."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from rapport.kit import clock
from rapport.people import selectors as people
from rapport.segments import selectors, services
from rapport.staff.models import Staff
from rapport.web.components.segmentforms import form
from rapport.web.components.segmenting import offer
from rapport.web.components.tests.test_segmentforms import sent
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint

DAY = dt.timedelta(days=1)
BUYERS = {"all": [{"event": "order_placed", "count": {"op": ">=", "value": 2}, "window": {"last_days": 90}}]}


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    with clock.frozen(MONDAY + dt.timedelta(hours=4)):
        yield


def ordered(identifier: str, days_ago: int, **more: Any) -> dict[str, Any]:
    properties = {
        "order_id": f"{identifier}-{days_ago}",
        "items": [{"product_code": "w", "category": "cables"}],
    }
    return touchpoint(
        "order_placed",
        identifier,
        ts=MONDAY - days_ago * DAY,
        value_minor=5000,
        currency="EUR",
        properties=properties,
        **more,
    )


@pytest.fixture
def three(say: Say) -> dict[str, int]:
    """Ana bought twice and allows mail; Bo bought once; Chi bought twice, long ago."""
    say(
        identified("customer:1", "email:ana@example.org", name="Ana Ruiz", country="ES"),
        identified("customer:2", "email:bo@example.org", name="Bo", country="DE"),
        identified("customer:3", name="Chi", country="ES"),
        *(ordered("customer:1", n) for n in (3, 40)),
        ordered("customer:2", 5),
        *(ordered("customer:3", n) for n in (200, 300)),
        touchpoint("consent_granted", "customer:1", properties={"purpose": "marketing", "channel": "email"}),
    )
    return {name: people.person_id(f"customer:{n}") for n, name in enumerate(("ana", "bo", "chi"), 1)}


@pytest.fixture
def client(alice: Staff, three: dict[str, int]) -> Client:
    return logged_in(alice)


def fields(rule: Any, **more: str) -> dict[str, str]:
    """What a browser sends of the builder that shows a rule."""
    from rapport.segments import rules

    said = offer()
    query = sent(
        form(rules.parse(rule), said), said, title="Buyers", meaning="", purpose="profiling", of="", **more
    )
    return {key: str(value) for key, value in query.items()}


def text_of(answer: Any) -> str:
    """What a reader sees of an answer, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def kept(rule: Any = None, title: str = "Buyers") -> str:
    key = services.create(title, rule or BUYERS, by="alice@example.com").key
    services.refresh([key])
    return key


# ---- the list -----------------------------------------------------------------------------------------


def test_where_there_is_none_ready_ones_are_offered(client: Client) -> None:
    body = client.get("/segments/").content.decode()
    assert "No segment yet." in body
    assert "/segments/new/?start=lapsed" in body
    assert "start=mail" in body
    assert "start=complained" not in body  # nobody ever did


@pytest.mark.parametrize("starter", ["lapsed", "new", "regulars", "once", "mail"])
def test_every_ready_one_can_be_counted_and_kept(client: Client, starter: str) -> None:
    page = client.get("/segments/new/", {"start": starter})
    assert page.status_code == 200
    from rapport.web.components.segmentstarters import STARTERS

    said = offer()
    query = sent(
        form(STARTERS[starter].rule(said), said), said, title=starter, purpose="profiling", do="save"
    )
    answer = client.post("/segments/new/", query)
    assert answer.status_code == 302, text_of(answer)
    assert answer.headers["Location"] == f"/segment/{starter}/"


def test_the_list_shows_size_and_change(client: Client) -> None:
    with clock.frozen(MONDAY - 10 * DAY):
        key = kept()
    services.refresh()
    body = client.get("/segments/").content.decode()
    assert f'<a href="/segment/{key}/">Buyers</a>' in body
    assert f'<a href="/people/?segment={key}">1</a>' in body
    assert re.search(r"<td[^>]*>\+1</td>", body)
    assert '<svg class="spark"' in body
    assert 'aria-label="0 on 20 Feb, 1 now; between 0 and 1"' in body


# ---- the builder --------------------------------------------------------------------------------------


def test_the_count_comes_with_reach_and_people(client: Client, three: dict[str, int]) -> None:
    answer = client.post("/segments/draft/count/", fields(BUYERS), headers={"HX-Request": "true"})
    told = text_of(answer)
    assert re.search(r"\b1 33 % of 3 people", told)
    assert "E-mail 1" in told
    assert f"/person/{three['ana']}/" in answer.content.decode()
    assert "Everything up to now is counted." in told
    assert 'id="wrong-r_0" hx-swap-oob="true"' in answer.content.decode()


def test_a_row_that_is_wrong_is_named_and_the_others_count(client: Client) -> None:
    sent_fields = fields({"all": [*BUYERS["all"], {"profile": "country", "in": ["ES"]}]})
    answer = client.post(
        "/segments/draft/count/", {**sent_fields, "r_0.n": ""}, headers={"HX-Request": "true"}
    )
    told = text_of(answer)
    assert re.search(r"\b2 67 % of 3 people", told)  # both in Spain
    assert told.count("A number is missing. Type one, such as 2.") == 2  # beside the count, and at its row
    assert "Condition 1 is not counted" in told


def test_what_is_not_known_here_is_refused_at_its_row(client: Client) -> None:
    sent_fields = fields({"all": [{"trait": "shoe_size", "compare": {"op": ">", "value": 40}}]})
    told = text_of(client.post("/segments/draft/count/", sent_fields, headers={"HX-Request": "true"}))
    assert "There is no trait 'shoe_size'." in told
    answer = client.post("/segments/new/", {**sent_fields, "do": "save"})
    assert answer.status_code == 400
    assert "Nothing was kept yet" in text_of(answer)
    assert selectors.segments() == []


def test_the_builder_says_how_days_and_money_are_counted(alice: Staff, three: Say) -> None:
    with clock.frozen(dt.datetime(2026, 7, 2, 12, tzinfo=dt.UTC)):
        summer = logged_in(alice).get("/segments/new/").content.decode()
    assert "here one begins at 02:00 (Europe/Madrid)" in summer
    with clock.frozen(dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)):
        winter = logged_in(alice).get("/segments/new/").content.decode()
    assert "here one begins at 01:00 (Europe/Madrid)" in winter
    assert "Money is added up in EUR" in winter


def test_rows_are_added_by_script_and_without(client: Client) -> None:
    pressed = fields(BUYERS, do="add:r")
    fragment = client.post("/segments/draft/rows/", pressed, headers={"HX-Request": "true"})
    assert 'name="r_1.about"' in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "segment-changed" in fragment.headers["HX-Trigger-After-Settle"]
    page = client.post("/segments/new/", pressed)
    body = page.content.decode()
    assert 'name="r_1.about"' in body
    assert "autofocus" in body[body.index('id="f-r_1-about"') :][:400]
    assert 'value="Buyers"' in body  # what was typed is kept
    assert "of 3 people" in text_of(page)  # and counted, as no script will


def test_why_somebody_is_out_is_told_line_by_line(client: Client) -> None:
    for who in ("customer:2", "email:bo@example.org", "Bo"):
        told = text_of(
            client.post("/segments/draft/why/", fields(BUYERS, who=who), headers={"HX-Request": "true"})
        )
        assert "Bo is not in" in told
        assert "Does not hold: Bought at least 2 times in the last 90 days" in told
        assert "once, on 25 Feb" in told
    nobody = client.post("/segments/draft/why/", fields(BUYERS, who="zoe"), headers={"HX-Request": "true"})
    assert "Nobody is known as “zoe”." in text_of(nobody)
    page = client.post("/segments/new/", fields(BUYERS, who="customer:1", do="why"))
    assert "Ana Ruiz is in" in text_of(page)


def test_the_year_is_drawn_by_what_people_had_done(client: Client) -> None:
    answer = client.post("/segments/draft/year/", fields(BUYERS), headers={"HX-Request": "true"})
    assert "0 on 2 Mar 2025, 1 now" in text_of(answer)  # the second order of the 90 days came on Friday


def test_a_segment_is_made_changed_and_made_again(client: Client, three: dict[str, int]) -> None:
    assert client.post("/segments/new/", fields(BUYERS, do="save")).headers["Location"] == "/segment/buyers/"
    again = client.post("/segments/new/", fields(BUYERS, do="save"))
    assert "There is a segment called “Buyers” already. Choose another name." in text_of(again)
    services.refresh()
    asked = {"event": "order_placed", "count": {"op": ">=", "value": 1}}
    changed = client.post("/segment/buyers/edit/", {**fields(asked, do="save"), "title": "All buyers"})
    assert changed.status_code == 302
    services.refresh()
    found = selectors.segment("buyers")
    assert (found.title, found.n_members, found.version) == ("All buyers", 3, 2)
    like = client.get("/segments/new/", {"like": "buyers"}).content.decode()
    assert "All buyers, copy" in like
    assert three["chi"] in selectors.members_arrow("buyers")["person"].to_pylist()


# ---- one segment --------------------------------------------------------------------------------------


def test_a_segment_shows_its_rule_its_people_and_what_rests_on_it(
    client: Client, three: dict[str, int]
) -> None:
    kept()
    kept({"all": [{"segment": "buyers"}, {"profile": "country", "in": ["ES"]}]}, "Spanish buyers")
    page = client.get("/segment/buyers/")
    told = text_of(page)
    assert "Bought at least 2 times in the last 90 days" in told
    assert "1 person, worked out today" in told
    assert f"/person/{three['ana']}/" in page.content.decode()
    assert "The segment “Spanish buyers” asks for it" in told
    assert "100 % (1 of 1) of these are in it; 100 % of those in it are here" in told
    removed = client.post("/segment/buyers/do/", {"do": "remove"})
    assert removed.status_code == 409
    assert client.post("/segment/spanish-buyers/do/", {"do": "remove"}).status_code == 302
    assert client.post("/segment/buyers/do/", {"do": "remove"}).status_code == 302
    assert selectors.segments() == []
    assert client.get("/segment/buyers/").status_code == 404


def test_its_history_leads_to_who_came_and_went(client: Client, say: Say, three: dict[str, int]) -> None:
    kept()
    with clock.frozen(MONDAY + DAY):
        say(ordered("customer:2", -1))
        services.refresh()
        say(identified("customer:9"))  # who entered is an event, and is loaded as others are
        body = client.get("/segment/buyers/").content.decode()
        assert "Grew from 1 people on 2 Mar to 2" in body
        day = "2026-03-03"
        asked = {"way": "entered", "first": day, "last": day}
        assert f"/segment/buyers/moved/?way=entered&amp;first={day}&amp;last={day}" in body
        page = client.get("/segment/buyers/moved/", asked).content.decode()
        assert f"/person/{three['bo']}/" in page
        assert f"/person/{three['ana']}/" not in page
        assert client.get("/segment/buyers/moved/", {"way": "flew"}).status_code == 400


def test_refresh_now_is_a_job(client: Client) -> None:
    from rapport.web import jobs

    key = services.create("Buyers", BUYERS, by="alice@example.com").key
    assert "is being worked out" in text_of(client.get(f"/segment/{key}/"))
    assert client.post(f"/segment/{key}/do/", {"do": "refresh"}).status_code == 302
    jobs.run_due()
    assert selectors.segment(key).n_members == 1


def test_what_failed_is_said_with_what_to_do(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("the disk is full")

    key = kept()
    monkeypatch.setattr("rapport.segments.selectors.counting.persons_arrow", full)
    services.refresh()
    told = text_of(client.get(f"/segment/{key}/"))
    assert "It could not be worked out today 17:00: the disk is full" in told
    assert "Who is in it stays as it was." in told
    assert "failed" in text_of(client.get("/segments/"))


# ---- elsewhere ----------------------------------------------------------------------------------------


def test_people_are_narrowed_to_a_segment(client: Client, three: dict[str, int]) -> None:
    kept({"event": "order_placed", "count": {"op": ">=", "value": 2}})

    def shown(**asked: str) -> set[int]:
        body = client.get("/people/", {"segment": "buyers", **asked}).content.decode()
        return {n for n in three.values() if f'/person/{n}/"' in body}

    assert shown() == {three["ana"], three["chi"]}
    assert shown(q="Chi") == {three["chi"]}
    assert shown(q="Bo") == set()
    assert shown(country="DE") == set()
    assert "/privacy/exports/new/?segment=buyers" in client.get("/people/?segment=buyers").content.decode()


def test_a_person_says_in_which_segments_they_are(client: Client, three: dict[str, int]) -> None:
    kept()
    ana = client.get(f"/person/{three['ana']}/").content.decode()
    assert f'<a href="/segment/buyers/?who={three["ana"]}#why-title">Buyers</a>' in ana
    assert "In no segment." in client.get(f"/person/{three['bo']}/").content.decode()
    assert "Ana Ruiz is in" in text_of(client.get("/segment/buyers/", {"who": str(three["ana"])}))


def test_an_export_holds_the_segment_as_far_as_it_may_leave(client: Client) -> None:
    kept({"event": "order_placed", "count": {"op": ">=", "value": 2}})
    page = client.get("/privacy/exports/new/", {"segment": "buyers"}).content.decode()
    assert '<option value="buyers" selected>' in page
    sent_fields = {"use": "service", "why": "recall", "columns": ["name"], "segment": "buyers"}

    def names(**more: str) -> list[str]:
        answer: Any = client.post("/privacy/exports/new/", {**sent_fields, **more})
        return sorted(
            row["name"] for row in csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
        )

    assert names() == ["Ana Ruiz", "Chi"]
    assert names(use="marketing.email") == ["Ana Ruiz"]
    assert "Buyers" in client.get("/privacy/exports/").content.decode()
    gone: Any = client.post("/privacy/exports/new/", {**sent_fields, "segment": "gone"})
    assert gone.status_code == 400


def test_home_says_which_segment_moved_notably(client: Client, say: Say) -> None:
    with clock.frozen(MONDAY - 10 * DAY):
        key = kept()
    many = [f"customer:{n}" for n in range(100, 130)]
    say(*(identified(who) for who in many), *(ordered(who, n) for who in many for n in (1, 2)))
    services.refresh()
    answer = client.get("/home/news/")
    assert "Segment “Buyers” grew from 0 to 31 people in seven days 31 entered, 0 left" in text_of(answer)
    assert f"/segment/{key}/" in answer.content.decode()
    services.change(key, rule={"event": "order_placed"}, by="alice@example.com")
    services.refresh()
    told = text_of(client.get("/home/news/"))
    assert "Segment “Buyers”" not in told  # another rule is no change of people


# ---- who may ------------------------------------------------------------------------------------------


def test_bob_sees_no_segments_and_changes_none(bob: Staff, three: dict[str, int]) -> None:
    kept()
    client = logged_in(bob)
    for path in (
        "/segments/",
        "/segments/new/",
        "/segment/buyers/",
        "/segment/buyers/edit/",
        "/segment/buyers/reach/",
    ):
        assert client.get(path).status_code == 403, path
    for path in ("/segments/draft/count/", "/segments/draft/why/", "/segment/buyers/do/"):
        assert client.post(path, {}).status_code == 403, path
    body = client.get("/people/", {"segment": "buyers"}).content.decode()
    assert "f-segment" not in body
    assert f"/person/{three['bo']}/" in body  # the filter is not his to use
    assert 'href="/segments/"' not in body
