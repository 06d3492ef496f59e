from __future__ import annotations

import asyncio
import datetime as dt
import re
import uuid
from importlib import resources
from typing import Any

import pytest

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting
from rapport.events import lake, subscriptions
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, Unavailable
from rapport.messaging.contract import Channel, Context, Message, TransportError
from rapport.messaging.services import Sent, Withheld
from rapport.onsite import selectors as onsite
from rapport.onsite.chat import channel, rules, script, selectors, services
from rapport.onsite.models import Chat, ChatLine
from rapport.onsite.tests.conftest import ANA, MONDAY, settle
from rapport.people import selectors as people

TOKEN = "ab" * 16
OTHER = "cd" * 16
OFFICE = {"0": "09:00-12:00, 13:00-17:00", "4": "9:00–12:00"}  # Monday and Friday


@pytest.fixture
def desk(site: onsite.SiteView) -> selectors.DeskView:
    return services.set_up(
        site.source,
        by="alice@example.com",
        is_on=True,
        hours={},
        zone="Europe/Madrid",
        greeting={"en": "Hello from the otters."},
        within_min=60,
    )


def logged() -> list[tuple[str, str, str]]:
    settle()
    con = lake.connect()
    try:
        found = con.execute(
            "SELECT s.identifier, e.text, e.properties->>'thread' FROM event AS e"
            " JOIN subject AS s USING (subject) WHERE e.name = 'message_received' ORDER BY e.seq"
        ).fetchall()
    finally:
        con.close()
    return found


# Rules


def test_an_answer_is_promised_in_opening_hours_alone() -> None:
    hours = rules.hours(OFFICE)

    def by(hour: int, minute: int, within_min: int, day: int = 2) -> str:
        now = dt.datetime(2026, 3, day, hour, minute, tzinfo=dt.UTC)  # Madrid is an hour ahead
        return rules.answered_by(hours, "Europe/Madrid", now, within_min).strftime("%d %H:%M")

    assert by(8, 0, 60) == "02 09:00"  # open since nine, local time
    assert by(10, 30, 60) == "02 12:30"  # half an hour before lunch, half an hour after it
    assert by(6, 0, 60) == "02 09:00"  # before it opens
    assert by(15, 45, 60) == "06 08:45"  # a quarter of an hour on Monday, the rest on Friday
    assert by(20, 0, 60, day=6) == "09 09:00"  # over the week's end
    assert rules.answered_by({}, "UTC", MONDAY, 90) == MONDAY + dt.timedelta(minutes=90)


def test_hours_are_open_from_their_beginning_until_just_before_their_end() -> None:
    hours = rules.hours(OFFICE)
    at = [dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC), dt.datetime(2026, 3, 2, 11, 0, tzinfo=dt.UTC)]
    assert [rules.is_open(hours, "Europe/Madrid", one) for one in at] == [True, False]
    assert rules.is_open({}, "UTC", MONDAY)


@pytest.mark.parametrize("wrong", ["nine to five", "09:00", "12:00-09:00", "09:00-25:00"])
def test_hours_that_are_none_are_refused_by_name(wrong: str) -> None:
    with pytest.raises(Invalid, match=re.escape(repr(wrong))):
        rules.hours({"0": wrong})


def test_every_language_says_everything() -> None:
    english = rules.shipped()["en"]
    assert len(rules.languages()) == 9
    for language, words in rules.shipped().items():
        assert set(words) == set(english), language
        for key, text in words.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), (language, key)
    assert rules.language_of("de-AT", "en") == "de"
    assert rules.language_of("tlh", "fr") == "fr"


def test_the_script_is_small_and_made_of_habits_that_keep_it_whole() -> None:
    source = resources.files("rapport.onsite.chat").joinpath("script.js").read_text(encoding="utf-8")
    served = script.current()
    assert len(served.packed) <= script.BYTES_MAX
    assert b"//" not in re.sub(rb"'[^']*'|/[^/ ]+/", b"", served.plain)
    used = set(re.findall(r"words\.(\w+)", source)) | {"here", "away", "closed"}
    assert used <= set(rules.shipped()["en"])
    # Of the network it asks its own installation alone, and it runs no words of others as markup.
    assert not re.search(r"https?://|innerHTML|insertAdjacent|document\.write|eval\(", source)


# What is written


def test_what_somebody_writes_is_in_the_log_once_however_often_it_is_sent(desk: selectors.DeskView) -> None:
    for _ in range(3):
        line = services.say(desk, TOKEN, "line-0001", "Where is my order?", language="en", page="https://a/b")
    services.say(desk, TOKEN, "line-0002", "Hello?", language="en")
    assert (line.text, line.key) == ("Where is my order?", "line-0001")
    chat = selectors.chat_id(TOKEN)
    who = f"anonymous:{chat}"
    assert logged() == [(who, "Where is my order?", chat), (who, "Hello?", chat)]
    assert [one.text for one in services.hear(TOKEN, 0)] == ["Where is my order?", "Hello?"]
    assert services.hear(OTHER, 0) == []


def test_a_line_whose_taking_was_cut_short_is_taken_when_it_comes_again(
    desk: selectors.DeskView, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = services.events.touchpoint

    def killed(*_given: object, **_named: object) -> None:
        raise SystemExit

    monkeypatch.setattr(services.events, "touchpoint", killed)
    with pytest.raises(SystemExit):
        services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    monkeypatch.setattr(services.events, "touchpoint", real)
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    assert [text for _who, text, _thread in logged()] == ["Where is it?"]
    assert ChatLine.objects.count() == 1


def test_the_secret_of_a_chat_stands_nowhere(desk: selectors.DeskView) -> None:
    services.say(desk, TOKEN, "line-0001", "Hello", language="en")
    assert TOKEN not in str(list(Chat.objects.values())) + str(list(ChatLine.objects.values())) + str(
        logged()
    )


def test_a_browser_that_allowed_it_is_known_by_the_pages_it_saw(desk: selectors.DeskView) -> None:
    services.say(desk, TOKEN, "line-0001", "Hello", language="en", visitor=ANA)
    services.say(desk, OTHER, "line-0001", "Hello", language="en", visitor="not a number")
    settle()
    mine = people.person(selectors.identifier(selectors.chat_id(TOKEN)))
    assert f"anonymous:{ANA}" in {edge.b for edge in mine.edges} | {edge.a for edge in mine.edges}
    other = people.person(selectors.identifier(selectors.chat_id(OTHER)))
    assert not other.edges


@pytest.mark.parametrize(
    ("token", "key", "text"),
    [
        ("x", "line-0001", "Hello"),
        (TOKEN, "!", "Hello"),
        (TOKEN, "line-0001", " \0 "),
        (TOKEN, "line-0001", "a" * 4001),
    ],
)
def test_what_is_no_line_is_refused(desk: selectors.DeskView, token: str, key: str, text: str) -> None:
    with pytest.raises(Invalid):
        services.say(desk, token, key, text, language="en")
    assert not ChatLine.objects.exists()


def test_one_chat_takes_only_so_much_in_a_day(
    desk: selectors.DeskView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "LINES_A_DAY_MAX", 2)
    for n in range(2):
        services.say(desk, TOKEN, f"line-000{n}", "Hello", language="en")
    with pytest.raises(Unavailable):
        services.say(desk, TOKEN, "line-0009", "Hello", language="en")
    services.say(desk, TOKEN, "line-0001", "Hello", language="en")  # what it has is no new line


# Who is there


def test_the_window_says_whether_somebody_answers(desk: selectors.DeskView) -> None:
    assert selectors.standing(desk).state == "away"
    services.note_present(7)
    assert selectors.standing(desk).state == "here"
    with clock.frozen(MONDAY + rules.HERE + dt.timedelta(seconds=1)):
        assert selectors.standing(desk).state == "away"
    shut = services.set_up(
        desk.source, by="", is_on=True, hours={"1": "09:00-17:00"}, zone="UTC", greeting={}, within_min=30
    )
    found = selectors.standing(shut)
    assert found.state == "closed"
    assert found.answered_by == dt.datetime(2026, 3, 3, 9, 30, tzinfo=dt.UTC)


# Answering


def sent(chat: str, text: str, key: str) -> None:
    async def one() -> None:
        session = await channel.plugin.open(channel.Config(), Context(clock.now, lambda _name: ()))
        await session.send(Message(id=key, to=chat, subject_line="", text=text))
        await session.close()

    asyncio.run(one())


def test_the_chat_is_a_channel() -> None:
    assert isinstance(channel.plugin, Channel)


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_heard_once_though_it_is_handed_over_twice(desk: selectors.DeskView) -> None:
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    chat = selectors.chat_id(TOKEN)
    sent(chat, "On its way.", "delivery-1")
    sent(chat, "On its way.", "delivery-1")
    (asked, answered) = services.hear(TOKEN, 0)
    assert (asked.is_ours, answered.is_ours, answered.text) == (False, True, "On its way.")
    assert services.hear(TOKEN, answered.id) == []
    with pytest.raises(TransportError) as refused:
        sent("c-nobody", "Hello?", "delivery-2")
    assert refused.value.permanent


def test_whoever_has_gone_gets_the_answer_by_mail_once(
    desk: selectors.DeskView, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails: list[tuple[str, str]] = []
    monkeypatch.setattr(services.messaging, "send", lambda m: mails.append((m.to, m.context["answer"])))
    with pytest.raises(Conflict):
        services.leave_mail(TOKEN, "ana@example.org")
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    with pytest.raises(Invalid):
        services.leave_mail(TOKEN, "no address")
    assert services.leave_mail(TOKEN, " Ana@Example.org ") == "ana@example.org"
    chat = selectors.chat_id(TOKEN)
    services.answer(chat, "On its way.", "d1")
    assert services.mail_answers() == 0  # the window is open: it will fetch it
    with clock.frozen(MONDAY + dt.timedelta(minutes=5)):
        assert services.mail_answers() == 1
        assert services.mail_answers() == 0
        services.answer(chat, "It arrives on Tuesday.", "d2")
        assert services.mail_answers() == 1
    assert mails == [
        ("email:ana@example.org", "On its way."),
        ("email:ana@example.org", "It arrives on Tuesday."),
    ]
    # An address that was typed in proves nothing: the log knows of no tie between the two.
    assert all("ana@" not in who for who, _text, _thread in logged())


def test_who_answered_sees_what_was_not_mailed_until_the_window_has_it(
    desk: selectors.DeskView, monkeypatch: pytest.MonkeyPatch
) -> None:
    withheld = Withheld(uuid.UUID(int=1), "suppressed_bounced")
    said: list[Any] = [*[Sent(uuid.UUID(int=1), "planned")] * (rules.MAILS_A_DAY - 1), withheld]
    monkeypatch.setattr(services.messaging, "send", lambda _message: said.pop(0))
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    services.leave_mail(TOKEN, "ana@example.org")
    chat = selectors.chat_id(TOKEN)
    who = selectors.identifier(chat)
    seen = []
    with clock.frozen(MONDAY + dt.timedelta(minutes=5)):
        for n in range(rules.MAILS_A_DAY + 1):
            services.answer(chat, f"Answer {n}", f"d{n}")
            services.mail_answers()
            seen.append(selectors.unmailed(who))
        assert seen == [*[""] * (rules.MAILS_A_DAY - 1), "suppressed_bounced", "limit"]
        assert selectors.unmailed(f"email:{chat}") == ""
        services.hear(TOKEN, services.hear(TOKEN, 0)[-1].id)
    assert selectors.unmailed(who) == ""


def test_an_answer_that_was_heard_is_not_mailed(
    desk: selectors.DeskView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.messaging, "send", lambda _message: pytest.fail("it was heard"))
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    services.leave_mail(TOKEN, "ana@example.org")
    services.answer(selectors.chat_id(TOKEN), "On its way.", "d1")
    services.hear(TOKEN, services.hear(TOKEN, 0)[-1].id)
    with clock.frozen(MONDAY + dt.timedelta(minutes=5)):
        assert services.mail_answers() == 0


# Forgetting


def test_a_forgotten_person_has_no_chat(desk: selectors.DeskView) -> None:
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    services.leave_mail(TOKEN, "ana@example.org")
    services.say(desk, OTHER, "line-0001", "And mine?", language="en")
    services.leave_mail(OTHER, "bo@example.org")
    me = selectors.identifier(selectors.chat_id(TOKEN))
    (section,) = selectors.everything(Exporting((), (me,)))
    assert {"address_left": "ana@example.org"}.items() <= section.rows[0].items()
    assert section.rows[1]["text"] == "Where is it?"
    services.erase(Erasing((), (me,), ()))
    assert [one.mail for one in Chat.objects.all()] == ["bo@example.org"]
    services.erase(Erasing((), ("email:bo@example.org",), ()))
    assert [one.mail for one in Chat.objects.all()] == [""]
    assert not list(selectors.everything(Exporting((), (me,))))


def test_windows_of_old_chats_are_emptied(desk: selectors.DeskView) -> None:
    services.say(desk, TOKEN, "line-0001", "Where is it?", language="en")
    assert services.forget_old() == 0
    with clock.frozen(MONDAY + rules.KEEP + dt.timedelta(days=1)):
        assert services.forget_old() > 0
    assert not ChatLine.objects.exists()
    subscriptions.drain()
