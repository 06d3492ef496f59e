"""Entries as files hold them: CSV, JSONL or a JSON list, one entry a row, or one wording a row that repeats its key.

Names that others use are understood: `id`, `doc_id` for `key`; `question`, `questions`, `problem` for `wordings`;
`answer`, `text` for `solution`. Every bad row is named with its line and what to do.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Invalid

ALSO = {
    "key": ("key", "id", "doc_id", "slug"),
    "title": ("title", "name", "subject"),
    "wordings": ("wordings", "wording", "questions", "question", "problems", "problem", "examples"),
    "solution": ("solution", "solutions", "answer", "answers", "text", "content", "body"),
    "url": ("url", "link", "address"),
    "language": ("language", "lang"),
    "needs": ("needs", "conditions"),
    "fits": ("fits",),
    "options": ("options",),
    "owner": ("owner",),
    "review_by": ("review_by",),
    "state": ("state",),
}
OPTION_NAMES = ("product", "place", "option_url", "is_ours", "price", "currency", "priced_at")
STATES = ("draft", "published", "retired")
TITLE_MAX, KEY_MAX, TEXT_MAX = 200, 80, 20_000
_PRICE = re.compile(r"\d{1,12}(?:\.\d{1,3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option as a row tells it; the price in units as written, such as 12.50."""

    product: str
    place: str = ""
    url: str = ""
    is_ours: bool = True
    price: str = ""
    currency: str = ""
    priced_at: str = ""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as a file tells it."""

    key: str
    title: str = ""
    wordings: tuple[str, ...] = ()
    solutions: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    language: str = ""
    needs: tuple[str, ...] = ()
    fits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: tuple[OptionRow, ...] = ()
    owner: str = ""
    review_by: str = ""
    state: str = "published"

    def plus(self, other: EntryRow) -> EntryRow:
        """The same entry with what a further row of its key adds; what was said first stays."""
        return replace(
            self,
            title=self.title or other.title,
            wordings=tuple(dict.fromkeys((*self.wordings, *other.wordings))),
            solutions={**other.solutions, **self.solutions},
            url=self.url or other.url,
            options=tuple(dict.fromkeys((*self.options, *other.options))),
        )


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no entry: where it stands, why, and what to do."""

    line: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file holds: entries by their keys in order, and every row that is none."""

    entries: tuple[EntryRow, ...]
    bad: tuple[BadRow, ...]
    n_rows: int


def read(content: bytes, name: str = "") -> ReadFile:
    """Read a whole file; its name says the format where its beginning does not. Raises Invalid where it is no such file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name or 'the file'} is not UTF-8: {error}", "Save it as UTF-8.") from None
    entries: dict[str, EntryRow] = {}
    bad: list[BadRow] = []
    n = 0
    for line, row in _rows(text, name):
        n += 1
        try:
            if isinstance(row, Exception):
                raise row
            found = entry(row)
        except Invalid as error:
            bad.append(BadRow(line, error.message, error.hint))
            continue
        entries[found.key] = entries[found.key].plus(found) if found.key in entries else found
    if not n:
        raise Invalid(
            f"{name or 'the file'} holds no rows", "Write one entry a row, with a key and a wording."
        )
    return ReadFile(tuple(entries.values()), tuple(bad), n)


def _rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any] | Invalid]]:
    start = text.lstrip()[:1]
    if start == "[":
        held = wire.document(text.encode())
        if not isinstance(held, list):
            raise Invalid(
                f"{name or 'the file'} is no JSON", "Write a list of objects, or one object a line."
            )
        yield from ((k, _object(row)) for k, row in enumerate(held, start=1))
    elif start == "{":
        for k, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield k, _object(wire.document(line.encode()))
    else:
        sheet = csv.DictReader(io.StringIO(text))
        if not set(ALSO["key"]) & {(c or "").strip().lower() for c in sheet.fieldnames or ()}:
            raise Invalid(
                f"{name or 'the file'} has no column key",
                "Name the first line's columns; key is one of them.",
            )
        for row in sheet:
            yield sheet.line_num, {str(k): v for k, v in row.items() if k is not None}


def _object(row: Any) -> Mapping[str, Any] | Invalid:
    return row if isinstance(row, dict) else Invalid("the line is no JSON object", "Write one object a line.")


def entry(row: Mapping[str, Any]) -> EntryRow:
    """One row as an entry. Raises Invalid with what is wrong with it."""
    given = {str(k).strip().lower(): v for k, v in row.items()}
    key = _text(given, "key", KEY_MAX)
    if not key:
        raise Invalid("the row has no key", "Give each entry a short key of its own.")
    if key.startswith(("notice:", "fact:")):
        raise Invalid(f"the key {key!r} begins like one of a notice or a fact", "Choose another.")
    language = _text(given, "language", 16)
    wordings = _texts(_first(given, "wordings"))
    solutions = _by_language(_first(given, "solution"), language or "en")
    title = _text(given, "title", TEXT_MAX)[:TITLE_MAX]
    url = _text(given, "url", 500)
    if not (title or wordings or solutions or url):
        raise Invalid(f"the entry {key!r} says nothing", "Give it a title, a wording or a solution.")
    state = _text(given, "state", 10) or "published"
    if state not in STATES:
        raise Invalid(
            f"the state {state!r} is none of {', '.join(STATES)}", "Leave it out, or write one of them."
        )
    review_by = _text(given, "review_by", 10)
    if review_by and not re.fullmatch(r"\d{4}-\d\d-\d\d", review_by):
        raise Invalid(f"review_by {review_by!r} is no day", "Write it as 2027-01-31.")
    return EntryRow(
        key=key, title=title, wordings=wordings, solutions=solutions, url=url, language=language,
        needs=_texts(_first(given, "needs"), split=True), fits=_fits(_first(given, "fits")), options=_options(given),
        owner=_text(given, "owner", 255), review_by=review_by, state=state,
    )  # fmt: skip


def _first(given: Mapping[str, Any], name: str) -> Any:
    return next((given[n] for n in ALSO[name] if given.get(n) not in (None, "", [], {})), None)


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    value = _first(given, name)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise Invalid(f"{name} is a {'list' if isinstance(value, list) else 'object'}", "Write one text.")
    text = str(value).strip()
    if len(text) > most:
        raise Invalid(f"{name} has {len(text):,} characters", f"Write at most {most:,}.")
    return text


def _texts(value: Any, *, split: bool = False) -> tuple[str, ...]:
    """Texts of a list, or of a cell that holds one a line (or, where short, between semicolons)."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = re.split(r"[;,]" if split else r"\n|\s\|\s", value)
    if not isinstance(value, list | tuple) or any(isinstance(v, dict | list) for v in value):
        raise Invalid("a list of texts is expected", "Write texts in a list, or one a line.")
    return tuple(dict.fromkeys(str(v).strip()[:TEXT_MAX] for v in value if str(v).strip()))


def _by_language(value: Any, language: str) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return {str(code): str(text).strip()[:TEXT_MAX] for code, text in value.items() if str(text).strip()}
    if isinstance(value, list):
        value = "\n\n".join(map(str, value))
    return {language: str(value).strip()[:TEXT_MAX]}


def _fits(value: Any) -> dict[str, tuple[str, ...]]:
    """An object of lists, or `vehicle=Kolt Brio|Kolt Alto;fuel=diesel` in a cell."""
    if value is None:
        return {}
    if isinstance(value, str):
        parts = [part.partition("=") for part in value.split(";") if part.strip()]
        if any(not sign or not slot.strip() for slot, sign, _ in parts):
            raise Invalid(f"fits {value[:60]!r} is not understood", "Write slot=value|value; and so on.")
        value = {slot.strip(): values.split("|") for slot, _, values in parts}
    if not isinstance(value, dict):
        raise Invalid("fits is no object", 'Write {"vehicle": ["Kolt Brio"]}.')
    return {str(slot): _texts(values) for slot, values in value.items()}


def _options(given: Mapping[str, Any]) -> tuple[OptionRow, ...]:
    held = given.get("options")
    if isinstance(held, str) and held.strip():
        held = wire.document(held.encode())
    if held in (None, "", []):
        held = (
            [{**given, "url": given.get("option_url", "")}] if str(given.get("product") or "").strip() else []
        )
    if not isinstance(held, list):
        raise Invalid("options is no list", 'Write [{"product": …, "price": "12.50", "currency": "EUR"}].')
    return tuple(_option(one) for one in held)


def _option(one: Any) -> OptionRow:
    if not isinstance(one, dict) or not str(one.get("product") or "").strip():
        raise Invalid("an option names no product", "Name what helps.")
    said = {name: str(one.get(name) if one.get(name) is not None else "").strip() for name in
            ("product", "place", "url", "price", "currency", "priced_at")}  # fmt: skip
    if said["price"] and not _PRICE.fullmatch(said["price"]):
        raise Invalid(f"the price {said['price']!r} is no number", "Write it as 12.50, without a sign.")
    if said["price"] and not _CURRENCY.fullmatch(said["currency"]):
        raise Invalid("a price has no currency", "Write the three letters of ISO 4217, such as EUR.")
    if said["price"] and not said["priced_at"]:
        raise Invalid(
            "a price has no time", "Write priced_at, the time it was seen, as 2027-01-31T10:00:00Z."
        )
    if said["priced_at"] and wire_time(said["priced_at"]) is None:
        raise Invalid(f"priced_at {said['priced_at']!r} is no time", "Write it as 2027-01-31T10:00:00Z.")
    ours = str(one.get("is_ours", True)).strip().lower() not in {"false", "no", "0", "theirs"}
    return OptionRow(is_ours=ours, **said)


def wire_time(text: str) -> Any:
    """A moment as files write it; None where it is none."""
    return wire.moment(text)


def questions(content: bytes, name: str = "") -> list[str]:
    """Questions to be answered: one a line, JSONL or a JSON list with `question` or `text`, or CSV with such a column."""
    text = content.decode("utf-8-sig", "replace")
    start = text.lstrip()[:1]
    if start in {"[", "{"}:
        whole = wire.document(text.encode())
        held = whole if isinstance(whole, list) else [row for _, row in _rows(text, name)]
        return [_question(row, k) for k, row in enumerate(held, start=1)]
    head = text.partition("\n")[0].strip().lower().split(",")
    if set(head) & {"question", "text"} and name.lower().endswith(".csv"):
        return [_question(row, k) for k, row in enumerate(csv.DictReader(io.StringIO(text)), start=2)]
    return [line.strip() for line in text.splitlines() if line.strip()]


def _question(row: Any, line: int) -> str:
    if isinstance(row, str):
        return row
    value = row.get("question") or row.get("text") if isinstance(row, Mapping) else None
    if isinstance(value, list):
        value = "\n".join(map(str, value))
    if not value:
        raise Invalid(f"row {line} has no question", "Write it under question or text.")
    return str(value)


def as_json(rows: Sequence[EntryRow]) -> str:
    """Entries as JSONL, as `read` takes them."""
    return "".join(
        json.dumps(
            {"key": r.key, "title": r.title, "wordings": list(r.wordings), "solution": dict(r.solutions), "url": r.url,
             "needs": list(r.needs), "fits": {k: list(v) for k, v in r.fits.items()}, "state": r.state},
            ensure_ascii=False,
        ) + "\n"
        for r in rows
    )  # fmt: skip
