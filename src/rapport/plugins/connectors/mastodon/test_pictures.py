"""Pictures on Mastodon: handed over and made ready before their status, which is there once and never without them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapport.kit import clock
from rapport.listening.contract import Draft, Failed
from rapport.listening.tests import serving
from rapport.listening.tests.drawing import LAMPS
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.mastodon import simulator
from rapport.plugins.connectors.mastodon.plugin import READY_S, READY_TRIES, plugin
from rapport.plugins.connectors.mastodon.server import Config

DRAFT = Draft(
    "0190f5c8c0de7000a000000000000009",
    "The lamp is back.",
    media=LAMPS,
)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(clock, "sleep", found.append)
    return found


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Iterator[simulator.Mastodon]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Mastodon() as found:
        yield found


def publish(network: simulator.Mastodon) -> str:
    return plugin.publish(Config(network.address, simulator.TOKEN), DRAFT, serving.context()).id


def shown(network: simulator.Mastodon) -> list[tuple[str, str, bytes]]:
    (status,) = network.of_me()
    return [(one.alt, one.kind, one.content) for one in map(network.media.__getitem__, status.media)]


def test_a_status_shows_its_pictures_with_their_words(network: simulator.Mastodon) -> None:
    assert publish(network) == publish(network)
    assert shown(network) == [(one.alt, one.content_type, one.read()) for one in DRAFT.media]


def test_a_picture_that_the_server_still_works_on_is_waited_for(
    network: simulator.Mastodon, waits: list[float]
) -> None:
    network.works_for = 3
    publish(network)
    assert len(shown(network)) == 2
    assert waits.count(READY_S) == 6
    network.works_for = READY_TRIES + 1
    with pytest.raises(Failed, match="not done with a picture") as failed:
        plugin.publish(
            Config(network.address, simulator.TOKEN),
            Draft("d2", "Later", media=DRAFT.media),
            serving.context(),
        )
    assert not failed.value.is_unsure
    assert len(network.of_me()) == 1


def test_ended_between_a_picture_and_its_status_it_is_made_whole(network: simulator.Mastodon) -> None:
    for lost in (Answered({"error": "busy"}, 503), None):
        network.fail("/api/v2/media", lost, is_after=True)
        with pytest.raises(Failed) as failed:
            publish(network)
        assert not failed.value.is_unsure
        assert network.of_me() == []
    publish(network)
    assert len(shown(network)) == 2


def test_an_application_without_the_right_is_told_which(network: simulator.Mastodon) -> None:
    network.fail("/api/v2/media", Answered({"error": "This action is outside the authorized scopes"}, 403))
    with pytest.raises(Failed, match="outside the authorized scopes") as failed:
        publish(network)
    assert failed.value.is_permanent
    assert "write:media" in failed.value.hint
