"""The firm's pins are read, and that comments cannot be is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft, Media
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.drawing import drawn
from rapport.plugins.connectors.pinterest.plugin import Config, plugin
from rapport.plugins.connectors.pinterest.simulator import TOKEN, Pinterest


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> Pinterest:
    return Pinterest(day)


@pytest.fixture
def reader(network: Pinterest) -> Reader:
    return Reader(plugin, Config(TOKEN), network)


def test_our_pins_are_read_once_page_by_page(network: Pinterest, reader: Reader, day: Day) -> None:
    network.page_max = 10
    ids = []
    for n in range(25):
        day.later(60)
        ids.append(network.pin(f"Lantern {n}", "For the rain"))
    said = reader.read()
    assert [one.id for one in said] == ids
    assert (said[-1].author, said[-1].text, said[-1].ts) == (
        "otterlamps",
        "Lantern 24\n\nFor the rain",
        day.at,
    )
    assert (said[-1].is_ours, said[-1].url) == (True, f"https://www.pinterest.com/pin/{ids[-1]}/")
    day.later(900)
    last = network.pin("Another", "")
    asked = len(network.asked)
    assert [one.id for one in reader.read()] == [last]
    assert len(network.asked) == asked + 1


def test_what_it_cannot_do_is_said(reader: Reader) -> None:
    assert "Comments" in plugin.cannot_see
    assert [(one.what, one.state) for one in reader.findings()] == [
        ("Access token", "ok"),
        ("Pins", "ok"),
        ("Comments", "warn"),
        ("Board", "warn"),
    ]
    for board, state in (("549755885175", "ok"), ("7", "bad")):
        reader.config = Config(TOKEN, board)
        assert reader.findings()[-1].state == state
    assert "answers nobody" in refused(lambda: reader.publish(Draft("d", "Yes", in_reply_to="1"))).message


DRAFT = Draft(
    "d1",
    "The lamp is back.",
    media=(Media(drawn(60, 90), "image/jpeg", "A lamp with a grün shade.", 60, 90),),
)


def test_a_pin_is_made_with_its_picture_and_found_again(network: Pinterest, reader: Reader) -> None:
    reader.config = Config(TOKEN, "549755885175")
    assert plugin.manners.pictures.is_needed
    assert reader.find(DRAFT) is None
    network.fail("/pins", is_after=True)
    assert refused(lambda: reader.publish(DRAFT)).is_unsure
    found = reader.find(DRAFT)
    assert found is not None
    assert network.media == {found.id: ("image/jpeg", DRAFT.media[0].read(), "A lamp with a grün shade.")}
    assert reader.publish(replace(DRAFT, text="Another")).url.startswith("https://www.pinterest.com/pin/")
    assert "needs a picture" in refused(lambda: reader.publish(replace(DRAFT, media=()))).message
    reader.config = Config(TOKEN, "7")
    assert "Board not found" in refused(lambda: reader.publish(DRAFT)).message
    reader.config = Config(TOKEN)
    assert "which board" in refused(lambda: reader.publish(DRAFT)).message
    with pytest.raises(Invalid):
        plugin.check(Config(TOKEN, "lamps"))


def test_deletions_are_told_when_asked(network: Pinterest, reader: Reader) -> None:
    kept, gone = network.pin("One", ""), network.pin("Two", "")
    del network.pins[gone]
    (one,) = plugin.recheck(reader.config, [kept, gone], reader.context)
    assert (one.kind, one.about) == ("deletion", gone)


def test_tokens_and_limits_that_end_are_said(network: Pinterest, reader: Reader) -> None:
    network.left = 0
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 42.0)
    reader.config = Config("pina_expired")
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "Authentication failed" in failed.message
    assert [one.state for one in reader.findings()] == ["bad"] * 2
    with pytest.raises(Invalid):
        plugin.check(Config(""))
