"""What the answers to one survey come to, read from the log in sets: from our pages, imports and anywhere else."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.surveys import rules
from rapport.surveys.models import Survey, Version
from rapport.surveys.rules import figures, themes
from rapport.surveys.rules.figures import Estimate
from rapport.surveys.rules.questions import Scale

PACKAGE = "rapport.surveys"
ANSWERS_SHOWN = 60  # different answers of one question
TEXTS_READ = 50_000  # newest texts that themes are looked for in
PAGE = 50


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer of a question, and how many responses gave it."""

    answer: str
    n: int


@dataclass(frozen=True, slots=True)
class Month:
    """A question's figure in one month."""

    month: dt.date
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Mood:
    """How answers in words sound, in one language."""

    language: str
    n: int
    n_negative: int
    n_neutral: int
    n_positive: int


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """What the answers to one question come to."""

    key: str
    kind: str
    question: rules.Question | None  # as last published; None where the answers came from elsewhere
    n: int
    n_people: int
    n_said: int
    estimate: Estimate | None  # NPS, satisfied share, or mean, by kind
    bars: tuple[Bar, ...]
    months: tuple[Month, ...]
    moods: tuple[Mood, ...]
    themes: tuple[themes.Theme, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A survey's answers together, and question by question."""

    n_people: int
    n_responses: int
    n_answers: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    questions: tuple[QuestionResult, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which answers a list shows; None means any."""

    question: str | None = None
    answer: str | None = None
    low: float | None = None
    high: float | None = None
    sentiment: str | None = None
    language: str | None = None
    phrase: str | None = None
    only_said: bool = False
    first_ts: dt.datetime | None = None
    until_ts: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer, and whose."""

    seq: int
    ts: dt.datetime
    person: int
    subject: int
    response: str
    question: str
    answer: str | None
    score: float | None
    said: str | None
    language: str
    sentiment: str


@dataclass(frozen=True, slots=True)
class Bias:
    """Those who answered beside those who might have, by one dimension."""

    dimension: str  # country, language, rfm
    rows: tuple[figures.Difference, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """How far those who answered are like the base."""

    base: str  # invited or everybody
    n_answered: int
    n_base: int
    biases: tuple[Bias, ...] = field(default_factory=tuple)


def questions_of(slug: str) -> dict[str, rules.Question]:
    """Every question a survey ever asked, as last published, in the order of the newest version."""
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None:
        raise NotFound(f"there is no survey at {slug!r}", "The list of surveys has those there are.")
    found: dict[str, rules.Question] = {}
    versions = Version.objects.filter(survey=survey).order_by("-number")
    for plain in [*versions.values_list("definition", flat=True), survey.draft]:
        for question in rules.from_json(plain).questions:
            found.setdefault(question.key, question)
    return found


def results(slug: str, warrant: Warrant) -> Results:
    """What the answers come to, of those whom the warrant lets us read."""
    asked = questions_of(slug)
    with _answers(slug, warrant) as con:
        totals = _rows(con, "summary")[0]
        per_question = {row[0]: row[1:] for row in _rows(con, "per_question")}
        bars: dict[str, list[Bar]] = defaultdict(list)
        for key, answer, n in _rows(con, "distribution", most=ANSWERS_SHOWN):
            bars[key].append(Bar(answer, n))
        months: dict[str, dict[dt.date, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        for key, month, score, n in _rows(con, "by_month"):
            months[key][month][round(score)] = months[key][month].get(round(score), 0) + n
        moods: dict[str, list[Mood]] = defaultdict(list)
        for key, *rest in _rows(con, "moods"):
            moods[key].append(Mood(*rest))
        counted: dict[str, list[themes.Counted]] = defaultdict(list)
        for key, *rest in _rows(con, "phrases", least=themes.TEXTS_MIN):
            counted[key].append(themes.Counted(*rest))
    order = [*(key for key in asked if key in per_question), *(k for k in per_question if k not in asked)]
    return Results(
        n_people=totals[0],
        n_responses=totals[1],
        n_answers=totals[2],
        first_at=totals[3],
        last_at=totals[4],
        questions=tuple(
            _question(
                key, asked.get(key), per_question[key], bars[key], months[key], moods[key], counted[key]
            )
            for key in order
        ),
    )


def answers_page(
    slug: str, chosen: Chosen, warrant: Warrant, *, before: int | None = None, limit: int = PAGE
) -> list[AnswerRow]:
    """Answers newest first; `before` is the seq of the last one already shown."""
    with _answers(slug, warrant) as con:
        given = dataclasses.asdict(chosen)
        rows = _rows(con, "answers_page", **given, before=before, most=limit)
    return [AnswerRow(*row) for row in rows]


def answers_arrow(slug: str, warrant: Warrant, *, limit: int) -> pa.Table:
    """The newest answers with what models say of their words; `at` in UTC."""
    with _answers(slug, warrant) as con:
        given = dataclasses.asdict(Chosen())
        asked = {**given, "before": None, "most": limit}
        found = query.run(con, query.load(PACKAGE, "answers_page"), asked).to_arrow_table()
    return found.rename_columns(["at" if name == "ts" else name for name in found.column_names])


def n_people(rows: pa.Table) -> int:
    """How many people rows of answers are of."""
    return int(pc.count_distinct(rows["person"]).as_py())


def compared(slug: str, warrant: Warrant) -> Compared:
    """Those who answered beside those who were invited, or beside everybody we know where nobody was."""
    from rapport.surveys.models import Invitation

    invited = list(
        Invitation.objects.filter(survey__slug=slug, state="sent").values_list("identifier", flat=True)
    )
    with _answers(slug, warrant) as con:
        respondents = con.execute("SELECT DISTINCT person FROM answer").to_arrow_table()
    with people.analyst_engine("SELECT 1 FROM person, identity, identifier, score") as con:
        lake.give(con, "respondent", respondents)
        lake.give(con, "left_out", warrant.refuses())
        if invited:
            lake.give(con, "invited", pa.table({"identifier": invited}))
            base = _INVITED
        else:
            base = _EVERYBODY
        con.execute(f"CREATE OR REPLACE TEMP TABLE base AS {base}")
        n_base = con.execute("SELECT count(*) FROM base").fetchall()[0][0]
        n_answered = con.execute("SELECT count(*) FROM respondent SEMI JOIN person ON id = person").fetchall()
        found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        for dimension, *row in _rows(con, "bias"):
            found[dimension].append((row[0], row[1], row[2]))
    biases = [Bias(name, tuple(figures.differences(rows))) for name, rows in found.items()]
    return Compared("invited" if invited else "everybody", n_answered[0][0], n_base, tuple(biases))


_INVITED = (
    "SELECT DISTINCT i.person FROM invited AS v JOIN identifier AS d"
    " ON v.identifier = d.namespace || ':' || d.value JOIN identity AS i ON d.subject = i.subject"
    " ANTI JOIN left_out AS o ON i.subject = o.subject"
)
_EVERYBODY = (
    "SELECT DISTINCT i.person FROM identity AS i JOIN person AS p ON i.person = p.id AND p.kind = 'person'"
    " ANTI JOIN left_out AS o ON i.subject = o.subject"
)


def tallies(name: str) -> dict[str, Tally]:
    """By survey, how many people an event of that name tells of."""
    con = lake.connect()
    try:
        rows = query.run(con, query.load(PACKAGE, "tallies"), {"name": name}).fetchall()
    finally:
        con.close()
    return {row[0]: Tally(*row[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one event of one survey happened, and to how many."""

    n_subjects: int
    n: int
    first_at: dt.datetime
    last_at: dt.datetime


@contextmanager
def _answers(slug: str, warrant: Warrant) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the relations `answer` and `spoken` of one survey."""
    began = tallies("survey_answered").get(slug)
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        lake.give(con, "left_out", warrant.refuses())
        since = began.first_at if began else clock.now()
        _keep(con, "answer", survey=slug, since=since)
        _keep(con, "spoken", most=TEXTS_READ)
        yield con
    finally:
        con.close()


def _keep(con: duckdb.DuckDBPyConnection, name: str, **asked: Any) -> None:
    found = query.run(con, query.load(PACKAGE, name), asked).to_arrow_table()
    lake.give(con, name, found)


def _rows(con: duckdb.DuckDBPyConnection, name: str, **asked: Any) -> list[Any]:
    return query.run(con, query.load(PACKAGE, name), asked).fetchall()


def _question(
    key: str,
    question: rules.Question | None,
    row: Any,
    bars: list[Bar],
    months: dict[dt.date, dict[int, int]],
    moods: list[Mood],
    counted: list[themes.Counted],
) -> QuestionResult:
    n, n_people, n_said, n_scored, average, deviation, lowest, highest = row
    kind = question.kind if question else ("number" if n_scored else "open")
    texts = {mood.language: (mood.n_negative, mood.n_positive) for mood in moods}
    return QuestionResult(
        key=key,
        kind=kind,
        question=question,
        n=n,
        n_people=n_people,
        n_said=n_said,
        estimate=_estimate(kind, question, bars, n_scored, average, deviation, lowest, highest),
        bars=tuple(bars),
        months=tuple(
            Month(month, estimate)
            for month, by_score in months.items()
            if (estimate := _of_scores(kind, question, by_score)) is not None
        ),
        moods=tuple(moods),
        themes=tuple(themes.themes(counted, texts)),
    )


def _estimate(
    kind: str,
    question: rules.Question | None,
    bars: list[Bar],
    n: int,
    average: float | None,
    deviation: float | None,
    lowest: float | None,
    highest: float | None,
) -> Estimate | None:
    if isinstance(question, Scale):
        return _of_scores(kind, question, scores_of(bars))
    if kind != "number" or not n or average is None or lowest is None or highest is None:
        return None
    return figures.mean(n, average, deviation or 0.0, low=lowest, high=highest)


def _of_scores(kind: str, question: rules.Question | None, by_score: dict[int, int]) -> Estimate | None:
    if not isinstance(question, Scale):
        return None
    inside = {score: n for score, n in by_score.items() if question.low <= score <= question.high}
    if kind == "nps":
        return figures.nps(inside)
    if kind == "csat":
        return figures.csat(inside, high=question.high)
    return figures.mean_of(inside, low=question.low, high=question.high)


def scores_of(bars: Sequence[Bar]) -> dict[int, int]:
    """Whole scores and their counts."""
    found: dict[int, int] = {}
    for bar in bars:
        try:
            score = float(bar.answer)
        except ValueError:
            continue
        if score == int(score):
            found[int(score)] = found.get(int(score), 0) + bar.n
    return found
