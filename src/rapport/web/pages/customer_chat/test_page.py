from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rapport.events import services as events
from rapport.events import spool
from rapport.events.collector import door
from rapport.kit.errors import Unavailable
from rapport.onsite import selectors as onsite
from rapport.onsite import services as sites
from rapport.onsite.chat import selectors, services
from rapport.web.pages.customer_chat import page

SHOP = "https://shop.example"
TOKEN = "ab" * 16


@pytest.fixture
def site(home: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> onsite.SiteView:
    monkeypatch.setattr(page, "saying", door.Limit(burst=20, refill_per_s=0.5))
    found = sites.add_site("web-shop", origins=[SHOP])
    services.set_up(
        "web-shop", by="", is_on=True, hours={}, zone="UTC", greeting={"de": "Moin."}, within_min=60
    )
    return found


def post(site: onsite.SiteView, what: str, origin: str | None = SHOP, **given: Any) -> Any:
    body = {"key": site.key, "token": TOKEN} | given
    headers = {"origin": origin} if origin else {}
    return Client(enforce_csrf_checks=True).post(
        f"/chat/{what}", json.dumps(body), content_type="text/plain", headers=headers
    )


def said(
    site: onsite.SiteView, text: str = "Where is my order?", key: str = "line-0001", **given: Any
) -> Any:
    return post(site, "say", id=key, text=text, lang="en", page=f"{SHOP}/basket", **given)


def test_the_script_is_served_small_and_known_by_its_tag() -> None:
    client = Client()
    answer = client.get("/chat.js", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(answer.content) == client.get("/chat.js").content
    assert client.get("/chat.js", headers={"if-none-match": answer["ETag"]}).status_code == 304
    assert not answer.cookies


def test_a_page_of_the_site_hears_what_the_window_says(site: onsite.SiteView) -> None:
    answer = Client().get("/chat/config", {"key": site.key, "lang": "de-AT"}, headers={"origin": SHOP})
    told = answer.json()
    assert (told["lang"], told["words"]["greeting"], told["state"]) == ("de", "Moin.", "away")
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert not answer.cookies


def test_what_is_said_and_answered_is_heard(site: onsite.SiteView) -> None:
    answer = said(site)
    assert answer.status_code == 200
    assert not answer.cookies
    services.answer(selectors.chat_id(TOKEN), "It left today.", "d1")
    heard = post(site, "hear", after=0).json()
    assert [(line["ours"], line["text"], line["key"]) for line in heard["lines"]] == [
        (False, "Where is my order?", "line-0001"),
        (True, "It left today.", ""),
    ]
    assert post(site, "hear", after=heard["lines"][-1]["id"]).json()["lines"] == []
    assert post(site, "hear", token="cd" * 16, after=0).json()["lines"] == []


def test_it_is_acknowledged_only_once_it_is_in_the_log(
    site: onsite.SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = spool.current().next_seq()

    def full(*_given: object, **_named: object) -> None:
        raise Unavailable("the disk is full", "Make room.", retry_after_s=30)

    with monkeypatch.context() as patch:
        patch.setattr(events, "touchpoint", full)
        refused = said(site)
    assert refused.status_code == 503
    assert refused["Retry-After"] == "30"
    assert refused["Access-Control-Allow-Origin"] == SHOP  # else the window could not tell it from no answer
    assert spool.current().next_seq() == before
    assert said(site).status_code == 200
    assert spool.current().next_seq() == before + 1


def test_other_pages_have_no_chat(site: onsite.SiteView) -> None:
    for refused in (
        said(site, origin="https://evil.example"),
        said(site, origin=None),
        post(site, "say", key="another", id="line-0001", text="Hi"),
    ):
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused
    services.set_up("web-shop", by="", is_on=False, hours={}, zone="UTC", greeting={}, within_min=60)
    assert said(site).status_code == 403


def test_what_is_no_request_of_the_window_is_refused(site: onsite.SiteView) -> None:
    client = Client()
    for body in ("{", "[]", '"a"', "\ud800".encode("utf-8", "surrogatepass")):
        assert client.post("/chat/say", body, content_type="text/plain").status_code == 400
    assert client.get("/chat/say").status_code == 405
    assert said(site, text="a" * 50_000).status_code == 413
    assert said(site, text="a" * 4_001).status_code == 400
    assert post(site, "say", id=None, text={"a": 1}).status_code == 400
    assert post(site, "mail", mail="ana@example.org").status_code == 409  # nothing was asked yet
    assert post(site, "hear", after="9" * 40).status_code == 200


def test_brackets_without_end_are_no_request(site: onsite.SiteView) -> None:
    for wrong in ("[" * 30_000, '{"key":' * 5_000):
        sent = Client().post("/chat/say", wrong, content_type="text/plain", headers={"origin": SHOP})
        assert sent.status_code == 400


def test_who_floods_is_asked_to_wait(site: onsite.SiteView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "saying", door.Limit(burst=2, refill_per_s=0.001))
    answers = [said(site, key=f"line-000{n}") for n in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["Access-Control-Allow-Origin"] == SHOP


def test_a_browser_that_asks_not_to_be_tracked_is_tied_to_no_pages(
    site: onsite.SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    real = services.say

    def say(*wanted: Any, **named: Any) -> Any:
        given.append(named["visitor"])
        return real(*wanted, **named)

    monkeypatch.setattr(services, "say", say)
    number = "0123456789abcdef" * 2
    said(site, visitor=number)
    body = json.dumps({"key": site.key, "token": TOKEN, "id": "line-0002", "text": "Hi", "visitor": number})
    headers = {"origin": SHOP, "sec-gpc": "1"}
    Client().post("/chat/say", body, content_type="text/plain", headers=headers)
    assert given == [number, ""]
