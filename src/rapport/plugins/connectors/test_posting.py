"""What is posted and answered with something that says nothing may have been taken, whichever network it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.discourse import forum as forums
from rapport.plugins.connectors.discourse import plugin as discourse
from rapport.plugins.connectors.discourse import simulator as discourses
from rapport.plugins.connectors.lemmy import instance as instances
from rapport.plugins.connectors.lemmy import plugin as lemmy
from rapport.plugins.connectors.lemmy import simulator as lemmys
from rapport.plugins.connectors.reddit import account as accounts
from rapport.plugins.connectors.reddit import plugin as reddit
from rapport.plugins.connectors.reddit import simulator as reddits
from rapport.plugins.connectors.stackexchange import plugin as stackexchange
from rapport.plugins.connectors.stackexchange import simulator as exchanges
from rapport.plugins.connectors.stackexchange import site as sites
from rapport.plugins.connectors.youtube import channel as channels
from rapport.plugins.connectors.youtube import plugin as youtube
from rapport.plugins.connectors.youtube import simulator as youtubes

Asked = tuple[Reader, str, str]  # who posts, what it answers, and where it posts to


def _reddit() -> Asked:
    network = reddits.Reddit(Day())
    config = accounts.Config(reddits.ME, reddits.PASSWORD, reddits.CLIENT, reddits.SECRET)
    return Reader(reddit.plugin, config, network), network.post("Ana", "A lantern"), "/api/comment"


def _discourse() -> Asked:
    network = discourses.Forum(Day())
    config = forums.Config(f"https://{discourses.HOST}", discourses.KEY, discourses.ME)
    return Reader(discourse.plugin, config, network), network.begin("ana", "A lantern", "Why?"), "/posts.json"


def _lemmy() -> Asked:
    network = lemmys.Lemmy(Day())
    config = instances.Config(f"https://{lemmys.HOST}", lemmys.ME, lemmys.PASSWORD)
    return Reader(lemmy.plugin, config, network), network.post("ana", "A lantern"), "/comment"


def _stackexchange() -> Asked:
    network = exchanges.Exchange(Day())
    config = sites.Config(exchanges.SITE, "lamps", exchanges.KEY, exchanges.TOKEN)
    return Reader(stackexchange.plugin, config, network), network.ask(1, "A lantern", "Why?"), "/add"


def _youtube() -> Asked:
    network = youtubes.YouTube(Day())
    config = channels.Config(youtubes.ME, youtubes.CLIENT, youtubes.SECRET, youtubes.REFRESH)
    return Reader(youtube.plugin, config, network), network.say("ana", "A lantern"), "/comments"


@pytest.mark.parametrize(
    "answer", [Answered("<html>Our CDN was unable to reach our servers</html>", 503), Answered("<html>")]
)
@pytest.mark.parametrize("begun", [_reddit, _discourse, _lemmy, _stackexchange, _youtube])
def test_an_answer_that_says_nothing_leaves_open_whether_it_was_taken(
    begun: Callable[[], Asked], answer: Answered
) -> None:
    reader, above, path = begun()
    reader.read()
    reader.network.fail(path, answer, is_after=True)
    failed = refused(
        lambda: reader.publish(Draft("d1", "Clean the contacts.", in_reply_to=above, thread=above))
    )
    assert (failed.is_unsure, failed.is_permanent) == (True, False)


def test_stack_exchange_says_that_it_failed_with_a_status_of_400() -> None:
    reader, above, path = _stackexchange()
    words = {"error_id": 500, "error_name": "internal_error", "error_message": "something went wrong"}
    reader.network.fail(path, Answered(words, 400), is_after=True)
    assert refused(lambda: reader.publish(Draft("d1", "Clean it.", in_reply_to=above))).is_unsure
