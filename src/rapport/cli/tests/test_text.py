"""Lines of a file come back in order and number, each read or told why it cannot be."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rapport.cli import textlines
from rapport.cli.text import score
from rapport.insights import services
from rapport.kit.errors import Invalid
from rapport.kit.texts.learning import BATCH_TEXTS

KEYS = ["lang", "sentiment", "emotion", "intent", "aspects", "urgency", "offensive"]


def lines(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def read(given: bytes, shape: str = "auto", named: str = "-") -> list[Any]:
    return [one for batch in textlines.batches(io.BytesIO(given), shape, named=named) for one in batch]


@pytest.mark.django_db
def test_each_line_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(
        b"Terrible service, never again!\r\n\nWas f\xc3\xbcr ein toller Laden, danke!\n\xff\xfe\nlast"
    )
    result = CliRunner().invoke(score, [str(file), "--json"])
    assert result.exit_code == 1
    first, empty, german, bad, last = lines(result)
    assert list(first)[: len(KEYS)] == KEYS
    assert (first["lang"], first["sentiment"]["label"], german["lang"]) == ("en", "negative", "de")
    assert sum(first["sentiment"][c] for c in ("negative", "neutral", "positive")) == pytest.approx(
        1, abs=1e-3
    )
    assert "terrible" in first["words"]["sentiment"]
    assert (empty["lang"], empty["sentiment"]["label"]) == ("und", "neutral")
    assert (bad["line"], set(bad)) == (4, {"error", "line"})
    assert last["sentiment"]["label"] in ("negative", "neutral", "positive")


@pytest.mark.django_db
def test_a_name_that_no_model_gives_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = services.Reader.of(firms=False)
    reader.models = [m for m in reader.models if m[0].name == "sentiment"]
    (one,) = reader.read([services.Read("Thank you, wonderful")])
    assert one["sentiment"]["label"] == "positive"
    assert [one[key] for key in ("lang", "emotion", "intent", "aspects", "urgency", "offensive")] == [
        None
    ] * 6
    (known,) = reader.read([services.Read("Thank you", "tlh")])
    assert known["lang"] == "tlh"


def test_json_lines_are_known_by_name_or_by_the_first_that_is_not_empty() -> None:
    given = b'\n{"text": "hello", "lang": "en"}\n{"txt": 1}\nnope\n{"text": "\\ud800"}\n'
    empty, hello, other, broken, half = read(given)
    assert (empty, hello) == (services.Read(""), services.Read("hello", "en"))
    assert [(one.line, type(one)) for one in (other, broken, half)] == [
        (3, textlines.Unreadable), (4, textlines.Unreadable), (5, textlines.Unreadable),
    ]  # fmt: skip
    assert read(b'{"text": "x"}', "text") == [services.Read('{"text": "x"}')]
    assert isinstance(read(b"plain\n", named="a.jsonl")[0], textlines.Unreadable)
    assert read(b"") == []
    assert read(b"\n\n") == [services.Read("")] * 2


def test_what_is_no_utf_8_at_all_is_refused_and_not_read_as_nonsense() -> None:
    for encoding in ("utf-16", "utf-16-be"):
        begun = b"\xfe\xff" if encoding == "utf-16-be" else b""
        stream = io.BytesIO(begun + "fine\nthank you\n".encode(encoding))
        with pytest.raises(Invalid, match="UTF-16"):
            list(textlines.batches(stream, "auto"))


def test_lines_of_any_length_and_number_keep_their_place() -> None:
    long = b"x" * (textlines.LINE_BYTES_MAX + 1)
    n = BATCH_TEXTS + 3
    found = read(b"\n".join([b"\xef\xbb\xbffirst", long, *[str(k).encode() for k in range(n)], long]))
    assert found[0] == services.Read("first")
    assert [one.line for one in (found[1], found[-1])] == [2, n + 3]
    assert [one.text for one in found[2:-1]] == [str(k) for k in range(n)]
    assert max(len(b) for b in textlines.batches(io.BytesIO(b"a\n" * n), "text")) == BATCH_TEXTS


def test_what_a_pipe_has_sent_is_read_at_once() -> None:
    class Pipe(io.RawIOBase):
        sent = [b"one\ntw", b"o\n"]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            chunk = self.sent.pop(0) if self.sent else b""
            buffer[: len(chunk)] = chunk
            return len(chunk)

    batches = textlines.batches(io.BufferedReader(Pipe()), "text")
    assert next(batches) == [services.Read("one")]
    assert next(batches) == [services.Read("two")]
