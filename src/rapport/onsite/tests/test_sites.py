"""Sites: their settings, what is published of them, what arrives, whom to greet."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest

from rapport.consent import erasers
from rapport.consent import selectors as consent
from rapport.consent import services as consenting
from rapport.consent.erasers import Erasing
from rapport.events import lake, spool
from rapport.events.collector import sites as published
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.onsite import rules, selectors, services
from rapport.onsite.tests.conftest import ANA, MONDAY, SHOP, Browse, allowing, granted, settle
from rapport.people import selectors as people


def told() -> published.Published:
    found = published.Sites()
    found.of_key("")
    return found.published


def events() -> list[tuple[Any, ...]]:
    con = lake.connect()
    try:
        return con.execute(
            "SELECT e.name, s.identifier, e.venue, e.properties FROM event AS e JOIN subject AS s USING (subject)"
            " ORDER BY e.seq"
        ).fetchall()
    finally:
        con.close()


# Settings


def test_a_new_site_takes_nothing_before_consent_and_asks_in_five_languages(
    site: selectors.SiteView,
) -> None:
    services.add_site("Blog")
    blog = next(one for one in told().sites.values() if one.source == "blog")
    assert (blog.before_consent, blog.origins, blog.greeting) == ("nothing", [], False)
    assert [p.key for p in blog.purposes] == ["analytics", "personalisation"]
    for language in ("en", "de", "fr", "es", "ko"):
        assert set(blog.texts[language]) == set(rules.WORDS)
        assert all(p.texts[language][0] for p in blog.purposes)
    with pytest.raises(Conflict):
        services.add_site("blog")


def test_every_shipped_language_has_every_word() -> None:
    starting = rules.starting()
    assert set(starting) == set(rules.LANGUAGES)
    for said in starting.values():
        assert set(said) == {*rules.WORDS, "greeting", "greeting_named", "survey", "purposes"}
        assert set(said["purposes"]) == set(starting["en"]["purposes"])
        assert "{name}" in said["greeting_named"]


def test_the_banner_asks_again_when_what_it_asks_changes_and_not_otherwise(site: selectors.SiteView) -> None:
    def version() -> str:
        return told().sites[site.key].version

    before = version()
    services.change_site("web-shop", by="", search=["find"], ask_again_days=90)
    assert version() == before
    services.change_site("web-shop", by="", texts={"en": {"title": "Cookies?"}})
    asked_otherwise = version()
    assert asked_otherwise != before
    services.change_site("web-shop", by="", purposes=["analytics"])
    assert version() not in (before, asked_otherwise)


def test_the_text_behind_every_version_is_kept(site: selectors.SiteView) -> None:
    text, version = told().sites[site.key].purposes[0].texts["de"]
    assert selectors.shown_text(version) == text == rules.shipped_text("analytics", "de")
    assert selectors.shown_text("another") is None
    in_ledger = consent.wording("analytics", version)
    assert in_ledger
    assert in_ledger.text == text
    assert consent.wording("analytics", "another") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"before_consent": "everything"},
        {"origins": ["https://*"]},
        {"origins": ["https://*.com"]},
        {"origins": ["ftp://shop.example"]},
        {"origins": ["https://shop.example:port"]},
        {"purposes": ["everything"]},
        {"language": "tlh"},
        {"search": ["a b"]},
        {"texts": {"en": {"title": "x" * 401}}},
        {"texts": {"tlh": {"title": "x"}}},
        {"ask_again_days": 0},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_set_is_said_and_nothing_changes(
    site: selectors.SiteView, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        services.change_site("web-shop", by="", **changes)
    assert selectors.site("web-shop") == site


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example/page?x=1", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://shop.example:443", "https://shop.example"),
        ("*.shop.example", "https://*.shop.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_kept_as_browsers_say_it(given: str, kept: str) -> None:
    assert rules.origin(given) == kept


def test_a_replaced_key_and_secret_open_nothing_any_more(site: selectors.SiteView) -> None:
    renewed = services.replace_key("web-shop", by="alice@example.com")
    assert renewed.key != site.key
    assert set(told().sites) == {renewed.key}
    assert services.replace_login_secret("web-shop", by="").login_secret != renewed.login_secret


def test_a_slot_is_published_by_language_and_removed(site: selectors.SiteView) -> None:
    services.write_slot(
        "web-shop",
        "top-line",
        kind="text",
        content={
            "en": {"text": " Free delivery ", "href": "/delivery"},
            "de": {"text": ""},
            "tlh": {"text": "x"},
        },
    )
    slot = told().sites[site.key].slots["top-line"]
    assert (slot.kind, slot.content) == ("text", {"en": {"text": "Free delivery", "href": "/delivery"}})
    with pytest.raises(Invalid):
        services.write_slot("web-shop", "Top line", kind="text", content={})
    with pytest.raises(Invalid):
        services.write_slot(
            "web-shop", "a", kind="text", content={"en": {"text": "x", "href": "javascript:1"}}
        )
    services.remove_slot("web-shop", "top-line")
    assert "top-line" not in told().sites[site.key].slots
    with pytest.raises(NotFound):
        services.remove_slot("web-shop", "top-line")


# What becomes of what a browser says


def test_a_count_is_about_the_site_and_makes_nobody(site: selectors.SiteView, browse: Browse) -> None:
    browse({"type": "page", "properties": {"path": "/", "title": "t"}})
    ((name, identifier, venue, properties),) = events()
    assert (name, identifier, venue) == ("page_counted", "site:web-shop", "shop.example")
    assert json.loads(properties) == {"path": "/"}
    with pytest.raises(NotFound):
        people.subject_of("site:web-shop")
    con = lake.connect()
    assert con.execute("SELECT count(*) FROM session").fetchone() == (0,)
    con.close()


def test_who_allowed_it_has_a_session_and_a_consent_with_evidence(browse: Browse) -> None:
    browse(granted("analytics"), {"type": "page", "properties": {"path": "/a"}, **allowing("analytics")})
    assert [(name, identifier) for name, identifier, *_ in events()] == [
        ("consent_granted", f"anonymous:{ANA}"),
        ("page_viewed", f"anonymous:{ANA}"),
    ]
    answer = consent.allows(f"anonymous:{ANA}", "analytics")
    assert (answer.allowed, answer.reason) == (True, "basis_legitimate_interest")
    con = lake.connect()
    assert con.execute("SELECT n_pages, landing FROM session").fetchall() == [(1, "/a")]
    con.close()


def test_a_browser_cannot_make_up_an_order(browse: Browse) -> None:
    forged = {"order_id": "1", "total": 999, "currency": "EUR"}
    browse({"type": "track", "event": "Order Completed", "properties": forged, **allowing("analytics")})
    assert events() == []
    arrived = selectors.arrivals("web-shop")
    assert [(a.fate, a.reason, a.name) for a in arrived] == [
        ("quarantined", "not_from_a_browser", "Order Completed")
    ]
    assert "send it from your server" in arrived[0].message


def test_a_proof_joins_the_browser_to_the_customer(site: selectors.SiteView, browse: Browse) -> None:
    proof = hmac.new(site.login_secret.encode(), b"1001", hashlib.sha256).hexdigest()
    browse({"type": "identify", "userId": "1001", "proof": proof, **allowing("analytics")})
    assert people.person_id("customer:1001") == people.person_id(f"anonymous:{ANA}")
    edge = people.person("customer:1001").edges[0]
    assert (edge.evidence, edge.certainty) == ("login", "certain")


def test_a_personal_link_joins_the_browser_to_whom_it_was_sent(browse: Browse) -> None:
    url = services.personal_link(
        "https://shop.example/offer?utm_campaign=spring#top", "email:ana@example.org"
    )
    assert url.startswith("https://shop.example/offer?utm_campaign=spring&rp=")
    assert url.endswith("#top")
    token = url.partition("rp=")[2].removesuffix("#top")
    browse({"type": "identify", "token": token, **allowing("personalisation")})
    edge = people.person("email:ana@example.org").edges[0]
    assert edge.evidence == "link"


def test_a_withdrawal_elsewhere_ends_what_the_browsers_of_that_person_send(
    site: selectors.SiteView, browse: Browse
) -> None:
    proof = hmac.new(site.login_secret.encode(), b"1001", hashlib.sha256).hexdigest()
    page = {"type": "page", "properties": {"path": "/"}, **allowing("analytics")}
    assert "forget" not in browse(
        {"type": "identify", "userId": "1001", "proof": proof, **allowing("analytics")}, page
    )
    consenting.withdraw("customer:1001", "analytics", how="preference_page")
    settle()
    assert browse(page)["forget"] is True
    assert [name for name, *_ in events()][-1] == "page_counted"
    # Another browser, of nobody, is not touched; and a new grant lifts it.
    other = "f" * 32
    assert "forget" not in browse(page | allowing("analytics", anonymous=other))
    consenting.grant("customer:1001", "analytics", how="preference_page")
    settle()
    assert "forget" not in browse(page)


def test_the_browsers_of_somebody_erased_are_told_to_forget(browse: Browse) -> None:
    page = {"type": "page", "properties": {"path": "/"}, **allowing("analytics")}
    browse(page)
    erasing = Erasing((1, 2), (f"anonymous:{ANA}", "customer:1001"), ("", ""))
    for eraser in (erasers.registered()["onsite"],) * 2:
        assert eraser(erasing) == 0
    assert told().withdrawn == [published.withdrawn_hash(f"anonymous:{ANA}")]
    assert browse(page)["forget"] is True


def test_a_refusal_on_the_banner_is_not_held_against_a_later_answer_there(browse: Browse) -> None:
    denied = granted("analytics") | {"event": "consent_denied"}
    browse(granted("personalisation"), denied)
    assert told().withdrawn == []
    page = {"type": "page", "properties": {"path": "/"}, **allowing("analytics", "personalisation")}
    assert "forget" not in browse(granted("analytics"), page)


# What arrives


def test_what_arrives_and_what_is_refused_is_shown_with_its_reason(
    site: selectors.SiteView, browse: Browse
) -> None:
    browse({"type": "page", "properties": {"path": "/a"}, **allowing("analytics")})
    browse({"type": "track", "event": "quote_requested"})
    browse({"type": "page"}, origin="https://evil.example")
    browse({"type": "page"}, key="another")
    spool.current().append(
        [
            spool.Body(
                spool.SEGMENT,
                "web-shop",
                1,
                b'{"batch":[{"type":"page","properties":{"path":"/b"}}],"door":"site"}',
            )
        ]
    )
    found = {(a.fate, a.name, a.path, a.reason) for a in selectors.arrivals("web-shop")}
    assert found == {
        ("loaded", "page_viewed", "/a", ""),
        ("waiting", "page_viewed", "/b", ""),
        ("refused", "quote_requested", "", "no_consent"),
        ("refused", "", "", "foreign_origin"),
        ("refused", "", "", "unknown_key"),
    }
    with clock.frozen(MONDAY + dt.timedelta(minutes=20)):
        assert [a.fate for a in selectors.arrivals("web-shop")] == ["waiting"]


def test_how_a_site_fares(browse: Browse) -> None:
    assert selectors.state("web-shop").is_quiet
    browse(
        {"type": "page", "properties": {"path": "/"}, **allowing("analytics")},
        {"type": "page", "properties": {"path": "/"}},
        {"type": "track", "event": "banner_answered", "properties": {"choice": "refused"}},
    )
    state = selectors.state("web-shop")
    assert (state.n_identified, state.n_counted, state.n_refused, state.is_quiet) == (1, 1, 1, False)
    with clock.frozen(MONDAY + dt.timedelta(days=2)):
        assert selectors.state("web-shop").is_quiet


# Whom to greet


def greet(site: selectors.SiteView, language: str = "de") -> str:
    return selectors.greeting(site.key, "greeting", ANA, language)


def known(site: selectors.SiteView, browse: Browse) -> None:
    """Ana, known by the shop; she logged in with this browser and allowed personalisation."""
    from rapport.events import services as log

    log.touchpoint(
        "person_identified",
        "customer:1001",
        source="crm",
        properties={"traits": {"given_name": "Ana"}, "origin": "declared"},
    )
    proof = hmac.new(site.login_secret.encode(), b"1001", hashlib.sha256).hexdigest()
    who = {"type": "identify", "userId": "1001", "proof": proof, **allowing("personalisation")}
    browse(granted("personalisation"), who)


def test_somebody_is_greeted_who_is_known_for_certain_and_allowed_it(
    site: selectors.SiteView, browse: Browse
) -> None:
    known(site, browse)
    assert greet(site) == "Willkommen zurück, Ana"
    assert greet(site, "tlh") != ""
    assert selectors.greeting(site.key, "top-line", ANA, "de") == ""
    assert selectors.greeting("another", "greeting", ANA, "de") == ""
    assert selectors.greeting(site.key, "greeting", "f" * 32, "de") == ""


def test_nobody_is_greeted_who_took_it_back_or_where_the_site_does_not_greet(
    site: selectors.SiteView, browse: Browse
) -> None:
    known(site, browse)
    services.change_site("web-shop", by="", greets=False)
    assert greet(site) == ""
    services.change_site("web-shop", by="", greets=True)
    with clock.frozen(MONDAY + dt.timedelta(hours=1)):
        consenting.withdraw("customer:1001", "personalisation", how="preference_page")
        assert greet(site) == ""


def test_nobody_is_greeted_on_a_guess(site: selectors.SiteView, browse: Browse) -> None:
    from rapport.events import services as log

    # An import says that a browser is Ana's: good enough to count by, not to say her name to it.
    log.touchpoint(
        "person_identified",
        "customer:1001",
        source="crm",
        also=[f"anonymous:{ANA}"],
        evidence="import",
        properties={"traits": {"given_name": "Ana"}, "origin": "declared"},
    )
    browse(granted("personalisation"))
    assert people.person_id("customer:1001") == people.person_id(f"anonymous:{ANA}")
    assert greet(site) == ""


def test_the_origins_of_a_site(site: selectors.SiteView) -> None:
    assert selectors.origins_of(site.key) == (SHOP,)
    assert selectors.origins_of("another") is None
