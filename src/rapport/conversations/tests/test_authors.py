"""Public authors who object or fell silent, and words whose time is over, are forgotten here as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from rapport.consent.erasers import Erasing
from rapport.conversations.models import Conversation, Message, Node
from rapport.conversations.services import forgetting
from rapport.conversations.tests.conftest import NOW, post
from rapport.events import subscriptions
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.people import services as people


def test_an_author_who_objects_leaves_conversations_as_well(log: Callable[..., None]) -> None:
    log(
        [
            post("ana", "1", "Can anybody help with this lantern?", asks_us=True, author_name="Ana Quetzal"),
            post("bo", "2", "Mine is broken too.", to="1", minutes=1),
        ]
    )
    subscriptions.drain(["people"])
    people.object_author("bluesky", "ana")
    with clock.frozen(NOW + dt.timedelta(hours=2)):
        assert people.forget_authors_if_due() is not None
    assert list(Message.objects.values_list("identifier", flat=True)) == ["bluesky:bo"]
    (one,) = Conversation.objects.all()
    assert "Quetzal" not in f"{one.author_name}{one.title}{one.preview}"
    assert "lantern" not in f"{one.title}{one.preview}"
    assert one.identifier != "bluesky:ana"


def test_an_author_who_fell_silent_leaves_conversations_as_well(log: Callable[..., None]) -> None:
    log(
        [
            post("ana", "1", "Can anybody help with this lantern?", asks_us=True, minutes=-60 * 24 * 800),
            post("bo", "2", "Mine is broken too.", minutes=1, asks_us=True),
        ]
    )
    subscriptions.drain(["people"])
    with clock.frozen(NOW + dt.timedelta(hours=2)):
        done = people.forget_authors_if_due()
    assert done is not None
    assert done.silent == 1
    assert list(Message.objects.values_list("identifier", flat=True)) == ["bluesky:bo"]


def test_words_go_when_the_terms_of_their_network_say_so(log: Callable[..., None]) -> None:
    listening.add_source(
        "bluesky", "bluesky", {"handle": "shop.bsky.social", "app_password": "x"}, keep_days=10
    )
    month = 60 * 24 * 30
    log(
        [
            post("ana", "1", "Can anybody help with this lantern?", asks_us=True, minutes=-month),
            post("chi", "3", "Mine glows. Does yours?", to="1", asks_us=True),
            post("bo", "2", "Has nobody an oven?", asks_us=True, minutes=-month),
        ]
    )
    assert forgetting.expire() == 2
    assert forgetting.expire() == 0
    assert list(Message.objects.values_list("identifier", flat=True)) == ["bluesky:chi"]
    (one,) = Conversation.objects.all()
    assert "lantern" not in f"{one.title}{one.preview}"


def test_many_are_forgotten_at_once_as_each_would_be(log: Callable[..., None]) -> None:
    log(
        [
            post("ana", "1", "Can anybody help with this lantern?", asks_us=True),
            post("bo", "2", "Mine is broken too.", to="1", minutes=1),
            post("chi", "3", "Has nobody an oven?", asks_us=True),
            post("eve", "4", "Where is my parcel?", asks_us=True),
        ]
    )
    (theirs,) = Conversation.objects.filter(identifier="bluesky:eve")
    notes = [
        Message.objects.create(
            conversation=theirs, origin=theirs.pk, ts=NOW, direction=Message.Direction.NOTE, by=1, text=text
        ).pk
        for text in ("As dan4 says, and", "As jordan4 says, and")
    ]
    gone = ("bluesky:ana", "bluesky:chi", "bluesky:dan4", *(f"bluesky:silent{n}.example" for n in range(60)))
    forgetting.erase(Erasing((), gone, ()))
    assert sorted(Message.objects.exclude(identifier="").values_list("identifier", flat=True)) == [
        "bluesky:bo",
        "bluesky:eve",
    ]
    assert list(Message.objects.filter(pk__in=notes).values_list("pk", flat=True)) == notes[1:]
    assert sorted(Node.objects.values_list("post_id", flat=True)) == ["1", "2", "4"], "Bo's answer hangs on 1"
