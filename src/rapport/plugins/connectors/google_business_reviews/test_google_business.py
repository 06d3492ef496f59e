"""Reviews of a place read and replied to, against a Google Business Profile in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.google_business_reviews import simulator
from rapport.plugins.connectors.google_business_reviews.plugin import SCOPE, Config, original, plugin
from rapport.plugins.connectors.google_business_reviews.simulator import wrong

CONFIG = Config(simulator.ACCOUNT, simulator.LOCATION, simulator.CLIENT, simulator.SECRET, simulator.REFRESH)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Business:
    return simulator.Business(day)


@pytest.fixture
def reader(network: simulator.Business) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_reviews_arrive_whole_and_once(network: simulator.Business, reader: Reader) -> None:
    id = network.review("Ana B", 2, "Es war kalt.\n\n(Translated by Google) It was cold.")
    silent = network.review("", 5)
    said = {one.id: one for one in reader.read()}
    one = said[id]
    assert (one.author, one.author_name, one.text, one.detail) == (
        "ana b",
        "Ana B",
        "Es war kalt.",
        {"stars": 2},
    )
    assert (one.venue, one.asks_us, one.thread) == (f"google_business:{simulator.LOCATION}", True, id)
    assert (said[silent].author, said[silent].text, said[silent].detail) == ("", "", {"stars": 5})
    assert not reader.read()


def test_translations_are_left_out() -> None:
    assert original("(Translated by Google) It was cold.\n\n(Original)\nEs war kalt.") == "Es war kalt."
    assert original("Es war kalt.\n\n(Translated by Google)\nIt was cold.") == "Es war kalt."
    assert original("It was cold.") == "It was cold."


def test_pages_are_walked_and_changes_are_told(network: simulator.Business, reader: Reader, day: Day) -> None:
    network.page_max = 10
    ids = []
    for n in range(35):
        day.later(60)
        ids.append(network.review("ana", 1, f"Bad {n}"))
    assert [one.id for one in reader.read()] == ids
    day.later(200)
    network.change(ids[0], 5, "Better now")
    (one,) = reader.read()
    assert (one.kind, one.about, one.text, one.detail) == ("edit", ids[0], "Better now", {"stars": 5})
    assert not reader.read()


def test_what_is_gone_is_told_once(network: simulator.Business, reader: Reader, day: Day) -> None:
    gone, kept = network.review("ana", 1, "Bad"), network.review("bo", 5, "Good")
    reader.publish(Draft("d1", "Thank you.", in_reply_to=kept))
    reader.read()
    del network.reviews[gone]
    day.later(301)
    assert [(one.kind, one.about) for one in reader.read()] == [("deletion", gone)]
    day.later(301)
    assert not reader.read()


def test_what_a_colleague_replied_elsewhere_is_known(
    network: simulator.Business, reader: Reader, day: Day
) -> None:
    id = network.review("ana", 1, "Cold")
    day.later(3_600)
    network.review("bo", 5)
    reader.read()
    day.later(3_600)
    network.reply(id, "We are sorry.")
    (one,) = reader.read()
    assert (one.is_ours, one.in_reply_to, one.text) == (True, id, "We are sorry.")
    day.later(3_600)
    network.reply(id, "It is warm again.")
    (edit,) = reader.read()
    assert (edit.kind, edit.about, edit.text) == ("edit", one.id, "It is warm again.")


def test_a_reply_is_posted_and_found_again(network: simulator.Business, reader: Reader) -> None:
    draft = Draft(
        "d1", "We are sorry: the heating works again.", in_reply_to=network.review("ana", 1, "Cold")
    )
    assert reader.find(draft) is None
    network.fail("/reply", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert reader.publish(draft) == found
    ours = next(one for one in reader.read() if one.is_ours)
    assert (ours.id, ours.in_reply_to, ours.text) == (found.id, draft.in_reply_to, draft.text)
    assert refused(lambda: reader.publish(replace(draft, text="ä" * 2_049))).is_permanent
    assert refused(lambda: reader.publish(replace(draft, in_reply_to="none"))).is_permanent
    assert reader.find(replace(draft, in_reply_to="none")) is None


def test_a_consent_that_ended_and_a_project_without_approval_are_said(
    network: simulator.Business, reader: Reader, day: Day
) -> None:
    assert [one.state for one in reader.findings()] == ["ok", "ok"]
    network.scope = "openid"
    (other,) = reader.findings()
    assert (other.what, other.state, "that scope" in other.hint) == ("Log-in", "bad", True)
    network.scope = SCOPE
    reader.read()
    logged_in = network.n_logins
    day.later(3_600)
    reader.read()
    assert network.n_logins == logged_in + 1
    words = "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' with limit of 0"
    network.fail("/reviews", wrong(429, "RESOURCE_EXHAUSTED", words))
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s, "not approved" in failed.hint) == ("rate", 60.0, True)
    network.fail("/reviews", wrong(403, "PERMISSION_DENIED", "The caller does not have permission"))
    assert refused(reader.read).reason == "permission"
    network.tokens.clear()
    assert refused(reader.read).reason == "login"
    assert reader.read() == []
    network.tokens.clear()
    network.is_revoked = True
    reader.memory.clear()
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "expired or revoked" in failed.message
    assert [one.state for one in reader.findings()] == ["bad"]


def test_what_cannot_work_is_refused() -> None:
    for change in ({"account": "accounts/1"}, {"location": ""}, {"client_id": "a b"}, {"refresh_token": ""}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))
