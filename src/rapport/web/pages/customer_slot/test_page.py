from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rapport.onsite import selectors as onsite
from rapport.onsite import services

ANA = "0123456789abcdef0123456789abcdef"
SHOP = "https://shop.example"


@pytest.fixture
def site(home: Path, db: None) -> onsite.SiteView:
    services.add_site("web-shop", origins=[SHOP])
    return services.change_site("web-shop", by="", greets=True)


def ask(site: onsite.SiteView, origin: str | None = SHOP, **changes: Any) -> Any:
    asked = {"key": site.key, "slot": "greeting", "id": ANA, "lang": "en"} | changes
    headers = {"origin": origin} if origin else {}
    return Client(enforce_csrf_checks=True).post(
        "/c/slot", json.dumps(asked), content_type="text/plain", headers=headers
    )


def test_a_page_of_the_site_hears_whom_to_greet(
    site: onsite.SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onsite, "greeting", lambda *given: "|".join(given))
    answer = ask(site)
    assert answer.json() == {"text": f"{site.key}|greeting|{ANA}|en"}
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_a_stranger_is_greeted_by_no_name(site: onsite.SiteView) -> None:
    assert ask(site).json() == {"text": ""}


def test_other_pages_hear_nothing(site: onsite.SiteView) -> None:
    for refused in (ask(site, "https://evil.example"), ask(site, None), ask(site, key="another")):
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused
    services.change_site("web-shop", by="", is_on=False)
    assert ask(site).status_code == 403


def test_what_is_no_request_of_the_script_is_refused(site: onsite.SiteView) -> None:
    client = Client()
    assert client.post("/c/slot", "{", content_type="text/plain").status_code == 400
    assert client.post("/c/slot", "[]", content_type="text/plain").status_code == 400
    assert client.get("/c/slot").status_code == 405
