"""The inbox by its pages: who may do what, what each state says, and that no word is lost."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rapport.conversations import selectors, services
from rapport.conversations.selectors import rows
from rapport.events import spool
from rapport.kit import clock, ids, registry
from rapport.knowledge import services as knowledge
from rapport.listening import services as listening
from rapport.listening.contract import KIND
from rapport.messaging import selectors as deliveries
from rapport.messaging.tests import network as loopback
from rapport.staff.models import Staff
from rapport.venues import services as venues
from rapport.venues.rules.cards import Finding
from rapport.web.components import ruling
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint
from rapport.web.pages.inbox import shown

HTMX = {"HX-Request": "true"}
Read = Callable[[], rows.ConversationView]


@pytest.fixture(autouse=True)
def held() -> Iterator[None]:
    with clock.frozen(MONDAY + dt.timedelta(hours=1)):
        yield


def mailed(who: str, text: str, subject: str = "", minutes: int = 0, **more: Any) -> dict[str, Any]:
    properties = {"network": "email", "subject": subject, "post_id": f"<{who}-{minutes}@example.org>"}
    return touchpoint(
        "message_received",
        f"email:{who}@example.org",
        ts=MONDAY + dt.timedelta(minutes=minutes),
        channel="email",
        venue="email",
        text=text,
        properties=properties | more,
    )


def posted(who: str, post_id: str, text: str, **more: Any) -> dict[str, Any]:
    properties = {
        "network": "bluesky",
        "post_id": post_id,
        "asks_us": True,
        "author_name": who.title(),
    } | more
    return touchpoint(
        "post_published", f"bluesky:{who}", ts=MONDAY, channel="social", venue="bluesky", text=text,
        properties=properties,
    )  # fmt: skip


@pytest.fixture
def ana_writes(say: Say, alice: Staff) -> uuid.UUID:
    """Ana has mailed; gives the conversation."""
    say(
        identified("customer:1", "email:ana@example.org", name="Ana Ruiz"),
        mailed("ana", "Where is my order?", "Order"),
    )
    (row,) = selectors.page("open", alice.pk).rows
    return row.id


def url(number: uuid.UUID, more: str = "") -> str:
    return f"/inbox/{number}/{more}"


def do(
    client: Client,
    number: uuid.UUID,
    what: str,
    *,
    htmx: bool = True,
    more: dict[str, str] | None = None,
    **given: Any,
) -> Any:
    version = given.pop("version", selectors.conversation(number).version)
    body = {"do": what, "version": version, "view": "open"} | given | (more or {})
    return client.post(url(number, "do/"), body, headers=HTMX if htmx else {})


# Who may


def test_charlie_has_no_inbox_and_an_analyst_reads_it_only(
    alice: Staff, bob: Staff, charlie: Staff, ana_writes: uuid.UUID
) -> None:
    from rapport.staff import services as staff

    dana = staff.invite(alice, email="dana@example.com", name="Dana", role="analyst")[0]
    assert logged_in(bob).get("/inbox/").status_code == 200
    for address in ("/inbox/", url(ana_writes), url(ana_writes, "beside/"), "/inbox/arrange/"):
        assert logged_in(charlie).get(address).status_code == 403
        assert logged_in(dana).get(address).status_code == 200
    assert logged_in(charlie).post("/inbox/live/", {}).status_code == 403
    html = logged_in(dana).get(url(ana_writes)).content.decode()
    assert "Where is my order?" in html
    assert "composer-text" not in html
    for reader in (charlie, dana):
        client = logged_in(reader)
        assert do(client, ana_writes, "resolve:solved").status_code == 403
        assert do(client, ana_writes, "answer", text="Hi").status_code == 403
        assert client.post(url(ana_writes, "draft/"), {"text": "Hi"}).status_code == 403
        assert client.post(url(ana_writes, "check/"), {"text": "Hi"}).status_code == 403
        assert client.post(
            "/inbox/arrange/", {"form": "canned", "short": "a", "text_en": "A"}
        ).status_code in (400, 403)
    assert selectors.canned() == []
    assert selectors.conversation(ana_writes).state == "open"


def test_bob_answers_but_neither_approves_nor_arranges(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    assert do(client, ana_writes, "approve:1").status_code == 403
    refused = client.post("/inbox/arrange/", {"form": "canned", "short": "late", "text_en": "It is late."})
    assert refused.status_code == 400
    assert "another one" in refused.content.decode() or "change your role" in refused.content.decode()
    own = client.post(
        "/inbox/arrange/", {"form": "views", "name": "Mail", "channel": "email", "states": "open"}
    )
    assert own.status_code == 302
    assert "Mail" in client.get("/inbox/").content.decode()


# What is shown


def test_an_empty_inbox_says_so_and_what_follows(alice: Staff, home: Any) -> None:
    client = logged_in(alice)
    for view in ("open", "mine", "overdue", "mentions", "snoozed"):
        assert shown.nothing(view)[0] in client.get("/inbox/", {"view": view}).content.decode()
    assert client.get("/inbox/", {"view": "v999"}).status_code == 404
    assert client.get(url(ids.uuid7())).status_code == 404
    assert "no conversation" in client.get(url(ids.uuid7())).content.decode()


def test_a_row_says_the_same_words_once(bob: Staff, say: Say) -> None:
    """A letter has a subject of its own; a post is called by its first words, which stand below anyway."""
    say(
        mailed("ana", "Where is my order?", "Order 1042"),
        posted("chi", "1", "Can anybody tell me how long the roof rails last in salt water? " * 4),
        posted("bo", "2", "It is broken.\nMine rattles."),
    )
    told = logged_in(bob).get("/inbox/").content.decode()
    assert re.findall(r'class="row-title">([^<]+)', told) == ["Order 1042"]


def test_the_list_leads_to_a_conversation_and_who_stands_beside_it(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    html = client.get("/inbox/").content.decode()
    assert f'data-id="{ana_writes}"' in html
    assert re.search(r'Open <span class="count">1</span>', html)
    whole = client.get(url(ana_writes)).content.decode()
    assert whole.count("<h1") == 1
    assert "Where is my order?" in whole
    pane = client.get(url(ana_writes), headers=HTMX).content.decode()
    assert "<html" not in pane
    assert 'id="conversation"' in pane
    beside = client.get(url(ana_writes, "beside/")).content.decode()
    assert "Ana Ruiz" in beside
    assert "Profile and timeline" in beside
    without_script = client.get(url(ana_writes), {"beside": "1"}).content.decode()
    assert "Profile and timeline" in without_script


def test_words_of_others_never_become_markup(bob: Staff, say: Say, alice: Staff) -> None:
    say(mailed("bo", "<script>alert(1)</script> <b>bold</b>", "<i>x</i>"))
    (row,) = selectors.page("open", alice.pk).rows
    client = logged_in(bob)
    for html in (client.get("/inbox/"), client.get(url(row.id)), client.get("/inbox/", {"q": "bold"})):
        assert "<script>alert" not in html.content.decode()
        assert "<i>x</i>" not in html.content.decode()


def test_a_search_goes_over_everything_that_was_said(bob: Staff, ana_writes: uuid.UUID) -> None:
    services.resolve(ana_writes, by=bob.pk)
    client = logged_in(bob)
    html = client.get("/inbox/", {"q": "order"}).content.decode()
    assert "<mark>order</mark>" in html
    assert str(ana_writes) in html
    assert "Nothing was said with these words." in client.get("/inbox/", {"q": "giraffe"}).content.decode()
    assert client.get("/inbox/", {"q": "\0 - "}).status_code == 200


def test_a_search_finds_people_by_name_and_an_old_message_in_its_place(bob: Staff, say: Say) -> None:
    many = [mailed("bo", f"line {n} of many", "Long", minutes=n) for n in range(60)]
    say(identified("customer:2", "email:bo@example.org", name="Bo Lind"), *many)
    client = logged_in(bob)
    html = client.get("/inbox/", {"q": "bo@example.org"}).content.decode()
    (row,) = selectors.page("open", bob.pk).rows
    assert str(row.id) in html
    assert str(row.id) in client.get("/inbox/", {"q": "Lind"}).content.decode()
    newest = selectors.messages(row.id)
    oldest = selectors.messages(row.id, newest.before).rows[0]
    opened = client.get(url(row.id), {"message": oldest.id}).content.decode()
    assert f'id="m{oldest.id}"' in opened
    # What a reader has fetched already stays in sight when the thread is put in anew.
    since = selectors.changes(0).token
    services.note(row.id, "I call them.", by=bob.pk)
    assert f'id="m{oldest.id}"' in ask(client, since=since, id=row.id, first=oldest.id).json()["thread"]


def test_what_stands_beside_knows_them_by_every_address(bob: Staff, say: Say, ana_writes: uuid.UUID) -> None:
    say(identified("customer:1", "email:ana.ruiz@work.example", name="Ana Ruiz"))
    say(
        mailed("ana", "From my desk", "Invoice", minutes=3)
        | {"identifier": "email:ana.ruiz@work.example", "message_id": "w1"}
    )
    beside = logged_in(bob).get(url(ana_writes, "beside/")).content.decode()
    assert "Earlier conversations" in beside
    assert "Invoice" in beside


def test_every_control_has_a_name(bob: Staff, ana_writes: uuid.UUID) -> None:
    html = logged_in(bob).get(url(ana_writes)).content.decode()
    labelled = set(re.findall(r'<label[^>]*\bfor="([^"]+)"', html))
    for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", html):
        if 'type="hidden"' in tag:
            continue
        name = re.search(r'\bid="([^"]+)"', tag)
        assert 'aria-label="' in tag or (name and name.group(1) in labelled), tag
    for role in ('role="log"', 'aria-live="polite"', 'aria-label="Conversations"', 'aria-label="Views"'):
        assert role in html
    found = re.findall(r'(?<![-\w])id="([^"]+)"', html)
    assert len(found) == len(set(found)), [one for one in found if found.count(one) > 1]


# What is done


def test_bob_takes_puts_off_and_settles_it(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    assert "Bob has it now." in do(client, ana_writes, f"assign:{bob.pk}").content.decode()
    assert selectors.conversation(ana_writes).assignee == bob.pk
    do(client, ana_writes, "snooze:tomorrow")
    assert selectors.conversation(ana_writes).state == "snoozed"
    do(client, ana_writes, "reopen:")
    do(client, ana_writes, "priority:high")
    assert selectors.conversation(ana_writes).priority_by == bob.pk
    done = do(client, ana_writes, "resolve:handed_over").content.decode()
    assert "Handed over" in done
    assert selectors.conversation(ana_writes).outcome == "handed_over"
    assert 'id="composer-form"' not in done
    do(client, ana_writes, "reopen:", htmx=False)
    assert selectors.conversation(ana_writes).state == "open"
    for wrong in ("", "dance", "snooze:never", "assign:999", "merge:nothing", "priority:huge"):
        assert do(client, ana_writes, wrong).status_code in (400, 404)


def test_a_note_names_a_colleague_who_then_finds_it(alice: Staff, bob: Staff, ana_writes: uuid.UUID) -> None:
    html = do(logged_in(bob), ana_writes, "note", note="@alice may we refund this?").content.decode()
    assert "note, seen by us alone" in html
    client = logged_in(alice)
    assert re.search(r'Names me <span class="count">1</span>', client.get("/inbox/").content.decode())
    assert "Bob named you in a note" in client.get("/").content.decode()
    client.get(url(ana_writes))
    assert "named you" not in client.get("/").content.decode()


def test_an_answer_leaves_and_stands_in_the_thread(
    bob: Staff, ana_writes: uuid.UUID, mail_account: None
) -> None:
    html = do(logged_in(bob), ana_writes, "answer", text="It left today.").content.decode()
    assert "It left today." in html
    assert "on its way" in html.lower()
    (mine,) = [m for m in selectors.messages(ana_writes).rows if m.direction == "out"]
    assert mine.by == bob.pk
    assert deliveries.delivery(uuid.UUID(mine.delivery)).state == "planned"
    assert selectors.draft(ana_writes, bob.pk) is None


@pytest.fixture
def mail_account(db: None) -> None:
    from rapport.messaging.services import accounts

    accounts.set_up(
        "email", {"host": "mail.example.org", "from_address": "hello@example.org"}, "Otter Lane 1"
    )


def test_who_was_not_quick_enough_keeps_their_words_and_sees_what_came_between(
    alice: Staff, bob: Staff, ana_writes: uuid.UUID, mail_account: None
) -> None:
    seen = selectors.conversation(ana_writes).version
    do(logged_in(alice), ana_writes, "answer", text="It left on Friday.", version=seen)
    late = do(logged_in(bob), ana_writes, "answer", text="It is lost, sorry.", version=seen)
    html = late.content.decode()
    assert late.status_code == 409
    assert "It left on Friday." in html
    assert "It is lost, sorry." in html
    assert [m.text for m in selectors.messages(ana_writes).rows if m.direction == "out"] == [
        "It left on Friday."
    ]
    kept = selectors.draft(ana_writes, bob.pk)
    assert kept is not None
    assert kept.text == "It is lost, sorry."
    without_script = do(
        logged_in(bob), ana_writes, "answer", htmx=False, text="It is lost, sorry.", version=seen
    )
    assert without_script.status_code == 409
    assert "<html" in without_script.content.decode()


def test_of_what_came_between_the_words_are_shown_beside_ones_own(
    alice: Staff, bob: Staff, ana_writes: uuid.UUID, mail_account: None
) -> None:
    seen = selectors.conversation(ana_writes).version
    do(logged_in(alice), ana_writes, "answer", text="It left on Friday.", version=seen)
    html = do(logged_in(bob), ana_writes, "answer", text="It is lost.", version=seen).content.decode()
    quotes = re.findall(r"<blockquote>(.*?)</blockquote>", html, re.DOTALL)
    assert any("It left on Friday." in quote for quote in quotes)


def test_an_answer_that_does_not_leave_settles_nothing_and_can_be_sent_again(
    bob: Staff, ana_writes: uuid.UUID
) -> None:
    client = logged_in(bob)  # no mail is set up
    html = do(client, ana_writes, "answer_resolve", text="It left today.").content.decode()
    assert "did not leave" in html
    assert "It left today.</textarea>" in html
    shown_version = re.search(r'data-version="(\d+)"', html)
    assert shown_version is not None
    assert selectors.conversation(ana_writes).state == "open"
    again = do(client, ana_writes, "answer", text="It left today.", version=shown_version.group(1))
    assert again.status_code == 200
    assert "meanwhile" not in again.content.decode()


def test_what_waits_for_somebody_is_not_settled_by_the_same_press(
    alice: Staff, bo_asks: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(number: uuid.UUID, _text: str, *, by: int, version: int) -> services.Outcome:
        return services.Outcome(number, 0, "waiting", "", version)

    monkeypatch.setattr(services, "answer", waits)
    html = do(logged_in(alice), bo_asks, "answer_resolve", text="Please wait.").content.decode()
    assert "waits for approval" in html
    assert selectors.conversation(bo_asks).state == "open"


def test_it_can_be_their_turn_and_put_off_until_any_moment(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    assert "turn" in do(client, ana_writes, "wait").content.decode()
    assert selectors.conversation(ana_writes).state == "pending"
    do(client, ana_writes, "reopen")
    do(client, ana_writes, "snooze:at", until="2031-05-06T07:30")  # in the reader's own zone
    put_off = selectors.conversation(ana_writes)
    assert (put_off.state, put_off.snoozed_until) == (
        "snoozed",
        dt.datetime(2031, 5, 6, 5, 30, tzinfo=dt.UTC),
    )
    for odd in ("", "soon", "1999-01-01T00:00"):
        assert do(client, ana_writes, "snooze:at", until=odd).status_code == 400


def test_what_was_made_a_matter_of_its_own_can_be_put_back(
    bob: Staff, say: Say, ana_writes: uuid.UUID
) -> None:
    say(mailed("ana", "And my invoice?", "Order", minutes=5))
    client = logged_in(bob)
    invoice = selectors.messages(ana_writes).rows[-1]
    do(client, ana_writes, f"split:{invoice.id}")
    (apart,) = [row.id for row in selectors.page("open", bob.pk).rows if row.id != ana_writes]
    assert 'value="unsplit"' in client.get(url(apart)).content.decode()
    back = do(client, apart, "unsplit")
    assert str(ana_writes) in back.headers["HX-Push-Url"]
    assert [m.text for m in selectors.messages(ana_writes).rows] == ["Where is my order?", "And my invoice?"]


def test_everything_that_is_done_is_told_in_words(bob: Staff) -> None:
    source = Path(str(services.__path__[0]))
    codes = {
        code
        for file in source.glob("*.py")
        for code in re.findall(r'note_done\([^"]*?"([a-z_]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(codes) > 15
    assert codes <= set(shown.DONE)


def test_whatever_is_pressed_what_was_being_written_is_kept(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    html = do(client, ana_writes, f"assign:{bob.pk}", text="Half a sent", saved_no="0").content.decode()
    assert "Half a sent</textarea>" in html


def test_of_two_windows_neither_draft_is_lost(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)

    def save(text: str, saved_no: int) -> Any:
        return client.post(url(ana_writes, "draft/"), {"text": text, "version": 1, "saved_no": saved_no})

    first = save("From the desk", 0).json()["saved_no"]
    assert save("From the desk, longer", first).json()["saved_no"] == first + 1
    other = save("From the phone", first)
    assert other.status_code == 409
    assert "From the desk, longer" in other.json()["html"]
    assert save("From the phone", other.json()["saved_no"]).status_code == 200
    assert selectors.draft(ana_writes, bob.pk).text == "From the phone"  # type: ignore[union-attr]
    verb = do(client, ana_writes, "priority:high", text="From the desk again", saved_no=first)
    assert verb.status_code == 409
    assert "From the phone" in verb.content.decode()
    assert "From the desk again</textarea>" in verb.content.decode()


def test_a_ready_answer_names_them_and_is_never_overwritten_by_another(
    alice: Staff, bob: Staff, say: Say
) -> None:
    say(posted("bo", "p1", "@otter is it in stock?"))
    (row,) = selectors.page("open", alice.pk).rows
    hers = logged_in(alice)
    form = {
        "form": "canned",
        "short": "stock",
        "title": "Stock",
        "text_en": "Hello {name}, {me} of {firm} here.",
    }
    assert hers.post("/inbox/arrange/", form).status_code == 302
    assert hers.post("/inbox/arrange/", form | {"text_en": "Other words"}).status_code == 400
    services.save_canned("stock", "Stock", {"pl": "Tak"} | selectors.canned()[0].texts, by=alice.pk)
    assert hers.post("/inbox/arrange/", form | {"short": "in-stock", "was": "stock"}).status_code == 302
    assert [(one.short, sorted(one.texts)) for one in selectors.canned()] == [("in-stock", ["en", "pl"])]
    his = logged_in(bob)
    said = "Hello Bo, Bob of Otter Tools here."
    offered = his.get("/inbox/ready-answers/", {"language": "en", "id": str(row.id)}).json()["answers"]
    assert [one["text"] for one in offered] == [said]
    assert said in do(his, row.id, "canned:in-stock").content.decode()
    steps = {"form": "macros", "name": "Stock", "steps": ["assign:me", "draft:in-stock"]}
    assert hers.post("/inbox/arrange/", steps).status_code == 302
    (macro,) = selectors.macros()
    assert "in the ready answer “Stock”" in hers.get("/inbox/arrange/").content.decode()
    services.keep_draft(row.id, alice.pk, "My own words.", 1)
    html = do(hers, row.id, f"macro:{macro.id}").content.decode()
    assert "My own words.\n\nHello Bo, Alice" in html


def test_a_ready_answer_is_put_in_in_their_language(alice: Staff, bob: Staff, ana_writes: uuid.UUID) -> None:
    form = {
        "form": "canned",
        "short": "late",
        "title": "It is late",
        "text_en": "We are late.",
        "text_de": "Wir sind spät.",
    }
    assert logged_in(alice).post("/inbox/arrange/", form).status_code == 302
    client = logged_in(bob)
    offered = client.get("/inbox/ready-answers/", {"language": "de"}).json()["answers"]
    assert offered == [{"short": "late", "title": "It is late", "text": "Wir sind spät."}]
    services.set_language(ana_writes, "de", by=bob.pk)
    html = do(client, ana_writes, "canned:late", text="Hello Ana,").content.decode()
    assert "Hello Ana,\n\nWir sind spät.</textarea>" in html
    assert do(client, ana_writes, "canned:gone").status_code == 400


def test_two_matters_are_joined_and_taken_apart_again(
    alice: Staff, bob: Staff, say: Say, ana_writes: uuid.UUID
) -> None:
    say(mailed("ana", "And my invoice?", "Invoice", minutes=5))
    other = next(row.id for row in selectors.page("open", alice.pk).rows if row.id != ana_writes)
    client = logged_in(bob)
    assert "Invoice" in client.get(url(ana_writes, "beside/")).content.decode()
    html = do(client, ana_writes, f"merge:{other}").content.decode()
    assert "And my invoice?" in html
    assert "joined with another" in client.get(url(other)).content.decode()
    do(client, ana_writes, f"unmerge:{other}")
    assert selectors.conversation(other).state == "open"
    assert (
        "And my invoice?"
        not in client.get(url(ana_writes))
        .content.decode()
        .partition('id="thread"')[2]
        .partition("composer")[0]
    )


def test_a_recovery_shows_its_steps_with_their_clocks(bob: Staff, ana_writes: uuid.UUID) -> None:
    client = logged_in(bob)
    html = do(client, ana_writes, "playbook:apology").content.decode()
    assert "Apologise and make it good" in html
    (book,) = selectors.playbooks(ana_writes)
    do(client, ana_writes, f"step:{book.id}.1")
    assert next(s for s in selectors.playbooks(ana_writes)[0].steps if s.position == 1).done_by == bob.pk
    assert do(client, ana_writes, f"step:{book.id}.2").status_code == 400  # it asks what was offered
    noted = do(client, ana_writes, f"step:{book.id}.2", more={f"note_{book.id}.2": "10 EUR back"})
    assert noted.status_code == 200
    with clock.frozen(MONDAY + dt.timedelta(days=30)):
        late = client.get(url(ana_writes)).content.decode()
        assert "is-late" in late


def test_enter_in_a_field_does_what_stands_beside_it_and_nothing_else(
    alice: Staff, bob: Staff, bo_asks: uuid.UUID
) -> None:
    """The first button of a form is what Enter presses: a reason typed must not send what it refuses."""
    do(logged_in(bob), bo_asks, "answer", text="Please do not drive it.")
    html = do(logged_in(alice), bo_asks, "playbook:handover").content.decode()
    forms = re.findall(r"<form.*?</form>", html, re.DOTALL)
    refusing = [form for form in forms if 'name="reason_' in form]
    noting = [form for form in forms if 'name="note_' in form]
    assert (len(refusing), len(noting)) == (1, 2)
    assert re.findall(r'name="do" value="(\w+)', refusing[0]) == ["refuse"]
    for form in noting:
        field = re.search(r'name="note_([\d.]+)"', form)
        assert field is not None
        assert re.findall(r'name="do" value="step:([\d.]+)"', form) == [field.group(1)]


def test_what_a_recovery_gave_is_read_again_and_it_can_be_ended_early(
    bob: Staff, ana_writes: uuid.UUID
) -> None:
    client = logged_in(bob)
    do(client, ana_writes, "playbook:apology")
    (book,) = selectors.playbooks(ana_writes)
    do(client, ana_writes, f"step:{book.id}.2", more={f"note_{book.id}.2": "10 EUR back"})
    ended = do(client, ana_writes, f"give_up:{book.id}").content.decode()
    assert "10 EUR back" in ended
    assert "ended before its last step" in ended
    assert f"step:{book.id}." not in ended
    assert selectors.playbooks(ana_writes)[0].outcome == "given_up"


def test_a_voice_case_is_drafted_in_one_press(bob: Staff, ana_writes: uuid.UUID) -> None:
    html = do(logged_in(bob), ana_writes, "voice").content.decode()
    assert "Drafted for" in html
    assert len(selectors.voice_drafts()) == 1


# Live


def ask(client: Client, **given: Any) -> Any:
    return client.post("/inbox/live/", {"view": "open", "n": "50"} | given)


def test_nothing_is_sent_while_nothing_moves_and_what_moved_is(
    alice: Staff, bob: Staff, say: Say, ana_writes: uuid.UUID
) -> None:
    client = logged_in(bob)
    token = re.search(r'data-token="(\d+)"', client.get("/inbox/").content.decode())
    assert token is not None
    since = token.group(1)
    assert ask(client, since=since).status_code == 204
    say(mailed("bo", "Is it in stock?", "Stock"))
    news = ask(client, since=since).json()
    assert "Is it in stock?" in news["rows"]
    assert news["token"] != since
    assert ask(client, since=news["token"]).status_code == 204
    services.note(ana_writes, "I call her.", by=alice.pk)
    open_one = ask(client, since=news["token"], id=ana_writes, watched="").json()
    assert "I call her." in open_one["thread"]
    assert int(open_one["version"]) == selectors.conversation(ana_writes).version
    for odd in ("-1", "x", "9" * 30):
        assert ask(client, since=odd, id="none").status_code == 200


def test_a_note_that_names_whoever_has_it_open_is_seen_there(
    alice: Staff, bob: Staff, ana_writes: uuid.UUID
) -> None:
    bob.name = "Bob O'Neil"
    bob.save()
    services.note(ana_writes, "Look, @BobONeil.", by=alice.pk)
    assert len(selectors.mentions(bob.pk)) == 1
    ask(logged_in(bob), since=1, id=ana_writes)  # in a tab that nobody looks at
    assert len(selectors.mentions(bob.pk)) == 1
    ask(logged_in(bob), since=1, id=ana_writes, seen="1")
    assert selectors.mentions(bob.pk) == []


def test_who_else_looks_and_writes_is_said(alice: Staff, bob: Staff, ana_writes: uuid.UUID) -> None:
    hers, his = logged_in(alice), logged_in(bob)
    since = selectors.changes(0).token
    assert ask(hers, since=since, id=ana_writes).status_code == 204
    seen = ask(his, since=since, id=ana_writes).json()
    assert seen["watching"] == "Alice looks at this too."
    ask(hers, since=since, id=ana_writes, writing="1")
    writing = ask(his, since=since, id=ana_writes, watched=seen["watched"]).json()
    assert writing["watching"] == "Alice is writing an answer here."
    assert ask(his, since=since, id=ana_writes, watched=writing["watched"]).status_code == 204
    with clock.frozen(MONDAY + dt.timedelta(hours=2)):
        assert ask(his, since=since, id=ana_writes, watched=writing["watched"]).json()["watching"] == ""


def test_whoever_has_the_inbox_open_is_there_for_the_chat(bob: Staff, home: Any) -> None:
    from rapport.onsite import services as sites
    from rapport.onsite.chat import selectors as chats
    from rapport.onsite.chat import services as chatting

    sites.add_site("web-shop", origins=["https://shop.example"])
    desk = chatting.set_up("web-shop", by="", is_on=True, hours={}, zone="UTC", greeting={}, within_min=60)
    assert chats.standing(desk).state == "away"
    ask(logged_in(bob), since="0")
    assert chats.standing(desk).state == "here"


@pytest.mark.django_db(transaction=True)
def test_a_chat_comes_in_and_its_answer_goes_back(
    bob: Staff, alice: Staff, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor writes on the shop's page; Bob answers in the inbox; the window has it, once."""
    from rapport.messaging import services as messaging
    from rapport.onsite import services as sites
    from rapport.onsite.chat import selectors as chats
    from rapport.onsite.chat import services as chatting
    from rapport.onsite.tests.conftest import settle

    sites.add_site("web-shop", origins=["https://shop.example"])
    desk = chatting.set_up("web-shop", by="", is_on=True, hours={}, zone="UTC", greeting={}, within_min=60)
    token = "ab" * 16
    for n, text in enumerate(("Where is my order?", "It is number 1042.")):
        chatting.say(desk, token, f"line-000{n}", text, language="en", page="https://shop.example/basket")
    settle()
    (row,) = selectors.page("open", alice.pk).rows
    assert (row.channel, row.n_messages, row.is_public) == ("chat", 2, False)
    html = do(logged_in(bob), row.id, "answer", text="It left today.").content.decode()
    assert "on its way" in html.lower()
    # In memory a table that another thread reads cannot be written meanwhile; what could not leave is tried again.
    for minute in range(1, 20):
        with clock.frozen(MONDAY + dt.timedelta(hours=1, minutes=minute)):
            messaging.drain()
        if len(lines := chatting.hear(token, 0)) > 2:
            break
    assert [(line.is_ours, line.text) for line in lines] == [
        (False, "Where is my order?"),
        (False, "It is number 1042."),
        (True, "It left today."),
    ]
    settle()
    services.follow_deliveries()
    states = [m.state for m in selectors.messages(row.id).rows if m.direction == "out"]
    assert states == ["sent"]
    monkeypatch.setattr(chats, "unmailed", lambda who: "limit" * (who == row.identifier))
    assert "Not mailed: at most 6 mails a day" in logged_in(bob).get(f"/inbox/{row.id}/").content.decode()
    assert spool.current().next_seq() > 1
    assert json.dumps(token) not in html


# The rule card and approval


@pytest.fixture
def bo_asks(say: Say, alice: Staff, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """Bo has asked us in public, on a network that we may answer on; gives the conversation."""
    network = loopback.Connector()
    monkeypatch.setitem(
        registry.plugins(KIND), "loopback", registry.Plugin("loopback", KIND, __name__, network)
    )
    listening.add_source("here", "loopback", {"port": 9})
    say(
        touchpoint(
            "post_published",
            "loopback:bo",
            ts=MONDAY,
            channel="social",
            venue="loopback",
            text="@otter my battery cable gets hot, is that dangerous?",
            properties={"network": "loopback", "post_id": "q1", "asks_us": True, "author_name": "Bo"},
        ),
        source="here",
    )
    (row,) = selectors.page("open", alice.pk).rows
    return row.id


def checked(client: Client, number: uuid.UUID, text: str) -> str:
    return client.post(url(number, "check/"), {"text": text}, headers=HTMX).content.decode()


def test_what_is_written_is_held_against_the_card_of_the_place(bob: Staff, bo_asks: uuid.UUID) -> None:
    client = logged_in(bob)
    good = checked(client, bo_asks, "Please do not drive it. Which cable is it?")
    assert 'class="small wrong"' not in good
    assert "I work for Otter Tools." in good
    bad = checked(client, bo_asks, "Buy now at https://bit.ly/x with 20% off, code OTTER20!")
    assert "wrong" in bad
    assert checked(client, bo_asks, "  ").strip() == ""
    other = Finding(
        "language_other", False, "It reads as {read}, not {said}.", "", {"read": "de", "said": "ko"}
    )
    assert ruling.filled(other.said, other) == "It reads as German, not Korean."
    forbidden = do(client, bo_asks, "answer", text="Buy now at https://bit.ly/x with 20% off, code OTTER20!")
    assert "did not leave" in forbidden.content.decode()
    assert [m.state for m in selectors.messages(bo_asks).rows if m.direction == "out"] == ["withheld"]
    kept = selectors.draft(bo_asks, bob.pk)
    assert kept is not None
    assert "OTTER20" in kept.text


def test_what_bob_says_in_public_waits_until_alice_lets_it_out(
    alice: Staff, bob: Staff, bo_asks: uuid.UUID
) -> None:
    his, hers = logged_in(bob), logged_in(alice)
    assert "Ask for approval" in his.get(url(bo_asks)).content.decode()
    html = do(his, bo_asks, "answer", text="Please do not drive it.").content.decode()
    assert "waits for approval" in html
    (mine,) = [m for m in selectors.messages(bo_asks).rows if m.direction == "out"]
    assert (mine.state, mine.approval) == ("waiting", "asked")
    assert "1 answer waits for approval" in hers.get("/").content.decode()
    assert "waits for approval</a>" not in his.get("/").content.decode()
    assert "Approve and send" in hers.get(url(bo_asks)).content.decode()
    assert "Approve and send" not in his.get(url(bo_asks)).content.decode()
    assert do(his, bo_asks, f"approve:{mine.id}").status_code == 403
    do(hers, bo_asks, f"refuse:{mine.id}", more={f"reason_{mine.id}": "Name the cable."})
    back = his.get(url(bo_asks)).content.decode()
    assert "Name the cable." in back
    assert "Please do not drive it.</textarea>" in back
    do(his, bo_asks, "answer", text="Please do not drive it with cable W2.")
    waiting = next(m for m in selectors.messages(bo_asks).rows if m.approval == "asked")
    html = do(hers, bo_asks, f"approve:{waiting.id}").content.decode()
    assert "Approved; it is on its way." in html
    gone = next(m for m in selectors.messages(bo_asks).rows if m.id == waiting.id)
    assert (gone.state, gone.approval) == ("planned", "approved")
    assert do(hers, bo_asks, f"approve:{waiting.id}").status_code == 409


def test_a_draft_leaves_room_for_what_says_who_speaks_and_is_remembered_for_what_it_stands_on(
    alice: Staff, say: Say
) -> None:
    solution = " ".join(f"Turn screw number {n} by {n + 2} mm and look." for n in range(40))
    wordings = [("en", "How do I change the headlight bulb?"), ("en", "headlight bulb change")]
    written = knowledge.Written("Headlight bulbs", {"en": solution}, wordings, state="published")
    knowledge.write_entry("bulbs", written, by="a")
    say(posted("bo", "p1", "@otter How do I change the headlight bulb?"))
    (row,) = selectors.page("open", alice.pk).rows
    client = logged_in(alice)
    html = do(client, row.id, "use:bulbs").content.decode()
    draft = selectors.draft(row.id, alice.pk)
    assert draft is not None
    leaving = venues.check("bluesky", draft.text, language="en", was_asked=True)
    assert "Otter Tools" in leaving.text
    assert 200 < len(leaving.text) <= 300
    assert 'id="composer-keys" value="bulbs"' in html
    assert "Shortened to" in html.partition('id="composer-check"')[0]
    # What it says stands in the entry, so nobody is warned of it; own words are.
    known = client.post(
        url(row.id, "check/"), {"text": draft.text, "keys": "bulbs"}, headers=HTMX
    ).content.decode()
    assert "stands in no fact" not in known
    assert "stands in no fact" in checked(client, row.id, draft.text)
    again = do(client, row.id, "priority:high", text=draft.text, saved_no=draft.saved_no, keys="bulbs")
    assert 'id="composer-keys" value="bulbs"' in again.content.decode()


def test_what_they_told_us_before_is_not_asked_again_but_never_used_in_public(alice: Staff, say: Say) -> None:
    models = {"Kolt Brio": ["Brio"], "Nordling 5": []}
    knowledge.write_slot("vehicle", questions={"en": "Which car is it?"}, spellings=models)
    for at, model in enumerate(models):
        wordings = [("en", "Which engine oil does my car need?"), ("en", "engine oil")]
        written = knowledge.Written(
            f"Oil {model}", {"en": f"Oil {at}W-30"}, wordings, state="published", fits={"vehicle": [model]}
        )
        knowledge.write_entry(f"oil-{at}", written, by="a")
    say(
        identified("customer:1", "email:ana@example.org", "bluesky:ana", vehicle="Kolt Brio"),
        mailed("ana", "Which engine oil does my car need?", "Oil"),
        posted("ana", "p1", "@otter Which engine oil does my car need?"),
    )
    by_channel = {row.channel: row.id for row in selectors.page("open", alice.pk).rows}
    client = logged_in(alice)
    private = client.get(url(by_channel["email"], "beside/")).content.decode()
    public = client.get(url(by_channel["social"], "beside/")).content.decode()
    assert ("Oil Kolt Brio" in private, "Which car is it?" in private) == (True, False)
    assert "Which car is it?" in public
    say(mailed("ana", "Which engine oil does my Nordling 5 need?", "Re: Oil", 5))
    assert "Oil Nordling 5" in client.get(url(by_channel["email"], "beside/")).content.decode()
