"""Pictures on X: handed over and described before their post, which is there once and never without them."""

from __future__ import annotations

import pytest

from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.drawing import LAMPS
from rapport.plugins.connectors.x import simulator
from rapport.plugins.connectors.x.plugin import plugin
from rapport.plugins.connectors.x.simulator import problem
from rapport.plugins.connectors.x.test_x import CONFIG

DRAFT = Draft(
    "d1",
    "The lamp is back.",
    media=LAMPS,
)


@pytest.fixture
def network() -> simulator.X:
    return simulator.X(Day())


@pytest.fixture
def reader(network: simulator.X) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_a_post_shows_its_pictures_with_their_words(network: simulator.X, reader: Reader) -> None:
    receipt = reader.publish(DRAFT)
    assert reader.find(DRAFT) == receipt
    shown = [network.media[number] for number in network.shown[receipt.id]]
    assert shown == [[one.content_type, one.read(), one.alt] for one in DRAFT.media]


@pytest.mark.parametrize("path", ["/2/media/upload", "/2/media/metadata"])
def test_ended_between_a_picture_and_its_post_nothing_is_shown(
    network: simulator.X, reader: Reader, path: str
) -> None:
    for lost in (problem(503, "Service Unavailable", "Service Unavailable"), None):
        network.fail(path, lost, is_after=True)
        assert not refused(lambda: reader.publish(DRAFT)).is_unsure
        assert network.posts == {}
    network.fail("/2/tweets", is_after=True)
    assert refused(lambda: reader.publish(DRAFT)).is_unsure
    found = reader.find(DRAFT)
    assert found is not None
    assert len(network.shown[found.id]) == 2
