from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from rapport.events import rules, services
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


def shown(client: Client, **query: str) -> list[str]:
    return [event.label for event in client.get("/events/", query).context["events"]]


def test_events_newest_first_each_opening_its_person(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    assert shown(client)[:2] == ["Complaint", "Post"]
    html = client.get("/events/", {"name": "order_placed"}).content.decode()
    assert "1042: 2 × Wiper blades, Battery cable" in html
    assert "84.50\u00a0EUR" in html
    opened = client.get(f"/person/{_subject(html)}/", follow=True)
    assert "Ana Ruiz" in opened.content.decode()


def _subject(html: str) -> str:
    return html.split('href="/person/')[1].split("/", maxsplit=1)[0]


def test_filters_narrow_by_name_day_source_person_and_import(alice: Staff, ana: int, say: Say) -> None:
    say(touchpoint("page_viewed", "customer:2", ts=MONDAY + dt.timedelta(days=3)), source="till")
    client = logged_in(alice)
    assert shown(client, source="till") == ["Page read"]
    assert shown(client, day="2026-03-05") == ["Page read"]
    assert shown(client, first="2026-03-03", last="2026-03-04") == []
    assert shown(client, who="mastodon:ana@example.social", name="post_published") == ["Post"]
    assert len(shown(client, **{"import": "import-1"})) == 5


def test_a_day_is_the_readers(alice: Staff, say: Say) -> None:
    say(touchpoint("page_viewed", "customer:2", ts=dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)))
    client = logged_in(alice)  # in Madrid, where it is past midnight
    assert shown(client, day="2026-03-02") == []
    assert shown(client, day="2026-03-03") == ["Page read"]


def test_labels_of_models_narrow_too(alice: Staff, ana: int) -> None:
    import pyarrow as pa

    from rapport.events import selectors

    (post,) = selectors.events_page(selectors.Filter(name="post_published"))
    row = {
        "seq": post.seq,
        "subject": post.subject,
        "ts": post.ts,
        "name": "sentiment",
        "label": "negative",
        "model": "m",
        "version": "1",
        "detail": json.dumps({}),
    }
    span = services.annotate(pa.Table.from_pylist([row], schema=rules.ANNOTATION))
    services.settle(span.first + span.n - 1)
    client = logged_in(alice)
    assert "Post" in shown(client, label="negative")  # beside what the models themselves call so
    assert "Post" not in shown(client, label="positive")


def test_pages_go_on_where_the_last_one_ended(alice: Staff, say: Say) -> None:
    say(*(touchpoint("page_viewed", f"customer:{i}") for i in range(60)))
    client = logged_in(alice)
    first = client.get("/events/")
    second = client.get(first.context["next_url"])
    seen = [e.seq for e in first.context["events"]] + [e.seq for e in second.context["events"]]
    assert len(seen) == len(set(seen)) == 60
    assert second.context["next_url"] == ""
    assert second.context["first_url"] == "/events/"


@pytest.mark.parametrize("query", [{"before": "x"}, {"first": "yesterday"}])
def test_a_damaged_address_is_said(alice: Staff, say: Say, query: dict[str, str]) -> None:
    assert logged_in(alice).get("/events/", query).status_code == 400


def test_somebody_unknown_is_said(alice: Staff, ana: int) -> None:
    answer = logged_in(alice).get("/events/", {"who": "email:nobody@example.org"})
    assert answer.status_code == 404
    assert "Nobody is known" in answer.content.decode()


def test_words_from_outside_stay_words(alice: Staff, say: Say) -> None:
    say(
        touchpoint(
            "page_viewed",
            "customer:<b>",
            text="<script>alert(1)</script>",
            properties={"path": "/<i>", "<u>": {"a": [1]}},
        )
    )
    html = logged_in(alice).get("/events/").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
    assert "<u>" not in html
    assert "<b>" not in html


def test_empty_says_what_to_do(alice: Staff, say: Say) -> None:
    assert "Nothing has happened yet." in logged_in(alice).get("/events/").content.decode()
    assert "No event fits" in logged_in(alice).get("/events/", {"name": "order_placed"}).content.decode()


def test_charlie_sees_no_event(charlie: Staff, ana: int) -> None:
    assert logged_in(charlie).get("/events/").status_code == 403
