"""Rule cards: where each comes from, changing one, and trying a draft on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rapport.kit import clock
from rapport.staff.models import Organisation
from rapport.venues import selectors
from rapport.web.conftest import logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def firm(db: None) -> None:
    Organisation.objects.update_or_create(
        id=1,
        defaults={
            "name": "Otter Tools",
            "currency": "EUR",
            "timezone": "UTC",
            "language": "en",
            "created_at": clock.now(),
        },
    )


def form(**changed: object) -> dict[str, object]:
    return {
        "title": "Cars", "links": "none", "disclosure_as": "sentence", "vendor_tag": "[{firm}]", "disclosure": "",
        "help_to_promotion": "9", "forbids": ["promotion"], "length_max": "500", "length_as": "characters",
        "languages": "en, de", "forms_of_address": "de: du", "hours": "mon-fri 09:00-18:00", "zone": "Europe/Berlin",
        "tone": "", "note": "", "source": "https://reddit.example/r/cars/about/rules", "read_on": "2026-11-20",
    } | changed  # fmt: skip


def test_every_starting_card_says_where_it_comes_from(alice: Staff) -> None:
    client = logged_in(alice)
    page = client.get("/venues/").content.decode()
    for view in selectors.all_cards():
        assert view.title in page
        assert view.card.source.startswith("https://") or view.venue == "chat"
    page = client.get("/venues/card/bluesky/").content.decode()
    assert "docs.bsky.app" in page
    assert "from the published rules" in page.lower()
    assert "read on 2026-11-22" in page
    # What nobody has read for us is not called read.
    page = client.get("/venues/card/telegram/").content.decode()
    assert "nobody has checked at its source" in page
    assert "read on" not in page


def test_a_card_for_one_place_holds_over_its_networks(alice: Staff) -> None:
    client = logged_in(alice)
    found = client.post("/venues/new/", {"network": "reddit", "place": "r/cars"})
    assert found["Location"] == "/venues/card/reddit:r/cars/change/"
    assert client.post(found["Location"], form()).status_code == 302
    card = selectors.card("reddit:r/cars").card
    assert (card.links, card.forms_of_address, card.zone) == ("none", {"de": "du"}, "Europe/Berlin")
    assert selectors.card("reddit").card.links == "own_none"
    page = client.get("/venues/card/reddit:r/cars/").content.decode()
    assert "mon-fri 09:00-18:00" in page
    assert alice.email in page
    client.post("/venues/card/reddit:r/cars/change/", {"do": "forget"})
    assert selectors.card("reddit:r/cars").card.links == "own_none"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"hours": "sometimes"}, "are no hours"),
        ({"zone": "Berlin"}, "no time zone"),
        ({"forms_of_address": "de: thou"}, "no value for"),
        ({"disclosure": "en: I am me."}, "does not name the firm"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_in_words(
    alice: Staff, wrong: dict[str, str], words: str
) -> None:
    found = logged_in(alice).post("/venues/card/reddit/change/", form(**wrong))
    assert found.status_code == 400
    assert words in found.content.decode()


def test_a_draft_is_checked_while_it_is_typed(alice: Staff) -> None:
    client = logged_in(alice)
    asked = {"venue": "reddit", "text": "The fuse is F14.", "was_asked": "yes", "language": "en"}
    page = client.post("/venues/check/", asked).content.decode()
    assert "I work for Otter Tools." in page
    assert 'data-forbidden="no"' in page
    asked["text"] = "Order yours now at https://bit.ly/x and save 20 %"
    found = client.post("/venues/check/", asked, headers={"accept": "application/json"}).json()
    assert found["is_forbidden"]
    crosses = {line["rule"] for line in found["lines"] if line["state"] == "bad"}
    assert {"links", "promotion"} <= crosses
    assert client.post("/venues/check/", {"venue": "Nowhere at all"}).status_code == 404


def test_our_own_addresses_are_kept_and_checked(alice: Staff) -> None:
    client = logged_in(alice)
    client.post(
        "/venues/", {"names": "ProBlade", "domains": "https://www.otter.example/", "handles": "@otter"}
    )
    ours = selectors.face()
    assert (ours.names, ours.domains, ours.handles) == (("ProBlade",), ("otter.example",), ("otter",))
    wrong = {"names": "Saw & Sons", "domains": "not a domain", "handles": ""}
    found = client.post("/venues/", wrong).content.decode()
    assert "is no domain" in found
    assert "Saw &amp; Sons" in found  # what was typed stays
    assert selectors.face().names == ("ProBlade",)


def test_without_script_a_draft_is_tried_on_a_page_of_its_own(alice: Staff) -> None:
    asked = {"venue": "reddit", "text": "The <b>fuse</b> is F14.", "was_asked": "yes"}
    client = logged_in(alice)
    page = client.post("/venues/check/", asked).content.decode()
    assert "<h1" in page
    assert 'href="/venues/card/reddit/"' in page
    assert "The &lt;b&gt;fuse" in page
    assert "<h1" not in client.post("/venues/check/", asked, headers={"HX-Request": "true"}).content.decode()


def test_who_may_look_may_not_change(bob: Staff, charlie: Staff) -> None:
    answers = logged_in(bob)
    assert answers.get("/venues/").status_code == 200
    assert answers.post("/venues/", {"names": "x"}).status_code == 403
    assert answers.get("/venues/card/reddit/change/").status_code == 403
    assert logged_in(charlie).get("/venues/").status_code == 403


def test_two_who_change_one_card_see_each_others_words(alice: Staff) -> None:
    url = "/venues/card/reddit:r/cars/change/"
    client = logged_in(alice)
    seen = shown(client.get(url).content.decode())
    assert client.post(url, form(seen=seen, tone="Dry")).status_code == 302
    refused = client.post(url, form(seen=seen, tone="Warm"))
    html = refused.content.decode()
    assert refused.status_code == 400
    assert "Dry" in html
    assert "Warm" in html
    assert selectors.card("reddit:r/cars").card.tone == "Dry"
    assert client.post(url, form(seen=shown(html), tone="Warm")).status_code == 302
    assert selectors.card("reddit:r/cars").card.tone == "Warm"


def shown(html: str) -> str:
    """The mark that a form carries."""
    return html.partition('name="seen" value="')[2].partition('"')[0]
