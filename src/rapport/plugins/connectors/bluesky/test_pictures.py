"""Pictures on Bluesky: uploaded before their post, which is there once and never without them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.kit import wire
from rapport.listening.contract import Draft, Failed
from rapport.listening.tests import serving
from rapport.listening.tests.drawing import LAMPS
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.bluesky import simulator
from rapport.plugins.connectors.bluesky.account import Config
from rapport.plugins.connectors.bluesky.plugin import plugin

UPLOAD = "com.atproto.repo.uploadBlob"
DRAFT = Draft(
    "0190f5c8c0de7000a000000000000009",
    "The lamp is back.",
    language="en",
    media=LAMPS,
)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[simulator.Bluesky]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Bluesky() as found:
        yield found


def publish(network: simulator.Bluesky) -> str:
    config = Config(network.address, simulator.ME, simulator.PASSWORD)
    return plugin.publish(config, DRAFT, serving.context()).id


def test_a_post_shows_its_pictures_with_their_words_and_shape(network: simulator.Bluesky) -> None:
    assert publish(network) == publish(network)
    (post,) = network.of_me()
    assert wire.text_at(post.value, "embed", "$type") == "app.bsky.embed.images"
    one, other = wire.items_at(post.value, "embed", "images")
    assert (one["alt"], one["aspectRatio"]) == ("A lamp with a grün shade.", {"width": 40, "height": 30})
    assert other["aspectRatio"] == {"width": 30, "height": 60}
    kind, content = network.blobs[wire.text_at(other, "image", "ref", "$link")]
    assert (kind, content) == ("image/png", DRAFT.media[1].read())


def test_ended_between_a_picture_and_its_post_it_is_made_whole(network: simulator.Bluesky) -> None:
    for lost in (Answered({"error": "InternalServerError"}, 500), None):
        network.fail(UPLOAD, lost, is_after=True)
        with pytest.raises(Failed) as failed:
            publish(network)
        assert not failed.value.is_unsure
        assert network.of_me() == []
    publish(network)
    (post,) = network.of_me()
    assert len(wire.items_at(post.value, "embed", "images")) == 2
    assert len(network.blobs) == 2


def test_the_answer_to_the_post_itself_may_be_lost(network: simulator.Bluesky) -> None:
    network.fail("com.atproto.repo.putRecord", is_after=True)
    with pytest.raises(Failed):
        publish(network)
    config = Config(network.address, simulator.ME, simulator.PASSWORD)
    found = plugin.find(config, DRAFT, serving.context())
    assert found is not None
    assert publish(network) == found.id
    assert len(network.of_me()) == 1
