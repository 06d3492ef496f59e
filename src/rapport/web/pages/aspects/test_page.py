from __future__ import annotations

import datetime as dt

from rapport.insights import selectors
from rapport.insights import services as insights
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint

SAID = [
    "The delivery was late, terrible!",
    "Awful delivery, the parcel never came.",
    "Delivery took ages, I hate that.",
    "Bad delivery again, very disappointed.",
    "Great delivery, thank you, love it!",
    "The price is excellent, wonderful!",
]


def heard(say: Say) -> None:
    say(
        *[
            touchpoint(
                "post_published",
                f"mastodon:ana{k}@example.social",
                ts=MONDAY - dt.timedelta(days=20 + k),
                text=text,
            )
            for k, text in enumerate(SAID)
        ]
    )
    insights.run(["aspect"])


def test_aspects_are_listed_with_share_interval_and_the_way_to_the_texts(alice: Staff, say: Say) -> None:
    heard(say)
    client = logged_in(alice)
    page = client.get("/aspects/")
    rows = {row.aspect.key: row for row in page.context["rows"]}
    delivery = rows["delivery"]
    assert delivery.fare.n == 5
    assert delivery.fare.n_judged >= 5
    html = page.content.decode()
    assert "Delivery fares worst" in html
    assert "<svg" in html
    assert "nobody judges it" in html, "of an aspect that nobody named"
    listed = client.get(delivery.urls["negative"])
    assert len(listed.context["texts"]) == delivery.fare.n_negative
    one = client.get("/aspects/of/delivery/").content.decode()
    assert "drew most blame in" in one
    assert "deliver*" in one


def test_words_are_changed_and_wrong_ones_are_said(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    cost = {"title": "Cost", "words_en": "price*, dear −", "other_language": "nl", "other_words": "prijs"}
    saved = client.post("/aspects/of/price/change/", cost, follow=True)
    assert "read again by these words" in saved.content.decode()
    assert dict(selectors.aspect("price").words) == {"en": ["price*", "dear −"], "nl": ["prijs"]}
    again = client.get("/aspects/of/price/")
    assert "prijs" in again.content.decode()
    wrong = client.post("/aspects/of/price/change/", {"title": "Cost", "words_en": "p*"})
    assert wrong.status_code == 400
    assert "would find nearly every text" in wrong.content.decode()
    assert client.post("/aspects/of/price/change/", {"title": ""}).status_code == 400
    assert client.get("/aspects/of/weather/").status_code == 404


def test_an_aspect_is_added_dropped_and_taken_back(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    assert client.get("/aspects/add/").status_code == 200
    added = client.post("/aspects/add/", {"title": "Packaging", "words_de": "verpack*"}, follow=True)
    assert "Verpack" in added.content.decode() or "verpack*" in added.content.decode()
    assert client.post("/aspects/add/", {"title": "Packaging", "words_de": "verpack*"}).status_code == 400
    client.post("/aspects/of/packaging/decide/", {"do": "no"})
    assert "packaging" not in [a.key for a in selectors.aspects()]
    assert "Take it back" in client.get("/aspects/").content.decode()
    client.post("/aspects/of/packaging/decide/", {"do": "yes"})
    assert "packaging" in [a.key for a in selectors.aspects()]


def test_an_aspect_may_be_called_as_a_page_is(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    for title in ("Look", "Add", "Of"):
        added = client.post("/aspects/add/", {"title": title, "words_en": f"{title.lower()}*"}, follow=True)
        assert added.status_code == 200
        assert f"{title.lower()}*" in added.content.decode()


def test_what_was_found_is_proposed_with_quotes_and_decided(alice: Staff, say: Say) -> None:
    say(
        *[
            touchpoint(
                "post_published",
                f"mastodon:a{k}@example.social",
                text=f"The manual is terrible, I hate it! {k}",
            )
            for k in range(10)
        ],
        *[
            touchpoint(
                "post_published",
                f"mastodon:b{k}@example.social",
                text=f"We walked over the bridge in town at {k}",
            )
            for k in range(20)
        ],
    )
    insights.run(["language", "sentiment"])
    client = logged_in(alice)
    looked = client.post("/aspects/look/", follow=True)
    (proposal,) = looked.context["waiting"]
    assert (proposal.aspect.key, proposal.aspect.n_found, len(proposal.quotes)) == ("manual", 10, 3)
    assert "waits for your yes" in client.get("/aspects/of/manual/").content.decode()
    client.post("/aspects/of/manual/decide/", {"do": "yes"})
    assert "manual" in [a.key for a in selectors.aspects()]
    assert "Nothing else is judged" in client.post("/aspects/look/", follow=True).content.decode()


def test_whoever_reads_insights_sees_aspects_and_changes_none(alice: Staff, bob: Staff, say: Say) -> None:
    assert logged_in(bob).get("/aspects/").status_code == 403
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    client = logged_in(bob)
    page = client.get("/aspects/")
    can = bool(page.context["can_change"])
    assert page.status_code == 200
    assert (client.get("/aspects/add/").status_code == 200) == can
    assert (client.post("/aspects/of/price/decide/", {"do": "no"}).status_code == 302) == can
    assert client.get("/aspects/look/").status_code == (405 if can else 403)
