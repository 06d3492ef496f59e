from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from rapport.consent import services as consent
from rapport.explore.services import running
from rapport.kit import clock
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint
from rapport.web.pages.explore import asked

HTMX = {"HX-Request": "true"}
MARCH = {"first_day": "2026-02-01", "last_day": "2026-03-31"}


def order(n: int, who: str, minor: int, category: str = "oil", **columns: Any) -> dict[str, Any]:
    line = {"product_code": "p", "category": category, "quantity": 1, "unit_price_minor": minor}
    return touchpoint(
        "order_placed",
        who,
        value_minor=minor,
        currency="EUR",
        channel="shop",
        properties={"order_id": str(n), "items": [line], "country": "ES"},
        **columns,
    )


@pytest.fixture
def shop(say: Say) -> Say:
    """Ana, Bo, and seven more who ordered once."""
    say(
        identified("customer:ana", name="Ana Ruiz", country="ES", plan="gold"),
        identified("customer:bo", name="Bo Beck", country="DE", plan="blue"),
        order(1, "customer:ana", 8_500),
        order(2, "customer:bo", 1_550, "brakes"),
        *(order(10 + i, f"customer:c{i}", 1_000) for i in range(7)),
        touchpoint("page_viewed", "customer:ana", ts=clock.from_us(clock.to_us(MONDAY) - 60_000_000)),
    )
    return say


def question(**given: Any) -> str:
    return urlencode({"q": json.dumps({"period": MARCH, **given})})


def answered(client: Client, **given: Any) -> str:
    page = client.get(f"/explore/answer/?{question(**given)}", headers=HTMX)
    assert page.status_code == 200
    return html.unescape(page.content.decode()).replace("\u00a0", " ")


def test_alice_chooses_words_and_gets_a_drawing_with_its_figures(alice: Staff, shop: Say) -> None:
    client = logged_in(alice)
    begun = client.get("/explore/").content.decode()
    assert "Questions to begin with" in begun
    form = {"kind": "figures", "m": "revenue", "by": "category", "p": "days", "first": "2026-02-01"}
    page = client.get(f"/explore/?{urlencode({**form, 'last': '2026-03-31'})}").content.decode()
    assert "Revenue by category, from 1 Feb" in page
    (address,) = re.findall(r'hx-get="(/explore/answer/[^"]+)"', page)
    shown = client.get(html.unescape(address), headers=HTMX).content.decode().replace("\u00a0", " ")
    assert "oil leads with 155 EUR, 91 % of all" in shown
    assert "<svg" in shown
    assert re.search(r'<a href="/explore/behind/[^"]+">155</a>', shown)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"measures": ["orders"], "grain": "month"}, "Orders from 1 Feb to 31 Mar: 9"),
        ({"measures": ["orders"], "by": ["country"], "grain": "week"}, "most of it ES"),
        ({"measures": ["orders"], "by": ["weekday", "hour"]}, "13h"),
        ({"measures": ["people", "average_order"], "compare": True}, "none before"),
        ({"measures": ["repeat_share"]}, "0 of 9"),
        ({"measures": ["orders"], "by": ["trait:plan"]}, "fewer than 5"),
        ({"ask": "cohorts"}, "Began"),
        ({"ask": "funnel", "steps": ["page_viewed", "order_placed"]}, "100 % go all the way: 1 of 1 people"),
        ({"ask": "paths", "around": "order_placed", "direction": "before"}, "nothing before"),
        ({"measures": ["complaints"]}, "Nothing happened that this asks about."),
    ],
)
def test_every_kind_of_answer_is_drawn(alice: Staff, shop: Say, given: dict[str, Any], found: str) -> None:
    with clock.frozen(MONDAY):
        assert found in answered(logged_in(alice), **given)


def test_a_hidden_step_is_no_loss(alice: Staff, shop: Say) -> None:
    given: dict[str, Any] = {
        "ask": "funnel",
        "steps": ["order_placed", "page_viewed"],
        "by": "person_country",
    }
    shop(touchpoint("page_viewed", "customer:ana", ts=clock.from_us(clock.to_us(MONDAY) + 60_000_000)))
    with clock.frozen(MONDAY):
        shown = answered(logged_in(alice), **given)
    assert "go all the way" not in shown
    assert "fewer than 5" in shown
    assert "left=1" not in shown


def test_each_number_leads_to_its_events_and_people(alice: Staff, shop: Say) -> None:
    client = logged_in(alice)
    shown = answered(client, measures=["orders"], by=["category"])
    address = re.findall(r'<a href="(/explore/behind/[^"]+)">1</a>', shown)[0]
    behind = html.unescape(client.get(address).content.decode())
    assert "1 events of 1 person." in behind
    assert "Bo Beck" in behind
    assert "Ana Ruiz" not in behind
    consent.deny("customer:bo", "analytics", how="preference_page")
    shop(touchpoint("page_viewed", "customer:ana"))
    assert "Nobody is behind this number now." in client.get(address).content.decode()
    steps = answered(client, ask="funnel", steps=["page_viewed", "order_placed"])
    people = client.get(re.findall(r'"(/explore/people/[^"]+)"', steps)[0]).content.decode()
    assert "Ana Ruiz" in people
    ways = answered(client, ask="paths", around="order_placed", direction="before")
    walked = re.findall(r'"(/explore/people/[^"]+place=[^"]+)"', ways)[0]
    assert client.get(walked).status_code == 200


def test_every_number_can_be_taken_away(alice: Staff, shop: Say) -> None:
    client = logged_in(alice)
    taken = client.get(
        f"/explore/answer.csv?{question(measures=['orders', 'repeat_share'], by=['category'])}"
    )
    assert taken.headers["Content-Disposition"].startswith("attachment")
    lines = taken.content.decode().splitlines()
    assert lines[0] == "measure,category,bucket,is_before,currency,top,over,is_hidden"
    assert "orders,brakes,,False,,1,,False" in lines
    assert "repeat_share,,,False,,0,9,False" in lines
    ways = client.get(f"/explore/answer.csv?{question(ask='paths', around='order_placed')}").content.decode()
    assert ways.splitlines()[0] == "place_0,place_1,place_2,place_3,n"


def test_what_cannot_be_asked_is_said_in_words(alice: Staff, shop: Say) -> None:
    client = logged_in(alice)
    refused = client.get("/explore/?kind=figures&m=average_order&by=category&p=30d")
    assert refused.status_code == 400
    text = html.unescape(refused.content.decode())
    assert "“Average order” cannot be told apart by category" in text
    assert "$." not in re.sub(r"(?s)<script.*?</script>", "", text)
    assert client.get("/explore/?q={").status_code == 400
    assert client.get(f"/explore/?q={'[' * 3_000}").status_code == 400
    assert client.get("/explore/?kind=figures&m=revenue&p=days").status_code == 400
    for address in (
        "/explore/answer/",
        f"/explore/behind/?{question(measures=['orders'])}&m=7",
        f"/explore/behind/?{question(measures=['orders'])}&m=0&before=x",
        f"/explore/people/?{question(ask='funnel', steps=['page_viewed', 'order_placed'])}&step=9",
    ):
        assert client.get(address).status_code in (400, 422), address


def test_a_long_question_shows_how_far_it_is_and_can_be_stopped(
    alice: Staff, shop: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.explore import services

    look = running.Look("running", "a" * 32, ratio=0.4, elapsed_s=3.0)
    monkeypatch.setattr(services, "begin", lambda *_, **__: look)
    monkeypatch.setattr(services, "look", lambda *_: look)
    monkeypatch.setattr("rapport.web.pages.explore.page.QUICK_S", 0.0)
    client = logged_in(alice)
    shown = answered(client, measures=["orders"])
    assert "40 % done" in shown
    assert f"/explore/answer/{'a' * 32}/?q=" in shown
    assert client.post(f"/explore/answer/{'a' * 32}/stop/", headers=HTMX).status_code == 204
    failed = running.Look("failed", "a" * 32, message="it took too long", hint="Ask for less.")
    monkeypatch.setattr(services, "look", lambda *_: failed)
    ended = client.get(f"/explore/answer/{'a' * 32}/?{question(measures=['orders'])}").content.decode()
    assert "It took too long." in ended
    assert "Ask again" in ended


def test_bob_and_charlie_ask_nothing(bob: Staff, charlie: Staff, shop: Say) -> None:
    pages = ["", f"answer/?{question(measures=['orders'])}", f"behind/?{question(measures=['orders'])}"]
    for staff in (bob, charlie):
        assert [logged_in(staff).get(f"/explore/{page}").status_code for page in pages] == [403] * 3
    assert Client().get("/explore/").status_code == 302


def test_every_question_to_begin_with_can_be_asked() -> None:
    assert len({title for title, _said, _question in asked.starters()}) == len(asked.STARTERS)


def test_every_measure_and_dimension_has_words() -> None:
    from rapport.explore.rules import catalogue
    from rapport.web.components import exploring

    assert set(exploring.MEASURES) == set(catalogue.MEASURES)
    assert set(exploring.DIMENSIONS) == {d.name for d in catalogue.DIMENSIONS.values() if not d.is_prefix}
    assert "Value of “Order” plus value of “Refund”" in exploring.meaning("revenue")
    assert not [name for name in catalogue.MEASURES if "_" in exploring.meaning(name)]
    offered = [name for _label, names in asked.GROUPS for name in names]
    assert sorted(offered) == sorted(catalogue.MEASURES)
