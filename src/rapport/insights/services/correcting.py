"""What staff says of a text: written down as said by staff, and above what any model says from then on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db import transaction

from rapport.events import lake
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.contract import Gives, Insight, given_name
from rapport.insights.models import Correction, Owed
from rapport.insights.selectors.aspects import MODEL, aspects
from rapport.insights.services import annotating, corrected, keeping, permitting, setting_apart
from rapport.kit import clock, home, query
from rapport.kit.errors import Invalid, NotFound
from rapport.people.rules import sensitive

LABEL_MAX = 64


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a text is said to mean now, and what the model had said."""

    seq: int
    name: str
    label: str
    said: str  # empty where the model said nothing
    upto_seq: int  # once the log is loaded up to here, every reader sees it


def correct(seq: int, name: str, label: str, staff: str) -> Corrected:
    """Write down what a text means by a member of staff's reading; said again, the last word counts.

    Raises NotFound where there is no such text or nobody gives such an annotation, Invalid for a label that it
    does not have.
    """
    model, gives = giving(name)
    if not _is_whole(model, name):
        raise NotFound(f"nothing is called {name!r}", "Choose one of those that are offered.")
    label = _label(gives, name, label)
    con = lake.connect()
    try:
        text = _readable(model, _text(con, seq))
        said = _said(con, text, name)
    finally:
        con.close()
    row = text.to_pylist()[0]
    with _lock():
        with transaction.atomic():
            Owed.objects.get_or_create(seq=seq, name=name)
            Correction.objects.update_or_create(
                seq=seq,
                name=name,
                defaults={
                    "subject": row["subject"],
                    "label": label,
                    "said": said["label"],
                    "model": model.name,
                    "version": said["version"] or keeping.active_version(model),
                    "made_by": staff,
                    "made_at": clock.now(),
                },
            )
        written = corrected.write({(seq, name): label}, text, {gives.name: gives})
        Owed.objects.filter(seq=seq, name=name).delete()
    return Corrected(seq, name, label, said["label"], written.last if written else 0)


def uncorrect(seq: int, name: str) -> Corrected:
    """Take a correction back: what the model says of the text stands again. Raises NotFound where there is none."""
    model, _gives = giving(name)
    said_by_staff = Correction.objects.filter(seq=seq, name=name)
    nobody = NotFound(f"nobody has corrected {name} of text {seq}", "Nothing was changed.")
    if not said_by_staff.exists():
        raise nobody
    con = lake.connect()
    try:
        text = _text(con, seq)
    finally:
        con.close()
    rows = _said_anew(model, text, name)
    with _lock():
        with transaction.atomic():
            if not said_by_staff.delete()[0]:
                raise nobody
            Owed.objects.get_or_create(seq=seq, name=name)
        written = events.annotate(rows)
        Owed.objects.filter(seq=seq, name=name).delete()
    return Corrected(seq, name, rows.column("label")[0].as_py(), "", written.last)


def tell_owed() -> int:
    """Tell the log what it has not heard because somebody was killed in between; gives how many texts."""
    if not Owed.objects.exists():
        return 0
    with _lock():  # whoever is just saying something is through after this
        rows = list(Owed.objects.values_list("seq", "name"))
        for seq, name in rows:
            with contextlib.suppress(NotFound):  # erased since, or of a model that is no more
                _tell(seq, name)
            Owed.objects.filter(seq=seq, name=name).delete()
    return len(rows)


def _tell(seq: int, name: str) -> None:
    said = Correction.objects.filter(seq=seq, name=name).first()
    if said is not None and name == rules.AUTHENTICITY:
        setting_apart.write(seq, said.label)
        return
    model, gives = giving(name)
    with lake.connect() as con:
        text = _text(con, seq)
    if said is None:
        events.annotate(_said_anew(model, text, name))
    else:
        corrected.write({(seq, name): said.label}, text, {gives.name: gives})


def giving(name: str) -> tuple[Insight, Gives]:
    """The model of texts that gives an annotation of this name. Raises NotFound naming those there are."""
    known = {}
    for model in keeping.texts_insights():
        for gives in model.gives:
            known[gives.name] = (model, gives)
    found = known.get(given_name(name))
    if found is None:
        raise NotFound(f"no model says {name!r} of a text", f"There are: {', '.join(sorted(known))}.")
    return found


def _is_whole(model: Insight, name: str) -> bool:
    """Whether a name says of which part it speaks where the model's names have parts, and of none elsewhere."""
    _given, colon, part = name.partition(":")
    if model.name == MODEL:
        return part in {aspect.key for aspect in aspects()}
    return not colon


def _lock() -> contextlib.AbstractContextManager[None]:
    """One correction at a time, so that the row and the log end with the same word."""
    return home.lock("correct", wait=True)


def _label(gives: Gives, name: str, label: str) -> str:
    sensitive.refuse(name)
    label = label.strip()
    if "\0" in label:
        raise Invalid(f"{label!r} is no {name}", "Write it without control characters.")
    if gives.labels and label not in gives.labels:
        raise Invalid(f"{label!r} is no {name}", f"Choose one of {', '.join(gives.labels)}.")
    if not label or len(label) > LABEL_MAX:
        raise Invalid(
            f"a label has 1 to {LABEL_MAX} characters, and {label[:20]!r} has {len(label)}", "Shorten it."
        )
    return label


def _text(con: Any, seq: int) -> pa.Table:
    asked = {"seq": seq, "own_words": list(rules.OWN_WORDS)}
    found = query.run(con, query.load("rapport.insights", "one_text"), asked).to_arrow_table()
    if found.num_rows == 0:
        raise NotFound(f"event {seq} holds no text that somebody wrote", "It may have been erased.")
    return found


def _readable(model: Insight, text: pa.Table) -> pa.Table:
    """The text, where whoever wrote it lets this model read it."""
    leave = permitting.daily_warrant(model)
    if leave is None or permitting.texts_seen(leave, text).num_rows == 0:
        raise NotFound("this text is not read", "Whoever wrote it refuses that, or the purpose is off.")
    return text


def _said(con: Any, text: pa.Table, name: str) -> dict[str, Any]:
    asked = {"seq": text.column("seq")[0].as_py(), "ts": text.column("ts")[0].as_py(), "staff": rules.STAFF}
    found = query.run(con, query.load("rapport.insights", "said_of_text"), asked).to_arrow_table().to_pylist()
    return next((row for row in found if row["name"] == name), {"label": "", "version": ""})


def _said_anew(model: Insight, text: pa.Table, name: str) -> pa.Table:
    """What the version that serves says of one text under a name; a row that says nothing where it is silent."""
    leave = permitting.daily_warrant(model)
    version = keeping.active_version(model)
    if leave is not None and permitting.texts_seen(leave, text).num_rows:
        with annotating.lock(model):
            fitted = keeping.active(model)
            said = annotating.said_of(model, fitted, text)
        rows = [row for row in said.to_pylist() if row["name"] == name]
        if rows:
            return pa.Table.from_pylist(rows[:1], schema=event_rules.ANNOTATION)
    nothing = {
        **text.select(["seq", "subject", "ts"]).to_pylist()[0],
        "name": name,
        "label": rules.NOTHING,
        "model": model.name,
        "version": version,
    }
    return pa.Table.from_pylist([nothing], schema=event_rules.ANNOTATION)
