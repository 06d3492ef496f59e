"""Everything we know of Ana: shown to whoever holds a fresh link of hers, and to nobody else."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, identified, touchpoint

ANA = "email:ana@example.org"


def everything(identifier: str = ANA) -> str:
    return links.url_for(identifier, "everything").removeprefix(links.public_url())


@pytest.fixture
def opened(alice: Staff, ana: int, say: Say) -> str:
    say(touchpoint("message_received", "customer:1", text="Does anyone know <why>?"))
    return everything()


def test_she_sees_what_is_known_and_whence(opened: str) -> None:
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    html = Client().get(opened).content.decode()
    for text in (
        "Customer number",
        "Ana Ruiz",
        "You said so",
        "from “crm”",
        "one row of an imported file carried both",
        "Order",
        "84.50\u00a0EUR",
        "Does anyone know &lt;why&gt;?",
        "It came late.",
        "News and offers: e-mail",
        "Nobody outside.",
    ):
        assert text in html, text


def test_what_only_might_be_hers_is_kept_from_her(opened: str, say: Say) -> None:
    say(identified("customer:2", name="Bo Lind"), touchpoint("order_placed", "customer:2"))
    a, b = people.subject_of("customer:1"), people.subject_of("customer:2")
    pair = pa.table({"a": [a], "b": [b], "confidence": [0.99], "evidence": ["similar"]})
    people_services.propose(pair, source="splink", accept_from=0.9)
    assert people.person_id("customer:2") == people.person_id("customer:1")
    html = Client().get(opened).content.decode()
    assert "Bo Lind" not in html
    assert "Ana Ruiz" in html


def test_a_long_history_is_read_page_by_page(opened: str, say: Say) -> None:
    say(
        *(
            touchpoint("site_searched", "customer:1", properties={"query": f"q{i}"}, ts=MONDAY)
            for i in range(70)
        )
    )
    first = Client().get(opened)
    assert first.context["older_url"]
    older = Client().get(first.context["older_url"])
    html = older.content.decode()
    assert "What happened before that" in html
    assert "Back to the start" in html
    assert "Your details" not in html
    shown = {e.seq for answer in (first, older) for e in answer.context["events"]}
    whole = people.timeline_of(people.own(ANA).subjects, limit=1_000)
    assert shown == {e.seq for e in whole.events}
    assert len(shown) > 70


def test_a_standing_link_opens_nothing_but_the_offer_of_a_fresh_one(opened: str) -> None:
    for page in ("everything", "correct", "take", "forget"):
        answer = Client().get(f"/my/{page}/{links.standing_token(ANA)}")
        html = answer.content.decode()
        assert answer.status_code == 403
        assert "needs a link that you have just asked for" in html
        assert f"page={page}" in html, "the new link opens what was wanted"
        assert "Ana Ruiz" not in html
        assert "84.50" not in html


def test_a_fresh_link_is_fresh_for_a_week(opened: str) -> None:
    with clock.frozen(clock.now() + dt.timedelta(days=8)):
        answer = Client().get(opened)
    assert answer.status_code == 403
    assert "This link is too old to be used." in answer.content.decode()


def test_of_a_stranger_there_is_nothing_to_show(alice: Staff, home: object) -> None:
    html = Client().get(everything("email:nobody@example.org")).content.decode()
    assert "We know nothing of you" in html


def test_no_script_no_cookie_no_cache_no_referrer(opened: str) -> None:
    answer = Client().get(opened)
    assert "<script" not in answer.content.decode()
    assert not answer.cookies
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
