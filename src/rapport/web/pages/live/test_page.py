"""The live desk on screen: what is new waits behind a button, one press answers, and who may do what."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rapport.kit import clock, registry
from rapport.listening import services as listening
from rapport.listening.contract import KIND
from rapport.messaging.tests.network import Connector
from rapport.publishing import selectors, services
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint

if TYPE_CHECKING:
    from rapport.staff.models import Staff


@pytest.fixture
def live(home: Path, alice: Staff, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(
        registry.plugins(KIND), "loopback", registry.Plugin("loopback", KIND, __name__, Connector())
    )
    listening.add_source("here", "loopback", {"port": 9})
    with clock.frozen(MONDAY):
        ends = MONDAY + dt.timedelta(hours=1)
        begun = services.begin(
            title="Tiles live", sources=["here"], joins=[], starts_at=MONDAY, ends_at=ends, by=alice.email
        )
        yield selectors.broadcast(begun.pk)


def comment(who: str, text: str) -> dict[str, Any]:
    properties = {"network": "loopback", "post_id": f"{who}1", "author_name": who.title()}
    return touchpoint("post_published", f"loopback:{who}", venue="loopback", text=text, properties=properties)


def test_what_is_new_waits_behind_a_button(live: selectors.BroadcastView, alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    assert "Nobody waits for an answer." in client.get(f"/live/{live.id}/").content.decode()
    say(comment("ana", "Does it cut granite?"), comment("bo", "does it cut granite"), source="here")
    news = client.get(f"/live/{live.id}/news/?show=questions&after=0&since=0").json()
    assert (news["n_new"], news["new"], news["n_comments"]) == (1, "1 new", 2)
    rows = client.get(f"/live/{live.id}/rows/?show=questions&after=0").content.decode()
    assert "Does it cut granite?" in rows
    assert "× 2" in rows
    seen = selectors.bunches(live.id)[0].id
    again = client.get(f"/live/{live.id}/news/?show=questions&after={seen}&since={news['token']}").json()
    assert (again["n_new"], again["changed"]) == (0, [])


def test_one_press_answers_and_a_second_is_told_of_it(
    live: selectors.BroadcastView, alice: Staff, say: Say
) -> None:
    say(comment("ana", "Does it cut granite?"), source="here")
    (bunch,) = selectors.bunches(live.id)
    client = logged_in(alice)
    asked = {"do": "answer", "text": "Yes, up to two centimetres.", "known": "0"}
    done = client.post(f"/live/do/{bunch.id}/", asked, headers={"x-requested-with": "fetch"})
    assert 'data-state="answered"' in done.content.decode()
    late = client.post(f"/live/do/{bunch.id}/", asked, headers={"x-requested-with": "fetch"})
    assert late.status_code == 409
    assert "colleague" in late.content.decode()
    plain = client.post(f"/live/do/{bunch.id}/", {"do": "hide", "broadcast": str(live.id)})
    assert plain["Location"] == f"/live/{live.id}/"


def test_a_product_is_pinned_from_the_desk(live: selectors.BroadcastView, alice: Staff) -> None:
    client = logged_in(alice)
    client.post(
        f"/live/{live.id}/product/",
        {
            "do": "pin",
            "title": "Tile blade",
            "price": "49,90",
            "currency": "eur",
            "url": "https://otter.example/b",
        },
    )
    view = selectors.broadcast(live.id)
    assert (view.product, view.price_minor, view.currency) == ("Tile blade", 4_990, "EUR")
    assert "49.90" in client.get(f"/live/{live.id}/").content.decode()
    wrong = client.post(
        f"/live/{live.id}/product/", {"do": "pin", "title": "x", "price": "dear"}, follow=True
    )
    assert "is no amount" in wrong.content.decode()


def test_setting_up_and_who_may(
    live: selectors.BroadcastView, alice: Staff, bob: Staff, charlie: Staff
) -> None:
    client = logged_in(alice)
    given = {
        "title": "Evening",
        "sources": ["here"],
        "joins": "#OtterTV\n",
        "starts_at": "2026-03-02T18:00",
        "ends_at": "2026-03-02T19:00",
    }
    made = client.post("/live/new/", given)
    view = selectors.broadcasts()[0]
    assert made["Location"] == f"/live/{view.id}/"
    assert (view.joins, view.starts_at) == (("#ottertv",), dt.datetime(2026, 3, 2, 17, tzinfo=dt.UTC))
    assert client.post("/live/new/", given | {"ends_at": "2026-03-02T17:00"}).status_code == 400
    assert client.post(f"/live/{view.id}/change/", given | {"title": "Night"}).status_code == 302
    assert "Night" in client.get("/live/").content.decode()
    answers = logged_in(bob)
    assert answers.get(f"/live/{live.id}/").status_code == 200
    assert answers.get("/live/new/").status_code == 403
    assert logged_in(charlie).get("/live/").status_code == 403
