from __future__ import annotations

import dataclasses
import datetime as dt
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from rapport.kit import clock, signing
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters

ANA = "email:ana@example.org"
Publish = Callable[..., str]


def at(address: str) -> selectors.ResponseView:
    """The response whose address this is."""
    (text,) = signing.read("response", address.partition("?")[0].rpartition("/")[2])
    return selectors.response(uuid.UUID(text))


def n_responses(slug: str) -> int:
    return selectors.survey(slug).n_responses


@pytest.fixture
def publish(home: Path, db: None) -> Publish:
    def make(
        name: str, change: Callable[[rules.Definition], rules.Definition] = lambda d: d, **reach: object
    ) -> str:
        begun = starters.starter(name, ["en", "de"])
        reached = surveys.Reach(**{"places": ("link", "site", "mail"), **reach})  # type: ignore[arg-type]
        surveys.create(name, change(begun.definition), by="alice", reach=reached)
        surveys.publish(name, by="alice")
        return f"/s/{name}"

    return make


def html(client: Client, url: str, **headers: str) -> str:
    return client.get(url, headers=headers).content.decode()


def test_opening_and_scanning_changes_nothing(publish: Publish, client: Client) -> None:
    url = publish("nps")
    own = f"{url}/{surveys.survey_token('nps', ANA)}"
    for address in (url, own, f"{url}/inline", f"{url}/inline?visitor=abc", f"{own}?page=1"):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200
    assert n_responses("nps") == 0
    assert not client.cookies


def test_anybody_answers_page_by_page_and_goes_back(publish: Publish, client: Client) -> None:
    url = publish("nps")
    first = html(client, url)
    assert first.count('type="radio"') == 11
    assert "Nothing tells us who you are." in first
    answered = client.post(url, {"page": "0", "q-recommend": "9"})
    assert answered.status_code == 302
    onward = answered.headers["Location"]
    second = html(client, onward)
    assert "What is the main reason" in second
    assert "50 % done" in second
    back = re.search(r'href="([^"]*page=0[^"]*)"', second)
    assert back
    assert 'value="9" checked' in html(client, back.group(1))
    corrected = client.post(onward, {"page": "0", "q-recommend": "2"})
    assert corrected.status_code == 302
    done = client.post(corrected.headers["Location"], {"page": "1", "q-why": "too late"}, follow=True)
    assert "Your answers are kept." in done.content.decode()
    assert at(onward).answers == {"recommend": 2, "why": "too late"}
    assert n_responses("nps") == 1


def test_a_wrong_page_says_so_and_begins_nothing(publish: Publish, client: Client) -> None:
    url = publish("nps")
    refused = client.post(url, {"page": "0"})
    assert refused.status_code == 400
    text = refused.content.decode()
    assert "This one needs an answer." in text
    assert 'href="#q-recommend"' in text
    assert 'aria-describedby="q-recommend-wrong"' in text
    assert n_responses("nps") == 0
    assert client.post(url, {"page": "zero"}).status_code == 409
    assert client.post(url, {"page": "1", "q-why": "before its turn"}).status_code == 409


def test_a_link_of_ones_own_keeps_the_answers_with_its_holder(publish: Publish, client: Client) -> None:
    publish("nps")
    url = f"/s/nps/{surveys.survey_token('nps', ANA)}"
    first = html(client, url)
    assert "a•••@example.org" in first
    assert "/my/preferences/" in first
    onward = client.post(url, {"page": "0", "q-recommend": "9"}).headers["Location"]
    assert at(onward).identifier == ANA
    assert "What is the main reason" in html(client, url)  # the link of the mail goes on where they stopped


def test_a_link_for_another_survey_or_time_opens_nothing(publish: Publish, client: Client) -> None:
    publish("nps")
    publish("ces")
    token = surveys.survey_token("nps", ANA, ttl=dt.timedelta(days=1))
    assert client.get(f"/s/ces/{token}").status_code == 400
    assert client.get(f"/s/nps/{token[:-2]}").status_code == 400
    with clock.frozen(clock.now() + dt.timedelta(days=2)):
        expired = client.get(f"/s/nps/{token}")
    assert expired.status_code == 403
    assert "no longer good" in expired.content.decode()
    assert client.get("/s/nowhere").status_code == 404


def test_closed_over_and_full_are_said_in_words(publish: Publish, client: Client) -> None:
    full = rules.Quota("all", "All", 1)
    url = publish("nps", lambda d: dataclasses.replace(d, quotas=(full,)))
    onward = client.post(url, {"page": "0", "q-recommend": "9"}).headers["Location"]
    turned_away = client.get(url)
    assert turned_away.status_code == 410
    assert "We have enough answers" in turned_away.content.decode()
    assert "What is the main reason" in html(client, onward)  # whoever has a place keeps it
    surveys.pause("nps")
    assert "This survey is paused" in html(client, onward)
    surveys.close("nps")
    assert "This survey is closed" in html(client, url)
    over = publish("ces", closes_at=clock.now() + dt.timedelta(days=1))
    with clock.frozen(clock.now() + dt.timedelta(days=2)):
        assert "Its last day has passed" in html(client, over)


def test_the_language_is_the_readers(publish: Publish, client: Client) -> None:
    url = publish("nps")
    german = html(client, url, **{"Accept-Language": "de"})
    assert "Würden Sie uns weiterempfehlen?" in german
    french = html(client, f"{url}?lang=fr")  # a language the survey does not have: its own, and marked
    assert 'lang="en"' in french
    assert "Would you recommend us?" in french
    onward = client.post(f"{url}?lang=de", {"page": "0", "q-recommend": "9"}).headers["Location"]
    assert at(onward).language == "de"
    assert "wichtigste Grund" in html(client, onward.split("?")[0])


def test_registration_gives_back_at_once(publish: Publish, client: Client) -> None:
    url = publish("registration", recontact_days=0)
    done = client.post(url, {"page": "0", "q-birthday": "1990-05-17"}, follow=True).content.decode()
    assert "A present waits for you on that day." in done
    assert "How did you first hear of us?" not in done


def test_screened_out_is_kind(publish: Publish, client: Client) -> None:
    url = publish("fit")
    onward = client.post(url, {"page": "0", "q-uses": "no"}).headers["Location"]
    assert "These questions are for those who use it." in html(client, onward)
    assert at(onward).state == "screened_out"


def test_how_others_answered_shows_nobody(publish: Publish, client: Client) -> None:
    url = publish("nps")

    def answer(score: int) -> str:
        onward = client.post(url, {"page": "0", "q-recommend": str(score)}).headers["Location"]
        return client.post(onward, {"page": "1", "q-why": ""}, follow=True).content.decode()

    for _n in range(9):
        assert "Too few have answered" in answer(9)
    tenth = answer(10)
    assert "90\u00a0%" in tenth
    assert "your answer" in tenth


def test_on_the_site_within_a_frame_of_our_own_pages_only(publish: Publish, client: Client) -> None:
    url = publish("nps")
    framed = client.get(f"{url}/inline?visitor=abc")
    assert "X-Frame-Options" not in framed.headers
    policy = framed.headers["Content-Security-Policy"]  # no site is set up
    assert policy.endswith("frame-ancestors 'self'")
    assert client.get(url).headers["X-Frame-Options"] == "DENY"
    onward = client.post(f"{url}/inline?visitor=abc", {"page": "0", "q-recommend": "9"}).headers["Location"]
    assert onward.startswith("/s/nps/inline/")
    assert at(onward).identifier == "anonymous:abc"
    client.post(onward, {"page": "1"})
    assert "Your answers are kept." in html(client, f"{url}/inline?visitor=abc")
    ces = publish("ces")
    assert "We have asked you lately" in html(client, f"{ces}/inline?visitor=abc")  # whichever survey it was
    assert client.get(f"{ces}/inline?visitor=other").status_code == 200
