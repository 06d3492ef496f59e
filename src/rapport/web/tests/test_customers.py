"""What holds for every page of the customers' own: looking changes nothing, and nobody else looks along."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.urls import get_resolver
from django.utils import translation

from rapport.consent import links, services
from rapport.events import spool
from rapport.staff.models import Staff
from rapport.web import customers
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"
SCANNERS: tuple[dict[str, str], ...] = (
    {},
    {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Link Protection)"},
    {"User-Agent": "Mozilla/5.0 (compatible; proofpoint)", "Purpose": "prefetch"},
)


@pytest.fixture
def addresses(alice: Staff, ana: int) -> list[str]:
    """Every link that a message to Ana may hold."""
    services.grant(ANA, "marketing", "email", how="form")
    whole = [links.url_for(ANA, page) for page in links.PAGES]
    whole += [links.url_for(ANA, page, message="1", lang="ko") for page in links.PAGES]
    whole += [links.one_click_url(ANA, "marketing", "email", "m-1"), links.object_url("mastodon")]
    whole += [f"{links.public_url()}/my/"]
    return [url.removeprefix(links.public_url()) for url in whole]


def everything_stored() -> dict[str, Any]:
    """Each table with all of its rows, and how far the spool has come."""
    found: dict[str, Any] = {"spool": spool.current().next_seq()}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{name}"')
            found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def test_a_scanner_that_fetches_every_link_thrice_changes_nothing(addresses: list[str]) -> None:
    before = everything_stored()
    for headers in SCANNERS:
        client = Client(headers=headers)
        for address in addresses:
            assert client.get(address).status_code == 200, address
            assert client.head(address).status_code == 200, address
            assert client.options(address).status_code in {200, 405}, address
        assert not client.cookies
    after = everything_stored()
    assert after == before


def test_each_page_has_an_address_that_links_can_make() -> None:
    named = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {f"customer_{page}" for page in links.PAGES} <= named


def test_no_page_has_a_script_a_cookie_or_anything_of_a_third_party(addresses: list[str]) -> None:
    for address in addresses:
        answer = Client().get(address)
        html = answer.content.decode()
        assert "<script" not in html, address
        assert not answer.cookies, address
        assert not re.findall(r'\b(?:src|href|action)="(?:https?:)?//(?!localhost)', html), address
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]


def test_staff_who_are_logged_in_see_what_customers_see(alice: Staff, addresses: list[str]) -> None:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    for address in addresses:
        assert client.get(address, headers={"Accept-Language": "de"}).content == (
            Client(headers={"Accept-Language": "de"}).get(address).content
        ), address


@pytest.mark.parametrize("page", sorted(links.PAGES))
def test_a_made_up_link_opens_nothing(alice: Staff, page: str) -> None:
    answer = Client().get(f"/my/{page}/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "not one that we made" in html
    assert "Otter Tools" in html


def test_a_language_written_from_right_to_left_turns_the_page(addresses: list[str]) -> None:
    with override_settings(LANGUAGES=[*settings.LANGUAGES, ("ar", "العربية")]):
        html = Client().get(addresses[0], {"lang": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl"' in html


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES])
def test_every_page_opens_in_every_language(addresses: list[str], code: str) -> None:
    for address in addresses:
        answer = Client(headers={"Accept-Language": code}).get(address.partition("?")[0])
        assert answer["Content-Language"] == code
        assert f'<html lang="{code}"' in answer.content.decode()
    with translation.override(code):
        assert translation.get_language() == code


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        ("email:ana@example.org", "a•••@example.org"),
        ("email:a@b", "a•••@b"),
        ("phone:+34600123456", "+34600•••56"),
        ("phone:+341", "•••41"),
        ("customer:1", "1"),
        ("mastodon:ana@example.social", "an•••al"),
    ],
)
def test_an_identifier_is_half_hidden(identifier: str, shown: str) -> None:
    assert customers.hidden(identifier) == shown


def test_the_language_is_asked_for_then_stated_then_the_browsers(alice: Staff, say: Say) -> None:
    say(identified("customer:1", ANA, name="Ana"))
    page = links.url_for(ANA).removeprefix(links.public_url())
    french = Client(headers={"Accept-Language": "fr"})
    assert french.get(page)["Content-Language"] == "fr"
    services.state_preference(ANA, "language", "ko")
    assert french.get(page)["Content-Language"] == "ko"
    assert french.get(page, {"lang": "es"})["Content-Language"] == "es"
