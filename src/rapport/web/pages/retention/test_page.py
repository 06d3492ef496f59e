from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit import clock
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    with clock.frozen(MONDAY + dt.timedelta(hours=4)):
        yield


@pytest.fixture
def views(say: Say) -> None:
    """Pages viewed yesterday and two years ago."""
    say(
        *(touchpoint("page_viewed", "anonymous:b", ts=MONDAY - dt.timedelta(days=n)) for n in (1, 700)),
        touchpoint("consent_granted", "customer:1", properties={"purpose": "marketing"}),
    )


def days_of(name: str) -> int | None:
    return {k.name: k.days for k in consent.retention()}[name]


@pytest.mark.usefixtures("views")
def test_a_rule_that_would_delete_is_shown_first_and_set_then(alice: Staff) -> None:
    client = logged_in(alice)
    html = client.post("/privacy/retention/", {"name": "page_viewed", "days": "365"}).content.decode()
    assert "1 event would be deleted" in html
    assert days_of("page_viewed") is None
    client.post("/privacy/retention/", {"name": "page_viewed", "days": "365", "do": "set"})
    assert days_of("page_viewed") == 365
    services.carry_out_retention()
    assert "1 deleted so far" in client.get("/privacy/retention/").content.decode()


@pytest.mark.usefixtures("views")
def test_a_rule_that_deletes_nothing_is_set_at_once_and_can_be_ended(alice: Staff) -> None:
    client = logged_in(alice)
    client.post("/privacy/retention/", {"name": "page_viewed", "days": "2000"})
    assert days_of("page_viewed") == 2000
    client.post("/privacy/retention/", {"name": "page_viewed", "days": ""})
    assert days_of("page_viewed") is None


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize(
    ("name", "days"),
    [("page_viewed", "0"), ("page_viewed", "-3"), ("page_viewed", "ten"), ("consent_granted", "30")],
)
def test_a_rule_that_cannot_be_is_said(alice: Staff, name: str, days: str) -> None:
    answer = logged_in(alice).post("/privacy/retention/", {"name": name, "days": days})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert days_of(name) is None


@pytest.mark.usefixtures("views")
def test_bob_changes_nothing(bob: Staff) -> None:
    client = logged_in(bob)
    assert client.get("/privacy/retention/").status_code == 403
    assert client.post("/privacy/retention/", {"name": "page_viewed", "days": "2"}).status_code == 403
