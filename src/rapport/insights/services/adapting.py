"""Teaching a model of texts from what staff corrected and from files of labels that the firm keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction

from rapport.events import lake
from rapport.insights.contract import Insight, given_name, is_of_texts
from rapport.insights.models import Correction, LabelledFile
from rapport.insights.services import annotating, judging, keeping, lessons, permitting
from rapport.insights.services.lessons import Judged
from rapport.kit import clock, query
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.listening import selectors as listening

NEEDED = 50  # labelled texts; with fewer nobody can tell whether the lesson helped
EACH = 5  # of at least two labels
LABELS_MAX = 300  # different ones; what is learnt grows with each
FILE_TEXTS_MAX = 200_000
NAME_MAX = 200

Progress = Callable[[int, int | None, str], None]

ROWS = pa.schema([*lessons.ROWS, ("since", pa.timestamp("us", tz="UTC"))])


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of teaching a model: the version that serves now, how good before and after, or why not."""

    model: str
    version: str  # that serves now
    taught: bool
    refused: str  # why it was not; empty where it was
    n: int  # labelled texts in all
    n_corrections: int
    n_files: int
    before_version: str
    judged: Judged | None

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary: the figures of a back-test beside before and after."""
        given = {k: v for k, v in asdict(self).items() if k != "judged"}
        if self.judged is None:
            return given
        measured = self.judged.as_backtest(self.before_version).as_json()
        return {
            **given,
            "metrics": measured["metrics"],
            "split": measured["split"],
            **{k: v for k, v in asdict(self.judged).items() if k != "n"},
            "n_judged": self.judged.n,
        }


def adapt(
    name: str,
    file: Path,
    label_column: str = "label",
    *,
    of: str = "",
    by: str = "",
    anyway: bool = False,
    progress: Progress | None = None,
) -> Lesson:
    """Keep a file of labels and teach a model of texts from it, with what it was given before.

    A lesson that is refused leaves nothing behind. Raises Invalid for a model of people, one that learns
    nothing, or a file that does not fit.
    """
    model = _of_texts(name)
    return _teach(model, _read_file(model, file, label_column, of, by), by, anyway, progress)


def add_labelled(
    name: str, file: Path, label_column: str = "label", *, of: str = "", called: str = "", by: str = ""
) -> int:
    """Keep a file of labels to teach a model from; one of the same name is replaced. Gives its number.

    Raises Invalid where the file does not fit, or holds a label that the model does not know.
    """
    model = _of_texts(name)
    return int(_keep(_read_file(model, file, label_column, of, by, called)).pk)


def remove_labelled(number: int, model: str = "") -> None:
    """Forget a file of labels, of this model where one is named; what was learnt stays until it is taught again."""
    found = LabelledFile.objects.filter(pk=number)
    if not (found.filter(model=model) if model else found).delete()[0]:
        raise NotFound(f"no labelled file has the number {number}", "It was removed already.")


def teach(name: str, *, by: str = "", anyway: bool = False, progress: Progress | None = None) -> Lesson:
    """Teach a model from every correction and labelled file there is, judged on texts held out.

    Where there are too few texts, or it would get worse, the version that serves goes on and the reason is
    given back; a lesson that makes it worse is kept `anyway` where asked. The texts are then read again by
    whoever runs the models. Raises Invalid for a model of people and for one that learns nothing from labels.
    """
    return _teach(_of_texts(name), None, by, anyway, progress)


def _teach(
    model: Insight, beside: LabelledFile | None, by: str, anyway: bool, progress: Progress | None
) -> Lesson:
    """Teach a model from what is kept, and from a file that is kept only where the lesson is."""
    name = model.name
    show = progress or (lambda *_: None)
    rows, n_corrections, n_files = labelled(model, beside)
    with annotating.lock(model):
        fitted = keeping.active(model)
    before_version = fitted.version

    def refusal(why: str, judged: Judged | None = None) -> Lesson:
        return Lesson(
            name, before_version, False, why, rows.num_rows, n_corrections, n_files, before_version, judged
        )

    unfit = too_few(rows) or too_many(rows)
    if unfit:
        return refusal(unfit)
    context = keeping.context(model)
    show(0, None, f"{name}: learning")
    content = model.fit(lessons.for_fit(rows), context)
    if content == keeping.shipped(model):
        raise Invalid(
            f"{name} learns nothing from labels", "It stays as it is; `backtest` judges it on them."
        )
    asked = lessons.named(model, rows, content, context)
    if asked.num_rows == 0:
        return refusal(
            "no labelled text says in the model's own words what its label is about: none can be judged"
        )
    known = _known(model, asked, before_version)
    judged = lessons.judge(
        model, asked, known, fitted.content, context, lambda done, n: show(done, n, f"{name}: judging itself")
    )
    if judged.gain.value < 0 and not anyway:
        return refusal(
            f"it would get worse: macro-F1 {judged.after.value:.3f} instead of {judged.before.value:.3f} "
            f"on {judged.n:,} held-out texts",
            judged,
        )
    with annotating.lock(model), transaction.atomic():
        version = keeping.next_adaptation(model)
        lesson = Lesson(
            name, version, True, "", rows.num_rows, n_corrections, n_files, before_version, judged
        )
        if beside is not None:
            _keep(beside)
        kept = {**lesson.as_json(), "by": by, "upto": _latest(rows)}
        keeping.keep(model.name, version, content, lesson=kept)
        annotating.begin_anew(model, version)
    return lesson


def rollback(name: str, version: str = "") -> str:
    """Let an earlier version of a model serve again, by default the one before; gives its version.

    Old texts are read again by whoever runs the models; meanwhile what was said of them stands. Raises NotFound
    for a version that is not kept, Conflict where there is none before, or it belongs to an older plug-in.
    """
    model = _of_texts(name)
    with annotating.lock(model):
        present = keeping.active_version(model)
        target = version or keeping.version_before(model)
        if not target:
            raise Conflict(f"{name} has no version before {present}", "There is nothing to go back to.")
        if target == present:
            raise Conflict(f"version {target} of {name} serves already", "Nothing was changed.")
        if not keeping.is_of(target, model):
            raise Conflict(
                f"version {target} was learnt by an older {name}, and {model.version} cannot read it",
                "Teach it again: corrections and labelled files are kept.",
            )
        keeping.activate(model, target)
        annotating.begin_anew(model, target)
    return target


def labelled(model: Insight, beside: LabelledFile | None = None) -> tuple[pa.Table, int, int]:
    """Every labelled text for a model (ROWS), the newest label of each; how many corrections and files they are of.

    A file `beside` those that are kept stands in place of the one of its name.
    """
    corrections = _corrections(model)
    files = list(LabelledFile.objects.filter(model=model.name).order_by("added_at", "id"))
    if beside is not None:
        files = [*(file for file in files if file.name != beside.name), beside]
    parts = [*(_rows_of(file) for file in files), corrections]  # given at one moment, staff's word counts
    whole = pa.concat_tables(parts)
    order = np.argsort(whole.column("since").to_numpy(), kind="stable")
    last: dict[tuple[str, ...], int] = {}
    keys = list(zip(*(whole.column(c).to_pylist() for c in ("text", "name", "aspect")), strict=True))
    for place in order.tolist():
        last[keys[place]] = place
    return whole.take(pa.array(sorted(last.values()), pa.int64())), corrections.num_rows, len(files)


def too_few(rows: pa.Table) -> str:
    """Why these labelled texts are too few to learn from, saying how many are needed; empty where they are enough."""
    arrow: Any = pc
    counted = arrow.value_counts(rows.column("label")).to_pylist() if rows.num_rows else []
    enough = sum(1 for row in counted if row["counts"] >= EACH)
    if rows.num_rows >= NEEDED and enough >= 2:
        return ""
    return (
        f"{rows.num_rows:,} labelled texts are too few: it takes {NEEDED}, with two labels of at least {EACH} "
        f"each, to tell whether it gets better"
    )


def too_many(rows: pa.Table) -> str:
    """Why these labels are too many to tell apart: a column of something else was chosen; empty where they are not."""
    n = pc.count_distinct(rows.column("label")).as_py()
    return (
        f"{n:,} different labels are too many: at most {LABELS_MAX} are told apart" if n > LABELS_MAX else ""
    )


def _corrections(model: Insight) -> pa.Table:
    """The corrections of what a model gives, with their texts; those whom it may not read are left out."""
    names = {gives.name for gives in model.gives}
    rows = [
        (seq, name, label, at)
        for seq, name, label, at in Correction.objects.values_list("seq", "name", "label", "made_at")
        if given_name(name) in names
    ]
    leave = permitting.daily_warrant(model)
    if not rows or leave is None:
        return ROWS.empty_table()
    seqs, called, labels, since = zip(*rows, strict=True)
    given = pa.table(
        {
            "seq": pa.array(seqs, pa.int64()),
            "name": pa.array(called, pa.string()),
            "label": pa.array(labels, pa.string()),
            "since": pa.array(since, pa.timestamp("us", tz="UTC")),
        }
    )
    con = lake.connect()
    try:
        lake.give(con, "corrected", given)
        # A network's terms may let nobody learn from its words, whatever staff said of them.
        _networks, untaught = listening.forbidding("may_train")
        asked = {"seq_from": min(seqs), "seq_to": max(seqs), "untaught": untaught}
        found = query.run(con, query.load("rapport.insights", "corrected_texts"), asked).to_arrow_table()
    finally:
        con.close()
    seen = permitting.texts_seen(leave, found)
    return seen.append_column("aspect", pa.repeat("", seen.num_rows)).select(ROWS.names).cast(ROWS)


def _rows_of(file: LabelledFile) -> pa.Table:
    table = pq.read_table(pa.BufferReader(bytes(file.content)))
    n = table.num_rows
    since = pa.repeat(pa.scalar(file.added_at, pa.timestamp("us", tz="UTC")), n)
    whole = table.append_column("name", pa.repeat(file.of, n)).append_column("since", since)
    if "aspect" not in table.column_names:
        whole = whole.append_column("aspect", pa.repeat("", n))
    return whole.select(ROWS.names).cast(ROWS)


def _read_file(
    model: Insight, file: Path, label_column: str, of: str, by: str, called: str = ""
) -> LabelledFile:
    """A file of labels as it would be kept. Raises Invalid where it does not fit."""
    of = of or model.gives[0].name
    gives = next((g for g in model.gives if g.name == given_name(of)), None)
    if gives is None:
        known = ", ".join(g.name for g in model.gives)
        raise Invalid(f"{model.name} says nothing called {of!r}", f"It says: {known}.")
    table = judging.labelled_table(file, label_column, of, FILE_TEXTS_MAX, called=called)
    arrow: Any = pc
    label = table.column("label")
    if gives.labels:
        label = arrow.utf8_lower(label)
        known = arrow.is_in(label, value_set=pa.array(gives.labels))
        if not arrow.all(known).as_py():
            wrong = label.filter(arrow.invert(known))[0].as_py()
            raise Invalid(f"{wrong!r} is no {of}", f"Label texts with {', '.join(gives.labels)}.")
    many = too_many(table)
    if many:
        raise Invalid(many, "Name the column that holds the labels, or put rare ones together.")
    sink = pa.BufferOutputStream()
    kept = table.drop_columns(["name"]).set_column(1, "label", label)
    pq.write_table(kept, sink, compression="zstd")
    return LabelledFile(
        model=model.name,
        name=(called or file.name)[:NAME_MAX],
        of=of,
        labels={row["values"]: row["counts"] for row in arrow.value_counts(label).to_pylist()},
        n_texts=table.num_rows,
        content=sink.getvalue().to_pybytes(),
        added_by=by,
        added_at=clock.now(),
    )


def _keep(file: LabelledFile) -> LabelledFile:
    """Keep a file in place of the one of its name."""
    fields = ("of", "labels", "n_texts", "content", "added_by", "added_at")
    kept, _ = LabelledFile.objects.update_or_create(
        model=file.model, name=file.name, defaults={field: getattr(file, field) for field in fields}
    )
    return kept


def _known(model: Insight, rows: pa.Table, version: str) -> Any:
    """(rows,): what the version that serves has learnt from; nothing where it serves as it was shipped."""
    upto = keeping.lesson_of(model, version).get("upto")
    if not upto:
        return np.zeros(rows.num_rows, np.bool_)
    since = rows.column("since").to_pylist()
    last = dt.datetime.fromisoformat(upto)
    return np.fromiter((at <= last for at in since), np.bool_, rows.num_rows)


def _latest(rows: pa.Table) -> str:
    latest: dt.datetime = pc.max(rows.column("since")).as_py()
    return latest.isoformat()


def _of_texts(name: str) -> Insight:
    model = keeping.insight(name)
    if not is_of_texts(model):
        raise Invalid(f"{name} scores people and learns from no labels", "Run it instead.")
    return model
