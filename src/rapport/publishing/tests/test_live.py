"""A live desk: comments gathered through the loader, questions told from remarks, those alike answered once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting
from rapport.events import rules, subscriptions
from rapport.events import services as events
from rapport.kit import clock, process
from rapport.kit.errors import Conflict, Invalid
from rapport.listening import selectors as listening
from rapport.messaging.services import drain
from rapport.messaging.tests.network import Connector, Network
from rapport.publishing import selectors, services
from rapport.publishing.models import Band, Broadcast, Bunch, Comment
from rapport.publishing.rules import alike, asking
from rapport.publishing.services import early, keeping, watching
from rapport.publishing.tests.conftest import ALICE, BOB, NOW, comment
from rapport.staff.models import Staff
from rapport.venues.rules import weighing

Told = Callable[..., None]

QUESTIONS = [
    "How much is it?", "does it fit a 2019 Golf", "hi, when is it back in stock", "Was kostet das", "Passt das an den Golf",
    "Gibt es das auch in blau", "combien ça coûte", "est-ce que ça marche sous la pluie", "cuánto cuesta",
    "hay en azul", "quanto costa", "c'è anche in blu", "quanto custa", "tem em azul", "hoeveel kost het",
    "kan ik het ruilen", "ile to kosztuje", "czy pasuje do golfa", "이거 얼마예요", "파란색도 있나요",
]  # fmt: skip
REMARKS = [
    "Love it!", "how nice", "Great stream", "Das ist toll", "was für ein tolles Teil", "Super, merci", "muy bonito",
    "bellissimo", "muito bom", "mooi hoor", "super sprawa", "좋아요", "Greetings from Graz", "wow", "I bought two",
]  # fmt: skip


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_known_without_its_mark(text: str) -> None:
    assert asking.asks(text)


@pytest.mark.parametrize("text", REMARKS)
def test_a_remark_is_none(text: str) -> None:
    assert not asking.asks(text)


def test_who_says_the_same_in_other_letters_says_the_same() -> None:
    one = alike.plain("How much is the tile blade?")
    for other in (
        "HOW MUCH is the tile blade???",
        "how much is the tile blade pls",
        "@otter how much is the tileblade",
    ):
        assert alike.is_same(one, alike.plain(other)), other
        assert set(alike.bands(one)) & set(alike.bands(alike.plain(other))), other
    for other in ("How much is the wood blade?", "Is the tile blade any good?"):
        assert not alike.is_same(one, alike.plain(other)), other
    assert not alike.is_same(alike.plain("does it fit a 2019 golf"), alike.plain("does it fit a 2020 golf"))
    # Nor is it looked at: a desk of thousands who ask of their own year would compare each with all.
    assert not set(alike.bands("does it fit a 2019 golf")) & set(alike.bands("does it fit a 2020 golf"))


@pytest.fixture
def live(source: Connector) -> Broadcast:
    return services.begin(
        title="Tiles live", sources=["here"], joins=["live-1", "#tiles"], starts_at=NOW,
        ends_at=NOW + dt.timedelta(hours=1), by=ALICE,
    )  # fmt: skip


def shown(live: Broadcast, shows: str = "questions") -> list[str]:
    return [bunch.text for bunch in selectors.bunches(live.pk, shows)]


def test_a_burst_comes_whole_through_the_loader(live: Broadcast, told: Told) -> None:
    """Six hundred comments in a dozen batches, one given twice: none lost, none twice, those alike together."""
    words = ("blade", "saw", "table", "stand", "pump", "light")
    for batch in range(12):
        told(
            *(
                comment(
                    f"p{batch}-{i}", f"How much is the {words[i % 6]}?" if i % 2 else f"Hello from {batch} {i}",
                    seconds=batch,
                )
                for i in range(50)
            )
        )  # fmt: skip
    events.settle(600)
    subscriptions.drain(["broadcasts"])
    assert Comment.objects.count() == 600
    assert selectors.broadcast(live.pk).n_comments == 600
    questions = selectors.bunches(live.pk)
    assert sorted(q.text for q in questions) == [
        "How much is the light?",
        "How much is the saw?",
        "How much is the stand?",
    ]
    assert sum(q.n for q in questions) == 300


def test_only_what_belongs_is_gathered(live: Broadcast, told: Told) -> None:
    told(
        comment("ana", "Is this on the tag? #Tiles", "c1", thread=""),
        comment("bo", "Is this elsewhere?", "c2", thread="other"),
        comment("chi", "Was this yesterday?", "c3", seconds=-86_400),
        comment("dan", "Is it here?", "c4"),
    )
    assert shown(live) == ["Is it here?", "Is this on the tag? #Tiles"]


def test_a_desk_is_told_what_is_new_and_what_changed(live: Broadcast, told: Told) -> None:
    told(comment("ana", "Does it cut granite?"))
    (seen,) = selectors.bunches(live.pk)
    before = selectors.news(live.pk, "questions", after=seen.id, since=0)
    assert (before.n_new, before.changed) == (0, ((seen.id, 1, "open"),))
    assert selectors.news(live.pk, "questions", after=seen.id, since=before.token).changed == ()
    told(comment("bo", "does it cut granite"), comment("chi", "Where can I buy it?"), comment("dan", "Wow"))
    after = selectors.news(live.pk, "questions", after=seen.id, since=before.token)
    assert (after.n_new, after.changed, after.n_comments) == (1, ((seen.id, 2, "open"),), 4)


def test_one_answer_answers_all_and_two_colleagues_answer_once(
    live: Broadcast, told: Told, network: Network
) -> None:
    told(comment("ana", "Does it cut granite?", "c1"), comment("bo", "does it cut GRANITE??", "c2"))
    (bunch,) = selectors.bunches(live.pk)
    assert bunch.n == 2
    services.answer(bunch.id, "Yes, up to two centimetres.", by=ALICE, n_known=0)
    with pytest.raises(Conflict):
        services.answer(bunch.id, "No.", by=ALICE, n_known=0)
    drain()
    assert [post["to"] for post in network.posts] == ["c1"]
    assert shown(live) == []
    (answered,) = selectors.bunches(live.pk, "answered")
    assert (answered.n_left, answered.answer, answered.trouble) == (1, "Yes, up to two centimetres.", "")
    # Whoever asks it again is counted, and does not bring it back.
    told(comment("chi", "Does it cut granite", "c3"))
    (answered,) = selectors.bunches(live.pk, "answered")
    assert (answered.n, answered.n_since) == (3, 1)
    assert shown(live) == []


def test_what_may_not_leave_stays_and_says_why(live: Broadcast, told: Told, network: Network) -> None:
    told(comment("ana", "Does it cut granite?", "c1"))
    (bunch,) = selectors.bunches(live.pk)
    services.answer(bunch.id, "See https://bit.ly/x for all of it.", by=ALICE)
    (still,) = selectors.bunches(live.pk)
    assert (still.state, "hides where it leads" in still.withheld) == ("open", True)
    services.answer(bunch.id, "Yes, it does.", by=BOB)  # he may not let anything out
    (waits,) = selectors.bunches(live.pk)
    assert (waits.state, waits.answer) == ("waiting", "Yes, it does.")
    drain()
    assert network.posts == []
    services.answer(bunch.id, waits.answer, by=ALICE)
    drain()
    assert len(network.posts) == 1


def test_words_that_wait_are_not_written_over_by_who_has_not_read_them(live: Broadcast, told: Told) -> None:
    told(comment("ana", "Does it cut granite?", "c1"))
    (bunch,) = selectors.bunches(live.pk)
    services.answer(bunch.id, "Yes,\r\nit does.", by=BOB, known_words="")
    with pytest.raises(Conflict):
        services.answer(bunch.id, "No.", by=ALICE, n_known=0, known_words="")
    (waits,) = selectors.bunches(live.pk)
    assert (waits.state, waits.answered_by) == ("waiting", BOB)
    done = services.answer(
        bunch.id, "Yes, it does cut it.", by=ALICE, n_known=0, known_words="Yes,\nit does."
    )
    assert done.state == "answered"


def test_doubted_words_are_let_out_by_another_than_their_writer(
    live: Broadcast, told: Told, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "DOUBTED_FROM", -99.0)  # every text is doubted
    Staff.objects.create(email="carol@example.com", role="owner", name="Carol")
    told(comment("ana", "Does it cut granite?", "c1"))
    (bunch,) = selectors.bunches(live.pk)
    for _again in range(2):  # she may let out others' words, and not her own
        services.answer(bunch.id, "Yes, it does.", by=ALICE)
        (waits,) = selectors.bunches(live.pk)
        assert (waits.state, "could be taken for advertising" in waits.withheld) == ("waiting", True)
    services.answer(bunch.id, waits.answer, by="carol@example.com")
    drain()
    assert len(network.posts) == 1


def test_who_goes_on_from_what_came_leaves_nothing_out(live: Broadcast, told: Told) -> None:
    told(*(comment(f"p{n}", f"Does it fit the {1990 + n} model?") for n in range(6)))
    numbers = sorted(row.id for row in selectors.bunches(live.pk))
    seen, after = [], 0
    while rows := selectors.bunches(live.pk, after=after, limit=2):
        seen += sorted(row.id for row in rows)
        after = max(row.id for row in rows)
    assert seen == numbers


def test_pinned_first_and_hidden_not_at_all(live: Broadcast, told: Told) -> None:
    told(
        comment("ana", "Does it cut granite?"),
        comment("bo", "What does the stand weigh?"),
        comment("chi", "Buy followers?"),
    )
    third, second, first = selectors.bunches(live.pk)
    services.pin(first.id)
    services.hide(third.id)
    assert [b.id for b in selectors.bunches(live.pk)] == [first.id, second.id]
    assert shown(live, "hidden") == ["Buy followers?"]
    services.show(third.id)
    assert len(selectors.bunches(live.pk)) == 3


def test_a_product_is_pinned_with_its_price_and_said_once(live: Broadcast, network: Network) -> None:
    with pytest.raises(Invalid):
        services.say_product(live.pk, "The blade is 49 EUR.", by=ALICE)
    services.pin_product(
        live.pk,
        title="Tile blade",
        price_minor=4_900,
        currency="EUR",
        url="https://otter.example/b",
        by=ALICE,
    )
    services.say_product(live.pk, "Shown now: the tile blade.", by=ALICE)
    services.say_product(live.pk, "Shown now: the tile blade.", by=ALICE)
    drain()
    assert network.texts == ["Shown now: the tile blade."]
    assert not selectors.broadcast(live.pk).is_price_stale
    with clock.frozen(NOW + dt.timedelta(hours=25)):
        assert selectors.broadcast(live.pk).is_price_stale
        with pytest.raises(Invalid, match=r"49\.00 was pinned more than a day ago"):
            services.say_product(live.pk, "The blade is 49 EUR.", by=ALICE)
        services.say_product(live.pk, "The blade is here.", by=ALICE)


def test_taken_back_edited_and_erased(live: Broadcast, told: Told) -> None:
    told(comment("ana", "Does it cut granit?", "c1"), comment("bo", "Does it cut granite?", "c2"))
    told(comment("ana", "Does it cut granite, too?", "c1", name="post_edited"))
    (bunch,) = selectors.bunches(live.pk)
    assert (bunch.text, bunch.n) == ("Does it cut granite, too?", 2)
    told(comment("ana", "", "c1", name="post_deleted"))
    (bunch,) = selectors.bunches(live.pk)
    assert (bunch.text, bunch.n) == ("Does it cut granite?", 1)
    (row,) = Comment.objects.all()
    (section,) = keeping.sections(Exporting((row.subject,), (row.identifier,)))
    assert section.rows[0]["text"] == "Does it cut granite?"
    assert keeping.erase(Erasing((row.subject,), (row.identifier,), ())) == 1
    assert not Bunch.objects.exists()
    assert not Band.objects.exists()
    assert keeping.erase(Erasing((row.subject,), (row.identifier,), ())) == 0


def test_comments_go_when_their_time_is_over(live: Broadcast, told: Told) -> None:
    told(comment("ana", "Does it cut granite?"))
    assert services.forget_old() == 0
    with clock.frozen(NOW + dt.timedelta(days=31)):
        assert services.forget_old() == 1


def test_comments_go_when_nobody_can_ask_any_more_whether_they_still_stand(
    live: Broadcast, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(comment("ana", "Does it cut granite?"), comment("bo", "Is it sharp?", seconds=60))
    row = listening.source("here")
    ends = NOW + dt.timedelta(seconds=30)
    monkeypatch.setattr(listening, "source", lambda _name: replace(row, kept_since=ends))
    assert services.forget_old() == 1
    assert [one.text for one in Comment.objects.all()] == ["Is it sharp?"]


def test_a_batch_given_again_changes_nothing(live: Broadcast, told: Told, monkeypatch: Any) -> None:
    from rapport.publishing.services import live as gathering

    kept: list[Any] = []
    real = gathering.gather

    def twice(batch: Any) -> None:
        kept.append(batch)
        real(batch)

    told(comment("ana", "Does it cut granite?"))
    subscriber = subscriptions.subscribers()["broadcasts"]
    monkeypatch.setitem(
        subscriptions._subscribers, "broadcasts",
        subscriptions.Subscriber(subscriber.key, subscriber.names, twice),
    )  # fmt: skip
    told(comment("bo", "Does it cut granite?"))
    real(kept[-1])
    assert Comment.objects.count() == 2
    assert selectors.bunches(live.pk)[0].n == 2


class Once:
    """Says stop as soon as somebody would wait."""

    def __init__(self) -> None:
        self.is_over = False

    def __bool__(self) -> bool:
        return self.is_over

    def wait(self, _seconds: float) -> None:
        self.is_over = True


def test_while_something_runs_its_comments_wait_for_nobody(live: Broadcast) -> None:
    """The thread beside the worker gathers by itself; when nothing runs, it leaves that to the usual round."""
    rows = [comment("ana", "Does it cut granite?")]
    span = events.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source="here")
    events.settle(span.first + span.n - 1)
    with clock.frozen(NOW + dt.timedelta(hours=5)):
        watching.gather_forever(Once())
    assert Comment.objects.count() == 0
    watching.gather_forever(Once())
    assert shown(live) == ["Does it cut granite?"]


def test_while_something_runs_the_spool_is_looked_at(live: Broadcast) -> None:
    record(comment("ana", "Does it cut granite?"))
    with clock.frozen(NOW + dt.timedelta(hours=5)):
        watching.show_forever(Once())
    assert Comment.objects.count() == 0
    watching.show_forever(Once())
    assert shown(live) == ["Does it cut granite?"]


class Child:
    """A process that runs until it is told to end, or is killed."""

    def __init__(self) -> None:
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.returncode = 0

    def wait(self, _seconds: float | None = None) -> int:
        return self.returncode or 0


def test_a_process_of_its_own_runs_while_something_is_live(
    live: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started when something begins, again where it was killed, and ended when all is over."""
    started: list[Child] = []

    def start(arguments: list[str], _printed: Path) -> Child:
        assert arguments == ["live"]
        started.append(Child())
        return started[-1]

    class Rounds:
        """Three rounds: it begins, it was killed, it is over."""

        n = 0

        def __bool__(self) -> bool:
            return self.n > 3

        def wait(self, _seconds: float) -> None:
            self.n += 1
            if self.n == 1:
                started[0].returncode = -9
            elif self.n == 3:
                Broadcast.objects.filter(pk=live.pk).update(ends_at=NOW - dt.timedelta(hours=5))

    monkeypatch.setattr(process, "start", start)
    watching.keep_running(Rounds())
    assert [child.returncode for child in started] == [-9, 0]


def record(*rows: dict[str, Any]) -> int:
    span = events.record(pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT), source="here")
    return span.first + span.n - 1


def test_comments_are_shown_before_the_log_has_them_and_stay_once(live: Broadcast, told: Told) -> None:
    """What waits in the spool is on the desk; loading it adds nothing, and says who it was."""
    told(comment("ana", "Does it cut granite?", "c1"))
    shown_early = early.Early()
    upto = record(
        comment("bo", "does it cut GRANITE??", "c2"), comment("chi", "Where can I buy it?", "c3"),
        comment("dan", "Elsewhere?", "c4", thread="other"),
        comment("eve", "Does it cut granite?", "c1", name="post_published") | {"message_id": "told again"},
    )  # fmt: skip
    assert shown_early.look()
    assert not shown_early.look()
    assert sorted((b.text, b.n) for b in selectors.bunches(live.pk)) == [
        ("Does it cut granite?", 2), ("Where can I buy it?", 1),
    ]  # fmt: skip
    assert Comment.objects.filter(subject=0).count() == 2
    events.settle(upto)
    subscriptions.drain(["broadcasts"])
    assert (
        selectors.broadcast(live.pk).n_comments == 4
    )  # the log knows the other event of c1 as one of its own
    assert Comment.objects.count() == 4
    assert not Comment.objects.filter(subject=0).exists()
    assert early.Early().upto == upto


def test_what_the_log_does_not_take_goes_from_the_desk_again(live: Broadcast, told: Told) -> None:
    """An event that the plan refuses, one that was told before, and one of somebody erased are not left standing."""
    told(comment("ana", "Does it cut granite?", "c1"))
    shown_early = early.Early()
    events.keep_out(["loopback:bo"])
    upto = record(
        comment("bo", "Is this erased?", "c2"),
        comment("chi", "Is this refused? #tiles", "c3") | {"properties": "{no JSON"},
        comment("ana", "Does it cut granite?", "c9") | {"message_id": "post_published:c1"},  # the same event
    )
    shown_early.look()
    assert sorted((b.text, b.n) for b in selectors.bunches(live.pk)) == [
        ("Does it cut granite?", 2), ("Is this refused? #tiles", 1),
    ]  # fmt: skip
    events.settle(upto)
    subscriptions.drain(["broadcasts"])
    assert [(b.text, b.n) for b in selectors.bunches(live.pk)] == [("Does it cut granite?", 1)]
    assert selectors.broadcast(live.pk).n_comments == 1


def test_somebody_erased_between_goes_with_what_was_shown_early(live: Broadcast, told: Told) -> None:
    told(comment("ana", "Does it cut granite?", "c1"))
    shown_early = early.Early()
    record(comment("bo", "Where can I buy it?", "c2"))
    shown_early.look()
    assert keeping.erase(Erasing((), ("loopback:bo",), ())) == 1
    assert shown(live) == ["Does it cut granite?"]
