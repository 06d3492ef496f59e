from __future__ import annotations

from pathlib import Path

import pytest

from rapport.events.collector import refusals
from rapport.onsite import selectors as onsite
from rapport.onsite import services
from rapport.staff.models import Staff
from rapport.web.conftest import Say, logged_in, touchpoint

SITE = "/tracking/web-shop/"


@pytest.fixture
def site(home: Path, db: None) -> onsite.SiteView:
    return services.add_site("web-shop", origins=["https://shop.example"])


def test_alice_is_led_to_her_site_or_to_adding_one(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    assert "Add a site" in client.get("/tracking/").content.decode()
    wrong = client.post("/tracking/add/", {"name": "!", "origin": ""})
    assert wrong.status_code == 400
    assert "letters and digits" in wrong.content.decode()
    answer = client.post("/tracking/add/", {"name": "Web shop", "origin": "shop.example"})
    assert answer["Location"] == SITE
    assert client.get("/tracking/")["Location"] == SITE
    assert onsite.site("web-shop").origins == ("https://shop.example",)
    again = client.post("/tracking/add/", {"name": "Web shop"})
    assert "already" in again.content.decode()


def test_the_snippet_names_the_collector_and_the_key(
    alice: Staff, site: onsite.SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    html = client.get(SITE, headers={"host": "localhost:8000"}).content.decode()
    assert f"src=&quot;http://localhost:8001/c/r.js&quot; data-key=&quot;{site.key}&quot;" in html.replace(
        '"', "&quot;"
    )
    assert "Nothing has arrived yet." in html
    monkeypatch.setenv("RAPPORT_COLLECTOR_URL", "https://events.shop.example/")
    assert "https://events.shop.example/c/r.js" in client.get(SITE).content.decode()


def test_what_is_missing_is_said_and_an_address_allowed_by_a_press(
    alice: Staff, site: onsite.SiteView
) -> None:
    client = logged_in(alice)
    services.change_site("web-shop", by="", purposes=[], is_on=False, origins=[])
    noted = refusals.Refusals()
    noted.add("web-shop", "foreign_origin", what="page", origin="https://new.example")
    noted.write()
    html = client.get(SITE).content.decode()
    assert "switched off" in html
    assert "Nothing can arrive" in html
    assert "No address is allowed yet" in html
    assert "Allow https://new.example" in html
    live = client.get(f"{SITE}live/").content.decode()
    assert "This address is not among those" in live
    client.post(f"{SITE}do/", {"do": "allow", "origin": "https://new.example", "back": "tracking_live"})
    assert onsite.site("web-shop").origins == ("https://new.example",)


def test_what_arrives_is_shown_live(alice: Staff, site: onsite.SiteView, say: Say) -> None:
    from rapport.kit import clock

    say(
        touchpoint("page_viewed", "anonymous:a1", ts=clock.now(), properties={"path": "/wipers"}),
        touchpoint("page_counted", "site:web-shop", ts=clock.now(), properties={"path": "/"}),
        source="web-shop",
    )
    client = logged_in(alice)
    html = client.get(f"{SITE}live/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert "/wipers" in html
    assert "browser a1" in html
    assert "nobody, counted" in html
    assert "Pages counted without anybody" in client.get(SITE).content.decode()


def test_settings_are_saved_and_what_cannot_be_is_said(alice: Staff, site: onsite.SiteView) -> None:
    client = logged_in(alice)
    given = {
        "is_on": "on",
        "origins": "https://a.example\nb.example",
        "before_consent": "count",
        "search": "find",
        "forms": "",
    }
    assert client.post(f"{SITE}settings/", given).status_code == 302
    found = onsite.site("web-shop")
    assert found.origins == ("https://a.example", "https://b.example")
    assert (found.before_consent, found.search) == ("count", ("find",))
    wrong = client.post(f"{SITE}settings/", given | {"origins": "https://*"})
    assert wrong.status_code == 400
    assert (
        "not the address of a site" in wrong.content.decode() or "allows too much" in wrong.content.decode()
    )
    assert onsite.site("web-shop") == found
    assert found.login_secret in client.get(f"{SITE}settings/").content.decode()
    client.post(f"{SITE}do/", {"do": "secret"})
    assert onsite.site("web-shop").login_secret != found.login_secret
    client.post(f"{SITE}do/", {"do": "key"})
    assert onsite.site("web-shop").key != found.key
    assert client.post(f"{SITE}do/", {"do": "toss"}).status_code == 400


def test_the_banner_is_shown_in_each_language_and_changed(alice: Staff, site: onsite.SiteView) -> None:
    client = logged_in(alice)
    assert "Dürfen wir uns diesen Besuch merken?" in client.get(f"{SITE}banner/?language=de").content.decode()
    said = {
        "form": "words",
        "title": "Kekse?",
        "body": "Ja oder nein.",
        "accept": "Ja",
        "refuse": "Nein",
        "save": "Teils",
    }
    assert client.post(f"{SITE}banner/?language=de", said).status_code == 302
    assert onsite.site("web-shop").texts["de"]["title"] == "Kekse?"
    assert "en" not in onsite.site("web-shop").texts
    given = {"is_asking": "on", "purposes": ["analytics"], "language": "fr", "ask_again_days": "90"}
    assert client.post(f"{SITE}banner/", given).status_code == 302
    found = onsite.site("web-shop")
    assert (found.purposes, found.language, found.ask_again_days) == (("analytics",), "fr", 90)
    assert client.post(f"{SITE}banner/", given | {"ask_again_days": "0"}).status_code == 400


def test_places_are_added_changed_and_removed(alice: Staff, site: onsite.SiteView) -> None:
    client = logged_in(alice)
    assert "greeting" in client.get(f"{SITE}places/").content.decode()
    given = {"name": "top-line", "kind": "text", "is_on": "on", "text_en": "Free delivery"}
    assert client.post(f"{SITE}place/", given).status_code == 302
    assert "Free delivery" in client.get(f"{SITE}places/").content.decode()
    wrong = client.post(f"{SITE}place/", given | {"name": "Top line"})
    assert wrong.status_code == 400
    assert "Free delivery" in client.get(f"{SITE}places/top-line/").content.decode()
    client.post(f"{SITE}places/top-line/", {"do": "remove"})
    assert [slot.name for slot in onsite.site("web-shop").slots] == ["greeting"]
    client.post(f"{SITE}places/", {"greets": "on"})
    assert onsite.site("web-shop").greets


def test_a_survey_stands_in_a_frame(alice: Staff, site: onsite.SiteView) -> None:
    from rapport.events.collector import sites
    from rapport.surveys import services as surveys
    from rapport.surveys.rules import starters

    surveys.create("nps", starters.starter("nps", ["en", "de"]).definition, by="alice")
    client = logged_in(alice)
    given = {"name": "asked", "kind": "survey", "is_on": "on", "text_de": "Sagen Sie es uns"}
    assert client.post(f"{SITE}place/", given | {"survey": "nps"}).status_code == 400  # a draft asks nobody
    surveys.publish("nps", by="alice")
    assert "Choose the survey" in client.post(f"{SITE}place/", given).content.decode()
    assert client.post(f"{SITE}place/", given | {"survey": "nps"}).status_code == 302
    published = sites.Sites()
    found = published.of_key(site.key)
    assert found
    assert found.slots["asked"].content["de"] == {
        "text": "Sagen Sie es uns",
        "href": "http://localhost:8000/s/nps/inline",
    }
    assert found.slots["asked"].content["fr"]["text"] == "Quelques questions"
    assert "selected" in client.get(f"{SITE}places/asked/").content.decode().partition('value="nps"')[2][:20]


def test_the_page_to_try_it_on_carries_the_script_under_a_strict_policy(
    alice: Staff, site: onsite.SiteView
) -> None:
    client = logged_in(alice)
    answer = client.get("/c/try?q=wiper&lang=de", headers={"host": "localhost:8000"})
    html = answer.content.decode()
    assert 'data-rapport-results="1"' in html
    assert 'data-lang="de"' in html
    policy = answer["Content-Security-Policy"]
    assert "script-src http://localhost:8001;" in policy
    assert "connect-src 'self' http://localhost:8001;" in policy
    assert "unsafe" not in policy
    assert client.get("/c/try/nobody").status_code == 404


def test_bob_may_not_look_and_an_analyst_may_not_change(
    alice: Staff, bob: Staff, site: onsite.SiteView
) -> None:
    from rapport.staff import services as staff

    assert logged_in(bob).get(SITE).status_code == 403
    analyst = staff.invite(alice, email="dora@example.com", name="Dora", role="analyst")[0]
    client = logged_in(analyst)
    html = client.get(f"{SITE}settings/").content.decode()
    assert '<button class="primary">Save' not in html
    assert site.login_secret not in html
    for path in ("settings/", "banner/", "places/", "do/", "place/"):
        assert client.post(SITE + path, {"do": "key"}).status_code == 403, path


def test_pages_of_a_site_that_is_not_there(alice: Staff, site: onsite.SiteView) -> None:
    assert logged_in(alice).get("/tracking/nobody/").status_code == 404
