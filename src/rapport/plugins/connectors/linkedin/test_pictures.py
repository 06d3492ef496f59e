"""Posts of the page's own and their pictures, which nobody sees before their post."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.drawing import LAMPS
from rapport.plugins.connectors.linkedin import simulator
from rapport.plugins.connectors.linkedin.plugin import Config, plugin
from rapport.plugins.connectors.linkedin.simulator import NUMBER, TOKEN, error


@pytest.fixture
def network() -> simulator.LinkedIn:
    return simulator.LinkedIn(Day())


@pytest.fixture
def reader(network: simulator.LinkedIn) -> Reader:
    return Reader(plugin, Config(NUMBER, TOKEN), network)


OWN = Draft(
    "d2",
    "The lamp (grün) is back, 20 * 30 cm. #lamps",
    media=LAMPS,
)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_post_of_the_page_shows_its_pictures_once(
    network: simulator.LinkedIn, reader: Reader, n: int
) -> None:
    draft = replace(OWN, media=OWN.media[:n])
    assert reader.find(draft) is None
    receipt = reader.publish(draft)
    assert reader.find(draft) == receipt
    assert network.things[receipt.id].text == OWN.text
    shown = [(one["altText"], *network.images[one["id"]]) for one in network.content[receipt.id]]
    assert shown == [(one.alt, one.content_type, one.read()) for one in draft.media]


def test_ended_between_a_picture_and_its_post_the_page_shows_nothing(
    network: simulator.LinkedIn, reader: Reader
) -> None:
    network.fail("/rest/images", error(500, "INTERNAL", "Internal Server Error"))
    assert not refused(lambda: reader.publish(OWN)).is_unsure
    assert reader.find(OWN) is None
    network.fail("/rest/posts", is_after=True)
    assert refused(lambda: reader.publish(OWN)).is_unsure
    found = reader.find(OWN)
    assert found is not None
    assert len(network.content[found.id]) == 2
