"""A question finds what answers it, and is asked back, or is left alone, where that is wiser."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from rapport.consent import erasers
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.knowledge import handlers, selectors, services
from rapport.knowledge.models import Entry, Outcome, Unanswered, Wording
from rapport.knowledge.tests.conftest import BY, PROBLEMS

pytestmark = pytest.mark.django_db
JUDDER = "The wipers on my windscreen judder terribly"


def put(key: str, **changes: object) -> None:
    title, solution, wordings = PROBLEMS[key]
    written = services.Written(title, {"en": solution}, [("en", w) for w in wordings], state="published")
    services.write_entry(key, dataclasses.replace(written, **changes), by=BY)


def test_nothing_known_says_so() -> None:
    said = services.propose("anything")
    assert said.abstains
    assert "first entry" in said.because


@pytest.mark.usefixtures("known")
def test_what_answers_comes_first_with_its_reason() -> None:
    said = services.propose(JUDDER, language="en")
    first = said.proposals[0]
    assert (first.key, first.kind, said.abstains, said.asks) == ("wipers-judder", "entry", False, None)
    assert "wipers" in first.because
    assert "judder" in first.because
    assert 0.3 < first.probability < 1
    assert sum(p.probability for p in said.proposals[1:]) < first.probability


@pytest.mark.usefixtures("known")
def test_other_words_for_the_same_are_understood() -> None:
    assert (
        services.propose("screeching sound as soon as I slow the vehicle").proposals[0].key == "brakes-squeal"
    )


@pytest.mark.usefixtures("known")
def test_what_nobody_wrote_about_is_left_alone() -> None:
    said = services.propose("Do you sponsor our village's brass band?")
    assert said.abstains
    assert said.proposals == ()
    assert "keep quiet" in said.because


@pytest.mark.usefixtures("known")
def test_a_price_seen_longer_than_a_day_ago_is_left_out() -> None:
    ours, theirs = services.propose(JUDDER).proposals[0].options
    assert (ours.price_minor, ours.currency, ours.is_stale) == (2490, "EUR", False)
    assert (theirs.price_minor, theirs.currency, theirs.is_stale) == (None, "", True)
    with clock.frozen(clock.now() + dt.timedelta(hours=23)):
        assert services.propose(JUDDER).proposals[0].options[0].price_minor is None


@pytest.mark.usefixtures("known")
def test_one_asks_for_what_is_missing_and_then_answers() -> None:
    services.write_slot(
        "vehicle", questions={"en": "Which car is it?", "de": "Welches Auto ist es?"},
        spellings={"Kolt Brio": ["brio"], "Nordling 5": ["nordling"]},
    )  # fmt: skip
    put("oil-which", needs=["vehicle"])
    question = "Which engine oil does my car need?"
    said = services.propose(question, language="de")
    assert said.asks is not None
    assert (said.asks.slot, said.asks.question) == ("vehicle", "Welches Auto ist es?")
    assert "oil-which" not in {p.key for p in said.proposals}
    for known, text in (({"vehicle": "Kolt Brio"}, question), ({}, "Which engine oil does my Brio need?")):
        answered = services.propose(text, known=known)
        assert answered.asks is None
        assert answered.proposals[0].key == "oil-which"


@pytest.mark.usefixtures("known")
def test_an_entry_for_another_car_is_not_proposed() -> None:
    services.write_slot(
        "vehicle",
        questions={"en": "Which car?"},
        spellings={"Kolt Brio": ["brio"], "Nordling 5": ["nordling"]},
    )
    put("oil-which", fits={"vehicle": ["Nordling 5"]})
    keys = {p.key for p in services.propose("Which engine oil does my Brio need?").proposals}
    assert "oil-which" not in keys
    assert services.propose("Which engine oil for my Nordling?").proposals[0].key == "oil-which"


@pytest.mark.usefixtures("known")
def test_a_notice_comes_before_everything_else() -> None:
    slug = services.write_notice(
        "",
        services.NoticeWritten(
            {"en": "Wiper blades come late"}, {"en": "The depot in Harrowmere was flooded; wipers leave on Friday."}, BY,
            words=["where are my wipers", "wipers have not arrived"],
        ),
        by=BY,
    )  # fmt: skip
    question = "My wipers have not arrived, where are they?"
    assert all(
        p.kind != "notice" for p in services.propose(question).proposals
    )  # a draft is nobody's business
    services.publish_notice(slug, by=BY)
    assert services.propose(question).proposals[0].kind == "notice"
    services.end_notice(slug, by=BY)
    assert all(p.kind != "notice" for p in services.propose(question).proposals)


@pytest.mark.usefixtures("known")
def test_drafts_and_retired_entries_are_not_proposed() -> None:
    services.set_state("wipers-judder", "retired", by=BY)
    assert "wipers-judder" not in {p.key for p in services.propose(JUDDER).proposals}
    services.set_state("wipers-judder", "published", by=BY)
    assert services.propose(JUDDER).proposals[0].key == "wipers-judder"


@pytest.mark.usefixtures("known")
def test_an_answer_that_resolved_adds_a_wording_that_waits() -> None:
    question = "@tarnwick my blades hop across the screen, mail me at ana@example.org"
    assert services.resolved(question, "", ["wipers-judder"], BY, identifier="bluesky:ana") == "wipers-judder"
    (waiting,) = [w for w in selectors.entry("wipers-judder").wordings if not w.is_live]
    assert waiting.text == "my blades hop across the screen, mail me at …"
    assert Outcome.objects.get().right == "wipers-judder"
    services.settle_wording(waiting.id, taken=True)
    assert "my blades hop" in services.propose("my blades hop across the screen").proposals[0].because


@pytest.mark.usefixtures("known")
def test_an_answer_in_own_words_becomes_a_draft_never_published_unseen() -> None:
    number = services.note_unanswered("Can I pay by invoice?", language="en", conversation="c1")
    assert services.note_unanswered("Can I pay by invoice?", conversation="c2") == number
    assert [u.n for u in selectors.unanswered()] == [2]
    key = services.resolved(
        "Can I pay by invoice?", "Yes, firms can; choose it at the till.", [], BY, language="en"
    )
    view = selectors.entry(key)
    assert (view.state, view.solutions["en"], view.source) == (
        "draft", "Yes, firms can; choose it at the till.", "resolved",
    )  # fmt: skip
    assert key not in {p.key for p in services.propose("Can I pay by invoice?").proposals}
    assert selectors.unanswered() == []


@pytest.mark.usefixtures("known")
def test_erasing_leaves_no_word_of_theirs() -> None:
    services.resolved("my blades hop across the screen", "", ["wipers-judder"], BY, identifier="bluesky:ana")
    services.note_unanswered("Do you sponsor brass bands?", identifier="bluesky:ana")
    erasing = erasers.Erasing((7,), ("bluesky:ana",), ("h",))
    assert handlers.erase(erasing) == 3
    assert handlers.erase(erasing) == 0
    assert not Unanswered.objects.exists()
    assert not Outcome.objects.exists()
    assert not Wording.objects.filter(text__contains="hop").exists()


@pytest.mark.usefixtures("known")
def test_erasing_takes_their_words_from_entries_that_an_answer_began() -> None:
    questions = (
        "Do you sponsor the brass band of my village?",
        "Is my aunt's blue van too heavy for the lift?",
    )
    draft, published = (
        services.resolved(q, "Yes.", [], BY, language="en", identifier="bluesky:ana") for q in questions
    )
    services.set_state(published, "published", by=BY)
    handlers.erase(erasers.Erasing((7,), ("bluesky:ana",), ("h",)))
    assert not Entry.objects.filter(key=draft).exists()
    row = Entry.objects.get(key=published)
    assert (row.title, row.solutions, row.title_meaning) == (published, {"en": "Yes."}, None)


@pytest.mark.usefixtures("known")
def test_what_staff_said_moves_how_sure_we_are() -> None:
    before = services.propose(JUDDER).proposals[0].probability
    for _ in range(12):
        services.resolved(JUDDER, "", ["return-part"], BY)
    assert services.learn_if_due()
    assert not services.learn_if_due()
    assert (
        services.propose(JUDDER).proposals == ()
        or services.propose(JUDDER).proposals[0].probability < before - 0.1
    )


def test_a_file_is_tried_before_it_is_written() -> None:
    content = (
        b'{"key": "a", "title": "A", "question": ["How do I a?"], "answer": "So."}\n'
        b'{"title": "no key"}\n'
        b'{"key": "b", "solution": {"de": "So."}, "options": [{"product": "X", "price": "12,50", "currency": "EUR"}]}\n'
    )
    tried = services.import_file(content, name="k.jsonl", dry_run=True)
    assert (tried.n_rows, tried.n_new, [b.line for b in tried.bad]) == (3, 1, [2, 3])
    assert not Entry.objects.exists()
    done = services.import_file(content, name="k.jsonl", by=BY)
    assert (done.n_new, done.n_changed, Entry.objects.get().state) == (1, 0, "published")
    assert services.import_file(content, by=BY).n_changed == 1
    assert Wording.objects.count() == 1


def test_an_entry_without_a_solution_is_not_published() -> None:
    with pytest.raises(Invalid, match="no solution"):
        services.write_entry("", services.Written("Only a title", {}, state="published"), by=BY)
    key = services.write_entry("", services.Written("Only a title", {}), by=BY)
    assert key == "only-a-title"
    with pytest.raises(Invalid, match="no solution"):
        services.set_state(key, "published", by=BY)


def test_what_an_option_is_called_bears_out_the_draft_that_names_it() -> None:
    option = services.OptionWritten("Wiper blade 60 cm", "Tarnwick")
    written = services.Written("Wipers", {"en": "Slide the blade off."}, options=[option], state="published")
    key = services.write_entry("", written, by=BY)
    draft = services.draft([key], "How do I change the wipers?", language="en")
    assert "60 cm" in draft.text
    assert draft.findings == ()
    assert services.check_draft(draft.text, "en", sources=services.sources_of([key], "en")) == []
    assert services.check_draft(draft.text, "en") != []
