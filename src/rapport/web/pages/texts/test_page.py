from __future__ import annotations

import pytest
from django.test import Client

from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.insights import selectors as insights
from rapport.staff.models import Staff
from rapport.web.components import spokenwords
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


@pytest.fixture
def written(say: Say) -> int:
    """Two posts that models have read; gives the number of the first."""
    first = spool.current().next_seq()
    say(
        touchpoint(
            "post_published",
            "mastodon:bo@example.social",
            ts=MONDAY,
            venue="mastodon/example.social",
            text="Terrible cable, it broke at once!",
        ),
        touchpoint(
            "post_published", "mastodon:chi@example.social", ts=MONDAY, text="Thank you, wonderful service"
        ),
    )
    subscriptions.drain()
    events.settle(spool.current().next_seq() - 1)
    return first


def shown(client: Client, **query: str) -> list[str]:
    return [str(text.marked) for text in client.get("/texts/", query).context["texts"]]


def test_the_words_that_decided_are_marked_and_explained(alice: Staff, written: int) -> None:
    html = logged_in(alice).get("/texts/").content.decode()
    assert "<mark>Terrible</mark> cable" in html
    assert "Reads as negative" in html


def test_one_press_corrects_and_every_list_follows_at_once(alice: Staff, written: int) -> None:
    client = logged_in(alice)
    answer = client.post(
        f"/texts/{written}/correct/", {"to": "sentiment|neutral"}, headers={"HX-Request": "true"}
    )
    html = answer.content.decode()
    assert "corrected it; the model had said “negative”." in html
    assert "mastodon/example.social" in html, "where it was written stays on its line"
    assert '<option value="">' in html, "what else is wrong is chosen, not the first there is"
    assert client.post(f"/texts/{written}/correct/", {"to": ""}).status_code == 400
    assert alice.email in html
    events.settle(spool.current().next_seq() - 1)
    assert len(shown(client, name="sentiment", label="neutral")) == 1
    assert shown(client, name="sentiment", label="negative") == []
    assert len(shown(client, name="sentiment", label="neutral", corrected="1", said="negative")) == 1
    assert shown(client, name="sentiment", label="neutral", corrected="1", said="positive") == []
    client.post(f"/texts/{written}/correct/", {"to": "sentiment|"})
    events.settle(spool.current().next_seq() - 1)
    assert len(shown(client, name="sentiment", label="negative")) == 1


def test_who_may_not_teach_sees_and_does_not_correct(bob: Staff, charlie: Staff, written: int) -> None:
    assert logged_in(charlie).get("/texts/").status_code == 403
    assert logged_in(bob).post(f"/texts/{written}/correct/", {"to": "sentiment|neutral"}).status_code == 403
    assert insights.n_corrections("sentiment") == 0


def test_what_is_not_there_and_what_is_wrong_is_said(alice: Staff, written: int) -> None:
    client = logged_in(alice)
    assert client.get("/texts/999999/").status_code == 404
    assert client.get("/texts/", {"before": "damaged"}).status_code == 400
    assert client.post(f"/texts/{written}/correct/", {"to": "sentiment|furious"}).status_code == 400
    assert "No text fits these filters" in client.get("/texts/", {"venue": "nowhere"}).content.decode()


def test_markup_in_a_text_stays_text_and_words_are_found_as_models_spell_them() -> None:
    marked = spokenwords.marked("<b>SOOOOO</b> don’t & 42 times", ["soo", "don't", "0"])
    assert marked == "&lt;b&gt;<mark>SOOOOO</mark>&lt;/b&gt; <mark>don’t</mark> &amp; <mark>42</mark> times"
    assert spokenwords.marked("no words", []) == "no words"


def test_odd_addresses_are_answered(alice: Staff, written: int) -> None:
    client = logged_in(alice)
    for query in ({"to": "9999-12-31"}, {"to": "0001-02-01"}, {"from": "3000-01-01"}):
        assert client.get("/texts/", query).status_code == 400
    assert client.get("/texts/", {"from": "1970-01-01", "to": "2999-12-31"}).status_code == 200
    for field in ("label", "name", "venue", "aspect", "said"):
        assert shown(client, **{field: "\0", "corrected": "1"}) == []
    assert client.post(f"/texts/{written}/correct/", {"to": "sentiment|\0"}).status_code == 400
    assert 'dir="auto"' in client.get("/texts/").content.decode()


def test_labels_are_offered_most_frequent_first_and_the_present_one_always() -> None:
    said = insights.Said("reason", "rare", None, 1.0, "staff", "", (), "", "", by="alice")
    choices = spokenwords._choices("reason", {"reason": ("common", "usual")}, said)
    assert [(c.label, c.is_now) for c in choices] == [("common", False), ("usual", False), ("rare", True)]


def test_a_label_may_hold_a_bar(alice: Staff, written: int) -> None:
    client = logged_in(alice)
    client.post(f"/texts/{written}/correct/", {"to": "contact_reason|order|late"})
    assert insights.n_corrections("contact_reason") == 1
    assert client.get("/texts/", {"name": "contact_reason", "label": "order|late"}).status_code == 200
    client.post(f"/texts/{written}/correct/", {"to": "contact_reason|"})
    assert insights.n_corrections("contact_reason") == 0
