"""What people, and staff for them, say of statements: whose word counts, where it stays, what comes of it."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.aio import rules, selectors, services
from rapport.aio.models import Refresh, Statement, Word
from rapport.aio.tests.conftest import ANA, BO, NOON, Say, everybody, fond_of, told, wrote
from rapport.aio.tests.test_refreshing import LATE, of, scores
from rapport.kit import clock
from rapport.kit.errors import Conflict
from rapport.people import selectors as people
from rapport.people import services as people_services

STAFF = "alice@example.com"
ON_TIME = ("opinion", "on_time")


def later(minutes: int) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def test_what_is_called_wrong_while_a_refresh_runs_gets_no_score(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE))
    write = people_services.write_scores

    def not_so_meanwhile(*given: object, **also: object) -> int:
        services.not_so(ANA, *ON_TIME, by="person")
        services.correct(BO, *ON_TIME, 0.5, by="person")
        with clock.frozen(later(2)):
            Word.objects.filter(subject=people.subject_of(BO)).update(made_at=clock.now())
        return write(*given, **also)  # type: ignore[arg-type]

    monkeypatch.setattr(people_services, "write_scores", not_so_meanwhile)
    services.refresh()
    assert scores(ANA) == scores(BO) == {}
    assert not Statement.objects.exists()


def test_staffs_word_stays_with_the_half_that_it_is_of(say: Say) -> None:
    say(*everybody(), *fond_of(ANA, "bulbs"), wrote(BO, LATE))
    done = people_services.merge(people.subject_of(ANA), people.subject_of(BO), evidence="seen", by="alice")
    services.refresh()
    services.not_so(people.person_id(ANA), *ON_TIME, by=STAFF)
    people_services.unmerge(done.edge, by="alice")
    services.refresh()
    assert of(BO)["opinion:on_time"].state == "said_wrong"
    assert of(ANA).keys() == {"interest:bulbs"}


def test_staff_do_not_take_back_or_replace_what_the_person_said(say: Say) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE))
    services.refresh()
    services.not_so(ANA, *ON_TIME, by="person")
    with pytest.raises(Conflict, match="said themselves"):
        services.take_back(ANA, *ON_TIME, by=STAFF)
    with pytest.raises(Conflict, match="said themselves"):
        services.correct(ANA, *ON_TIME, 1.0, by=STAFF)
    assert of(ANA)["opinion:on_time"].made_by == "person"
    services.not_so(BO, *ON_TIME, by=STAFF)
    services.correct(BO, *ON_TIME, 0.4, by="person")
    assert of(BO)["opinion:on_time"].value == 0.4


def test_the_newest_word_of_whichever_identifier_counts(say: Say) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE))
    services.correct(ANA, *ON_TIME, 0.8, by="person")
    with clock.frozen(later(1)):
        services.not_so(BO, *ON_TIME, by="person")
    people_services.merge(people.subject_of(ANA), people.subject_of(BO), evidence="seen", by="alice")
    services.refresh()
    assert of(ANA)["opinion:on_time"].state == "said_wrong"
    assert scores(ANA) == {}


def test_who_puts_right_that_they_do_not_care_has_no_figure_of_an_interest(say: Say) -> None:
    say(*everybody(), *fond_of(ANA, "bulbs"))
    services.refresh()
    services.correct(ANA, "interest", "bulbs", 0.0, by="person")
    services.refresh()
    assert of(ANA)["interest:bulbs"].label == "not interested"
    assert scores(ANA) == {}


def test_a_refresh_that_is_stopped_is_no_success(say: Say) -> None:
    say(wrote(ANA, LATE))
    done = services.refresh()

    def stop(_step: str) -> None:
        raise KeyboardInterrupt

    with clock.frozen(later(1)), pytest.raises(KeyboardInterrupt):
        services.refresh(stop)
    assert Refresh.objects.latest("started_at").error.startswith("KeyboardInterrupt")
    assert selectors.last_refresh() == done
    assert selectors.of_person(people.person_id(ANA)) != []


def test_what_one_alone_says_of_themselves_is_not_kept_in_the_counts(say: Say) -> None:
    say(
        told(ANA, interests=["Theremin lessons"]),
        *(told(f"customer:m{n}", interests=["Maps"]) for n in range(5)),
    )
    for minute in range(8):
        with clock.frozen(later(minute)):
            done = services.refresh()
    assert "interest:theremin_lessons" in of(ANA)
    assert [(one["about"], one["n"]) for one in done.counts] == [("maps", 5)]
    assert Refresh.objects.count() == 5


def test_of_each_kind_only_those_of_most_people_are_kept() -> None:
    many = [rules.standing_of("opinion", f"q{n}", (9, 9, 0, 0), 9) for n in range(120)]
    assert rules.shown(many) == many[:100]


@pytest.mark.django_db
def test_a_refresh_that_was_killed_does_not_run_for_ever() -> None:
    Refresh.objects.create(started_at=NOON, version="1")
    with clock.frozen(later(60)):
        assert selectors.is_running()
    with clock.frozen(later(60 * 25)):
        assert not selectors.is_running()
