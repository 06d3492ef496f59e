"""Lists of people that leave, and how long events stay."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator

import pyarrow as pa
import pytest

from rapport.consent import selectors, services
from rapport.consent.models import Purpose, Warranted
from rapport.consent.tests.conftest import HOUR, MONDAY, Say, identified, said, touchpoint
from rapport.events import lake, packing, spool
from rapport.kit import clock
from rapport.kit.errors import Denied, Invalid
from rapport.people import selectors as people

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    with clock.frozen(MONDAY + 4 * HOUR):
        yield


@pytest.fixture
def three(say: Say) -> None:
    """Ana allows mail, Bo refuses it, Chi was never asked."""
    say(
        identified("customer:1", "email:ana@example.org"),
        identified("customer:2", "email:bo@example.org"),
        identified("customer:3", "email:chi@example.org"),
        said("granted", "email:ana@example.org", "marketing", "email"),
        said("denied", "customer:2", "marketing", "email"),
    )


def rows_of(taken: services.TakenOut) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(taken.lines))))


@pytest.mark.usefixtures("three")
def test_only_who_allows_the_purpose_is_on_the_list() -> None:
    taken = services.take_out("marketing", "email", by="alice@example.com", why="spring letter")
    assert [row["email"] for row in rows_of(taken)] == ["ana@example.org"]
    (kept,) = selectors.exports()
    assert (kept.by, kept.why, kept.n_chosen, kept.n_people) == ("alice@example.com", "spring letter", 3, 1)
    assert Warranted.objects.get().why == "spring letter"


@pytest.mark.usefixtures("three")
def test_a_list_may_be_of_those_whom_another_domain_chose() -> None:
    ana, bo = (people.person_id(f"customer:{n}") for n in (1, 2))
    asked = {"by": "alice@example.com", "why": "spring letter", "of": {"segment": "lapsed"}}
    taken = services.take_out("service", **asked, among=pa.array([bo], pa.int64()))
    assert [row["email"] for row in rows_of(taken)] == ["bo@example.org"]
    (kept,) = selectors.exports()
    assert (kept.n_chosen, kept.chosen) == (1, {"segment": "lapsed"})
    # Being chosen is no consent: Bo refuses mail.
    assert services.take_out("marketing", "email", **asked, among=pa.array([ana, bo])).n_people == 1
    assert services.take_out("service", **asked, among=pa.array([], pa.int64())).n_people == 0


@pytest.mark.usefixtures("three")
def test_a_suppressed_address_is_not_on_a_list_for_its_channel() -> None:
    services.suppress("email:ana@example.org", "email", "bounced")
    taken = services.take_out("marketing", "email", by="alice@example.com", why="spring letter")
    assert rows_of(taken) == []


@pytest.mark.usefixtures("three")
def test_only_the_columns_asked_for_leave() -> None:
    taken = services.take_out("service", by="alice@example.com", why="recall", columns=["customer"])
    assert [sorted(row) for row in rows_of(taken)] == [["customer", "ref"]] * 3


@pytest.mark.usefixtures("three")
def test_every_row_names_the_export_it_left_with() -> None:
    first = services.take_out("service", by="alice@example.com", why="recall")
    second = services.take_out("service", by="bob@example.com", why="another")
    for taken, by in ((first, "alice@example.com"), (second, "bob@example.com")):
        for row in rows_of(taken):
            found = services.traced(row["ref"])
            assert found is not None
            assert found.by == by
        named = services.traced(taken.file_name)
        assert named is not None
        assert named.id == taken.id
    assert services.traced(f"{first.mark}-8-0000") is None
    assert services.traced("people-XXXX.csv") is None


@pytest.mark.usefixtures("three")
def test_without_a_reason_or_for_nothing_that_there_is_nobody_gets_a_list() -> None:
    with pytest.raises(Invalid):
        services.take_out("service", by="alice@example.com", why=" ")
    with pytest.raises(Invalid):
        services.take_out("service", by="alice@example.com", why="x", columns=["salary"])
    with pytest.raises(Invalid):
        services.take_out("personalisation", "email", by="alice@example.com", why="x")
    Purpose.objects.filter(key="research").update(is_active=False)
    with pytest.raises(Denied):
        services.take_out("research", by="alice@example.com", why="x")
    assert selectors.exports() == []


def test_a_name_that_a_spreadsheet_would_run_is_only_text(say: Say) -> None:
    say(
        identified("customer:1", "phone:+34600111222"),
        touchpoint(
            "person_identified",
            "customer:1",
            properties={"traits": {"name": "=HYPERLINK(1)"}, "origin": "declared"},
            ts=MONDAY + HOUR,
        ),
    )
    (row,) = rows_of(services.take_out("service", by="alice@example.com", why="recall"))
    assert (row["name"], row["phone"]) == ("'=HYPERLINK(1)", "+34600111222")


# How long events are kept


@pytest.fixture
def years(say: Say) -> None:
    say(
        *(
            touchpoint("page_viewed", "customer:1", ts=MONDAY - n * DAY, properties={"path": f"/secret-{n}"})
            for n in (1, 30, 31, 400)
        ),
        touchpoint("order_placed", "customer:1", ts=MONDAY - 400 * DAY, properties={"order_id": "1"}),
        said("granted", "customer:1", "marketing", "email", ts=MONDAY - 400 * DAY),
    )


def ask(sql: str) -> list[tuple[object, ...]]:
    con = lake.connect()
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


@pytest.mark.usefixtures("years")
def test_what_was_kept_long_enough_goes_and_its_person_stays() -> None:
    services.keep_for("page_viewed", 30, by="alice@example.com")
    (shown,) = [k for k in selectors.retention() if k.name == "page_viewed"]
    assert (shown.n, shown.n_older, shown.days) == (4, 2, 30)
    done = services.carry_out_retention()
    assert (done.events, done.counters, done.sessions) == (2, 2, 2)
    assert ask("SELECT count(*) FROM event WHERE name = 'page_viewed'") == [(2,)]
    assert ask("SELECT sum(n) FROM subject_day WHERE name = 'page_viewed'") == [(2,)]
    assert ask("SELECT count(*) FROM event WHERE name = 'order_placed'") == [(1,)]
    assert people.person_id("customer:1")
    con = spool.current().connection()
    bodies = b"".join(packing.unpack(body) or b"" for (body,) in con.execute("SELECT body FROM body"))
    assert b"/secret-400" not in bodies
    assert b"/secret-30" in bodies
    (shown,) = [k for k in selectors.retention() if k.name == "page_viewed"]
    assert (shown.n_older, shown.n_erased) == (0, 2)


@pytest.mark.usefixtures("years")
def test_it_is_carried_out_once_a_day() -> None:
    assert services.retention_if_due() is None
    services.keep_for("page_viewed", 365, by="alice@example.com")
    done = services.retention_if_due()
    assert done is not None
    assert done.events == 1
    assert services.retention_if_due() is None
    with clock.frozen(MONDAY + 2 * DAY):
        assert services.retention_if_due() is not None


@pytest.mark.usefixtures("years")
def test_a_rule_can_be_tried_before_it_is_set() -> None:
    tried = {k.name: k for k in selectors.retention({"order_placed": 10})}
    assert (tried["order_placed"].n_older, tried["order_placed"].days) == (1, 10)
    assert {k.name: k for k in selectors.retention()}["order_placed"].days is None


def test_what_proves_a_consent_is_kept(db: None) -> None:
    with pytest.raises(Invalid):
        services.keep_for("consent_granted", 30, by="alice@example.com")
    with pytest.raises(Invalid):
        services.keep_for("page_viewed", 0, by="alice@example.com")
