"""What aio does for others: withdrawal removes statements at once, erasure leaves none, access shows them all."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from rapport.aio import rules, selectors
from rapport.aio.services import forgetting
from rapport.consent import erasers, exporters
from rapport.events import subscriptions
from rapport.people.selectors import rows

NAME = "aio"
KEY = "aio.refusals"
STANDS_ON = ("people", "consent")


def register() -> None:
    """Called in AppConfig.ready()."""
    subscriptions.subscribe(KEY, names=("consent_denied", "consent_withdrawn"), handler=on_refusals)
    erasers.register(NAME, erase)
    exporters.register(NAME, show)


def on_refusals(batch: subscriptions.Batch) -> None:
    """Drop what is stated of whoever refused to have estimates made of them."""
    if batch.events.num_rows:
        subscriptions.settle(batch.seq_to, STANDS_ON)
        forgetting.on_refusal(rows.numbers(batch.events, "subject"))


def erase(erasing: erasers.Erasing) -> int:
    """Forget every statement of an erased person, and every quotation of others that names them."""
    return forgetting.erase([*erasing.subjects, *erasing.persons], erasing.identifiers)


def show(exporting: exporters.Exporting) -> Iterable[exporters.Section]:
    """Everything that is stated of somebody, with what shows it, and what they said of it themselves."""
    found = selectors.of_subjects(exporting.subjects)
    if found:
        yield exporters.Section(
            _("What we think you care about"), [_row(v) for v in found], _("worked out from the above")
        )


def _row(view: selectors.StatementView) -> dict[str, object]:
    return {
        "kind": view.kind,
        "about": view.title,
        "label": view.label,
        "value": round(view.value, 2),
        "low": round(view.low, 2),
        "high": round(view.high, 2),
        "n": view.n,
        "evidence": [f"{one.at[:10]} {one.source}: “{one.quote}”" for one in view.evidence],
        "origin": view.origin,
        "state": "" if view.state == rules.STANDS else view.state,
        "made_at": view.made_at,
    }
