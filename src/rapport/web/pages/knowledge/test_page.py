from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rapport.consent.services import recipients
from rapport.knowledge import selectors, services
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in

ENTRY = {
    "title": "Wipers judder",
    "wordings_en": "My wipers judder\nThe blades jump",
    "solution_en": "Clean the glass.",
    "solution_de": "Scheibe reinigen.",
    "state": "published",
    "review_by": "2030-01-31",
    "option_0_product": "Blades",
    "option_0_place": "Otter",
    "option_0_price": "24,90",
    "option_0_currency": "EUR",
    "option_1_product": "Blades",
    "option_1_place": "Gearhaven",
    "option_1_whose": "theirs",
}


@pytest.fixture
def entry(alice: Staff) -> str:
    answer = logged_in(alice).post("/knowledge/new/", ENTRY)
    assert answer.status_code == 302
    return answer.headers["Location"].rstrip("/").rpartition("/")[2]


def test_the_empty_list_says_how_to_begin(alice: Staff) -> None:
    html = logged_in(alice).get("/knowledge/").content.decode()
    assert "Nothing is known yet." in html
    assert "/knowledge/new/" in html


def test_an_entry_is_written_found_tried_and_drafted(alice: Staff, entry: str) -> None:
    view = selectors.entry(entry)
    assert [w.text for w in view.wordings] == ["My wipers judder", "The blades jump"]
    assert [(o.price_minor, o.currency, o.is_ours) for o in view.options] == [
        (2490, "EUR", True),
        (None, "", False),
    ]
    client = logged_in(alice)
    assert "Wipers judder" in client.get("/knowledge/?find=blades+jump").content.decode()
    assert "No such entry." in client.get("/knowledge/?find=battery").content.decode()
    html = client.get(
        "/knowledge/try/", {"question": "the wipers judder", "draft": entry, "language": "de"}
    ).content.decode()
    for text in (
        "likely to be right",
        "Guten Tag,",
        "Scheibe reinigen.",
        "24,90 EUR",
        "not ours",
        "Nothing was sent.",
    ):
        assert text in html


def test_a_price_stays_as_old_as_it_was_until_it_is_seen_again(alice: Staff, entry: str) -> None:
    before = selectors.entry(entry).options[0]
    sent = ENTRY | {"option_0_id": str(before.id)}
    client = logged_in(alice)
    client.post(f"/knowledge/entry/{entry}/", sent)
    after = selectors.entry(entry).options[0]
    assert after.priced_at == before.priced_at
    client.post(f"/knowledge/entry/{entry}/", sent | {"option_0_id": str(after.id), "option_0_seen": "on"})
    seen = selectors.entry(entry).options[0].priced_at
    assert seen
    assert before.priced_at
    assert seen > before.priced_at


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": " "}, "no title"),
        ({"solution_en": "", "solution_de": ""}, "no solution"),
        ({"option_0_price": "dear"}, "is no price"),
        ({"url": "ftp://x"}, "no address"),
        ({"review_by": "soon"}, "is no day"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(alice: Staff, changes: dict[str, str], said: str) -> None:
    answer = logged_in(alice).post("/knowledge/new/", ENTRY | changes)
    html = answer.content.decode()
    assert answer.status_code == 400
    assert said in html
    assert "My wipers judder" in html
    assert "Gearhaven" in html
    assert selectors.entries()[0] == []


def test_silence_offers_to_write_the_entry(alice: Staff, entry: str) -> None:
    html = (
        logged_in(alice).get("/knowledge/try/", {"question": "Do you sponsor brass bands?"}).content.decode()
    )
    assert "We would keep quiet" in html
    assert "question=Do%20you%20sponsor" in html


def test_the_unanswered_are_listed_and_closed(bob: Staff) -> None:
    number = services.note_unanswered("Can I pay by invoice?")
    client = logged_in(bob)
    assert "Can I pay by invoice?" in client.get("/knowledge/unanswered/").content.decode()
    client.post("/knowledge/unanswered/", {"number": number})
    assert "found its answer" in client.get("/knowledge/unanswered/").content.decode()


def test_what_to_ask_for_is_kept_while_an_entry_needs_it(alice: Staff, entry: str) -> None:
    client = logged_in(alice)
    slot = {"name": "vehicle", "question_en": "Which car?", "values": "Kolt Brio: brio", "do": "keep"}
    assert client.post("/knowledge/slots/", slot).status_code == 302
    client.post(f"/knowledge/entry/{entry}/", ENTRY | {"needs": "vehicle"})
    html = client.get("/knowledge/try/", {"question": "the wipers judder"}).content.decode()
    assert "We would ask first" in html
    assert "Which car?" in html
    assert (
        "depends on vehicle"
        in client.post("/knowledge/slots/", {"name": "vehicle", "do": "drop"}).content.decode()
    )


def test_how_sure_it_is_is_shown_once_there_is_enough(alice: Staff) -> None:
    client = logged_in(alice)
    assert "too little to judge by" in client.get("/knowledge/sure/").content.decode()
    things = (
        "oil",
        "brakes",
        "lamp",
        "battery",
        "filter",
        "tyre",
        "mirror",
        "belt",
        "plug",
        "rack",
        "cable",
        "horn",
    )
    for thing in things:
        wordings = [
            ("en", text % thing) for text in ("my %s is broken", "how do I change the %s", "%s makes noise")
        ]
        services.write_entry(
            thing, services.Written(thing, {"en": f"Change it: {thing}"}, wordings, state="published"), by="a"
        )
    assert client.post("/knowledge/sure/learn/").status_code == 302
    html = client.get("/knowledge/sure/").content.decode()
    assert "<svg" in html
    assert "36 wordings was" in html or "36 wordings" in html


def test_drafts_are_worded_elsewhere_only_where_registered(alice: Staff) -> None:
    client = logged_in(alice)
    asked = {"url": "https://words.example/v1", "model": "small", "key": "k"}
    assert (
        "not a registered recipient"
        in client.post("/knowledge/sure/endpoint/", asked, follow=True).content.decode()
    )
    recipients.register_recipient(
        name="W", kind="endpoint", host="words.example", fields=["question"], purpose="service", by="a"
    )
    html = client.post("/knowledge/sure/endpoint/", asked, follow=True).content.decode()
    assert "small at https://words.example/v1" in html
    assert selectors.endpoint() is not None
    client.post("/knowledge/sure/endpoint/", {"do": "drop"})
    assert selectors.endpoint() is None


def test_a_file_is_tried_and_taken_in(alice: Staff) -> None:
    client = logged_in(alice)
    content = b"key,title,question,answer\na,A,How a?,So.\n,B,,\n"

    def send(do: str) -> str:
        return client.post(
            "/knowledge/import/", {"file": SimpleUploadedFile("k.csv", content), "do": do}
        ).content.decode()

    html = send("try")
    assert "What would come of it" in html
    assert "line 3" in html
    assert selectors.entries()[0] == []
    assert "Taken in" in send("import")
    assert [row.key for row in selectors.entries()[0]] == ["a"]


def test_rights(alice: Staff, bob: Staff, charlie: Staff, entry: str) -> None:
    from rapport.staff import services as staff

    analyst = logged_in(staff.invite(alice, email="dee@example.com", name="Dee", role="analyst")[0])
    assert "Keep" not in analyst.get(f"/knowledge/entry/{entry}/").content.decode()
    assert analyst.post("/knowledge/new/", ENTRY).status_code == 403
    assert analyst.post(f"/knowledge/entry/{entry}/", ENTRY | {"title": "Else"}).status_code == 302
    assert selectors.entry(entry).title == "Wipers judder"
    assert logged_in(bob).get("/knowledge/new/").status_code == 200
    assert logged_in(charlie).get("/knowledge/").status_code == 403


def test_a_number_that_is_none_begins_at_the_top(alice: Staff) -> None:
    client = logged_in(alice)
    for address in ("/knowledge/unanswered/", "/notices-and-facts/contradicted/"):
        for wrong in ("x", "-3", "9" * 40, "²"):
            assert client.get(address, {"from": wrong}).status_code == 200
    assert client.post("/knowledge/unanswered/", {"number": "x"}).status_code == 302


def test_two_who_change_one_entry_see_each_others_words(alice: Staff, bob: Staff, entry: str) -> None:
    url = f"/knowledge/entry/{entry}/"
    ours, theirs = logged_in(alice), logged_in(bob)
    seen = shown(ours.get(url).content.decode())
    assert theirs.post(url, ENTRY | {"seen": seen, "solution_en": "Wash the glass."}).status_code == 302
    mine = ENTRY | {"seen": seen, "solution_en": "Turn the blades."}
    refused = ours.post(url, mine)
    html = refused.content.decode()
    assert refused.status_code == 400
    assert "Somebody else has changed this" in html
    assert "Wash the glass." in html, "what stands there now"
    assert "Turn the blades." in html, "what was written is not lost"
    assert selectors.entry(entry).solutions["en"] == "Wash the glass."
    assert ours.post(url, mine | {"seen": shown(html)}).status_code == 302, "having seen it, one may"
    assert selectors.entry(entry).solutions["en"] == "Turn the blades."


def test_a_wording_taken_meanwhile_is_not_thrown_away(alice: Staff, entry: str) -> None:
    url = f"/knowledge/entry/{entry}/"
    client = logged_in(alice)
    seen = shown(client.get(url).content.decode())
    services.resolved("The blades hop about", "", [entry], "bob")
    (waiting,) = [w for w in selectors.entry(entry).wordings if not w.is_live]
    services.settle_wording(waiting.id, taken=True)
    assert client.post(url, ENTRY | {"seen": seen}).status_code == 400
    assert "The blades hop about" in [w.text for w in selectors.entry(entry).wordings]


def shown(html: str) -> str:
    """The mark that a form carries."""
    return html.partition('name="seen" value="')[2].partition('"')[0]
