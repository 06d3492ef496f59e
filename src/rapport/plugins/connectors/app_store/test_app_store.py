"""App Store reviews read and responded to, against an App Store Connect in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.app_store import simulator
from rapport.plugins.connectors.app_store.plugin import Config, plugin

CONFIG = Config(simulator.APP, simulator.ISSUER, simulator.KEY_ID, simulator.PEM)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Store:
    return simulator.Store(day)


@pytest.fixture
def reader(network: simulator.Store) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_what_a_colleague_responded_elsewhere_is_known(
    network: simulator.Store, reader: Reader, day: Day
) -> None:
    id = network.review("Ana", 1, "Bad", "It crashes")
    day.later(3_600)
    network.review("Bo", 5, "Fine", "")
    reader.read()
    day.later(3_600)
    network.respond(id, "We are sorry.")
    (one,) = reader.read()
    assert (one.is_ours, one.in_reply_to, one.text) == (True, id, "We are sorry.")
    day.later(3_600)
    network.respond(id, "It is mended.")
    (edit,) = reader.read()
    assert (edit.kind, edit.about, edit.text) == ("edit", one.id, "It is mended.")


def test_a_review_arrives_whole_and_once(network: simulator.Store, reader: Reader) -> None:
    id = network.review("Ana", 2, "It crashes", "Each time I open it.")
    (one,) = reader.read()
    assert (one.id, one.author, one.author_name) == (id, "ana@usa", "Ana")
    assert one.text == "It crashes\n\nEach time I open it."
    assert (one.detail, one.asks_us) == ({"stars": 2, "territory": "USA"}, True)
    assert not reader.read()


def test_pages_are_walked_back_to_where_it_was_left(
    network: simulator.Store, reader: Reader, day: Day
) -> None:
    network.page_max = 10
    for n in range(35):
        day.later(60)
        network.review("ana", 5, f"Good {n}", "")
    assert len(reader.read()) == 35
    day.later(900)
    network.review("bo", 1, "Bad", "")
    asked = len(network.asked)
    assert [one.text for one in reader.read()] == ["Bad"]
    assert sum(path.endswith("/customerReviews") for path in network.paths[asked:]) == 1


def test_a_page_elsewhere_is_not_asked_for(network: simulator.Store, reader: Reader) -> None:
    shown = network.shown(network.review("ana", 2, "Bad", ""))
    links = {"next": "https://evil.example/v1/apps"}
    network.fail("/customerReviews", Answered({"data": [shown], "links": links}))
    assert "no business" in refused(reader.read).message


def test_a_response_is_posted_and_found_again(network: simulator.Store, reader: Reader) -> None:
    draft = Draft("d1", "Please update to 2.1.", in_reply_to=network.review("ana", 2, "It crashes", "Often."))
    assert reader.find(draft) is None
    network.fail("/customerReviewResponses", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert reader.publish(draft).id == found.id, "a review has one response"
    assert "within a day" in found.answer
    assert reader.find(replace(draft, text="Another")) is None
    ours = next(one for one in reader.read() if one.is_ours)
    assert (ours.id, ours.in_reply_to, ours.text) == (found.id, draft.in_reply_to, draft.text)
    assert refused(lambda: reader.publish(replace(draft, in_reply_to="r-none"))).is_permanent


def test_changes_and_deletions_are_told_once(network: simulator.Store, reader: Reader, day: Day) -> None:
    changed, gone = network.review("ana", 2, "Bad", "Really"), network.review("bo", 1, "Worse", "")
    reader.publish(Draft("d1", "Sorry for that.", in_reply_to=changed))
    assert len(reader.read()) == 3
    network.reviews[changed] |= {"rating": 5, "body": "Better now"}
    del network.reviews[gone]
    day.later(301)
    said = {(one.kind, one.about): one for one in reader.read()}
    assert set(said) == {("edit", changed), ("deletion", gone)}
    assert said["edit", changed].detail["stars"] == 5
    day.later(301)
    assert not reader.read()


def test_the_key_is_made_anew_in_time_and_its_end_is_said(
    network: simulator.Store, reader: Reader, day: Day
) -> None:
    reader.read()
    day.later(1_300)
    assert reader.read() == []
    assert [one.state for one in reader.findings()] == ["ok", "ok", "warn"]
    code = "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"
    network.fail(
        f"/apps/{simulator.APP}",
        Answered({"errors": [{"code": code, "detail": "A required agreement"}]}, 403),
    )
    (agreement,) = reader.findings()
    assert (agreement.state, "Account Holder" in agreement.hint) == ("bad", True)
    network.fail("/customerReviews", Answered({"errors": [{"detail": "not allowed"}]}, 403))
    reviews = reader.findings()[-1]
    assert (reviews.what, reviews.state, "Customer Support" in reviews.hint) == ("Reviews", "bad", True)
    network.is_revoked = True
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "make one anew" in failed.hint
    assert [one.state for one in reader.findings()] == ["bad"]


def test_the_hours_limit_is_kept(network: simulator.Store, reader: Reader, day: Day) -> None:
    network.left = 1
    network.review("ana", 2, "Bad", "")
    assert refused(reader.read).reason == "rate"
    asked = len(network.asked)
    assert refused(reader.read).retry_after_s == 600.0
    assert len(network.asked) == asked
    day.later(601)
    assert refused(reader.read).reason == "rate"


def test_what_cannot_work_is_refused() -> None:
    plugin.check(replace(CONFIG, issuer_id=""))
    for change in ({"app_id": "a"}, {"issuer_id": "x"}, {"key_id": "short"}, {"private_key": "none"}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))
