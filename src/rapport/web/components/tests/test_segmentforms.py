"""A rule as a form and back: whatever rule there is, sending its form states the same rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.segments import rules
from rapport.segments.rules import tree
from rapport.web.components import segmentforms, segmentwords
from rapport.web.components.segmentcontrols import Offer
from rapport.web.components.segmenttree import ROWS_MOST, Bracket, Row, read, rows

CATALOGUE = rules.Catalogue(
    columns={
        "country": rules.Column("country", "text", ("ES", "DE")),
        "first_seen": rules.Column("first_seen", "date"),
        "trait:plan": rules.Column("trait:plan", "text", ("gold", "free, as in beer")),
        "trait:spent": rules.Column("trait:spent", "number"),
        "trait:is_staff": rules.Column("trait:is_staff", "boolean"),
        "trait:birth_date": rules.Column("trait:birth_date", "date"),
        "score:alive": rules.Column("score:alive", "number", unit="probability"),
        "score:clv_minor": rules.Column("score:clv_minor", "number", unit="minor"),
        "score:rfm": rules.Column("score:rfm", "number"),
        "label:rfm": rules.Column("label:rfm", "text", ("champion",)),
    },
    events={
        "order_placed": rules.Counted("order_placed", dimensions=("cables", "lamps"), n=9, has_value=True),
        "complaint_raised": rules.Counted("complaint_raised", n=2),
        "page_viewed": rules.Counted("page_viewed"),  # nobody did
    },
    annotations={"sentiment": ("negative", "positive")},
    purposes={"marketing": "Marketing"},
    channels=("email",),
    namespaces=("email", "customer"),
    segments={"winter": "Winter buyers", "mine": "This one"},
)
OFFER = Offer(
    CATALOGUE, "EUR", (("marketing", "Marketing"), ("marketing.email", "Marketing: e-mail")), of="mine"
)


def sent(form: Bracket, offer: Offer = OFFER, **more: str) -> QueryDict:
    """What a browser sends of the form as the page shows it."""
    import html
    import re

    shown = segmentforms.shown(form, offer, {})
    text = render_to_string("components/segment_bracket.html", {"bracket": shown})
    query = QueryDict(mutable=True)
    for found in re.finditer(r"<input\b[^>]*>|<select\b[^>]*>.*?</select>", text, re.DOTALL):
        element = found.group()
        name = re.search(r'name="([^"]*)"', element)
        assert name, element
        if element.startswith("<input"):
            value = re.search(r' value="([^"]*)"', element)
        else:
            value = re.search(r'<option value="([^"]*)" selected', element) or re.search(
                r'<option value="([^"]*)"', element
            )
        assert value, element
        assert html.unescape(name[1]) not in query, name[1]
        query[html.unescape(name[1])] = html.unescape(value[1])
    query.update(more)
    return query


def stated(query: QueryDict, offer: Offer = OFFER) -> segmentforms.Built:
    return segmentforms.built(segmentforms.changed(query, offer)[0], offer)


# ---- every rule ---------------------------------------------------------------------------------------

DAYS = st.integers(1, 3650)
DATES = st.dates(dt.date(2020, 1, 1), dt.date(2027, 12, 31))
TEXTS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=8).filter(
    lambda t: t == t.strip()
)


def _between(first: dt.date, last: dt.date) -> tree.Window:
    return tree.Window("between", first=min(first, last), last=max(first, last))


WINDOWS = st.one_of(
    st.just(tree.EVER),
    st.builds(lambda d: tree.Window("last_days", days=d), DAYS),
    st.builds(lambda d: tree.Window("before_days", days=d), DAYS),
    st.builds(_between, DATES, DATES),
    st.builds(lambda d: tree.Window("since", first=d), DATES),
    st.builds(lambda d: tree.Window("before", last=d), DATES),
)


def comparisons(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tree.Comparison]:
    return st.one_of(
        st.builds(tree.Comparison, st.sampled_from(list(tree.OPERATORS)), numbers),
        st.builds(lambda a, b: tree.Comparison("between", min(a, b), max(a, b)), numbers, numbers),
    )


WHOLE = st.integers(-10_000, 10_000).map(float)
HUNDREDTHS = st.integers(-10_000, 10_000).map(lambda n: n / 100)
KNOWN = st.builds(tree.Known, st.booleans())
TEXT_TESTS = st.one_of(
    st.builds(tree.Is, TEXTS),
    st.builds(lambda v: tree.In(tuple(dict.fromkeys(v))), st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(tree.Contains, TEXTS, st.booleans()),
    KNOWN,
)
DATE_TESTS = st.one_of(st.builds(tree.When, WINDOWS), st.builds(tree.Anniversary, st.integers(1, 366)), KNOWN)
ACTS = st.builds(tree.Act, st.sampled_from(list(CATALOGUE.events)), st.sampled_from(["", "cables", "x, y"]))
MEASURES = st.one_of(
    st.builds(tree.Did, st.booleans()),
    st.builds(tree.Count, comparisons(WHOLE), st.booleans()),
    st.builds(tree.Money, comparisons(WHOLE)),
    st.builds(tree.Edge, st.sampled_from(["first", "last"]), WINDOWS),
    st.builds(tree.Then, ACTS, st.none() | st.integers(0, 100)),
)


def _behaviour(act: tree.Act, measure: tree.Measure, window: tree.Window) -> tree.Behaviour:
    return tree.Behaviour(act, measure, tree.EVER if isinstance(measure, tree.Edge) else window)


CONDITIONS = st.one_of(
    st.builds(tree.Trait, st.just("plan"), TEXT_TESTS),
    st.builds(tree.Trait, st.just("spent"), comparisons(HUNDREDTHS) | KNOWN),
    st.builds(tree.Trait, st.just("is_staff"), st.builds(tree.Is, st.booleans()) | KNOWN),
    st.builds(tree.Trait, st.just("birth_date"), DATE_TESTS),
    st.builds(tree.Trait, st.just("gone"), st.one_of(TEXT_TESTS, DATE_TESTS, comparisons(HUNDREDTHS))),
    st.builds(tree.Field, st.just("country"), TEXT_TESTS),
    st.builds(tree.Field, st.just("first_seen"), DATE_TESTS),
    st.builds(tree.Score, st.just("alive"), comparisons(st.integers(0, 100).map(lambda n: n / 100)) | KNOWN),
    st.builds(tree.Score, st.just("clv_minor"), comparisons(WHOLE)),
    st.builds(
        tree.Score, st.just("rfm"), st.one_of(comparisons(WHOLE), st.builds(tree.In, st.just(("champion",))))
    ),
    st.builds(tree.Identifier, st.sampled_from(["email", "fax"]), st.booleans()),
    st.builds(tree.Consent, st.just("marketing"), st.sampled_from(["", "email", "sms"]), st.booleans()),
    st.builds(tree.Segment, st.sampled_from(["winter", "gone"]), st.booleans()),
    st.builds(_behaviour, ACTS, MEASURES, WINDOWS),
    st.builds(
        tree.Annotated,
        st.just("sentiment"),
        st.sampled_from(["", "negative", "gone"]),
        st.builds(tree.Did, st.booleans()) | st.builds(tree.Count, comparisons(WHOLE)),
        WINDOWS,
    ),
)


def _brackets(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(tree.All, several), st.builds(tree.Any, several), st.builds(tree.Not, parts))


RULES = st.recursive(CONDITIONS, _brackets, max_leaves=6)


def plain(rule: Any) -> Any:
    """The rule without what says nothing: double negation, brackets of one part, `is` beside `in`."""
    match rule:
        case tree.Not(tree.Not(of)):
            return plain(of)
        case tree.Not(of):
            inner = plain(of)
            return inner.of if isinstance(inner, tree.Not) else tree.Not(inner)
        case tree.All((one,)) | tree.Any((one,)):
            return plain(one)
        case tree.All(of):
            return tree.All(tuple(map(plain, of)))
        case tree.Any(of):
            return tree.Any(tuple(map(plain, of)))
        case tree.Trait(name, tree.Is(str(value))):
            return tree.Trait(name, tree.In((value,)))
        case tree.Field(name, tree.Is(str(value))):
            return tree.Field(name, tree.In((value,)))
    return rule


@settings(max_examples=150, deadline=None)
@given(rule=RULES)
def test_the_form_of_any_rule_states_that_rule(rule: rules.Rule) -> None:
    found = stated(sent(segmentforms.form(rule, OFFER)))
    assert found.wrong == {}
    assert plain(found.rule) == plain(rule)
    assert list(found.numbers.values()) == [n for n, _c in enumerate(rules.conditions(rule), 1)]


@settings(max_examples=50, deadline=None)
@given(rule=RULES)
def test_every_condition_has_its_line_of_words(rule: rules.Rule) -> None:
    lines = list(segmentwords.walk(segmentwords.lines(rule, CATALOGUE, "EUR")))
    told = [line for line in lines if not line.below]
    assert [line.part for line in told] == list(rules.conditions(rule))
    assert all(line.text.strip() for line in lines)


# ---- buttons ------------------------------------------------------------------------------------------


def pressed(form: Bracket, do: str) -> tuple[Bracket, str]:
    return segmentforms.changed(sent(form, do=do), OFFER)


def abouts(form: Bracket) -> list[tuple[str, str]]:
    return [(place, row.about) for place, row in rows(form)]


def test_buttons_add_nest_and_remove() -> None:
    form, place = pressed(Bracket(), "add:r")
    assert (abouts(form), place) == ([("r_0", "did:order_placed")], "r_0")
    form, place = pressed(form, "bracket:r")
    assert (abouts(form), place) == ([("r_0", "did:order_placed"), ("r_1_0", "did:order_placed")], "r_1_0")
    inner = form.parts[1]
    assert isinstance(inner, Bracket)
    assert inner.how == "any"  # within “all”, the other one
    form, place = pressed(form, "remove:r_0")
    assert (abouts(form), place) == ([("r_0_0", "did:order_placed")], "r")
    form, _place = pressed(form, "remove:r_0")
    assert form.parts == ()
    assert stated(sent(form)).rule == rules.EVERYBODY


@pytest.mark.parametrize("do", ["add:r_9", "remove:r_7", "remove:x", "bracket:r_0", "", "sing:r"])
def test_a_button_that_is_not_there_changes_nothing(do: str) -> None:
    form = Bracket("all", (Row("did:order_placed"),))
    assert [place for place, _row in rows(pressed(form, do)[0])] == ["r_0"]


def test_brackets_and_rows_have_an_end() -> None:
    form, place = Bracket(), "r"
    for _depth in range(6):
        form, row = pressed(form, f"bracket:{place}")
        place = row.rpartition("_")[0]
    with pytest.raises(Invalid, match="deep"):
        pressed(form, f"bracket:{place}")
    with pytest.raises(Invalid, match="conditions"):
        read({f"r_{n}.about": "segment" for n in range(ROWS_MOST + 1)})


def test_what_a_row_is_about_decides_its_fields_and_empties_them() -> None:
    form = segmentforms.form(rules.parse({"event": "order_placed", "count": {"op": ">=", "value": 7}}), OFFER)
    query = sent(form)
    query["r_0.about"] = "trait:plan"
    form, _place = segmentforms.changed(query, OFFER)
    (row,) = (row for _place, row in rows(form))
    assert row.about == "trait:plan"
    assert "n" not in row.given
    assert row.given["test"] == "in"


# ---- what is wrong ------------------------------------------------------------------------------------


def one(about: str, **given: str) -> segmentforms.Built:
    query = QueryDict(mutable=True)
    query["r.how"] = "all"
    query["r_0.about"] = about
    query["r_1.about"] = "identifier"
    query["r_1.namespace"] = "email"
    for name, value in given.items():
        query[f"r_0.{name}"] = value
    return stated(query)


@pytest.mark.parametrize(
    ("about", "fields", "told"),
    [
        ("did:order_placed", {"do": "count", "n": ""}, "A number is missing. Type one, such as 2."),
        ("did:order_placed", {"do": "count", "n": "2.5"}, "2.5 is no whole number."),
        ("did:order_placed", {"do": "count", "n": "nan"}, "“nan” is no number."),
        ("did:order_placed", {"do": "value", "n": "much"}, "is not an amount"),
        ("did:order_placed", {"when": "last_days", "days": ""}, "The number of days is missing."),
        ("did:order_placed", {"when": "last_days", "days": "0"}, "from 1 to 36500"),
        (
            "did:order_placed",
            {"when": "between", "first": "2026-03-02", "last": "2026-03-01"},
            "Exchange them.",
        ),
        ("did:order_placed", {"when": "since", "first": ""}, "A date is missing."),
        ("did:order_placed", {"do": "count", "op": "between", "n": "3", "upto": "2"}, "Exchange them."),
        ("trait:plan", {"test": "in", "values": " , "}, "Type one value"),
        ("trait:plan", {"test": "contains", "values": "a, b"}, "only one text"),
        ("consent", {"use": ""}, ""),
        ("pizza", {}, "Choose something in its first field."),
    ],
)
def test_what_is_wrong_is_said_at_its_row_and_the_others_count(
    about: str, fields: dict[str, str], told: str
) -> None:
    found = one(about, **fields)
    if not told:
        assert found.is_whole
        return
    assert list(found.wrong) == ["r_0"]
    assert told.lower() in found.wrong["r_0"].lower()
    assert list(rules.conditions(found.rule)) == [tree.Identifier("email")]


def test_an_empty_bracket_is_told_and_not_counted() -> None:
    found = segmentforms.built(
        Bracket("any", (Bracket("all"), Row("identifier", {"namespace": "email"}))), OFFER
    )
    assert list(found.wrong) == ["r_0"]
    assert list(rules.conditions(found.rule)) == [tree.Identifier("email")]


def test_fields_hold_percent_money_and_commas() -> None:
    def fields(json: Any) -> dict[str, str]:
        (row,) = (row for _place, row in rows(segmentforms.form(rules.parse(json), OFFER)))
        return dict(row.given)

    assert fields({"score": "alive", "compare": {"op": "<", "value": 0.29}})["n"] == "29"
    assert fields({"score": "clv_minor", "compare": {"op": ">=", "value": 12345}})["n"] == "123.45"
    assert fields({"event": "order_placed", "value_minor": {"op": ">=", "value": 5000}})["n"] == "50.00"
    assert fields({"trait": "plan", "in": ["gold", 'a, "b"']})["values"] == 'gold, "a, ""b"""'


def test_sentences_carry_units() -> None:
    said = segmentwords.lines(
        rules.parse({"score": "alive", "compare": {"op": "<", "value": 0.3}}), CATALOGUE, "EUR"
    )
    assert said.text == "Still a customer is less than 30\u00a0%"


@pytest.mark.parametrize("typed", ["1e300000", "9e999999", "0e300000", "12345678901234567"])
def test_a_number_beyond_all_sense_is_refused_at_once(typed: str) -> None:
    for about, given_ in (
        ("did:order_placed", {"do": "count", "op": ">=", "n": typed}),
        ("profile:trait:spent", {"test": ">=", "n": typed}),
    ):
        form_ = Bracket("all", (Row(about, given_),))
        built = segmentforms.built(form_, OFFER)
        assert list(built.wrong) == ["r_0"]


@pytest.mark.parametrize("typed", ["gold\rsilver", "x" * 200_000])
def test_whatever_text_is_sent_is_read_or_refused(typed: str) -> None:
    form_ = Bracket("all", (Row("trait:plan", {"test": "in", "values": typed}),))
    assert bool(segmentforms.built(form_, OFFER).wrong) == (len(typed) > 1_000)


def test_a_form_that_nests_deeper_than_a_rule_may_says_so() -> None:
    form_ = Bracket("all", (Row("profile:country", {"test": "not_in", "values": "ES, DE"}),))
    for _ in range(6):
        form_ = Bracket("not_all", (form_, form_.parts[0]))
    built = segmentforms.built(form_, OFFER)
    assert list(built.wrong) == ["r"]
    assert "deep" in built.wrong["r"]
