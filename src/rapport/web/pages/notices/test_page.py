from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict
from rapport.knowledge import selectors, services
from rapport.messaging import selectors as messaging
from rapport.messaging.tests.conftest import set_up
from rapport.staff.models import Staff
from rapport.web import noticing
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint

NOTICE = {
    "title_en": "Wipers come late",
    "text_en": "The depot was flooded.",
    "owner": "alice@example.com",
    "products": "wipers",
    "countries": "",
    "words": "where are my wipers",
}
FACT = {
    "statement": "The e-Brio goes 300 km.",
    "about": "e-Brio",
    "aspect": "km",
    "source_name": "Data sheet",
    "stated_on": "2026-01-05",
}


def test_a_notice_is_written_published_and_ended(alice: Staff) -> None:
    client = logged_in(alice)
    assert "Nothing is wrong" in client.get("/notices-and-facts/").content.decode()
    assert client.post("/notices-and-facts/new/", NOTICE).status_code == 302
    (notice,) = selectors.notices()
    assert (notice.slug, notice.state, notice.words) == (
        "wipers-come-late",
        "draft",
        ("where are my wipers",),
    )
    address = f"/notices-and-facts/{notice.slug}/"
    changed = NOTICE | {"text_en": "The road is closed.", "seen": notice.mark}
    client.post(address, changed | {"do": "publish"})  # what was just written, not what was kept before
    assert selectors.notice(notice.slug).state == "published"
    assert selectors.notice(notice.slug).text("en") == "The road is closed."
    client.post(f"{address}do/", {"do": "end"})
    assert selectors.notice(notice.slug).state == "ended"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner": ""}, "nobody looks after"),
        ({"text_en": ""}, "says nothing"),
        ({"until": "soon"}, "is no time"),
    ],
)
def test_a_notice_that_is_none_is_refused(alice: Staff, changes: dict[str, str], said: str) -> None:
    answer = logged_in(alice).post("/notices-and-facts/new/", NOTICE | changes)
    assert answer.status_code == 400
    assert said in answer.content.decode().lower()
    assert selectors.notices() == []


def test_those_concerned_are_told_once_each_by_an_address_that_is_theirs(alice: Staff, say: Say) -> None:
    order = {"order_id": "1042", "items": [{"product_code": "w", "category": "wipers"}]}
    say(
        identified("customer:1", "email:ana@example.org", name="Ana"),
        touchpoint("order_placed", "customer:1", properties=order),
        touchpoint(
            "order_placed", "email:bo@example.org", properties=order | {"items": [{"category": "oil"}]}
        ),
    )
    client = logged_in(alice)
    client.post("/notices-and-facts/new/", NOTICE)
    with clock.frozen(MONDAY + dt.timedelta(days=1)):
        with pytest.raises(Conflict):
            noticing.warn("wipers-come-late")
        services.publish_notice("wipers-come-late", by="alice@example.com")
        assert "1 person" in client.get("/notices-and-facts/wipers-come-late/").content.decode()
        set_up(25)
        first = noticing.warn("wipers-come-late")
        again = noticing.warn("wipers-come-late")
    assert (first.intended, again.known) == (1, 1)
    delivery = messaging.delivery_of("notice:wipers-come-late:email:ana@example.org")
    assert delivery is not None
    assert (delivery.identifier, delivery.is_service) == ("email:ana@example.org", True)


def test_who_could_not_be_told_is_not_said_to_be_and_is_told_later(alice: Staff, say: Say) -> None:
    say(touchpoint("order_placed", "email:bo@example.org", properties={"order_id": "7"}))
    client = logged_in(alice)
    client.post("/notices-and-facts/new/", NOTICE | {"products": ""})
    services.publish_notice("wipers-come-late", by=alice.email)
    address = "/notices-and-facts/wipers-come-late/"
    with clock.frozen(MONDAY + dt.timedelta(days=1)):
        assert noticing.warn("wipers-come-late").withheld == {"no_channel": 1}
        assert selectors.notice("wipers-come-late").warned_at is None
        page = client.get(address).content.decode()
        assert "1 withheld: the channel is not set up" in page
        assert "mail is not set up" in page
        asked = client.post(f"{address}do/", {"do": "warn"}, follow=True).content.decode()
        assert "No mail can leave yet." in asked
        set_up(25)  # planned only: nothing leaves before the worker dispatches it
        again = noticing.warn("wipers-come-late")
        assert (again.planned, again.known) == (1, 0)
        assert noticing.warn("wipers-come-late").known == 1
        assert selectors.notice("wipers-come-late").warned_at is not None
        assert "1 waits" in client.get(address).content.decode()


def test_facts_are_written_and_retired(alice: Staff) -> None:
    client = logged_in(alice)
    assert "No fact is registered yet." in client.get("/notices-and-facts/facts/").content.decode()
    assert client.post("/notices-and-facts/facts/new/", FACT | {"aspect": ""}).status_code == 400
    assert client.post("/notices-and-facts/facts/new/", FACT).status_code == 302
    (fact,) = selectors.facts()
    assert fact.statement in client.get("/notices-and-facts/facts/").content.decode()
    client.post(f"/notices-and-facts/facts/{fact.key}/", FACT | {"do": "retire"})
    assert selectors.facts() == []


def test_what_contradicts_a_fact_is_listed_and_settled(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post("/notices-and-facts/facts/new/", FACT)
    say(touchpoint("post_published", "bluesky:bo", text="The <e-Brio> e-Brio goes 150 km at best"))
    html = client.get("/notices-and-facts/contradicted/").content.decode()
    assert "&lt;e-Brio&gt; e-Brio goes 150 km" in html
    (flag,) = selectors.flags()
    assert "Open in the inbox" in html
    opened = client.post("/notices-and-facts/contradicted/", {"seq": flag.seq, "do": "open"}, follow=True)
    assert opened.redirect_chain[0][0].startswith("/inbox/")
    assert "goes 150 km" in opened.content.decode()
    gone = client.post("/notices-and-facts/contradicted/", {"seq": flag.seq + 99, "do": "open"})
    assert gone.status_code == 404
    client.post("/notices-and-facts/contradicted/", {"number": flag.id, "do": "wrong"})
    assert "Nobody contradicts a fact." in client.get("/notices-and-facts/contradicted/").content.decode()


def test_rights(alice: Staff, charlie: Staff) -> None:
    from rapport.staff import services as staff

    analyst = logged_in(staff.invite(alice, email="dee@example.com", name="Dee", role="analyst")[0])
    assert analyst.get("/notices-and-facts/").status_code == 200
    for url in ("/notices-and-facts/new/", "/notices-and-facts/facts/new/"):
        assert analyst.get(url).status_code == 403
        assert logged_in(charlie).get(url).status_code == 403


def test_two_who_change_one_fact_or_notice_see_each_others_words(alice: Staff, bob: Staff, say: Say) -> None:
    ours, theirs = logged_in(alice), logged_in(bob)
    ours.post("/notices-and-facts/new/", NOTICE)
    ours.post("/notices-and-facts/facts/new/", FACT)
    (notice,), (fact,) = selectors.notices(), selectors.facts()
    for url, sent, name in (
        (f"/notices-and-facts/{notice.slug}/", NOTICE, "text_en"),
        (f"/notices-and-facts/facts/{fact.key}/", FACT, "statement"),
    ):
        seen = shown(ours.get(url).content.decode())
        assert theirs.post(url, sent | {"seen": seen, name: "It goes 290 km."}).status_code == 302
        mine = sent | {"seen": seen, name: "It goes 280 km."}
        refused = ours.post(url, mine)
        html = refused.content.decode()
        assert refused.status_code == 400
        assert "It goes 290 km." in html
        assert "It goes 280 km." in html
        assert "290" in f"{selectors.notice(notice.slug).texts} {selectors.fact(fact.key).statement}"
        assert ours.post(url, mine | {"seen": shown(html)}).status_code == 302
    assert (
        selectors.notice(notice.slug).texts["en"] == selectors.fact(fact.key).statement == "It goes 280 km."
    )


def shown(html: str) -> str:
    """The mark that a form carries."""
    return html.partition('name="seen" value="')[2].partition('"')[0]
