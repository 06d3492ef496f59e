"""What connectors keep from day to day: under their own source, for their time, and gone with whom it tells of."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening import selectors, services
from rapport.listening.contract import Keeping
from rapport.listening.models import Kept, Source
from rapport.listening.services import asking, keeping, sources, storing
from rapport.listening.tests.networks import NOON, Square
from rapport.listening.tests.playing import Shelf


def kept(name: str) -> Keeping:
    row = Source.objects.get(name=name)
    found = asking.context(row, sources.connector(row.connector).manners).kept
    assert found is not None
    return found


@pytest.mark.parametrize("is_real", [True, False])
def test_entries_are_put_and_found_by_their_keys(source: str, is_real: bool) -> None:
    entries: Keeping = kept(source) if is_real else Shelf()
    assert entries.get("a/1") is None
    for key in ("a/2", "a/1", "b/1", "a/3"):
        entries.put(key, {"key": key})
    entries.put("a/2", {"key": "another"}, about="@Ana")
    assert entries.get("a/2") == {"key": "another"}
    assert [key for key, _ in entries.among("a/")] == ["a/1", "a/2", "a/3"]
    assert [key for key, _ in entries.among("a/", after="a/1", limit=1)] == ["a/2"]
    assert (entries.count("a/"), entries.count("c/")) == (3, 0)
    assert entries.drop("a/1", "a/9") == 1
    assert entries.drop() == 0
    assert entries.count("a/") == 2


def test_each_source_has_its_own(source: str, square: Square) -> None:
    services.add_source("other", "square", {})
    kept(source).put("a", 1)
    assert kept("other").get("a") is None
    with pytest.raises(Invalid):
        kept(source).put("x" * 201, 1)
    assert asking.context(Source(name=""), square.manners).kept is None, "nothing is kept for what is tried"


def test_they_go_when_their_time_is_over(source: str, square: Square) -> None:
    Source.objects.filter(name=source).update(keep_days=5)
    entries = kept(source)
    entries.put("short", 1, days=2)
    entries.put("long", 1, about="ana", days=90)
    entries.put("asked for", 1, about="ana")
    for days, left in ((1, 3), (3, 2), (6, 1), (400, 1)):
        with clock.frozen(NOON + dt.timedelta(days=days)):
            found = [key for key in ("short", "long", "asked for") if entries.get(key)]
            assert len(found) == left, "what is past its time is not there, also before it is swept"
            keeping.carry_out()
            assert Kept.objects.count() == left
    assert entries.get("asked for") == 1, "what somebody asked for stays until they take it back"


def test_who_is_forgotten_is_forgotten_here(source: str, square: Square) -> None:
    entries = kept(source)
    entries.put("follower/1", {"inbox": "https://lake.example/1"}, about="@Ana.Berg")
    entries.put("post/1", {"content": "<p>@ana.berg Dry the wick</p>"})
    entries.put("going/1", {"to": "https://lake.example/users/ana.berg/inbox"})
    entries.put("post/2", {"content": "<p>The spring catalogue</p>"})
    entries.put("post/3", {"content": "<p>@Ana.Berg\u00fcn ist jemand anders, Ana.berg nicht</p>"})
    entries.put("follower/2", {"inbox": "https://lake.example/2"}, about="bo")
    (told,) = selectors.kept_of(["square:ana.berg"])
    assert (told.source, told.value["inbox"], told.until) == (source, "https://lake.example/1", None)
    assert services.forget(["square:ana.berg"]) == 4
    assert selectors.kept_of(["square:ana.berg"]) == []
    assert sorted(Kept.objects.values_list("key", flat=True)) == ["follower/2", "post/2"]
    assert storing.sweep(NOON) == 0


def test_nothing_waiting_leaves_while_somebody_holds_it(
    source: str, square: Square, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = [False]
    monkeypatch.setattr(asking, "_holds", [lambda: holds[0]])
    context = asking.context(Source.objects.get(name=source), square.manners)
    assert context.may_post()
    holds[0] = True
    assert not context.may_post()
