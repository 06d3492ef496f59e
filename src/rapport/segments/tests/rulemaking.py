"""Hypothesis strategies for rules over the crowd."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from rapport.segments.rules import tree
from rapport.segments.tests import crowd

DAYS = st.sampled_from([1, 2, 7, 8, 30, 31, 90, 366, 36_500])
DATES = st.sampled_from([-400, -90, -31, -30, -7, -2, -1, 0, 1, 7]).map(
    lambda far: dt.date(2026, 3, 1) + dt.timedelta(days=far)
)
TEXTS = st.sampled_from(
    [t for t in (*crowd.TEXTS, "GOLD", "old", "hara", "i", "σ", "%", "_", "' OR true --", "\\") if t.strip()]
)


def _window(future: bool = False) -> st.SearchStrategy[tree.Window]:
    kinds = ["last_days", "before_days"] + (["next_days"] if future else [])
    return st.one_of(
        st.just(tree.EVER),
        st.builds(lambda kind, days: tree.Window(kind, days=days), st.sampled_from(kinds), DAYS),
        st.tuples(DATES, DATES).map(lambda d: tree.Window("between", first=min(d), last=max(d))),
        DATES.map(lambda d: tree.Window("before", last=d)),
        DATES.map(lambda d: tree.Window("since", first=d)),
    )


def _comparison(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tree.Comparison]:
    return st.one_of(
        st.builds(tree.Comparison, st.sampled_from(list(tree.OPERATORS)), numbers),
        st.tuples(numbers, numbers).map(lambda n: tree.Comparison("between", min(n), max(n))),
    )


COUNTS = _comparison(st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, 12.0]))
KNOWN = st.booleans().map(tree.Known)
TEXT_TEST = st.one_of(
    TEXTS.map(tree.Is),
    st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda v: tree.In(tuple(v))),
    st.builds(tree.Contains, TEXTS, st.booleans()),
    KNOWN,
)
DATE_TEST = st.one_of(
    _window(future=True).map(tree.When), st.sampled_from([1, 2, 7, 366]).map(tree.Anniversary), KNOWN
)
NUMBER_TEST = st.one_of(_comparison(st.sampled_from([-1.5, 0.0, 0.1, 0.25, 3.0, 2.0**53])), KNOWN)
ACT = st.builds(
    tree.Act, st.sampled_from(crowd.NAMES), st.sampled_from(["", "", *crowd.CATEGORIES, "nothing"])
)
MEASURE = st.one_of(
    st.booleans().map(tree.Did),
    st.builds(tree.Count, COUNTS, st.booleans()),
    _comparison(st.sampled_from([-2_500.0, 0.0, 100.0, 2_600.0, 10.0**12])).map(tree.Money),
    st.builds(tree.Then, ACT, st.sampled_from([None, 0, 1, 7, 400])),
)

# Again and again the same: what a sequence most easily gets wrong.
AGAIN = st.builds(
    lambda act, within, window: tree.Behaviour(act, tree.Then(act, within), window),
    ACT,
    st.sampled_from([None, 0, 1, 7]),
    _window(),
)
CONDITION: st.SearchStrategy[tree.Rule] = st.one_of(
    st.builds(tree.Behaviour, ACT, MEASURE, _window()),
    st.builds(tree.Behaviour, ACT, MEASURE, _window()),
    st.builds(tree.Behaviour, ACT, MEASURE, _window()),
    AGAIN,
    st.builds(tree.Behaviour, ACT, st.builds(tree.Edge, st.sampled_from(["first", "last"]), _window())),
    st.builds(tree.Trait, st.sampled_from(["plan", 'a "b" c']), TEXT_TEST),
    st.builds(tree.Trait, st.just("points"), NUMBER_TEST),
    st.builds(tree.Trait, st.just("newsletter"), st.one_of(st.booleans().map(tree.Is), KNOWN)),
    st.builds(tree.Trait, st.just("birth_date"), DATE_TEST),
    st.builds(tree.Field, st.sampled_from(["country", "language", "kind"]), TEXT_TEST),
    st.builds(tree.Field, st.sampled_from(["first_seen", "last_seen"]), DATE_TEST),
    st.builds(tree.Identifier, st.sampled_from(["email", "customer", "phone"]), st.booleans()),
    st.builds(
        tree.Consent,
        st.sampled_from(["marketing", "surveys"]),
        st.sampled_from(["", "email", "phone"]),
        st.booleans(),
    ),
    st.builds(
        tree.Score,
        st.just("churn_risk"),
        st.one_of(NUMBER_TEST, TEXT_TEST.filter(lambda t: isinstance(t, tree.In))),
    ),
    st.builds(
        tree.Annotated,
        st.sampled_from(list(crowd.ANNOTATIONS)),
        st.sampled_from(["", "positive", "negative", "question"]),
        st.one_of(st.booleans().map(tree.Did), COUNTS.map(tree.Count)),
        _window(),
    ),
    st.builds(tree.Segment, st.sampled_from(["winter", "vip"]), st.booleans()),
)

RULES: st.SearchStrategy[tree.Rule] = st.recursive(
    CONDITION,
    lambda below: st.one_of(
        st.lists(below, max_size=4).map(lambda of: tree.All(tuple(of))),
        st.lists(below, max_size=4).map(lambda of: tree.Any(tuple(of))),
        below.map(tree.Not),
    ),
    max_leaves=12,
)
