from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.consent import services as consent
from rapport.insights import services as insights
from rapport.segments import rules
from rapport.segments import selectors as segments
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint
from rapport.web.pages.advocacy import page as advocacy_page

RING = "Never again will I order brake pads for my old car from this horrible shop, awful"
GLAD = (
    "I love this shop, wonderful people who really know cars",
    "Great service again, my parcel was early and perfect",
    "Very happy with the brake discs, excellent quality",
    "Thank you for the friendly answer, best support ever",
    "Amazing, the fitting guide saved my whole weekend",
    "So pleased with these wipers, brilliant value",
    "Fantastic experience from the first click to the door",
    "My mechanic says these are the best pads he has seen, great",
    "Lovely surprise: they added a free bulb, wonderful",
    "Perfect fit, happy dad, happy car, thanks",
    "Excellent advice on the phone, I really love that",
    "Good prices and awesome speed, I am delighted",
)


def post(who: str, days_ago: float, text: str) -> dict[str, Any]:
    return touchpoint(
        "post_published",
        who,
        ts=MONDAY - dt.timedelta(days=days_ago),
        venue="mastodon",
        text=text,
        properties={"network": "mastodon"},
    )


@pytest.fixture
def heard(say: Say) -> None:
    """Ana, a customer, is glad many times; five accounts say the same within hours, twice."""
    say(
        touchpoint(
            "person_identified", "mastodon:ana", also=["customer:1"], evidence="login",
            ts=MONDAY - dt.timedelta(days=400),
        ),
        *(post("mastodon:ana", 1 + 3 * k + k * k, words) for k, words in enumerate(GLAD)),
        *(post(f"mastodon:sock{k}", at - k / 10, f"{RING} {at} times") for k in range(5) for at in (30, 60)),
    )  # fmt: skip
    insights.run(["authenticity", "advocacy", "participation"])


def test_an_empty_page_says_what_to_do(alice: Staff, say: Say) -> None:
    html = logged_in(alice).get("/advocacy/").content.decode()
    assert "Nobody has said anything about us in public yet." in html
    assert "Nobody has looked yet." in logged_in(alice).get("/advocacy/left-out/").content.decode()


def test_each_network_shows_its_standing_and_leads_to_people_and_texts(alice: Staff, heard: None) -> None:
    client = logged_in(alice)
    page = client.get("/advocacy/")
    (row,) = page.context["networks"]
    assert row.name == "Mastodon"
    assert row.stand.n_people == 1, "who was left out has no voice"
    assert row.stand.low <= row.stand.standing <= row.stand.high
    assert page.context["n_out"] == 5
    (advocates,) = [c for c in row.labels if c.url and "advocate" in c.url]
    assert advocates.n == 1
    assert len(client.get(advocates.url).context["rows"]) == 1
    assert client.get(row.texts_url).status_code == 200
    assert page.context["chart"] is not None
    html = client.get("/person/customer:1/", follow=True).content.decode()
    assert "advocate on Mastodon" in html


def test_a_segment_asks_for_the_word_on_any_network(heard: None) -> None:
    def n(word: str) -> int:
        rule = rules.parse(
            {"any": [{"score": name, "in": [word]} for name in ("advocacy:mastodon", "advocacy")]}
        )
        return segments.count(rule, consent.warrant("analytics", by="alice", why="a test"))

    assert (n("advocate"), n("detractor")) == (1, 0)


def test_staff_reads_who_is_left_out_and_overrules(
    alice: Staff, bob: Staff, heard: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    page = client.get("/advocacy/left-out/")
    accounts = page.context["accounts"]
    assert [label for _a, _where, label in accounts] == ["left out"] * 5
    assert "much the same as what" in page.content.decode()
    assert 'rel="next"' not in page.content.decode()
    seq = accounts[0][0].seq
    assert client.post(f"/advocacy/left-out/{seq}/", {"do": "maybe"}).status_code == 400
    after = client.post(f"/advocacy/left-out/{seq}/", {"do": "genuine"}, follow=True)
    labels = sorted(label for _a, _where, label in after.context["accounts"])
    assert labels == ["genuine", *["left out"] * 4]
    assert "Decided by" in after.content.decode()
    # Of more than fit on a page none is lost, and those that staff judged are on the last.
    monkeypatch.setattr(advocacy_page, "PAGE", 2)
    pages = [client.get("/advocacy/left-out/", {"page": k}) for k in range(3)]
    assert [len(one.context["accounts"]) for one in pages] == [2, 2, 1]
    assert [one.context["next_url"] for one in pages] == ["?page=1", "?page=2", ""]
    assert len({a.seq for one in pages for a, _where, _label in one.context["accounts"]}) == 5
    assert "Decided by" in pages[2].content.decode()
    assert client.get("/advocacy/left-out/", {"page": 3})["Location"] == "/advocacy/left-out/"
    assert client.get("/advocacy/").context["n_out"] == 4, "all are counted"
    assert logged_in(bob).get("/advocacy/").status_code == 403
    Staff.objects.filter(pk=bob.pk).update(role="marketer")
    assert logged_in(bob).get("/advocacy/left-out/").status_code == 200
