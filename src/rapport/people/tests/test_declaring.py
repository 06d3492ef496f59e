"""What a person says of themselves is believed at once, and once."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.events import services as events
from rapport.events import subscriptions
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound
from rapport.people import models, selectors, services
from rapport.people.tests.conftest import MONDAY, Say, identified

ANA = "email:ana@example.org"


def believed(name: str) -> object:
    return next(t.chosen.value for t in selectors.own(ANA).traits if t.name == name)


def test_it_beats_what_was_guessed_and_what_was_declared_before(say: Say) -> None:
    say(
        identified(ANA, traits={"name": "Anna Ruis", "city": "Cádiz"}),
        identified(ANA, origin="inferred", traits={"language": "pt"}),
    )
    services.declare(ANA, {"name": "Ana Ruiz", "language": "es"}, source="self")
    assert (believed("name"), believed("language"), believed("city")) == ("Ana Ruiz", "es", "Cádiz")
    assert selectors.person(ANA).display_name == "Ana Ruiz", "lists and search know it too"


def test_the_log_has_it_and_tells_the_same_again(say: Say) -> None:
    say(identified(ANA, traits={"name": "Anna"}))
    seq = services.declare(ANA, {"name": "Ana"}, source="self")
    before = list(models.Trait.objects.order_by("name").values())
    events.settle(seq)
    subscriptions.settle(seq, ["people"])
    assert list(models.Trait.objects.order_by("name").values()) == before
    assert selectors.timeline_of(selectors.own(ANA).subjects).events[0].source == "self"


def test_an_older_file_that_comes_later_does_not_undo_it(say: Say) -> None:
    say(identified(ANA, traits={"name": "Anna"}))
    services.declare(ANA, {"name": "Ana"}, source="self")
    with clock.frozen(clock.now() + dt.timedelta(days=1)):
        say(identified(ANA, traits={"name": "Anna"}, ts=MONDAY))
    assert believed("name") == "Ana"


def test_what_says_nothing_is_refused(say: Say) -> None:
    say(identified(ANA, traits={"name": "Ana"}))
    with pytest.raises(Invalid, match="nothing is said of name"):
        services.declare(ANA, {"name": ""}, source="self")
    with pytest.raises(Invalid, match="longer than"):
        services.declare(ANA, {"name": "A" * 2_000}, source="self")
    with pytest.raises(NotFound):
        services.declare("email:nobody@example.org", {"name": "Bo"}, source="self")
    assert believed("name") == "Ana"
