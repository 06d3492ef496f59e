"""Pictures on Telegram: in one request with their words, and posts of our own in the firm's channel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.drawing import LAMPS
from rapport.plugins.connectors.telegram import simulator
from rapport.plugins.connectors.telegram.plugin import PICTURES, Config, plugin

CHANNEL, NUMBER = "@ottershop", -1009876
CONFIG = Config(simulator.TOKEN, posts_to=CHANNEL)
DRAFT = Draft("d1", "The lamp with the grün shade is back.", to="our-bot", venue="telegram")


@pytest.fixture
def network() -> simulator.Telegram:
    found = simulator.Telegram(Day())
    found.channels[CHANNEL] = NUMBER
    return found


@pytest.fixture
def reader(network: simulator.Telegram) -> Reader:
    return Reader(plugin, CONFIG, network)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_post_stands_in_the_channel_with_its_pictures(
    network: simulator.Telegram, reader: Reader, n: int
) -> None:
    receipt = reader.publish(replace(DRAFT, media=LAMPS[:n]))
    assert receipt.id == f"{NUMBER}/1"
    assert receipt.url == "https://t.me/ottershop/1"
    assert network.messages[NUMBER, 1]["text"] == DRAFT.text
    assert network.photos.get((NUMBER, 1), []) == [(one.content_type, one.read()) for one in LAMPS[:n]]
    assert len(network.asked) == 1


def test_what_may_have_left_is_not_sent_again(network: simulator.Telegram, reader: Reader) -> None:
    network.fail("/sendMediaGroup", is_after=True)
    draft = replace(DRAFT, media=LAMPS)
    assert refused(lambda: reader.publish(draft)).is_unsure
    assert refused(lambda: reader.find(draft)).is_unsure
    assert len(network.photos) == 1


def test_it_says_where_it_posts_and_that_it_knows_no_alternative_texts(
    network: simulator.Telegram, reader: Reader
) -> None:
    assert (PICTURES.takes_alt, PICTURES.text_max) == (False, 1_024)
    assert ("Channel", "ok") in [(one.what, one.state) for one in reader.findings()]
    network.channels.clear()
    assert ("Channel", "bad") in [(one.what, one.state) for one in reader.findings()]
    with pytest.raises(Invalid, match="is no channel"):
        plugin.check(replace(CONFIG, posts_to="otter shop"))
    # An answer to somebody never ends in the channel.
    answer = replace(DRAFT, venue="telegram:x", to="@ana")
    assert refused(lambda: reader.publish(answer)).is_permanent
    reader.config = replace(CONFIG, posts_to="")
    assert "name a channel" in refused(lambda: reader.publish(DRAFT)).hint
