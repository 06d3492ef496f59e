"""What staff does: nothing is lost, everything can be taken back, and who waits too long goes first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from rapport.conversations import selectors, services
from rapport.conversations.models import Conversation, Message, Node, VoiceDraft
from rapport.conversations.rules import clocks, weighing
from rapport.conversations.rules.views import Wanted
from rapport.conversations.services import telling
from rapport.conversations.tests.conftest import NOW, mail, only, ours, post
from rapport.events import lake, spool, subscriptions
from rapport.events import services as log_services
from rapport.kit import clock, ids
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.staff.models import Staff

Log = Callable[..., None]


def later(hours: float) -> Any:
    return clock.frozen(NOW + dt.timedelta(hours=hours))


def picture() -> tuple[list[Any], list[Any], list[Any]]:
    """Everything that merging and splitting may touch."""
    fields = ("id", "state", "subject", "identifier", "title", "preview", "n_messages", "waiting_since", "merged_into",
              "split_from", "priority", "due_at", "first_ts", "last_ts")  # fmt: skip
    return (
        sorted(map(str, Conversation.objects.exclude(state="aside").values_list(*fields))),
        sorted(Message.objects.values_list("id", "conversation", "origin")),
        sorted(Node.objects.values_list("network", "post_id", "conversation")),
    )


def two(log: Log) -> tuple[uuid.UUID, uuid.UUID]:
    log(
        [
            mail("ana", "My order is late", "Order", 1),
            post("ana", "p1", "@otter where is it?", minutes=2, asks_us=True),
        ]
    )
    a, b = Conversation.objects.order_by("first_ts").values_list("id", flat=True)
    return a, b


def test_taking_a_merging_back_leaves_everything_as_it_was(log: Log, bob: Staff) -> None:
    a, b = two(log)
    before = picture()
    services.merge(b, a, by=bob.pk)
    assert {m.text for m in selectors.messages(a).rows} == {"My order is late", "@otter where is it?"}
    assert selectors.conversation(b).merged_into == a
    assert selectors.conversation(a).merged_from == (b,)
    with pytest.raises(Conflict):
        services.assign(b, bob.pk, by=bob.pk)
    services.unmerge(b, by=bob.pk)
    assert picture() == before


def test_what_comes_after_a_merging_is_shown_there_and_goes_back_with_it(log: Log, bob: Staff) -> None:
    a, b = two(log)
    services.merge(b, a, by=bob.pk)
    log([post("ana", "p2", "@otter hello?", "p1", 9, asks_us=True)])
    assert len(selectors.messages(a).rows) == 3
    services.unmerge(b, by=bob.pk)
    assert [m.post_id for m in selectors.messages(b).rows] == ["p1", "p2"]
    assert len(selectors.messages(a).rows) == 1


def test_what_staff_merged_and_the_network_joins_ends_in_the_one_that_is_open(log: Log, bob: Staff) -> None:
    log(
        [
            post("ana", "p1", "@otter a", minutes=1, asks_us=True),
            post("bo", "p3", "@otter b", "p2", 2, asks_us=True),
        ]
    )
    a, b = Conversation.objects.exclude(state="aside").order_by("first_ts").values_list("id", flat=True)
    services.merge(a, b, by=bob.pk)
    log([post("chi", "p2", "c", "p1", 3)])
    assert [m.post_id for m in selectors.messages(b).rows] == ["p1", "p3", "p2"]
    with pytest.raises(Conflict):
        services.unmerge(a, by=bob.pk)


def test_putting_a_split_back_leaves_everything_as_it_was(log: Log, bob: Staff) -> None:
    log([post("ana", "p1", "@otter a", asks_us=True), post("bo", "p2", "@otter b", "p1", 1, asks_us=True)])
    one = only()
    before = picture()
    second = Message.objects.get(post_id="p2").id
    off = services.split(one.id, [second], by=bob.pk)
    assert [m.post_id for m in selectors.messages(one.id).rows] == ["p1"]
    assert (selectors.conversation(off).identifier, selectors.conversation(off).state) == (
        "bluesky:bo",
        "open",
    )
    assert services.unsplit(off, by=bob.pk) == one.id
    assert picture() == before


def test_what_answers_a_split_off_message_goes_there(log: Log, bob: Staff) -> None:
    log([post("ana", "p1", "@otter a", asks_us=True), post("bo", "p2", "@otter b", "p1", 1, asks_us=True)])
    one = only()
    off = services.split(one.id, [Message.objects.get(post_id="p2").id], by=bob.pk)
    log([post("chi", "p3", "c", "p2", 2, thread="p1"), post("chi", "p4", "d", "p1", 3, thread="p1")])
    assert [m.post_id for m in selectors.messages(off).rows] == ["p2", "p3"]
    assert [m.post_id for m in selectors.messages(one.id).rows] == ["p1", "p4"]
    with pytest.raises(Invalid, match="nothing would be left"):
        services.split(off, [m.id for m in selectors.messages(off).rows], by=bob.pk)


def test_a_snooze_ends_at_its_moment_or_when_they_write(log: Log, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1), mail("bo", "Hello", "B", 2)])
    a, b = Conversation.objects.order_by("first_ts").values_list("id", flat=True)
    for number in (a, b):
        services.snooze(number, NOW + dt.timedelta(hours=5), by=bob.pk)
    log([mail("bo", "And?", "Re: B", 30)])
    assert selectors.conversation(b).state == "open"
    services.mind()
    assert selectors.conversation(a).state == "snoozed"
    with later(5.1):
        services.mind()
    assert selectors.conversation(a).state == "open"
    with pytest.raises(Invalid):
        services.snooze(a, NOW, by=bob.pk)


def test_it_opens_again_when_they_write_again(log: Log, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    services.resolve(only().id, by=bob.pk)
    assert only().state == "resolved"
    log([mail("ana", "Still broken", "Re: A", 40)])
    assert (only().state, only().outcome) == ("open", "")


def test_a_note_names_a_colleague_and_is_no_answer(log: Log, alice: Staff, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    one = only()
    services.note(one.id, "@alice, can we refund? @bob knows. nobody@example.org", by=bob.pk)
    (mention,) = selectors.mentions(alice.pk)
    assert (mention.conversation, mention.by, mention.is_seen) == (one.id, bob.pk, False)
    assert selectors.mentions(bob.pk) == []
    assert selectors.conversation(one.id).waiting_since is not None
    assert [r.id for r in selectors.page("mentions", alice.pk).rows] == [one.id]
    services.seen_mentions(one.id, by=alice.pk)
    assert selectors.mentions(alice.pk) == []


def test_whoever_watches_or_writes_is_seen_for_twenty_seconds(log: Log, alice: Staff, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    one = only()
    services.watch(one.id, by=alice.pk, writes=True)
    services.watch(one.id, by=bob.pk)
    assert [(w.staff, w.is_writing) for w in selectors.watching(one.id, bob.pk)] == [(alice.pk, True)]
    with clock.frozen(clock.now() + dt.timedelta(seconds=21)):
        assert selectors.watching(one.id) == []


def test_two_windows_do_not_overwrite_each_others_draft(log: Log, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    one = only()
    first = services.keep_draft(one.id, bob.pk, "Dear", one.version)
    services.keep_draft(one.id, bob.pk, "Dear Ana", one.version, saved_no=first)
    with pytest.raises(Conflict):
        services.keep_draft(one.id, bob.pk, "Hi", one.version, saved_no=first)
    draft = selectors.draft(one.id, bob.pk)
    assert draft is not None
    assert draft.text == "Dear Ana"
    services.keep_draft(one.id, bob.pk, " ", one.version)
    assert selectors.draft(one.id, bob.pk) is None


def test_only_who_may_answer_is_given_a_conversation(log: Log, alice: Staff, charlie: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    one = only()
    with pytest.raises(Invalid, match="Charlie may not answer"):
        services.assign(one.id, charlie.pk, by=alice.pk)
    services.assign(one.id, alice.pk, by=alice.pk, team="returns")
    assert [r.id for r in selectors.page("mine", alice.pk).rows] == [one.id]
    assert [r.id for r in selectors.page(Wanted(team="returns"), alice.pk).rows] == [one.id]


def test_safety_goes_before_worth_and_too_long_a_wait_before_everything(log: Log, bob: Staff) -> None:
    log(
        [
            mail("ana", "Do you sell wipers?", "A", -60 * 24 * 3),  # longer than the longest wait of mail
            mail("bo", "Do you sell wipers?", "B", 1),
            mail("chi", "The battery caught fire and my son is injured", "C", 2),
            mail("dov", "Please refund me", "D", 3),
        ]
    )
    services.mind()
    order = [r.identifier.partition(":")[2][:3] for r in selectors.page("open", bob.pk).rows]
    assert order == ["ana", "chi", "dov", "bo@"]
    late = Conversation.objects.get(identifier__contains="ana")
    assert (late.is_overdue, late.because[0]) == (True, "overdue")
    services.prioritise(Conversation.objects.get(identifier__contains="bo@").id, "urgent", by=bob.pk)
    order = [r.identifier.partition(":")[2][:3] for r in selectors.page("open", bob.pk).rows]
    assert order == ["ana", "bo@", "chi", "dov"]


def test_worth_never_lifts_anybody_over_safety_or_the_floor() -> None:
    rich = weighing.weigh(intent="complaint", sentiment="negative", value_at_risk_minor=10**12)
    assert rich.priority < weighing.weigh(found=("vulnerable",)).priority
    assert (
        weighing.weigh(found=("safety",)).priority < weighing.weigh(intent="praise", is_overdue=True).priority
    )
    assert weighing.value_at_risk_minor(float("nan"), 1, 1) == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Die Bremsen versagten, meine Frau ist verletzt", ("safety",)),
        ("Je veux être remboursé", ("refund",)),
        ("Soy anciana y necesito ayuda", ("vulnerable",)),
        ("I sit in a wheelchair and was charged twice", ("vulnerable", "refund")),
        ("Nice weather", ()),
    ],
)
def test_what_goes_first_is_heard_in_several_languages(text: str, found: tuple[str, ...]) -> None:
    assert weighing.signs(text) == found


def test_an_answer_is_due_in_hours_that_the_firm_works() -> None:
    target = clocks.Target(60, 24, "Europe/Madrid", ((9 * 60, 17 * 60),) * 5 + (None, None))
    friday = dt.datetime(2026, 3, 6, 15, 30, tzinfo=dt.UTC)  # 16:30 there
    assert clocks.due(friday, target) == dt.datetime(2026, 3, 9, 8, 30, tzinfo=dt.UTC)
    # On the night of the clock change an hour is an hour.
    always = clocks.Target(180, 24, "Europe/Madrid")
    assert clocks.due(dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC), always) == dt.datetime(
        2026, 3, 29, 3, 30, tzinfo=dt.UTC
    )
    with pytest.raises(Invalid, match="no time zone"):
        clocks.checked(clocks.Target(1, 1, "Mars/Olympus"))


def test_a_new_target_moves_what_waits(log: Log) -> None:
    log([mail("ana", "Hello", "A", 1)])
    services.save_target("email", clocks.Target(30, 48))
    assert only().due_at == NOW + dt.timedelta(minutes=31)
    assert only().is_overdue


def test_pages_go_on_where_they_ended_and_changes_are_told(log: Log, bob: Staff) -> None:
    log([mail(f"a{n}", "Hello", f"S{n}", n) for n in range(7)])
    for order in ("priority", "last", "waiting"):
        seen: list[uuid.UUID] = []
        before = ""
        while True:
            page = selectors.page(Wanted(order=order), bob.pk, before, limit=3)
            seen += [r.id for r in page.rows]
            before = page.next
            if not before:
                break
        assert len(seen) == len(set(seen)) == 7
    assert selectors.page(Wanted(order="waiting"), bob.pk).rows[0].identifier == "email:a0@example.org"
    token = selectors.changes(0).token
    assert not selectors.changes(token).ids
    services.assign(seen[0], bob.pk, by=bob.pk)
    assert selectors.changes(token).ids == (seen[0],)
    assert selectors.counts(bob.pk)["open"] == 7
    assert selectors.counts(bob.pk)["mine"] == 1
    with pytest.raises(NotFound):
        selectors.page("v999", bob.pk)
    with pytest.raises(Invalid):
        selectors.page("open", bob.pk, "nonsense")


def test_a_saved_view_is_ones_own_or_everybodys(log: Log, alice: Staff, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    mine = services.save_view("Mail", {"channel": "email"}, by=bob.pk)
    assert len(selectors.page(mine, bob.pk).rows) == 1
    with pytest.raises(NotFound):
        selectors.page(mine, alice.pk)
    with pytest.raises(Denied):
        services.save_view("All", {}, by=bob.pk, is_shared=True)
    shared = services.save_view("Chat", {"channel": "chat"}, by=alice.pk, is_shared=True)
    assert selectors.page(shared, bob.pk).rows == ()
    with pytest.raises(Invalid, match="no 'colour'"):
        services.save_view("X", {"colour": "red"}, by=bob.pk)


def test_a_search_goes_past_what_stands_in_no_conversation(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.conversations.selectors import searching

    monkeypatch.setattr(searching, "SLICE", 3)
    log([mail("ana", "The cable is broken", "A", 1)])
    log([post(f"bo{n}", f"p{n}", "A lovely cable", minutes=n) for n in range(7)])
    Conversation.objects.filter(channel="social").update(state="aside")
    found = selectors.search("cable")
    assert [row.author_name for row in found.rows] == [only().author_name]
    assert found.next == ""


def test_search_finds_words_and_their_beginnings_in_everything_ever_said(log: Log, bob: Staff) -> None:
    log([mail("ana", "The déjà vu cable is broken", "A", 1), mail("bo", "No cables here", "B", 2)])
    services.note(Conversation.objects.earliest("first_ts").id, "cable again", by=bob.pk)
    assert len(selectors.search("cabl").rows) == 3
    (found,) = selectors.search("déjà broken").rows
    assert ("broken", True) in found.marked
    first = selectors.search("cable", limit=2)
    assert len(selectors.search("cable", first.next).rows) == 1
    with pytest.raises(Invalid):
        selectors.search('"*')


def test_a_macro_does_its_steps_and_nothing_is_sent_unseen(log: Log, alice: Staff, bob: Staff) -> None:
    log([mail("ana", "Hallo, mein Kabel ist kaputt", "A", 1)])
    services.save_canned("sorry", "Sorry", {"en": "We are sorry.", "de": "Das tut uns leid."}, by=alice.pk)
    macro = services.save_macro(
        "Take and apologise",
        [
            {"do": "assign", "to": "me"},
            {"do": "draft", "short": "sorry"},
            {"do": "playbook", "kind": "apology"},
        ],
        by=alice.pk,
    )
    one = only()
    Conversation.objects.filter(pk=one.pk).update(language="de")
    assert services.run_macro(one.id, macro, by=bob.pk, version=one.version) == [
        "assign",
        "draft",
        "playbook",
    ]
    draft = selectors.draft(one.id, bob.pk)
    assert draft is not None
    assert draft.text == "Das tut uns leid."
    assert not Message.objects.filter(direction="out").exists()
    with pytest.raises(Conflict):
        services.run_macro(one.id, macro, by=bob.pk, version=one.version)
    with pytest.raises(Invalid, match="explode"):
        services.save_macro("X", [{"do": "explode"}], by=alice.pk)


def test_a_recovery_has_clocks_and_says_what_came_of_it(log: Log, bob: Staff) -> None:
    log([mail("ana", "Terrible", "A", 1), ours("o9", "zz")])
    one = Conversation.objects.get(channel="email")
    Message.objects.filter(conversation=one).update(stance=-0.8)
    book = services.begin_playbook(one.id, "correction", by=bob.pk)
    with later(30):
        assert selectors.n_steps_overdue() == 2
        (running,) = selectors.playbooks_running()
        assert [s.is_overdue for s in running.steps] == [True, True, False]
        assert [r.id for r in selectors.page("recoveries", bob.pk).rows] == [one.id]
        with pytest.raises(Invalid, match="found or given"):
            services.do_step(book, 1, by=bob.pk)
        services.do_step(book, 1, by=bob.pk, note="https://otter.example/spec")
        services.do_step(book, 2, by=bob.pk)
        log([mail("ana", "Oh, thank you, I see", "Re: A", 60 * 25)])
        Message.objects.filter(text__startswith="Oh").update(stance=0.5)
        assert services.do_step(book, 3, by=bob.pk) == "ended"
    (done,) = selectors.playbooks(one.id)
    assert (done.outcome, done.stance_before, done.stance_after) == ("better", -0.8, 0.5)
    with pytest.raises(NotFound):
        services.do_step(book, 3, by=bob.pk)


def test_one_click_drafts_a_voice_case_without_a_name(log: Log, bob: Staff) -> None:
    log([post("ana", "p1", "=HYPERLINK delivery is a joke", asks_us=True, author_name="Ana Ruiz")])
    subscriptions.drain(["people"])  # whom nobody knows yet, nobody quotes
    one = only()
    Message.objects.update(aspect="delivery")
    first = services.voice_draft(one.id, by=bob.pk)
    assert services.voice_draft(one.id, by=bob.pk) == first
    (draft,) = selectors.voice_drafts()
    assert (draft.department, draft.aspect, len(draft.quotes)) == ("logistics", "delivery", 1)
    sheet = services.export_voice()
    assert "Ana" not in sheet
    assert "bluesky" not in sheet
    assert "'=HYPERLINK delivery is a joke" in sheet


def test_among_many_voice_cases_each_is_found_and_all_are_listed(log: Log, bob: Staff) -> None:
    log([mail("ana", "It never came", "Order", 1)])
    made = services.voice_draft(only().id, by=bob.pk)
    VoiceDraft.objects.bulk_create(
        VoiceDraft(id=ids.uuid7(), department="service", due_on=NOW.date(), made_by=bob.pk, made_at=NOW)
        for _ in range(120)
    )
    found = selectors.voice(made)
    assert found is not None
    assert found.conversation == only().id
    assert len({one.id for begin in (0, 100) for one in selectors.voice_drafts(begin=begin)}) == 121
    assert selectors.voice(ids.uuid7()) is None


def test_a_voice_case_holds_no_name_that_stands_in_the_words(log: Log, bob: Staff) -> None:
    log([mail("ana", "Late again! Call me: +49 30 1234567 or ana@example.org. Regards, Ana Ruiz", "Ruiz: late",
              author_name="Ana Ruiz")])  # fmt: skip
    services.voice_draft(only().id, by=bob.pk)
    assert (
        "Late" not in services.export_voice()
    )  # whom nobody knows yet, nobody quotes, not as a heading either
    VoiceDraft.objects.all().delete()
    subscriptions.drain(["people"])
    services.voice_draft(only().id, by=bob.pk)
    sheet = services.export_voice()
    assert "Late again!" in sheet
    assert not [word for word in ("Ana", "ana@", "Ruiz", "1234567") if word in sheet]


def test_what_is_quiet_for_too_long_closes_and_says_why(log: Log) -> None:
    log(
        [
            mail("ana", "Hello", "A", 1),
            post("bo", "p1", "@otter hi", asks_us=True),
            ours("o1", "p1", minutes=5),
        ]
    )
    with later(24 * 31):
        assert services.close_quiet() == 2
    found = dict(Conversation.objects.exclude(state="aside").values_list("channel", "resolved_why"))
    assert found == {"email": "stale", "social": "answered_and_quiet"}


def test_until_somebody_says_otherwise_the_firm_answers_by_its_own_clock(db: None) -> None:
    from rapport.staff.models import Organisation

    assert selectors.target_rows()[0].timezone == "UTC"
    Organisation.objects.create(
        name="Otter", currency="EUR", timezone="Asia/Seoul", language="ko", created_at=NOW
    )
    assert {row.timezone for row in selectors.target_rows()} == {"Asia/Seoul"}


def test_what_is_put_off_is_late_again_only_once_it_is_back(log: Log, bob: Staff) -> None:
    log([mail("ana", "Where is it?", "Order", 1)])
    with later(24 * 5):
        services.mind()
        assert only().is_overdue
        services.snooze(only().id, NOW + dt.timedelta(days=6), by=bob.pk)
        assert (only().is_overdue, only().due_at) == (False, None)
    with later(24 * 6 + 1):
        services.mind()
        assert (only().state, only().is_overdue) == ("open", True)


def test_what_waits_for_approval_is_never_closed_as_answered(log: Log, bob: Staff) -> None:
    log([mail("ana", "Where is it?", "Order", 1)])
    one = only()
    services.ask_approval(one.id, "On its way.", by=bob.pk, version=one.version)
    with later(24 * 400):
        assert services.close_quiet() == 0
    assert only().state == "pending"


def told() -> list[str]:
    """The names of what conversations told the log, in order."""
    log_services.settle(spool.current().next_seq() - 1)
    con = lake.connect()
    try:
        found = con.execute("SELECT name FROM event WHERE source = 'conversations' ORDER BY seq").fetchall()
    finally:
        con.close()
    return [name for (name,) in found]


def test_the_log_hears_what_whoever_was_killed_had_still_to_tell(
    log: Log, bob: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    log([mail("ana", "Hello", "A", 1)])
    with monkeypatch.context() as killed:
        killed.setattr(telling.events, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.resolve(only().id, by=bob.pk)
    assert told() == ["conversation_opened"]
    with later(2):
        services.mind()
        services.mind()
    assert told() == ["conversation_opened", "conversation_resolved"]


def test_a_macro_that_fails_tells_nothing(log: Log, bob: Staff) -> None:
    log([mail("ana", "Hello", "A", 1)])
    one = only()
    wrong = [{"do": "resolve", "outcome": "solved"}, {"do": "assign", "to": "4711"}]
    number = services.save_macro("Both", wrong, by=bob.pk)
    with pytest.raises(NotFound):
        services.run_macro(one.id, number, by=bob.pk, version=one.version)
    assert only().state == "open"
    with later(2):
        services.mind()
    assert told() == ["conversation_opened"]
