"""Reviews on Google Play read and replied to, against an Android Publisher API in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.google_play_reviews import simulator
from rapport.plugins.connectors.google_play_reviews.plugin import Config, moment, plugin
from rapport.plugins.connectors.google_play_reviews.simulator import PACKAGE, wrong

CONFIG = Config(PACKAGE, simulator.ACCOUNT, simulator.PEM)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Play:
    return simulator.Play(day)


@pytest.fixture
def reader(network: simulator.Play) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_what_a_colleague_replied_elsewhere_is_known(
    network: simulator.Play, reader: Reader, day: Day
) -> None:
    id = network.review("Ana", 1, "It crashes")
    day.later(3_600)
    network.review("Bo", 5, "Fine")
    reader.read()
    day.later(3_600)
    network.reply(id, "We are sorry.")
    (one,) = reader.read()
    assert (one.is_ours, one.in_reply_to, one.text) == (True, id, "We are sorry.")
    day.later(9 * 86_400)
    assert not reader.read(), "that a review is not shown any more says nothing"


def test_a_review_arrives_whole_and_once(network: simulator.Play, reader: Reader) -> None:
    id = network.review("Ana B", 2, "It crashes\tEach time I open it.")
    (one,) = reader.read()
    assert (one.id, one.author, one.author_name, one.language) == (id, "ana b", "Ana B", "en")
    assert one.text == "It crashes\n\nEach time I open it."
    assert (one.detail, one.asks_us, one.ts.microsecond) == ({"stars": 2}, True, 213_000)
    assert not reader.read()


def test_pages_are_walked_and_changes_are_told(network: simulator.Play, reader: Reader, day: Day) -> None:
    network.page_max = 10
    ids = []
    for n in range(35):
        day.later(60)
        ids.append(network.review("ana", 1, f"\tBad {n}"))
    assert [one.id for one in reader.read()] == ids
    day.later(900)
    network.change(ids[0], 5, "\tBetter now")
    (one,) = reader.read()
    assert (one.kind, one.about, one.text, one.detail) == ("edit", ids[0], "Better now", {"stars": 5})
    assert not reader.read()


def test_a_week_without_asking_is_a_gap(network: simulator.Play, reader: Reader, day: Day) -> None:
    network.review("ana", 1, "\tBad")
    reader.read()
    network.review("bo", 1, "\tNever read")
    day.later(8 * 86_400)
    (gap,) = [gap for page in reader.pages() for gap in page.gaps]
    assert (gap.reason, (gap.until - gap.since).days) == ("horizon", 1)
    assert not [gap for page in reader.pages() for gap in page.gaps]


def test_a_reply_is_posted_and_found_again(network: simulator.Play, reader: Reader) -> None:
    draft = Draft("d1", "Please update to 2.1.", in_reply_to=network.review("ana", 1, "\tBad"))
    assert reader.find(draft) is None
    network.fail(":reply", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert reader.publish(draft).id == found.id
    ours = next(one for one in reader.read() if one.is_ours)
    assert (ours.id, ours.in_reply_to, ours.text) == (found.id, draft.in_reply_to, draft.text)
    assert refused(lambda: reader.publish(replace(draft, text="x" * 351))).is_permanent
    assert refused(lambda: reader.publish(replace(draft, in_reply_to="gp:none"))).is_permanent
    assert reader.find(replace(draft, in_reply_to="gp:none")) is None


def test_a_key_that_ended_a_missing_right_and_a_quota_are_said(
    network: simulator.Play, reader: Reader, day: Day
) -> None:
    assert [one.state for one in reader.findings()] == ["ok", "ok"]
    day.later(3_600)
    reader.read()
    assert network.n_logins == 2
    network.fail("/reviews", wrong(403, "RESOURCE_EXHAUSTED", "Quota exceeded.", "quotaExceeded"))
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 600.0)
    network.is_invited = False
    failed = refused(reader.read)
    assert (failed.reason, "Play Console" in failed.hint) == ("permission", True)
    network.tokens.clear()
    assert refused(reader.read).reason == "login"
    network.is_revoked = True
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "Account not found" in failed.message
    assert [one.state for one in reader.findings()] == ["bad"]


def test_odd_shapes_and_what_cannot_work() -> None:
    assert moment({"lastModified": {"seconds": "soon"}}) is None
    assert moment(None) is None
    for change in ({"package": "lamps"}, {"service_account": "a@b.example"}, {"private_key": "none"}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))
