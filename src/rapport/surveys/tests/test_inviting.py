"""Only those whom consent, the wait over all surveys and the sample allow are written to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from rapport.consent import services as consent
from rapport.kit import clock, signing
from rapport.kit.errors import Conflict
from rapport.messaging.tests.conftest import set_up
from rapport.surveys import selectors
from rapport.surveys import services as surveys
from rapport.surveys.models import Invitation
from rapport.surveys.selectors import Base
from rapport.surveys.tests.conftest import record, settle

Asked = Callable[..., str]
MONDAY = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def told(number: int, country: str = "ES", *, mail: bool = True) -> dict[str, Any]:
    traits = {"traits": {"country": country, "language": "de"}, "origin": "declared"}
    return {
        "message_id": f"p{number}", "name": "person_identified", "ts": MONDAY, "identifier": f"customer:{number}",
        "also": [f"email:p{number}@example.org"] if mail else [], "evidence": "import",
        "properties": json.dumps(traits),
    }  # fmt: skip


def allow(*numbers: int) -> None:
    for number in numbers:
        consent.grant(
            f"email:p{number}@example.org", "research", "email", how="form", shown="test", at=MONDAY
        )
    settle()


def would(slug: str, **base: Any) -> selectors.Invitable:
    warrant = consent.warrant("research", by="alice", why="test", channel="email")
    return selectors.invitable(slug, Base(**base), warrant)


@pytest.fixture
def slug(asked: Asked) -> str:
    """A survey asked by mail, and six people, of whom four allow research by mail."""
    name = asked(places=("mail", "link"), recontact_days=30)
    record(*(told(n, "ES" if n < 3 else "DE", mail=n != 5) for n in range(6)))
    allow(0, 1, 2, 3)
    return name


def test_without_consent_nobody_is_asked(slug: str) -> None:
    found = would(slug)
    # Customer 5 has no address, so is not in question at all.
    assert (found.n, found.n_base, found.withheld) == (4, 5, {"no_consent": 1})
    assert would(slug, country="DE").n_base == 2
    assert would(slug, language="fr").n_base == 0
    consent.withdraw("email:p0@example.org", "research", "email", how="preference_page")
    assert would(slug).n == 3


def test_the_wait_counts_over_all_surveys_and_identifiers(slug: str, asked: Asked) -> None:
    other = asked("ces", places=("link", "mail"))
    with clock.frozen(MONDAY):
        surveys.begin(other, identifier="customer:0")  # another survey, another identifier of the same person
        assert would(slug).withheld == {"no_consent": 1, "recontact": 1}
        surveys.begin(slug, identifier="email:p1@example.org")
        assert would(slug).withheld == {"no_consent": 1, "recontact": 1, "asked_before": 1}
        assert selectors.may_show(slug, "customer:0") == "not_on_site"
    with clock.frozen(MONDAY + dt.timedelta(days=31)):
        assert would(slug).withheld == {"no_consent": 1}


def test_the_sample_is_the_same_people_each_time(asked: Asked) -> None:
    name = asked(places=("mail",), target_ratio=0.5)
    record(*(told(n) for n in range(40)))
    allow(*range(40))
    first, again = would(name), would(name)
    assert first == again
    assert 8 <= first.n <= 32  # half of forty; outside of this one in ten thousand samples
    assert first.n + first.withheld["not_in_sample"] == 40


def test_buyers_can_be_asked_alone(slug: str) -> None:
    about = {"order_id": "1", "items": []}
    order = {"message_id": "o1", "name": "order_placed", "ts": clock.now(), "identifier": "customer:1"}
    record({**order, "properties": json.dumps(about)})
    assert would(slug, bought_within_days=30).n_base == 1


def test_inviting_goes_through_the_one_pipeline_and_says_who_was_left_out(slug: str) -> None:
    # No account for mail is set up, so the pipeline withholds everybody and says so; nothing is lost.
    done = surveys.invite(slug, Base(), by="alice")
    assert (done.n_base, done.n) == (5, 0)
    assert done.withheld["no_consent"] == 1
    assert sum(done.withheld.values()) == 5
    assert set(Invitation.objects.values_list("state", flat=True)) == {"withheld"}
    assert would(slug).n == 4  # who was not reached may be asked


def test_each_gets_a_link_of_their_own_in_their_language_once(slug: str) -> None:
    set_up(25)  # planned only: nothing leaves before the worker dispatches it
    done = surveys.invite(slug, Base(), by="alice")
    assert (done.n, done.withheld) == (4, {"no_consent": 1})
    assert would(slug).withheld == {"no_consent": 1, "asked_before": 4}
    assert surveys.invite(slug, Base(), by="alice").n == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT identifier, context FROM messaging_delivery ORDER BY identifier")
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == [f"email:p{n}@example.org" for n in range(4)]
    context = json.loads(rows[0][1])
    assert context["title"] == "Würden Sie uns weiterempfehlen?"
    slug_, identifier, place = signing.read("survey", context["url"].rpartition("/")[2])
    assert (slug_, identifier, place) == (slug, "email:p0@example.org", "mail")
    with clock.frozen(clock.now() + dt.timedelta(days=31)):
        assert surveys.invite(slug, Base(), by="alice").n == 4  # the wait is over


def test_a_survey_that_takes_no_answers_invites_nobody(slug: str, asked: Asked) -> None:
    surveys.pause(slug)
    with pytest.raises(Conflict):
        surveys.invite(slug, Base(), by="alice")
    with pytest.raises(Conflict):
        surveys.invite(asked("fit", places=("link",)), Base(), by="alice")
