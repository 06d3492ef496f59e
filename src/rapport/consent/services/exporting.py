"""Take a list of people out: for a purpose they allow, marked, and written down before the first row leaves."""

from __future__ import annotations

import base64
import csv
import io
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent.models import Export
from rapport.consent.selectors import defining, withholding
from rapport.consent.services.warrants import warrant
from rapport.events import lake
from rapport.kit import clock, ids, query, secret
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people.selectors import takeouts

COLUMNS = ("name", "email", "phone", "customer", "loyalty", "country", "language")
# The identifier that a channel reaches somebody by; whoever has none is not on a list for it.
REACHED_BY = {"email": "email", "sms": "phone", "phone": "phone"}
ROWS_WRITTEN = 5_000  # before what is written leaves
MARK_BYTES = 5
CHECK_CHARS = 4


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A list that may leave: its certificate in the log, and its lines as CSV."""

    id: uuid.UUID
    mark: str
    n_people: int
    lines: Iterator[str]

    @property
    def file_name(self) -> str:
        return f"people-{self.mark}.csv"


def take_out(
    purpose: str,
    channel: str = "",
    *,
    by: str,
    why: str,
    columns: Sequence[str] = COLUMNS,
    chosen: Mapping[str, str] | None = None,
    among: pa.Array | None = None,
    of: Mapping[str, str] | None = None,
) -> TakenOut:
    """A list of the people who allow the purpose, with the columns asked for and no other.

    `chosen` filters as the page People does (q, country, language). `among` holds the persons that another
    domain chose, and `of` says by what. Raises Invalid without a reason, or for a column or channel that there
    is not. Every row carries a mark that names this export.
    """
    _check(purpose, channel, why, columns)
    asked = {k: v for k, v in (chosen or {}).items() if k in ("q", "country", "language") and v}
    leave = warrant(purpose, by=by, why=why, channel=channel)
    persons = takeouts.chosen_persons(
        text=asked.get("q", ""), country=asked.get("country", ""), language=asked.get("language", "")
    )
    if among is not None:
        persons = persons.filter(pc.is_in(persons["person"], value_set=among))
    with lake.new_engine() as con:
        con.register("chosen", persons)
        con.register("identity", people.identity_arrow())
        con.register("allowed", leave.subjects())
        con.register("reached", _reached(channel, purpose))
        needed = {"needed": REACHED_BY.get(channel, "")}
        rows = query.run(con, query.load("rapport.consent", "taken"), needed).to_arrow_table()
    row = Export.objects.create(
        id=ids.uuid7(),
        at=clock.now(),
        by=by,
        purpose=purpose,
        channel=channel,
        why=why.strip(),
        columns=list(columns),
        chosen={**(of or {}), **asked},
        n_chosen=persons.num_rows,
        n_people=rows.num_rows,
        mark=base64.b32encode(secrets.token_bytes(MARK_BYTES)).decode("ascii"),
    )
    return TakenOut(row.id, row.mark, rows.num_rows, _lines(rows, columns, row.mark))


def take_out_rows(
    purpose: str, rows: pa.Table, *, by: str, why: str, of: Mapping[str, str], n_chosen: int
) -> TakenOut:
    """Rows about people that another domain read by a warrant for this purpose, marked and written down alike.

    `rows` has a column `id`, the person of each row, and the columns that leave; `of` says what they are.
    """
    if not why.strip():
        raise Invalid("an export needs its reason", "Say what the list is for, in a few words.")
    columns = [name for name in rows.column_names if name != "id"]
    row = Export.objects.create(
        id=ids.uuid7(),
        at=clock.now(),
        by=by,
        purpose=purpose,
        channel="",
        why=why.strip(),
        columns=columns,
        chosen=dict(of),
        n_chosen=n_chosen,
        n_people=pc.count_distinct(rows["id"]).as_py(),
        mark=base64.b32encode(secrets.token_bytes(MARK_BYTES)).decode("ascii"),
    )
    return TakenOut(row.id, row.mark, row.n_people, _lines(rows, columns, row.mark))


def _check(purpose: str, channel: str, why: str, columns: Sequence[str]) -> None:
    if not why.strip():
        raise Invalid("an export needs its reason", "Say what the list is for, in a few words.")
    wrong = [c for c in columns if c not in COLUMNS]
    if wrong or not columns:
        raise Invalid(f"there is no column {wrong[0]!r}" if wrong else "no column was chosen", "Choose some.")
    if channel and channel not in defining.purpose(purpose).channels:
        raise Invalid(f"{purpose} has no channel {channel!r}", "Choose one of its channels, or none.")


def _reached(channel: str, purpose: str) -> pa.Table:
    """Identifiers, without those to which nothing is sent on the channel."""
    known = takeouts.reached()
    namespace = REACHED_BY.get(channel)
    if namespace is None:
        return known
    here = known.filter(pc.equal(known["namespace"], namespace))
    texts = pc.binary_join_element_wise(here["namespace"], here["value"], ":").to_pylist()
    stopped = withholding.suppressed(texts, channel, purpose)
    if not stopped:
        return known
    keys = pc.binary_join_element_wise(known["namespace"], known["value"], ":")
    return known.filter(pc.invert(pc.is_in(keys, value_set=pa.array(sorted(stopped)))))


def _lines(rows: pa.Table, columns: Sequence[str], mark: str) -> Iterator[str]:
    """CSV: the row's own mark first, so that a single leaked row still names the export it left with."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["ref", *columns])
    numbers = rows["id"].to_pylist()
    values = [[_harmless(v) for v in rows[c].to_pylist()] for c in columns]
    for at, (number, *cells) in enumerate(zip(numbers, *values, strict=True)):
        writer.writerow([reference(mark, number), *cells])
        if at % ROWS_WRITTEN == ROWS_WRITTEN - 1:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def reference(mark: str, number: int) -> str:
    """What marks one row: the export, the person, and a check that cannot be made without our key."""
    return f"{mark}-{number:x}-{_check_of(mark, number)}"


def _check_of(mark: str, number: int) -> str:
    return secret.keyed_hash("export mark", f"{mark}-{number:x}")[:CHECK_CHARS]


def traced(text: str) -> Export | None:
    """The export that a row or a file name came from, by its mark; None where it is none of ours."""
    mark, _, rest = text.strip().removeprefix("people-").removesuffix(".csv").partition("-")
    number, _, check = rest.partition("-")
    if rest:
        try:
            if check != _check_of(mark.upper(), int(number, 16)):
                return None
        except ValueError:
            return None
    return Export.objects.filter(mark=mark.upper()).first()


def _harmless(value: str | None) -> str:
    """A cell that no spreadsheet takes for a formula; a telephone number stays as it is."""
    if not value:
        return ""
    if value[0] in "=@\t\r" or (value[0] in "+-" and not value[1:2].isdigit()):
        return f"'{value}"
    return value
