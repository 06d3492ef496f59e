"""A quota lets in exactly as many as it says, however many come at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rapport.consent.erasers import Erasing
from rapport.kit import clock
from rapport.surveys import handlers, rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.models import Answer, Quota, Response, Seat

Asked = Callable[..., str]
PROMOTERS = rules.Condition("answer", "recommend", "at_least", ("9",))


def with_quotas(*quotas: rules.Quota) -> Callable[[rules.Definition], rules.Definition]:
    return lambda survey: dataclasses.replace(survey, quotas=quotas)


def recommend(slug: str, score: int) -> str:
    return surveys.answer(surveys.begin(slug), 0, {"recommend": [str(score)]}).state


def test_a_quota_lets_in_those_it_is_for_and_counts_no_others(asked: Asked) -> None:
    slug = asked(change=with_quotas(rules.Quota("up", "Promoters", 2, (PROMOTERS,))))
    assert [recommend(slug, score) for score in (9, 3, 10, 9, 2)] == [
        "open", "open", "open", "quota_full", "open",
    ]  # fmt: skip
    assert not selectors.asked(slug).is_full  # only a quota over everybody closes the door
    assert Quota.objects.get().n_taken == 2


def test_going_back_gives_the_place_to_the_next(asked: Asked) -> None:
    slug = asked(change=with_quotas(rules.Quota("up", "Promoters", 1, (PROMOTERS,))))
    first = surveys.begin(slug)
    surveys.answer(first, 0, {"recommend": ["9"]})
    surveys.answer(first, 0, {"recommend": ["9"]})
    assert Seat.objects.count() == 1
    surveys.answer(first, 0, {"recommend": ["2"]})
    assert recommend(slug, 10) == "open"
    assert surveys.answer(first, 0, {"recommend": ["9"]}).state == "quota_full"
    assert Quota.objects.get().n_taken == 1


def test_a_place_left_lying_is_free_after_an_hour_and_a_finished_one_never(asked: Asked) -> None:
    slug = asked(change=with_quotas(rules.Quota("all", "All", 2)))
    done, left = surveys.begin(slug), surveys.begin(slug)
    surveys.answer(done, 0, {"recommend": ["9"]})
    surveys.answer(done, 1, {"why": ["good"]})
    surveys.answer(left, 0, {"recommend": ["9"]})
    assert selectors.asked(slug).is_full
    with clock.frozen(clock.now() + dt.timedelta(minutes=61)):
        assert not selectors.asked(slug).is_full
        assert recommend(slug, 5) == "open"
        assert selectors.asked(slug).is_full
        late = surveys.answer(left, 1, {"why": ["I was away"]})
        assert late.state == "quota_full"
        assert selectors.response(left).answers["why"] == "I was away"  # what was said is kept all the same
    assert Quota.objects.get().n_taken == 2


CROWD = """
import dataclasses, threading
from rapport.web.stores import initialise
initialise()
from django.db import connections
from rapport.surveys import rules, services as surveys
from rapport.surveys.models import Quota, Seat
from rapport.surveys.rules import starters

begun = starters.starter("nps", ["en"]).definition
surveys.create("crowd", dataclasses.replace(begun, quotas=(rules.Quota("all", "All", 7),)), by="alice")
surveys.publish("crowd", by="alice")
responses = [surveys.begin("crowd") for _ in range(20)]
gate = threading.Barrier(len(responses))
states = []

def come(response):
    gate.wait()
    states.append(surveys.answer(response, 0, {"recommend": ["9"]}).state)
    connections.close_all()

threads = [threading.Thread(target=come, args=(r,)) for r in responses]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(states.count("open"), states.count("quota_full"), Quota.objects.get().n_taken, Seat.objects.count())
"""


def test_of_many_who_come_at_once_as_many_as_there_are_places_get_in(tmp_path: Path) -> None:
    """In a process and a data folder of their own: threads of a test would share one connection."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env = {**kept, "RAPPORT_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"}
    done = subprocess.run(
        [sys.executable, "-c", CROWD], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.split() == ["7", "13", "7", "7"], done.stderr[-2000:]


def test_who_is_forgotten_leaves_no_answer_but_the_place_stays_taken(asked: Asked) -> None:
    slug = asked(change=with_quotas(rules.Quota("all", "All", 5)))
    mine = surveys.begin(slug, identifier="email:ana@example.org")
    surveys.answer(mine, 0, {"recommend": ["9"]})
    surveys.answer(mine, 1, {"why": ["my name is Ana"]})
    other = surveys.begin(slug, identifier="email:bo@example.org")
    surveys.answer(other, 0, {"recommend": ["1"]})
    erasing = Erasing(subjects=(), identifiers=("email:ana@example.org", "customer:1"), hashes=())
    assert handlers.erase(erasing) > 0
    assert handlers.erase(erasing) == 0
    assert [r.identifier for r in Response.objects.all()] == ["email:bo@example.org"]
    assert Answer.objects.count() == 1
    assert Quota.objects.get().n_taken == 2


def test_everything_is_shown_with_the_words_of_the_question(asked: Asked) -> None:
    from rapport.consent.exporters import Exporting
    from rapport.surveys.selectors import everything

    slug = asked("csat")
    mine = surveys.begin(slug, identifier="email:ana@example.org", language="de")
    surveys.answer(mine, 0, {"satisfied": ["2"]})
    surveys.answer(mine, 1, {"trouble": ["late", "broken"]})
    (section,) = everything.sections(Exporting((), ("email:ana@example.org",)))
    assert [(r["question"], r["answer"]) for r in section.rows] == [
        ("Wie zufrieden sind Sie mit Ihrer Bestellung?", "2"),
        ("Was ist schiefgegangen?", "Sie kam zu spät, Es war beschädigt oder funktionierte nicht"),
    ]
    assert list(everything.sections(Exporting((), ("email:bo@example.org",)))) == []
