"""No dead ends: whatever a survey's logic and whatever is answered, every way comes to an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.surveys import rules
from rapport.surveys.rules import logic, starters
from rapport.surveys.rules.questions import KINDS, Choice, Gives

KEYS = ("a", "b", "c", "d", "e", "f")
VALUES = ("1", "2", "3")
TRAITS = ("country", "birth_date")
TEXT = {"en": "?"}
GIFT = Gives("text", TEXT)

conditions = st.builds(
    rules.Condition,
    about=st.sampled_from(["answer", "trait"]),
    name=st.sampled_from([*KEYS, *TRAITS]),
    operator=st.sampled_from(["one_of", "none_of", "at_least", "at_most", "known", "unknown"]),
    values=st.lists(st.sampled_from(VALUES), max_size=2).map(tuple),
)
jumps = st.builds(
    rules.Jump,
    to=st.sampled_from([*KEYS, rules.END, rules.SCREEN_OUT]),
    when=st.lists(conditions, max_size=2).map(tuple),
)


@st.composite
def surveys(draw: st.DrawFn) -> rules.Definition:
    """Any survey at all, also such as nobody should publish."""
    questions = []
    for key in KEYS[: draw(st.integers(1, len(KEYS)))]:
        kind = draw(st.sampled_from(["single", "multiple", "scale", "open", "number"]))
        more: dict[str, Any] = {}
        if kind in {"single", "multiple"}:
            more["choices"] = tuple(Choice(v, TEXT) for v in VALUES)
        trait = draw(st.sampled_from(["", "", *TRAITS]))
        questions.append(
            KINDS[kind](
                key=key,
                text=TEXT,
                with_previous=draw(st.booleans()),
                is_required=draw(st.booleans()),
                show_if=draw(st.lists(conditions, max_size=2).map(tuple)),
                jumps=draw(st.lists(jumps, max_size=2).map(tuple)),
                trait=trait,
                gives=GIFT if trait else None,
                **more,
            )
        )
    return rules.Definition(languages=("en",), title=TEXT, questions=tuple(questions), screened_out=TEXT)


answers = st.dictionaries(st.sampled_from(TRAITS), st.sampled_from(VALUES), max_size=2)


def answered(draw: Any, question: rules.Question) -> Any:
    if not question.is_required and draw(st.booleans()):
        return None
    if question.kind == "multiple":
        return tuple(draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True)))
    value = draw(st.sampled_from(VALUES))
    return int(value) if question.kind in {"scale", "number"} else value


@given(st.data(), surveys(), answers)
def test_every_way_ends_and_asks_each_thing_once(
    data: st.DataObject, survey: rules.Definition, traits: dict[str, str]
) -> None:
    given_: dict[str, Any] = {}
    n_pages = len(logic.pages(survey.questions))
    for _step in range(n_pages + 1):
        walk = logic.walk(survey.questions, given_, traits)
        if walk.outcome != logic.ASKING:
            break
        page = walk.pages[-1]
        assert not set(page.keys) <= set(given_)  # it asks something new, so it goes on
        for question in page.questions:
            assert not (question.trait and question.trait in traits)  # never what is known
            given_.setdefault(question.key, answered(data.draw, question))
    assert walk.outcome in {logic.FINISHED, logic.SCREENED_OUT}
    assert walk.done_ratio == 1.0
    places = [page.place for page in walk.pages]
    assert places == sorted(set(places))  # forward only
    assert sum(1 for key in walk.keys if survey.question(key).trait) <= 1  # type: ignore[union-attr]


@given(surveys())
def test_what_may_be_published_leans_on_nothing_that_is_not_there(survey: rules.Definition) -> None:
    place = {q.key: n for n, page in enumerate(logic.pages(survey.questions)) for q in page}
    if rules.problems(survey):
        return
    for question in survey.questions:
        stated = [*question.show_if, *(c for j in question.jumps for c in j.when)]
        assert all(c.name in place for c in stated if c.about == "answer")
        assert all(place[c.name] < place[question.key] for c in question.show_if if c.about == "answer")
        assert all(place.get(j.to, 99) > place[question.key] for j in question.jumps)


@given(surveys())
def test_a_document_survives_its_store(survey: rules.Definition) -> None:
    assert rules.from_json(json.loads(json.dumps(rules.to_json(survey)))) == survey


@given(st.data(), surveys(), answers)
def test_a_correction_leads_where_those_answers_lead(
    data: st.DataObject, survey: rules.Definition, traits: dict[str, str]
) -> None:
    """What lies off the way has no say: the way depends on the answers on it alone."""
    given_ = {q.key: answered(data.draw, q) for q in survey.questions}
    walk = logic.walk(survey.questions, given_, traits)
    on_it = {key: given_[key] for key in walk.keys}
    assert logic.walk(survey.questions, on_it, traits) == walk


@pytest.mark.parametrize("name", [n for n in starters.names() if n != starters.BLANK])
@pytest.mark.parametrize("languages", [("en",), ("ko", "de"), ("en", "de", "fr", "es", "ko")])
def test_every_starter_can_be_published_as_it_is(name: str, languages: tuple[str, ...]) -> None:
    assert rules.problems(starters.starter(name, languages).definition) == []


def one(kind: str = "open", **more: Any) -> rules.Question:
    return KINDS[kind](**{"key": "a", "text": TEXT, **more})


@pytest.mark.parametrize(
    ("questions", "code"),
    [
        ((), "no_questions"),
        ((one(text={}),), "no_text"),
        ((one("single", choices=(Choice("1", TEXT),)),), "few_choices"),
        ((one("single", choices=(Choice("1", TEXT), Choice("2", {}))),), "no_choice"),
        ((one("scale", low=5, high=5),), "bad_scale"),
        ((one(trait="birth_date"),), "gives_nothing"),
        ((one(trait="Birth Date", gives=GIFT),), "bad_trait"),
        ((one(trait="birth_date", gives=Gives("text")),), "no_gives"),
        ((one(trait="birth_date", gives=Gives("link", TEXT, "voucher")),), "bad_link"),
        ((one(trait="birth_date", gives=Gives("result", TEXT, question="a")),), "no_result"),
        ((one(show_if=(rules.Condition("answer", "z", "known"),)),), "condition_gone"),
        ((one(show_if=(rules.Condition("answer", "a", "known"),)),), "condition_later"),
        ((one(show_if=(rules.Condition("trait", "country", "one_of"),)),), "no_value"),
        ((one(jumps=(rules.Jump("a"),)),), "jump_back"),
        ((one(jumps=(rules.Jump("c"),)), one(key="b"), one(key="c")), "unreachable"),
        ((one(jumps=(rules.Jump(rules.SCREEN_OUT),)),), "no_screened_out"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_check_list_names_what_is_missing(questions: tuple[rules.Question, ...], code: str) -> None:
    survey = rules.Definition(languages=("en",), title=TEXT, questions=questions)
    assert code in {p.code for p in rules.problems(survey)}


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("nps", ["10"], 10),
        ("csat", ["1"], 1),
        ("open", [" words \n"], "words"),
        ("date", ["2024-02-29"], "2024-02-29"),
        ("number", ["4,5"], 4.5),
        ("number", ["1 200"], 1200.0),
        ("open", ["  "], None),
    ],
)
def test_an_answer_is_read(kind: str, raw: list[str], value: object) -> None:
    assert one(kind).read(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("nps", ["11"], "not_offered"),
        ("nps", ["-1"], "not_offered"),
        ("nps", ["5.5"], "not_offered"),
        ("csat", ["0"], "not_offered"),
        ("date", ["2023-02-29"], "not_a_date"),
        ("number", ["nan"], "not_a_number"),
        ("number", ["1e999"], "not_a_number"),
        ("open", ["x" * 4001], "too_long"),
        ("open", ["a\x00b"], "not_text"),
    ],
)
def test_what_is_no_answer_is_refused(kind: str, raw: list[str], code: str) -> None:
    with pytest.raises(rules.Wrong) as wrong:
        one(kind).read(raw)
    assert wrong.value.code == code
