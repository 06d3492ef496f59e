"""Pictures on Matrix: messages before that with the words, each of them in the room once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft, Failed
from rapport.listening.tests import serving
from rapport.listening.tests.drawing import LAMPS
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.matrix import simulator
from rapport.plugins.connectors.matrix.plugin import plugin
from rapport.plugins.connectors.matrix.server import Config

DRAFT = Draft(
    "0190f5c8c0de7000a000000000000009",
    "The lamp is back.",
    to="our-matrix",
    venue="matrix",
    media=LAMPS,
)
SHOWN = [one.alt for one in LAMPS]
ROOM = "#news:otter.example"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[simulator.Matrix]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Matrix() as found:
        yield found


@pytest.fixture
def room(network: simulator.Matrix) -> str:
    return network.room("news", alias=ROOM)


def publish(network: simulator.Matrix, posts_to: str = ROOM) -> str:
    config = Config(network.address, simulator.ME, simulator.TOKEN, posts_to=posts_to)
    return plugin.publish(config, DRAFT, serving.context()).id


def bodies(network: simulator.Matrix, room: str) -> list[str]:
    return [event["content"]["body"] for event in network.of_me(room)]


def test_pictures_stand_before_their_words_with_what_they_show(network: simulator.Matrix, room: str) -> None:
    assert publish(network) == publish(network)
    assert bodies(network, room) == [*SHOWN, "The lamp is back."]
    content = network.of_me(room)[1]["content"]
    assert content["msgtype"] == "m.image"
    assert content["info"] == {"mimetype": "image/png", "w": 30, "h": 60, "size": len(DRAFT.media[1].read())}
    assert network.files[content["url"]] == ("image/png", DRAFT.media[1].read())


def test_a_picture_of_ours_is_read_as_nothing_said(network: simulator.Matrix, room: str) -> None:
    publish(network)
    network.happened(
        room,
        "@ana:otter.example",
        "m.room.message",
        {"msgtype": "m.image", "body": "mine.jpg", "url": "mxc://x"},
    )
    config = Config(network.address, simulator.ME, simulator.TOKEN)
    said = [one for page in plugin.fetch(config, "", serving.context()) for one in page.said]
    assert [one.author for one in said if not one.is_ours] == ["ana:otter.example"]
    assert [one.text for one in said if one.is_ours] == ["The lamp is back."]


def test_ended_between_them_the_rest_follows_and_none_comes_twice(
    network: simulator.Matrix, room: str
) -> None:
    network.fail("/upload", Answered({"errcode": "M_UNKNOWN", "error": "busy"}, 500))
    with pytest.raises(Failed) as failed:
        publish(network)
    assert not failed.value.is_unsure
    assert bodies(network, room) == []
    network.fail("/send/m.room.message/" + key(1), is_after=True)
    with pytest.raises(Failed):
        publish(network)
    assert bodies(network, room) == SHOWN
    network.sent.clear()  # the server knows numbers for a while alone
    publish(network)
    assert bodies(network, room) == [*SHOWN, "The lamp is back."]


def key(n: int) -> str:
    return f"rapport-{hashlib.sha256(DRAFT.id.encode()).hexdigest()[:40]}-{n}"


def test_without_a_room_nothing_is_posted(network: simulator.Matrix, room: str) -> None:
    with pytest.raises(Failed, match="no room is named"):
        publish(network, "")
    with pytest.raises(Invalid, match="is no room"):
        plugin.check(Config(network.address, simulator.ME, simulator.TOKEN, posts_to="news"))
    assert bodies(network, room) == []
