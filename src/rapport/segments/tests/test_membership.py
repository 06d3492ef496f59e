"""Who is in a segment is kept by difference, and everybody who enters or leaves is recorded once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from rapport.consent import services as consent
from rapport.events import lake
from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.segments import rules, selectors, services
from rapport.segments.models import Refresh, Segment
from rapport.segments.rules import naming
from rapport.segments.selectors import membership, moving
from rapport.segments.services import defining, refreshing
from rapport.segments.tests.conftest import ANA, BO, CHI, NOON, Say, ordered, settled

BUYERS = {"event": "order_placed", "window": {"last_days": 90}}
DAY = dt.timedelta(days=1)


def person(identifier: str) -> int:
    return people.person_id(people.subject_of(identifier))


def members(key: str) -> set[int]:
    return set(selectors.members_arrow(key)["person"].to_pylist())


def moves() -> list[tuple[str, str, str]]:
    """What the log holds of who entered and left: name, segment, identifier; as often as it is there."""
    settled()
    con = lake.connect()
    rows = con.execute(
        "SELECT e.name, json_extract_string(e.properties, '$.segment'), s.identifier FROM event AS e"
        " JOIN subject AS s ON s.subject = e.subject WHERE e.name LIKE 'segment\\_%' ESCAPE '\\' ORDER BY e.seq, 3"
    ).fetchall()
    return sorted(rows)


def buyers(rule: Any = BUYERS, title: str = "Buyers") -> str:
    return services.create(title, rule, by="alice").key


def test_the_first_refresh_finds_everybody_and_records_that_they_entered(crowd: Say) -> None:
    key = buyers()
    assert selectors.segment(key).is_stale
    (done,) = services.refresh()
    assert (done.key, done.n_members, done.n_entered, done.n_left, done.error) == ("buyers", 1, 1, 0, "")
    assert members(key) == {person(ANA)}
    assert moves() == [("segment_entered", "buyers", ANA)]
    view = selectors.segment(key)
    assert (view.n_members, view.refreshed_at, view.is_stale) == (1, NOON, False)


def test_a_refresh_without_a_change_moves_nobody(crowd: Say) -> None:
    key = buyers()
    services.refresh()
    with clock.frozen(NOON + DAY):
        (done,) = services.refresh([key])
    assert (done.n_members, done.n_entered, done.n_left) == (1, 0, 0)
    assert len(moves()) == 1


def test_members_are_due_after_a_change_of_the_rule_and_after_an_hour(crowd: Say) -> None:
    assert not services.is_due()
    key = buyers()
    assert services.is_due()
    services.refresh()
    assert not services.is_due()
    services.change(key, by="alice", title="Clients")
    assert not services.is_due()
    services.change(key, by="alice", rule={"event": "order_placed"})
    assert services.is_due()
    services.refresh()
    with clock.frozen(NOON + dt.timedelta(minutes=61)):
        assert services.is_due()
        services.refresh()
        assert not services.is_due()
    assert not services.rests_on_models()


def test_who_buys_enters_and_who_has_not_bought_for_long_leaves(crowd: Say) -> None:
    key = buyers()
    services.refresh()
    crowd(ordered(BO, 0.1))
    with clock.frozen(NOON + 89 * DAY):
        (done,) = services.refresh([key])
        assert (done.n_members, done.n_entered, done.n_left) == (1, 1, 1)
        assert members(key) == {person(BO)}
        assert moves() == [
            ("segment_entered", "buyers", ANA),
            ("segment_entered", "buyers", BO),
            ("segment_left", "buyers", ANA),
        ]
        assert selectors.segments_of(person(BO)) == {key: NOON + 89 * DAY}
        sizes = selectors.history(key)
    assert [(s.day, s.n_members, s.n_entered, s.n_left) for s in sizes] == [
        (NOON.date(), 1, 1, 0),
        ((NOON + 89 * DAY).date(), 1, 1, 1),
    ]


@pytest.mark.parametrize("killed_in", ["record_query", "_keep_size"])
def test_killed_before_or_after_recording_it_is_carried_out_once(
    crowd: Say, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    key = buyers()
    where = refreshing.events if killed_in == "record_query" else refreshing
    with monkeypatch.context() as patch:
        patch.setattr(where, killed_in, die)
        with pytest.raises(Killed):
            services.refresh([key])
    assert selectors.segment(key).n_members == 0
    assert Refresh.objects.get().state == Refresh.State.PREPARED
    # What happened in between belongs to the next refresh, and not to the one that was prepared.
    crowd(ordered(BO, 0.1))
    with clock.frozen(NOON + DAY):
        (done,) = services.refresh([key])
        assert (done.n_members, done.n_entered) == (2, 1)
        assert moves() == [("segment_entered", "buyers", ANA), ("segment_entered", "buyers", BO)]
        assert [(s.day.day, s.n_members, s.n_entered) for s in selectors.history(key)] == [
            (2, 1, 1),
            (3, 2, 1),
        ]
    assert {p.suffixes[0] for p in membership.folder().iterdir()} == {".parquet"}


def test_a_merge_moves_nobody(crowd: Say) -> None:
    key = buyers({"event": "order_placed"})
    services.refresh()
    assert members(key) == {person(ANA), person(BO)}
    people_services.merge(person(ANA), person(BO), evidence="they said so", by="alice")
    (done,) = services.refresh([key])
    assert (done.n_members, done.n_entered, done.n_left) == (1, 0, 0)
    assert len(moves()) == 2


def test_who_refuses_the_purpose_is_in_no_segment(crowd: Say) -> None:
    key = buyers({"event": "order_placed"})
    services.refresh()
    consent.deny(BO, "profiling", how="staff")
    settled()
    (done,) = services.refresh([key])
    assert (done.n_members, done.n_left) == (1, 1)
    leave = services.leave("alice")
    assert selectors.count(rules.EVERYBODY, leave) == 2
    assert selectors.explain(rules.EVERYBODY, person(BO), leave).line is None


def test_an_erased_person_is_in_no_file_of_members(crowd: Say) -> None:
    key = buyers({"event": "order_placed"})
    services.refresh()
    gone = person(BO)
    certificate = consent.erase(BO, by="alice")
    assert certificate.counts["segments"] == 1
    assert gone not in members(key)
    (done,) = services.refresh([key])
    assert (done.n_members, done.n_entered, done.n_left) == (1, 0, 0)


def test_a_person_is_shown_the_segments_they_are_in(crowd: Say) -> None:
    buyers()
    services.refresh()
    shown = consent.everything(ANA)
    assert "Buyers" in str(shown)
    assert "Buyers" not in str(consent.everything(CHI))


def test_segments_that_ask_about_others_are_refreshed_after_them(crowd: Say) -> None:
    buyers()
    loyal = services.create(
        "A loyal few", {"all": [{"segment": "buyers"}, {"trait": "plan", "is": "gold"}]}, by="alice"
    )
    assert loyal.key < "buyers"
    assert [done.key for done in services.refresh()] == ["buyers", loyal.key]
    assert members(loyal.key) == {person(ANA)}
    services.change("buyers", by="alice", rule={"event": "complaint_raised"})
    assert [(done.key, done.n_left) for done in services.refresh(["buyers"])] == [
        ("buyers", 1),
        (loyal.key, 1),
    ]


def test_a_segment_may_not_come_to_ask_about_itself(crowd: Say) -> None:
    buyers()
    services.create("Two", {"segment": "buyers"}, by="alice")
    services.create("Three", {"not": {"segment": "two"}}, by="alice")
    with pytest.raises(Conflict, match="buyers asks about three asks about two asks about buyers"):
        services.change("buyers", by="alice", rule={"any": [BUYERS, {"segment": "three"}]})
    assert selectors.segment("buyers").rule == rules.parse(BUYERS)


def test_a_segment_that_is_used_keeps_its_key_and_stays(crowd: Say) -> None:
    buyers()
    services.create("Two", {"segment": "buyers"}, by="alice")
    with pytest.raises(Conflict, match="the segment “Two” uses it"):
        services.remove("buyers", by="alice")
    with pytest.raises(Conflict, match="cannot be given another key"):
        services.change("buyers", by="alice", new_key="customers")
    assert services.change("buyers", by="alice", title="Customers").title == "Customers"
    services.remove("two", by="alice")
    assert services.change("buyers", by="alice", new_key="customers").key == "customers"
    services.remove("customers", by="alice")
    assert selectors.segments() == []
    assert list(membership.folder().glob("*")) == []


def test_a_rule_that_can_no_longer_be_asked_says_why_and_keeps_the_members(crowd: Say) -> None:
    key = buyers({"trait": "plan", "is": "gold"})
    other = buyers(title="Other")
    services.refresh()
    # As if the last one to whom the trait belonged were gone.
    Segment.objects.filter(key=key).update(rule={"trait": "shoe_size", "is": "44"})
    done = {one.key: one for one in services.refresh()}
    assert "there is no trait 'shoe_size'" in done[key].error
    assert done[other].error == ""
    view = selectors.segment(key)
    assert (view.n_members, view.error) == (1, done[key].error)


def test_what_cannot_be_made_a_segment_is_refused(crowd: Say) -> None:
    with pytest.raises(Invalid, match="no trait"):
        buyers({"trait": "shoe_size", "is": "44"})
    with pytest.raises(Invalid, match="is no name"):
        buyers(title=" ")
    with pytest.raises(Invalid, match="is no key"):
        services.create("A", BUYERS, by="alice", key="A b")
    with pytest.raises(NotFound):
        services.create("A", BUYERS, by="alice", purpose="mischief")
    buyers()
    with pytest.raises(Conflict, match="already"):
        buyers()
    with pytest.raises(NotFound):
        services.refresh(["nowhere"])


def test_a_purpose_that_is_switched_off_shows_nobody(crowd: Say) -> None:
    consent.change_purpose(
        "profiling", name="Estimates", meaning="None.", channels=(), expires_days=None, is_active=False
    )
    with pytest.raises(Denied):
        services.leave("bob")


def test_rules_are_kept_as_they_were(crowd: Say) -> None:
    key = buyers()
    services.change(key, by="bob", rule={"event": "order_placed"})
    services.change(key, by="bob", rule={"event": "order_placed"}, meaning="All who ever bought.")
    assert [(v.number, v.by) for v in selectors.versions(key)] == [(2, "bob"), (1, "alice")]
    assert selectors.versions(key)[1].rule == rules.parse(BUYERS)


def test_who_entered_lately_can_be_asked_for(crowd: Say) -> None:
    buyers()
    services.refresh()
    settled()
    rule = rules.parse({"event": "segment_entered", "dimension": "buyers", "window": {"last_days": 1}})
    assert selectors.members(rule, services.leave("alice")).persons == (person(ANA),)


def test_a_change_leaves_what_a_refresh_wrote_in_between(crowd: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    key = buyers()
    keep = defining._saved

    def late(*given: Any) -> Any:
        services.refresh([key])
        return keep(*given)

    with monkeypatch.context() as patch:
        patch.setattr(defining, "_saved", late)
        services.change(key, by="bob", title="Clients", rule={"event": "order_placed"})
    view = selectors.segment(key)
    assert (view.title, view.version, view.n_members, view.refreshed_at) == ("Clients", 2, 1, NOON)
    (done,) = services.refresh([key])
    assert (done.n_members, done.n_entered, done.error) == (2, 1, "")
    assert len(moves()) == 2


def test_two_editors_at_once_both_keep_their_version(crowd: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    key = buyers()
    keep = defining._saved

    def late(*given: Any) -> Any:
        monkeypatch.setattr(defining, "_saved", keep)
        services.change(key, by="carol", rule={"event": "complaint_raised"})
        return keep(*given)

    monkeypatch.setattr(defining, "_saved", late)
    services.change(key, by="bob", rule={"event": "order_placed"})
    assert [(v.number, v.by) for v in selectors.versions(key)] == [(3, "bob"), (2, "carol"), (1, "alice")]


def test_a_segment_whose_number_went_back_is_refreshed_again(crowd: Say) -> None:
    key = buyers()
    services.refresh()
    Segment.objects.filter(key=key).update(refresh=0, n_members=0)
    (done,) = services.refresh([key])
    assert (done.n_members, done.error) == (1, "")
    assert members(key) == {person(ANA)}


def test_titles_that_give_no_key_are_counted(crowd: Say) -> None:
    assert [buyers(title=title) for title in ("단골", "손님", "Клиенты")] == [
        "segment",
        "segment-2",
        "segment-3",
    ]


def test_who_refused_since_the_last_refresh_is_seen_no_more(crowd: Say) -> None:
    key = buyers({"event": "order_placed"})
    services.refresh()
    settled()
    bo, leave = person(BO), services.leave("alice")
    moved = partial(moving.moved, key, moving.ENTERED, NOON.date(), NOON.date(), leave)
    assert bo in selectors.members_arrow(key, leave)["person"].to_pylist()
    assert bo in moved().tolist()
    consent.deny(BO, "profiling", how="staff")
    settled()
    seen = selectors.members_arrow(key, leave)
    assert seen.schema.equals(membership.MEMBER)
    assert seen["person"].to_pylist() == [person(ANA)] == moved().tolist()
    assert bo in members(key)


def test_who_is_merged_while_it_is_worked_out_is_one(crowd: Say) -> None:
    found = pa.table({"person": sorted([person(ANA), person(BO)])})
    people_services.merge(person(ANA), person(BO), evidence="they said so", by="alice")
    (one,) = refreshing._difference(found, membership.MEMBER.empty_table(), NOON).to_pylist()
    assert (one["person"], one["is_in"], one["was_in"]) == (person(ANA), True, False)


def test_one_that_cannot_be_carried_out_keeps_no_other_waiting(
    crowd: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = buyers(), buyers(title="Other")
    record = refreshing._record

    def fail(segment: Segment, *given: Any) -> None:
        if segment.key == key:
            raise OSError("the disk is full")
        record(segment, *given)

    with monkeypatch.context() as patch:
        patch.setattr(refreshing, "_record", fail)
        for _ in range(2):
            done = {one.key: one for one in services.refresh()}
            assert (done[key].error, done[other].error) == ("the disk is full", "")
    assert Refresh.objects.filter(state=Refresh.State.PREPARED).count() == 1
    assert {one.error for one in services.refresh()} == {""}
    assert len(moves()) == 2


def test_one_given_another_key_meanwhile_keeps_no_other_waiting(
    crowd: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers(title="Other")
    monkeypatch.setattr(naming, "in_order", lambda *_: ["gone", "other"])
    gone, other = services.refresh()
    assert "there is no segment 'gone'" in gone.error
    assert (other.key, other.n_members) == ("other", 1)


def test_nothing_is_removed_while_a_refresh_is_under_way(crowd: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    key = buyers()
    held = []

    @contextmanager
    def lock(name: str, wait: bool = False) -> Iterator[None]:
        held.append((name, wait, Segment.objects.filter(key=key).exists()))
        yield
        held.append((name, wait, Segment.objects.filter(key=key).exists()))

    monkeypatch.setattr(defining.home, "lock", lock)
    services.remove(key, by="alice")
    assert held == [("segments", True, True), ("segments", True, False)]
