from __future__ import annotations

import datetime as dt

from django.test import Client

from rapport.kit import clock
from rapport.knowledge import services
from rapport.staff.models import Staff

BY = "alice@example.com"


def written() -> str:
    return services.write_notice(
        "",
        services.NoticeWritten(
            {"en": "Parcels come late", "de": "Pakete kommen später"}, {"en": "Flood.", "de": "Hochwasser."}, BY,
            countries=["DE"], until=clock.now() + dt.timedelta(days=2),
        ),
        by=BY,
    )  # fmt: skip


def test_a_notice_is_read_by_anybody_in_their_language_once_published(alice: Staff) -> None:
    slug = written()
    client = Client()
    assert "Nothing that we know of" in client.get("/notices/").content.decode()
    assert client.get(f"/notices/{slug}/").status_code == 404
    services.publish_notice(slug, by=BY)
    answer = client.get("/notices/?lang=de")
    assert "Pakete kommen später" in answer.content.decode()
    assert "public" in answer["Cache-Control"]
    assert "max-age=60" in answer["Cache-Control"]
    assert not answer.cookies
    services.update_notice(slug, {"en": "It leaves tomorrow."}, by=BY)
    html = client.get(f"/notices/{slug}/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    for text in ("Parcels come late", "Flood.", "It leaves tomorrow.", "We expect", "DE"):
        assert text in html
    assert "<script" not in html


def test_the_last_word_is_that_of_the_last_update_and_says_its_zone(alice: Staff) -> None:
    with clock.frozen(dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)):
        slug = written()
        services.publish_notice(slug, by=BY)
    with clock.frozen(dt.datetime(2026, 3, 3, 9, 30, tzinfo=dt.UTC)):
        services.update_notice(slug, {"en": "See https://ferry.example/now <b>."}, by=BY)
    listed = Client().get("/notices/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "Last word: March 3, 2026, 10:30 a.m. CET." in listed  # Madrid is an hour ahead
    html = Client().get(f"/notices/{slug}/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<a href="https://ferry.example/now" rel="nofollow">' in html
    assert "&lt;b&gt;" in html


def test_what_takes_longer_and_what_is_over_is_said(alice: Staff) -> None:
    slug = written()
    services.publish_notice(slug, by=BY)
    with clock.frozen(clock.now() + dt.timedelta(days=3)):
        assert "it takes longer" in Client().get(f"/notices/{slug}/").content.decode()
    services.end_notice(slug, by=BY)
    assert "This is over since" in Client().get(f"/notices/{slug}/").content.decode()
    assert "Over" in Client().get("/notices/").content.decode()
