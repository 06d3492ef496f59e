"""What somebody says counts at once, once, and as far as they certainly are the same one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pyarrow as pa
import pytest

from rapport.consent import selectors, services
from rapport.consent.models import Preference, Purpose, Record
from rapport.consent.selectors import holding
from rapport.consent.tests.conftest import HOUR, MONDAY, Say, identified, said, touchpoint
from rapport.events import subscriptions
from rapport.kit import clock, snapshots
from rapport.kit import home as data_folder
from rapport.kit.errors import Denied, Invalid, NotFound
from rapport.people import selectors as people
from rapport.people import services as persons

ANA, BO, CHI = "email:ana@example.org", "email:bo@example.org", "email:chi@example.org"


def everyone(purpose: str, channel: str = "", at: dt.datetime | None = None) -> set[int]:
    return set(selectors.allowed_subjects(purpose, channel, at)["subject"].to_pylist())


def test_the_starting_purposes_answer_by_their_basis(say: Say) -> None:
    say(identified(ANA))
    ana = people.subject_of(ANA)
    reasons = {p.key: selectors.allows(ANA, p.key).reason for p in selectors.purposes()}
    assert reasons == {
        "service": "basis_contract",
        "marketing": "no_consent",
        "personalisation": "no_consent",
        "research": "no_consent",
        "analytics": "basis_legitimate_interest",
        "profiling": "basis_legitimate_interest",
    }
    assert {p.key for p in selectors.purposes() if ana in everyone(p.key)} == {
        "service",
        "analytics",
        "profiling",
    }


def test_a_withdrawal_is_in_force_when_the_call_returns(say: Say, react: Callable[[], None]) -> None:
    say(identified(ANA))
    with clock.frozen(MONDAY):
        services.grant(ANA, "marketing", "email", how="form", shown="/newsletter", wording="3")
        assert selectors.allows(ANA, "marketing", "email").reason == "granted"
        assert selectors.allows(ANA, "marketing", "sms").reason == "no_consent"
    with clock.frozen(MONDAY + HOUR):
        services.withdraw(ANA, "marketing", how="one_click")
        answer = selectors.allows(ANA, "marketing", "email")
        assert (answer.allowed, answer.reason, answer.since) == (False, "withdrawn", MONDAY + HOUR)
        assert selectors.allows(ANA, "marketing", "email", MONDAY).allowed
        before = list(Record.objects.order_by("at").values())
        react()  # the log brings the same two answers: nothing is there twice, nothing changes
        assert list(Record.objects.order_by("at").values()) == before
        assert everyone("marketing", "email") == set()
        assert everyone("marketing", "email", MONDAY) == {people.subject_of(ANA)}


def test_a_withdrawal_of_somebody_unknown_counts_and_finds_them(say: Say, react: Callable[[], None]) -> None:
    with clock.frozen(MONDAY):
        services.deny("email:ANA@Example.org", "analytics", how="preference_page")
        assert selectors.allows(ANA, "analytics").reason == "unknown_person"
        # People hears of Ana before consent has seen her event: her answer counts in between too.
        from rapport.events import services as events
        from rapport.events import spool

        upto = spool.current().next_seq() - 1
        events.settle(upto)
        subscriptions.settle(upto, ["people"])
        ana = people.subject_of(ANA)
        assert Record.objects.get().subject is None
        assert selectors.allows(ANA, "analytics").reason == "objected"
        assert ana not in everyone("analytics")
        assert ana in set(selectors.refused_subjects("analytics")["subject"].to_pylist())
        subscriptions.settle(upto, ["consent"])
        record = Record.objects.get()
        assert (record.subject, record.identifier) == (ana, "")
        assert selectors.allows(ANA, "analytics").reason == "objected"


def test_answers_of_a_source_arrive_by_the_log(say: Say) -> None:
    say(
        identified("customer:1", ANA),
        said("granted", "customer:1", "marketing", "email", ts=MONDAY, properties={"how": "import"}),
        said("withdrawn", ANA, "marketing", "", ts=MONDAY + HOUR),
        said("granted", BO, "marketing", "email", properties={"expires_at": "2026-03-02T13:00:00Z"}),
    )
    assert not selectors.allows("customer:1", "marketing", "email").allowed
    assert selectors.allows("customer:1", "marketing", "email", MONDAY).allowed
    assert selectors.allows(BO, "marketing", "email", MONDAY + HOUR).reason == "expired"
    assert selectors.allows(BO, "marketing", "email", MONDAY + HOUR - dt.timedelta(microseconds=1)).allowed


def test_the_firms_life_of_a_grant_ends_it(say: Say) -> None:
    Purpose.objects.filter(key="research").update(expires_days=10)
    say(said("granted", ANA, "research", "email"))
    with clock.frozen(MONDAY):
        services.grant(BO, "research", "email", how="form")
    for who in (ANA, BO):
        assert selectors.allows(who, "research", "email", MONDAY + dt.timedelta(days=9)).allowed
        assert selectors.allows(who, "research", "email", MONDAY + dt.timedelta(days=10)).reason == "expired"


def test_at_the_same_instant_the_strictest_counts(say: Say) -> None:
    for order in (("granted", "withdrawn"), ("withdrawn", "granted")):
        who = f"customer:{order[0]}"
        say(*(said(state, who, "marketing", "email") for state in order))
        assert selectors.allows(who, "marketing", "email").reason == "withdrawn"
        assert people.subject_of(who) not in everyone("marketing", "email")


def test_no_consent_flows_along_a_probable_edge(say: Say) -> None:
    say(identified(ANA), identified(BO), said("granted", ANA, "marketing", "email"))
    ana, bo = people.subject_of(ANA), people.subject_of(BO)
    pair = {"a": [ana], "b": [bo], "confidence": [0.99], "evidence": ["likeness"]}
    persons.propose(pa.table(pair), source="splink", accept_from=0.9)
    assert people.person_id(ANA) == people.person_id(BO)
    assert everyone("marketing", "email") == {ana}
    assert not selectors.allows(BO, "marketing", "email").allowed
    # And an objection of one does not speak for the other, whom it may not know.
    with clock.frozen(MONDAY):
        services.deny(BO, "analytics", how="preference_page")
    assert everyone("analytics") == {ana}


def test_merging_by_a_colleague_joins_the_answers_and_un_merging_parts_them(say: Say) -> None:
    say(identified(ANA), identified(BO))
    say(
        said("granted", ANA, "marketing", "email"),
        said("withdrawn", BO, "marketing", "email", ts=MONDAY + HOUR),
    )
    ana, bo = people.subject_of(ANA), people.subject_of(BO)
    assert everyone("marketing", "email") == {ana}
    edge = persons.merge(ana, bo, "same address", "alice@example.com").edge
    assert everyone("marketing", "email") == set()
    assert selectors.allows(ANA, "marketing", "email").reason == "withdrawn"
    persons.unmerge(edge, "alice@example.com")
    assert everyone("marketing", "email") == {ana}
    assert selectors.allows(ANA, "marketing", "email").allowed


def test_a_purpose_that_is_switched_off_allows_nothing(say: Say) -> None:
    say(identified(ANA), said("granted", ANA, "marketing", "email"))
    Purpose.objects.filter(key="marketing").update(is_active=False)
    assert selectors.allows(ANA, "marketing", "email").reason == "inactive_purpose"
    assert everyone("marketing", "email") == set()
    assert selectors.allows(ANA, "no_such_purpose").reason == "inactive_purpose"
    with pytest.raises(NotFound):
        services.grant(ANA, "marketing", "email", how="form")
    with pytest.raises(Denied):
        services.warrant("marketing", by="alice", why="to see")
    with clock.frozen(MONDAY + HOUR):
        services.withdraw(ANA, "marketing", "email", how="one_click")  # the customer may still say it
    assert Record.objects.filter(state="withdrawn").count() == 1


def test_a_restriction_stops_all_but_the_contract(say: Say) -> None:
    say(identified("customer:1", ANA), said("granted", ANA, "marketing", "email"))
    services.restrict("customer:1", by="alice", reason="contests the address")
    services.restrict("customer:1", by="alice")
    allowed = {p.key for p in selectors.purposes() if selectors.allows(ANA, p.key, "email").allowed}
    assert allowed == {"service"}
    assert [everyone(p.key, "email") for p in selectors.purposes() if p.key != "service"] == [set()] * 5
    assert selectors.allows(ANA, "analytics").reason == "restricted"
    assert services.unrestrict(ANA, by="alice") == 1
    assert selectors.allows(ANA, "marketing", "email").allowed


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        ({"purpose": "marketing", "channel": "pigeon"}, Invalid),
        ({"purpose": "fun", "channel": ""}, NotFound),
        ({"purpose": "analytics", "channel": "email"}, Invalid),
    ],
    ids=["channel", "purpose", "no-channels"],
)
def test_a_grant_must_be_of_something_the_firm_has(
    say: Say, ask: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        services.grant(ANA, **ask, how="form")
    assert not Record.objects.exists()


def test_an_answer_has_a_time_that_can_be(say: Say) -> None:
    for at in (clock.now() + HOUR, dt.datetime(1980, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1)):  # noqa: DTZ001
        with pytest.raises(Invalid):
            services.grant(ANA, "marketing", "email", how="form", at=at)
    with pytest.raises(Invalid, match="no identifier"):
        services.grant("ana@example.org", "marketing", "email", how="form")


def test_wishes_are_kept_newest_first_and_follow_the_core(say: Say, react: Callable[[], None]) -> None:
    say(identified("customer:1", ANA))
    with clock.frozen(MONDAY):
        services.state_preference(ANA, "frequency", "weekly")
        services.state_preference(ANA, "topics", ["offers"])
    with clock.frozen(MONDAY + HOUR):
        services.state_preference("customer:1", "frequency", "monthly")
        services.state_preference(CHI, "language", "ko")
        react()
    assert selectors.preferences(ANA) == {
        "topics": ["offers"],
        "frequency": "monthly",
        "pause_until": None,
        "language": None,
    }
    assert selectors.preferences(CHI)["language"] == "ko"
    assert Preference.objects.count() == 4
    for name, value in (
        ("frequency", "hourly"),
        ("colour", "red"),
        ("pause_until", "soon"),
        ("topics", "all"),
    ):
        with pytest.raises(Invalid):
            services.state_preference(ANA, name, value)


def test_a_wish_from_outside_may_be_plain_text(say: Say) -> None:
    say(
        touchpoint("preference_stated", ANA, properties={"name": "language", "value": "de"}),
        touchpoint("preference_stated", BO, properties={"name": "topics", "value": '["news"]'}),
    )
    assert selectors.preferences(ANA)["language"] == "de"
    assert selectors.preferences(BO)["topics"] == ["news"]


def test_the_snapshot_of_the_ledger_holds_what_came_since(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "RENEW_CHANGES", 1)
    say(*(said("granted", f"customer:{n}", "marketing", "email") for n in range(3)))
    assert len(everyone("marketing", "email")) == 3
    with clock.frozen(MONDAY + HOUR):
        services.withdraw("customer:1", "marketing", how="one_click")
        assert len(everyone("marketing", "email")) == 2
        services.withdraw("customer:2", "marketing", how="one_click")
        assert len(everyone("marketing", "email")) == 1  # the second one renewed the snapshot
        assert len(list(data_folder.path("snapshots").glob("ledger-*.parquet"))) == snapshots.KEPT
        services.grant("customer:2", "marketing", "email", how="form")  # at the same instant: stays withdrawn
        assert len(everyone("marketing", "email")) == 1


def test_suppression_is_apart_from_consent(db: None, home: object) -> None:
    services.suppress("email:Ana@example.org", "email", "complained", by="smtp")
    services.suppress(ANA, "email", "complained")
    services.suppress(BO, "", "bounced")
    assert selectors.is_suppressed(ANA, "email") == "complained"
    assert selectors.is_suppressed(ANA, "sms") is None
    assert selectors.is_suppressed(ANA, "email", "service") is None
    assert selectors.suppressed([ANA, BO, CHI], "email", "service") == {BO: "bounced"}
    services.suppress(ANA, "", "erased")
    assert selectors.is_suppressed(ANA, "email") == "erased"
    assert services.lift(ANA, reason="erased", by="alice") == 1
    assert services.lift(ANA, by="alice") == 1
    assert selectors.is_suppressed(ANA, "email") is None
    assert [s.reason for s in selectors.suppressions(ANA)] == ["erased", "complained"]
    with pytest.raises(Invalid):
        services.suppress(ANA, "email", "dislike")
