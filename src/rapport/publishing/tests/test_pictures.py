"""Pictures of a post: approved with its words, fitted to each network, shown in public only while they are fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.listening.contract import Pictures
from rapport.listening.services import album
from rapport.listening.tests.drawing import drawn
from rapport.messaging.services import drain, fetched
from rapport.messaging.tests.network import Connector, Network
from rapport.publishing import selectors, services
from rapport.publishing.services import Shown
from rapport.publishing.tests.conftest import ALICE, BOB, NOW
from rapport.publishing.tests.test_posts import at_its_time, planned, written

ALT = "A lamp with a green shade on a desk."


def takes(source: Connector, **more: Any) -> None:
    source.manners = replace(source.manners, pictures=Pictures(**({"most": 4} | more)))


def shown(alt: str = ALT, width: int = 400, height: int = 300) -> Shown:
    return Shown(album.keep(drawn(width, height)).digest, alt)


def test_pictures_leave_with_their_post_and_their_words(source: Connector, network: Network) -> None:
    takes(source)
    post = planned(pictures=[shown(), shown("The same lamp, lit.", 200, 200)])
    at_its_time()
    assert selectors.post(post.pk).state == "published"
    (left,) = network.posts
    assert [one[:4] for one in left["pictures"]] == [
        [ALT, "image/jpeg", 400, 300],
        ["The same lamp, lit.", "image/jpeg", 200, 200],
    ]


def test_a_post_without_pictures_leaves_as_before(source: Connector, network: Network) -> None:
    planned()
    at_its_time()
    assert network.posts[0]["pictures"] == []


def test_without_an_alternative_text_nothing_is_planned_and_it_says_why(source: Connector) -> None:
    takes(source)
    post = services.write(written(pictures=[shown(" ")]), by=BOB)
    assert post.state == "draft"
    with pytest.raises(Invalid, match="picture 1 has no alternative text") as refused:
        services.submit(post.pk, by=BOB)
    assert "cannot see it" in refused.value.hint


def test_another_picture_or_other_words_for_it_want_approval_anew(
    source: Connector, network: Network
) -> None:
    takes(source)
    one, other = shown(), shown(ALT, 300, 300)
    post = planned(pictures=[one])
    same = services.write(written(pictures=[one]), by=BOB, post=post.pk)
    assert (same.state, same.version) == ("planned", post.version)
    for pictures in ([replace(one, alt="Another lamp.")], [other], [one, other], []):
        post = planned(pictures=[one])
        changed = services.write(written(pictures=pictures), by=BOB, post=post.pk)
        assert (changed.state, changed.approver) == ("draft", "")
        assert changed.version > post.version
    services.submit(post.pk, by=BOB)
    with pytest.raises(Conflict):  # who approves has to have seen these pictures
        services.approve(post.pk, by=ALICE, version=changed.version - 1)


def test_what_a_network_does_not_take_is_said_and_stays(source: Connector, network: Network) -> None:
    post = services.write(written(pictures=[shown()]), by=BOB)
    (found,) = services.checks(post)
    assert "pictures cannot be posted to Loopback" in found.stands_against
    takes(source, most=1)
    two = services.write(written(pictures=[shown(), shown(ALT, 99, 99)]), by=BOB)
    with pytest.raises(Invalid, match="1 pictures at most"):
        services.submit(two.pk, by=BOB)
    takes(source, most=1, is_needed=True)
    with pytest.raises(Invalid, match="no post without a picture"):
        services.submit(services.write(written(), by=BOB).pk, by=BOB)
    with pytest.raises(Invalid, match="4 pictures at most"):
        services.write(written(pictures=[shown()] * 5), by=BOB)
    with pytest.raises(NotFound):
        services.write(written(pictures=[Shown("0" * 64, ALT)]), by=BOB)
    assert network.posts == []


def test_what_changed_after_approval_is_held_against_the_network_once_more(
    source: Connector, network: Network
) -> None:
    takes(source)
    post = planned(pictures=[shown()])
    takes(source, most=0)  # another version of the connector
    at_its_time()
    (where,) = selectors.post(post.pk).postings
    assert where.state == "withheld"
    assert "cannot be posted" in where.answer
    assert network.posts == []


def test_a_picture_that_is_too_large_alone_is_made_smaller(source: Connector, network: Network) -> None:
    takes(source, side_max=100, bytes_max=3_000)
    post = services.write(written(pictures=[shown()]), by=BOB)
    (found,) = services.checks(post)
    assert (found.stands_against, [one.state for one in found.pictures]) == ("", ["warn"])
    services.submit(post.pk, by=BOB)
    services.approve(post.pk, by=ALICE, version=post.version)
    at_its_time()
    ((_alt, kind, width, height, n_bytes, _url),) = network.posts[0]["pictures"]
    assert (kind, width, height) == ("image/jpeg", 100, 75)
    assert n_bytes <= 3_000


def test_a_picture_whose_file_is_lost_leaves_nothing_half(
    source: Connector, network: Network, home: Path
) -> None:
    takes(source)
    one = shown()
    post = planned(pictures=[one])
    album.take_away(one.digest)
    at_its_time()
    (where,) = selectors.post(post.pk).postings
    assert where.state == "failed"
    assert "no longer kept" in where.answer
    assert network.posts == []


def files(home: Path) -> int:
    return len([p for p in (home / "pictures").rglob("*.*") if p.is_file()])


def test_pictures_go_with_the_last_post_that_shows_them(source: Connector, home: Path) -> None:
    takes(source)
    one, other = shown(), shown(ALT, 99, 99)
    first = services.write(written(pictures=[one, other]), by=BOB)
    second = services.write(written(pictures=[one]), by=BOB)
    services.write(written(pictures=[one]), by=BOB, post=first.pk)
    assert files(home) == 2  # the picture and its small one: the other is gone
    services.discard(first.pk)
    assert files(home) == 2
    leaving = planned(pictures=[one])
    with pytest.raises(Conflict):
        services.discard(leaving.pk)
    services.withdraw(leaving.pk)
    services.discard(leaving.pk)
    services.discard(second.pk)
    assert files(home) == 0
    with pytest.raises(NotFound):
        selectors.post(second.pk)


def test_what_was_uploaded_for_a_post_that_nobody_kept_goes_after_a_day(
    source: Connector, home: Path
) -> None:
    takes(source)
    services.write(written(pictures=[shown()]), by=BOB)
    shown(ALT, 99, 99)
    assert services.forget_unused() == 0
    with clock.frozen(dt.datetime.fromtimestamp(home.stat().st_mtime, dt.UTC) + dt.timedelta(days=2)):
        assert services.forget_unused() == 1
    assert files(home) == 2


def test_the_album_is_gone_through_once_an_hour(
    source: Connector, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lets posts leave runs every few seconds, and the album holds every picture that was ever posted."""
    looked: list[float] = []

    def looks(age_s: float) -> Iterator[str]:
        looked.append(age_s)
        return iter(())

    monkeypatch.setattr(album, "older_than", looks)
    for minutes in (0, 0.25, 59, 61, 62):
        with clock.frozen(NOW + dt.timedelta(minutes=minutes)):
            services.forget_unused_if_due()
    assert looked == [86_400.0] * 2


def test_a_network_fetches_a_picture_only_while_its_post_is_on_its_way(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes(source, is_fetched=True, side_max=100)
    post = services.write(written(pictures=[shown()]), by=BOB)
    with pytest.raises(Invalid, match="no public https address"):
        services.submit(post.pk, by=BOB)
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", "https://rapport.otter.example")
    services.submit(post.pk, by=BOB)
    services.approve(post.pk, by=ALICE, version=post.version)
    seen: list[Any] = []
    posts = source.publish

    def fetches(config: Any, draft: Any, context: Any) -> Any:
        address, _, token = draft.media[0].url.rpartition("/")
        seen.extend([address, token, fetched.picture(token)])
        return posts(config, draft, context)

    source.publish = fetches  # type: ignore[method-assign, assignment]
    at_its_time()
    address, token, media = seen
    assert address == "https://rapport.otter.example/picture"
    assert (media.width, media.height, media.alt) == (100, 75, ALT)
    with clock.frozen(NOW + dt.timedelta(hours=1)), pytest.raises(NotFound):
        fetched.picture(token)  # it is posted
    with clock.frozen(NOW + dt.timedelta(hours=3)), pytest.raises(Denied):
        fetched.picture(token)
    with pytest.raises(Invalid):
        fetched.picture(token[:-2])


def test_an_ending_between_picture_and_post_leaves_one_whole_post(
    source: Connector, network: Network
) -> None:
    """The network has the picture, and whoever posts is killed before the post: it is found not to be there."""
    takes(source)
    posts, n = source.publish, 0

    def dies_once(config: Any, draft: Any, context: Any) -> Any:
        nonlocal n
        n += 1
        if n == 1:
            raise RuntimeError("the power went")
        return posts(config, draft, context)

    source.publish = dies_once  # type: ignore[method-assign, assignment]
    post = planned(pictures=[shown()])
    at_its_time()
    for hours in (1.1, 1.5, 2.5):
        with clock.frozen(NOW + dt.timedelta(hours=hours)):
            drain()
            services.follow_up()
    assert selectors.post(post.pk).state == "published"
    assert [one["pictures"][0][0] for one in network.posts] == [ALT]
