"""The preference centre: what is shown, what saving does, and what it never does."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.kit import clock
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"
NO_SIGNAL: dict[str, str] = {}


@pytest.fixture
def wishes(say: Say, alice: Staff) -> str:
    """The address of Ana's preference centre."""
    say(identified("customer:1", ANA, name="Ana Ruiz"))
    return links.url_for(ANA).removeprefix(links.public_url())


def form_of(html: str) -> dict[str, list[str]]:
    """What a browser would send if one pressed Save at once."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", html):
        name, value = (re.search(rf'\b{a}="([^"]*)"', tag) for a in ("name", "value"))
        kind = re.search(r'type="(\w+)"', tag)
        is_pick = kind is not None and kind[1] in {"checkbox", "radio"}
        if name and (not is_pick or re.search(r"\bchecked\b", tag)):
            fields.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for select in re.findall(r'<select [^>]*name="(\w+)".*?</select>', html, re.DOTALL):
        fields.setdefault(select, [""])
    return fields


def shown(url: str, **headers: str) -> dict[str, list[str]]:
    return form_of(Client(headers=headers).get(url).content.decode())


def save(url: str, form: dict[str, list[str]], **headers: str) -> str:
    answer = Client(enforce_csrf_checks=True, headers=headers).post(url, form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def allowed(purpose: str, channel: str = "") -> bool:
    return consent.allows(ANA, purpose, channel).allowed


def test_each_purpose_is_told_in_plain_words_with_its_ground(wishes: str) -> None:
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    html = Client().get(wishes).content.decode()
    assert "Otter Tools" in html
    assert "a•••@example.org" in html
    assert "ana@example.org" not in html, "whoever looks over the shoulder reads no address"
    for text in (
        "News and offers",
        "Only if you allow it. You can take it back at any time.",
        "Needed for what you ordered",
        "We have a fair interest in it",
    ):
        assert text in html
    assert re.search(r"Allowed on .+, in a form \(shop\.example/news\)", html)


def test_saving_what_is_shown_changes_nothing(wishes: str) -> None:
    services.grant(ANA, "marketing", "email", how="form")
    html = save(wishes, shown(wishes))
    assert "Nothing was different, so nothing changed." in html
    assert len(consent.ledger(ANA)) == 1


def test_a_channel_is_allowed_and_taken_back(wishes: str) -> None:
    form = shown(wishes)
    form["allow"] = [*form.get("allow", []), "marketing.email", "research.email", "personalisation"]
    assert "Saved: 3 changes." in save(wishes, form)
    assert allowed("marketing", "email")
    assert not allowed("marketing", "sms")
    assert allowed("personalisation")
    (granted,) = [r for r in consent.ledger(ANA) if r.purpose == "marketing"]
    assert (granted.how, granted.shown) == ("preference_page", "preference page")
    form = shown(wishes)
    form["allow"].remove("research.email")
    save(wishes, form)
    assert not allowed("research", "email")
    assert allowed("marketing", "email")


def test_one_objects_to_what_needs_no_consent(wishes: str) -> None:
    form = shown(wishes)
    assert "profiling" in form["allow"], "done without asking, so it is shown as it is"
    form["allow"].remove("profiling")
    save(wishes, form)
    assert consent.allows(ANA, "profiling").reason == "objected"
    assert allowed("analytics")


def test_no_to_everything_leaves_only_what_was_ordered(wishes: str) -> None:
    services.grant(ANA, "marketing", how="form")
    form = shown(wishes) | {"do": ["none"]}
    save(wishes, form)
    refusable = [p for p in consent.purposes(active_only=True) if p.can_be_refused]
    assert not any(allowed(p.key, c) for p in refusable for c in p.channels or ("",))
    assert allowed("service", "email")
    n = len(consent.ledger(ANA))
    assert "nothing changed" in save(wishes, form)
    assert len(consent.ledger(ANA)) == n


def test_a_page_that_lay_open_does_not_bring_back_what_was_taken_back_since(wishes: str) -> None:
    services.grant(ANA, "marketing", "email", how="form")
    old = shown(wishes)
    services.withdraw(ANA, "marketing", "email", how="one_click")
    old["frequency"] = ["monthly"]
    save(wishes, old)
    assert not allowed("marketing", "email")
    assert consent.preferences(ANA)["frequency"] == "monthly"


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_a_browser_that_asks_not_to_be_tracked_has_it_taken_out(wishes: str, header: str) -> None:
    services.grant(ANA, "personalisation", how="banner")
    html = Client(headers={header: "1"}).get(wishes).content.decode()
    assert "Your browser asks not to be tracked" in html
    form = form_of(html)
    assert not {"profiling", "analytics", "personalisation"} & set(form.get("allow", []))
    assert allowed("profiling"), "looking changes nothing"
    save(wishes, form, **{header: "1"})
    for purpose in ("profiling", "analytics", "personalisation"):
        assert not allowed(purpose)
    assert "taken that out" not in Client(headers={header: "1"}).get(wishes).content.decode()


def test_topics_frequency_and_language_are_kept(wishes: str) -> None:
    form = shown(wishes)
    form |= {"topic": ["advice"], "frequency": ["weekly"], "language": ["ko"]}
    html = save(wishes, form)
    assert 'lang="ko"' in html, "from now on it speaks to her in her language"
    wished = consent.preferences(ANA)
    assert (wished["topics"], wished["frequency"], wished["language"]) == (["advice"], "weekly", "ko")
    form = shown(wishes)
    form["topic"] = [t.key for t in consent.topics()]
    save(wishes, form)
    assert consent.preferences(ANA)["topics"] is None


def test_a_pause_begins_is_kept_and_ends(wishes: str, noon: dt.datetime) -> None:
    save(wishes, shown(wishes) | {"pause": ["14"]})
    assert consent.preferences(ANA)["pause_until"] == "2026-03-16"
    assert "Keep my pause until March 16, 2026" in Client().get(wishes).content.decode()
    save(wishes, shown(wishes))
    assert consent.preferences(ANA)["pause_until"] == "2026-03-16"
    save(wishes, shown(wishes) | {"pause": ["end"]})
    assert consent.preferences(ANA)["pause_until"] is None
    save(wishes, shown(wishes) | {"pause": ["date"], "pause_date": ["2026-04-01"]})
    with clock.frozen(noon + dt.timedelta(days=31)):
        assert "No pause" in Client().get(wishes).content.decode(), "it is over"


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("", "Write the day"),
        ("soon", "Write the day"),
        ("2026-03-02", "That day is over"),
        ("2030-01-01", "more than two years"),
    ],
)
def test_a_wrong_day_is_told_and_nothing_is_saved(
    wishes: str, noon: dt.datetime, day: str, told: str
) -> None:
    form = shown(wishes) | {"pause": ["date"], "pause_date": [day], "frequency": ["monthly"]}
    form |= {"allow": ["marketing.email"], "topic": ["advice"], "language": ["fr"]}
    answer = Client().post(wishes, form)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert told in html
    assert 'aria-invalid="true"' in html
    assert consent.preferences(ANA)["frequency"] == "as_you_like"
    again = form_of(html)
    for name in ("allow", "topic", "frequency", "pause"):
        assert again[name] == form[name], "nothing that she chose is lost"
    assert '<option value="fr" lang="fr" selected>' in html
    for name in ("was", "was_topic", "was_frequency"):
        assert again[name] == form[name], "and what was so before is not mistaken for it"


def test_an_address_that_messages_came_back_from_says_so(wishes: str) -> None:
    services.grant(ANA, "marketing", "email", how="form")
    services.suppress(ANA, "email", "bounced")
    assert "Our messages came back from there" in Client().get(wishes).content.decode()


def test_who_allows_again_is_written_to_again(wishes: str) -> None:
    services.suppress(ANA, "email", "unsubscribed")
    form = shown(wishes)
    form["allow"].append("marketing.email")
    save(wishes, form)
    assert consent.is_suppressed(ANA, "email") is None


def test_somebody_nobody_has_heard_of_may_state_wishes(home: object, alice: Staff) -> None:
    chi = "email:chi@example.org"
    url = links.url_for(chi).removeprefix(links.public_url())
    form = shown(url)
    form["allow"] = [key for key in form["allow"] if key != "profiling"]
    save(url, form)
    assert consent.ledger(chi)[0].state == "withdrawn"


def test_it_speaks_the_language_that_is_asked_for(wishes: str) -> None:
    assert 'lang="de"' in Client(headers={"Accept-Language": "de"}).get(wishes).content.decode()
    html = Client(headers={"Accept-Language": "de"}).get(wishes, {"lang": "fr"}).content.decode()
    assert 'lang="fr" dir="ltr"' in html
    assert "lang=fr" in html, "the next page too"
    assert 'lang="en"' in Client().get(wishes, {"lang": "tlh"}).content.decode()


def test_an_old_link_offers_a_new_one(wishes: str) -> None:
    with clock.frozen(clock.now() + dt.timedelta(days=401)):
        answer = Client().get(wishes)
    assert answer.status_code == 403
    assert "This link is too old to be used." in answer.content.decode()
