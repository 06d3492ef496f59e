"""LinkedIn read and answered, against one in this process that behaves as its interface does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.linkedin import simulator
from rapport.plugins.connectors.linkedin.plugin import Config, plugin
from rapport.plugins.connectors.linkedin.simulator import ANA, ME, NUMBER, TOKEN, error

CONFIG = Config(NUMBER, TOKEN)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.LinkedIn:
    return simulator.LinkedIn(day)


@pytest.fixture
def reader(network: simulator.LinkedIn) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_comments_and_answers_are_read_once(network: simulator.LinkedIn, reader: Reader, day: Day) -> None:
    post = network.post("New lanterns")
    theirs = network.say(ANA, "Does it flicker?", post)
    ours = network.say(ME, "It should not.", theirs)
    said = {one.id: one for one in reader.read()}
    assert set(said) == {post, theirs, ours}
    assert (said[theirs].author, said[theirs].text, said[theirs].asks_us) == (ANA, "Does it flicker?", True)
    assert (said[theirs].in_reply_to, said[theirs].thread) == (post, post)
    assert (said[ours].in_reply_to, said[ours].thread, said[ours].is_ours) == (theirs, post, True)
    day.later(301)
    assert not reader.read()
    late = network.say(ANA, "Thank you", theirs)
    assert [one.id for one in reader.read()] == [late]


@pytest.mark.parametrize("is_counted", [True, False])
def test_comments_are_read_to_the_end(
    network: simulator.LinkedIn, reader: Reader, day: Day, is_counted: bool
) -> None:
    network.page_max, network.is_counted = 10, is_counted
    post = network.post("New lanterns")
    ids = []
    for n in range(25):
        day.later(30)
        ids.append(network.say(ANA, f"number {n}", post))
    assert [one.id for one in reader.read()] == [post, *ids]


def test_deletions_and_changes_are_told_when_asked(
    network: simulator.LinkedIn, reader: Reader, day: Day
) -> None:
    post = network.post("New lanterns")
    kept, gone, changed = (network.say(ANA, text, post) for text in ("one", "two", "three"))
    del network.things[gone]
    day.later(60)
    network.things[changed].text = "three!"
    network.things[changed].changed_ms = int(day.at.timestamp() * 1_000)
    said = plugin.recheck(CONFIG, [post, kept, gone, changed], reader.context)
    assert [(one.kind, one.about, one.text) for one in said] == [
        ("deletion", gone, ""),
        ("edit", changed, "three!"),
    ]


def test_an_answer_is_posted_and_found_again(network: simulator.LinkedIn, reader: Reader) -> None:
    post = network.post("New lanterns")
    theirs = network.say(ANA, "Does it flicker?", post)
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=theirs, thread=post)
    network.fail("/comments", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert network.things[found.id].parent == theirs
    assert reader.find(replace(draft, text="Never sent")) is None
    assert reader.find(replace(draft, in_reply_to=post)) is None, "that stands under a comment"
    direct = replace(draft, in_reply_to=post, text="More soon.")
    assert reader.publish(direct).id == getattr(reader.find(direct), "id", "")


def test_tokens_versions_and_limits_that_end_are_said(network: simulator.LinkedIn, reader: Reader) -> None:
    assert [one.state for one in reader.findings()] == ["ok", "ok", "warn"]
    network.post("New lanterns")
    network.fail("/comments", error(403, "ACCESS_DENIED", "Not enough permissions to access: GET /comments"))
    comments = reader.findings()[-1]
    assert (comments.what, comments.state) == ("Comments", "bad")
    assert "r_organization_social_feed" in comments.hint
    reader.config = replace(CONFIG, access_token="AQX-expired")
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "has expired" in failed.message
    assert "60 days" in failed.hint
    assert [one.state for one in reader.findings()] == ["bad"] * 2
    reader.config = replace(CONFIG, version="202401")
    assert "newer version" in refused(reader.read).hint
    reader.config, network.left = CONFIG, 0
    spent = refused(reader.read)
    assert (spent.reason, spent.retry_after_s) == ("rate", 12 * 3_600.0)


@pytest.mark.parametrize("name", ["organization", "access_token", "version"])
def test_what_cannot_work_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **{name: "otter"}))
