"""Pictures on a Page and on Instagram: nobody sees any of them before their post, which is there once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit import clock
from rapport.listening.contract import Draft, Media
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.drawing import drawn
from rapport.plugins.connectors.meta_pages import simulator
from rapport.plugins.connectors.meta_pages.pictures import GRAM, PAGE, READY_TRIES
from rapport.plugins.connectors.meta_pages.plugin import plugin
from rapport.plugins.connectors.meta_pages.simulator import error
from rapport.plugins.connectors.meta_pages.test_meta_pages import CONFIG

ADDRESS = "https://rapport.otter.example/picture"
MEDIA = (
    Media(drawn(400, 400), "image/jpeg", "A lamp with a grün shade.", 400, 400, f"{ADDRESS}/one"),
    Media(drawn(400, 320), "image/jpeg", "The same lamp, lit.", 400, 320, f"{ADDRESS}/two"),
)
DRAFT = Draft("d1", "The lamp is back.", media=MEDIA)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(clock, "sleep", found.append)
    return found


@pytest.fixture
def page() -> simulator.Meta:
    return simulator.Meta(Day())


@pytest.fixture
def reader(page: simulator.Meta) -> Reader:
    return Reader(plugin, CONFIG, page)


@pytest.fixture
def gram() -> simulator.Meta:
    found = simulator.Meta(Day(), is_page=False)
    found.reachable = {one.url: one.read() for one in MEDIA}
    return found


@pytest.fixture
def teller(gram: simulator.Meta) -> Reader:
    return Reader(plugin, replace(CONFIG, place="instagram"), gram)


def test_each_place_takes_its_own(reader: Reader, teller: Reader) -> None:
    assert plugin.pictures_of(reader.config) is PAGE
    assert plugin.pictures_of(teller.config) is GRAM
    assert (GRAM.is_needed, GRAM.is_fetched, list(GRAM.kinds)) == (True, True, ["image/jpeg"])


def test_a_page_shows_pictures_with_their_words(page: simulator.Meta, reader: Reader) -> None:
    receipt = reader.publish(DRAFT)
    assert reader.find(DRAFT) == receipt
    shown = [page.photos[number] for number in page.shown[receipt.id]]
    assert shown == [(one.content_type, one.read(), one.alt) for one in MEDIA]


def test_ended_between_a_picture_and_its_post_a_page_shows_nothing(
    page: simulator.Meta, reader: Reader
) -> None:
    for lost in (error(2, "An unexpected error has occurred.", 500), None):
        page.fail("/photos", lost, is_after=True)
        assert not refused(lambda: reader.publish(DRAFT)).is_unsure
        assert reader.find(DRAFT) is None
    page.fail("/feed", is_after=True)
    assert refused(lambda: reader.publish(DRAFT)).is_unsure
    found = reader.find(DRAFT)
    assert found is not None
    assert len(page.shown[found.id]) == 2


@pytest.mark.parametrize("n", [1, 2])
def test_instagram_fetches_waits_and_shows_them_once(
    gram: simulator.Meta, teller: Reader, waits: list[float], n: int
) -> None:
    gram.works_for = 2
    draft = replace(DRAFT, media=MEDIA[:n])
    receipt = teller.publish(draft)
    assert receipt.url == f"https://ig.example/{receipt.id}"
    assert gram.shown == {receipt.id: [one.url for one in MEDIA[:n]]}
    words = [one["alt_text"] for one in gram.containers.values() if "alt_text" in one]
    assert words == [one.alt for one in MEDIA[:n]]
    assert gram.things[receipt.id].text == "The lamp is back."
    assert len(waits) >= 2
    assert teller.find(draft) == receipt


def test_a_picture_that_instagram_cannot_fetch_is_said_and_nothing_is_posted(
    gram: simulator.Meta, teller: Reader
) -> None:
    gram.reachable.clear()
    failed = refused(lambda: teller.publish(DRAFT))
    assert failed.is_permanent
    assert "2207052" in failed.message
    assert "RAPPORT_PUBLIC_URL" in failed.hint
    gram.works_for = READY_TRIES + 1
    assert not refused(lambda: teller.publish(DRAFT)).is_permanent
    assert gram.shown == {}
    assert "needs a picture" in refused(lambda: teller.publish(Draft("d2", "Hello"))).message


def test_ended_before_it_is_published_a_container_is_no_post(gram: simulator.Meta, teller: Reader) -> None:
    gram.fail("/media", is_after=True)
    assert not refused(lambda: teller.publish(DRAFT)).is_unsure
    gram.fail("/media_publish", is_after=True)
    assert refused(lambda: teller.publish(DRAFT)).is_unsure
    found = teller.find(DRAFT)
    assert found is not None
    assert list(gram.shown) == [found.id]
