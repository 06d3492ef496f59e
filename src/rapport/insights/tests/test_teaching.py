"""A model is taught from corrections and files, judged on what it has not learnt from, and not made worse."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rapport.consent import services as consent
from rapport.consent.erasers import Erasing
from rapport.insights import selectors, services
from rapport.insights.models import LabelledFile
from rapport.insights.services import adapting, forgetting, keeping, lessons
from rapport.insights.tests.conftest import Loud, Say, loaded, post, react
from rapport.kit.errors import Conflict, Invalid, NotFound

WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")


class Learner(Loud):
    """Calls a text loud where its first word was taught as loud; before that, where `guess` says so."""

    guess: str = "quiet"

    def fit(self, table: pa.Table, context: Any) -> bytes:
        loud = [
            text.split()[0]
            for text, label in zip(
                table.column("text").to_pylist(), table.column("label").to_pylist(), strict=True
            )
            if label == "loud"
        ]
        return " ".join(["taught" if table.num_rows else "new", *sorted(set(loud))]).encode()

    def score(self, model: bytes, table: pa.Table, context: Any) -> pa.Table:
        state, *known = model.decode().split()
        rows = super().score(model, table, context)
        labels = [
            self.guess if state == "new" else ("loud" if text.split()[0] in known else "quiet")
            for text in table.column("text").to_pylist()
        ]
        return rows.set_column(rows.column_names.index("label"), "label", pa.array(labels, pa.string()))


@pytest.fixture
def learner(loud: Loud, monkeypatch: pytest.MonkeyPatch) -> Learner:
    from rapport.kit import registry

    model = Learner()
    found = {"loud": registry.Plugin("loud", "insights", "test", model)}
    monkeypatch.setattr(registry, "plugins", lambda kind: found)
    return model


def labelled(folder: Path, name: str, *, loud: tuple[str, ...], n: int = 10) -> Path:
    lines = [f"{word} {k} {name},{'loud' if word in loud else 'quiet'}" for word in WORDS for k in range(n)]
    file = folder / name
    file.write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
    return file


def test_a_lesson_says_how_good_each_label_was_before_and_after(
    say: Say, learner: Learner, tmp_path: Path
) -> None:
    lesson = services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]), by="alice")
    assert (lesson.taught, lesson.version, lesson.n, lesson.n_files) == (True, "1+1", 80, 1)
    assert lesson.judged is not None
    judged = lesson.judged
    assert (judged.n, judged.accuracy_before, judged.accuracy_after) == (80, 0.5, 1.0)
    assert judged.gain.low > 0
    by_label = {one.label: one for one in judged.labels}
    assert by_label["loud"].n == 40
    assert by_label["loud"].before.value == 0.0
    assert by_label["loud"].after.value == 1.0
    assert by_label["quiet"].before.low <= by_label["quiet"].before.value <= by_label["quiet"].before.high
    version = selectors.versions("loud")[0]
    assert (version.version, version.n, version.n_judged, version.by, version.serves) == (
        "1+1",
        80,
        80,
        "alice",
        True,
    )
    assert version.after == judged.after


def test_what_would_make_it_worse_is_refused_unless_asked_anyway(
    say: Say, learner: Learner, tmp_path: Path
) -> None:
    learner.guess = "loud"  # as it came it is right about nearly everything
    file = tmp_path / "odd.csv"
    odd = [f"word{k} is loud,loud" for k in range(60)] + [f"{w} is quiet,quiet" for w in WORDS]
    file.write_text("text,label\n" + "\n".join(odd), encoding="utf-8")
    refused = services.adapt("loud", file)
    assert (refused.taught, refused.version) == (False, "1")
    assert "it would get worse: macro-F1" in refused.refused
    assert LabelledFile.objects.count() == 0, "a lesson that was refused leaves nothing behind"
    assert keeping.active_version(learner) == "1"  # type: ignore[arg-type]
    kept = services.adapt("loud", file, anyway=True)
    assert (kept.taught, kept.version) == (True, "1+1")


def test_too_few_are_refused_with_how_many_are_needed(say: Say, learner: Learner, tmp_path: Path) -> None:
    lesson = services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4], n=2))
    assert not lesson.taught
    assert "16 labelled texts are too few: it takes 50" in lesson.refused
    one_label = services.adapt("loud", labelled(tmp_path, "b.csv", loud=WORDS))
    assert "two labels of at least 5" in one_label.refused


def test_corrections_and_files_are_joined_and_the_newest_word_on_a_text_counts(
    say: Say, learner: Learner, tmp_path: Path
) -> None:
    services.add_labelled("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    say(post("1", "ana", 1, "alpha 0 a.csv"), post("2", "bo", 1, "india was here"))
    react()
    services.correct(1, "loud", "quiet", "alice")
    services.correct(2, "loud", "loud", "alice")
    loaded()
    rows, n_corrections, n_files = adapting.labelled(learner)  # type: ignore[arg-type]
    assert (rows.num_rows, n_corrections, n_files) == (81, 2, 1)
    by_text = dict(zip(rows.column("text").to_pylist(), rows.column("label").to_pylist(), strict=True))
    assert by_text["alpha 0 a.csv"] == "quiet"
    assert by_text["india was here"] == "loud"


def test_a_version_is_not_praised_for_what_it_was_shown(say: Say, learner: Learner, tmp_path: Path) -> None:
    services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    again = services.teach("loud")
    assert again.judged is not None
    assert (again.judged.before, again.version) == (again.judged.after, "1+2")
    rows, _, _ = adapting.labelled(learner)  # type: ignore[arg-type]
    unique = pa.table({**{c: rows.column(c) for c in ("label", "name", "since")},
                       "text": pa.array([f"once{k}" for k in range(rows.num_rows)])})  # fmt: skip
    known = np.ones(unique.num_rows, np.bool_)
    by_heart = learner.fit(unique, None)
    judged = lessons.judge(learner, unique, known, by_heart, keeping.context(learner))  # type: ignore[arg-type]
    assert judged.accuracy_before == 0.5, "it knew these by heart, and is judged as if it did not"


def test_a_file_is_kept_only_once_its_lesson_is_taught(
    say: Say, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = services.add_labelled("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    judge = lessons.judge

    def removed_meanwhile(*given: Any) -> lessons.Judged:
        assert LabelledFile.objects.count() == 1
        services.remove_labelled(first)
        raise RuntimeError("killed")

    monkeypatch.setattr(lessons, "judge", removed_meanwhile)
    for name in ("a.csv", "b.csv"):
        file = labelled(tmp_path, name, loud=WORDS[:2])
        with pytest.raises(RuntimeError if name == "a.csv" else AssertionError):
            services.adapt("loud", file)
        assert LabelledFile.objects.count() == 0, "nothing comes back, and nothing unproved stays"
    monkeypatch.setattr(lessons, "judge", judge)
    services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    again = services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:2]))
    assert (again.taught, again.n, again.n_files) == (True, 80, 1)
    (kept,) = selectors.labelled_files("loud")
    assert kept.labels == {"quiet": 60, "loud": 20}


def test_a_column_of_something_else_is_no_column_of_labels(
    say: Say, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    learner.gives = (dataclasses.replace(learner.gives[0], labels=()),)

    def refused(*lines: str) -> str:
        file.write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
        with pytest.raises(Invalid) as error:
            services.add_labelled("loud", file)
        return str(error.value)

    assert "301 different labels are too many: at most 300" in refused(*[f"hello,{k}" for k in range(301)])
    assert "row 2 of a.csv" in refused("hello,fine", f"hello,{'x' * 65}")
    assert "row 1 of a.csv" in refused('hello,"a\nb"')
    assert "row 2 of a.csv" in refused("hello,fine", "hello,a\0b")
    assert "no row with a text and a label" in refused("hello,  ")
    file.write_text("text,label\nhello,fine\nhello,\nhello,   \n", encoding="utf-8")
    services.add_labelled("loud", file)
    assert selectors.labelled_files("loud")[0].labels == {"fine": 1}
    services.add_labelled("loud", labelled(tmp_path, "b.csv", loud=WORDS[:4]))
    monkeypatch.setattr(adapting, "LABELS_MAX", 2)
    assert "3 different labels are too many" in services.teach("loud").refused


def test_an_odd_file_is_refused_and_only_what_is_needed_is_read(
    say: Say, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nested = tmp_path / "nested.jsonl"
    nested.write_text('{"text": {"body": "hello"}, "label": "loud"}\n', encoding="utf-8")
    binary = tmp_path / "binary.parquet"
    pq.write_table(pa.table({"text": [b"\xff\xfe"], "label": ["loud"]}), binary)
    for file in (nested, binary):
        with pytest.raises(Invalid, match="something other than words"):
            services.add_labelled("loud", file)
    monkeypatch.setattr(adapting, "FILE_TEXTS_MAX", 79)
    with pytest.raises(Invalid, match="more than 79 rows"):
        services.add_labelled("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))


def test_a_file_is_read_by_its_name_and_not_by_a_pattern(say: Say, learner: Learner, tmp_path: Path) -> None:
    file = tmp_path / "mine [1]*.csv"
    file.write_text("text,label\nalpha one,loud\n")
    services.add_labelled("loud", file)
    (kept,) = selectors.labelled_files("loud")
    assert (kept.name, kept.n_texts) == ("mine [1]*.csv", 1)


def test_files_are_replaced_forgotten_and_checked(say: Say, learner: Learner, tmp_path: Path) -> None:
    number = services.add_labelled("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    assert services.add_labelled("loud", labelled(tmp_path, "a.csv", loud=WORDS[:2])) == number
    (kept,) = selectors.labelled_files("loud")
    assert (kept.n_texts, kept.labels) == (80, {"quiet": 60, "loud": 20})
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("text,label\nhello,deafening\n", encoding="utf-8")
    with pytest.raises(Invalid, match="'deafening' is no loud"):
        services.add_labelled("loud", wrong)
    with pytest.raises(Invalid, match="says nothing called 'volume'"):
        services.add_labelled("loud", wrong, of="volume")
    with pytest.raises(NotFound):
        services.remove_labelled(number, "another")
    services.remove_labelled(number)
    with pytest.raises(NotFound):
        services.remove_labelled(number)


def test_a_labelled_text_that_names_somebody_goes_when_they_are_erased(
    say: Say, learner: Learner, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,label\nwrite to ana.ruiz@example.org,loud\nwrite to us,quiet\n", encoding="utf-8")
    services.add_labelled("loud", file)
    gone = Erasing((8,), ("email:ana.ruiz@example.org",), ("x",), (8,))
    assert forgetting.erase(gone) == 1
    assert forgetting.erase(gone) == 0
    (kept,) = selectors.labelled_files("loud")
    assert (kept.n_texts, kept.labels) == (1, {"quiet": 1})
    assert b"ana.ruiz" not in bytes(LabelledFile.objects.get().content)


def test_a_labelled_text_that_somebody_wrote_goes_with_them(
    say: Say, learner: Learner, tmp_path: Path
) -> None:
    say(post("1", "ana", 1, "It  broke on the FIRST day"), post("2", "bo", 1, "All good here"))
    react()
    file = tmp_path / "a.csv"
    file.write_text("text,label\nit broke on the first day ,loud\nAll good here,quiet\n", encoding="utf-8")
    services.add_labelled("loud", file)
    certificate = consent.erase("mastodon:ana", by="alice")
    assert dict(certificate.counts)["corrections and labelled texts"] == 1
    (kept,) = selectors.labelled_files("loud")
    assert (kept.n_texts, kept.labels) == (1, {"quiet": 1})
    assert b"broke" not in bytes(LabelledFile.objects.get().content)


def test_a_lesson_can_be_taken_back(say: Say, learner: Learner, tmp_path: Path) -> None:
    services.adapt("loud", labelled(tmp_path, "a.csv", loud=WORDS[:4]))
    assert services.rollback("loud") == "1"
    with pytest.raises(Conflict, match="no version before 1"):
        services.rollback("loud")
    assert services.rollback("loud", "1+1") == "1+1"


def test_aspects_are_taught_from_a_file_and_judged_by_their_names(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    lines = [f"The delivery was {'quux' if k % 2 else 'zorp'} for number {w},{'negative' if k % 2 else 'positive'},delivery"
             for k, w in enumerate(f"{a}{b}" for a in "abcdefgh" for b in "stuvwxyz")]  # fmt: skip
    file.write_text("text,label,aspect\n" + "\n".join(lines), encoding="utf-8")
    number = services.add_labelled("aspect", file)
    model = keeping.insight("aspect")
    rows, _, _ = adapting.labelled(model)
    assert set(rows.column("aspect").to_pylist()) == {"delivery"}
    say(post("1", "ana", 1, "The price was zorp."))
    services.correct(1, "aspect:price", "positive", "alice")
    lesson = services.teach("aspect")
    assert lesson.taught, lesson.refused
    assert lesson.judged is not None
    assert (lesson.judged.n, lesson.n) == (65, 65)
    assert lesson.judged.accuracy_after > 0.9 > lesson.judged.accuracy_before
    services.remove_labelled(number)
    file.write_text(
        "text,label\n" + "\n".join(line.replace("delivery", "$T$", 1).rpartition(",")[0] for line in lines),
        encoding="utf-8",
    )
    services.add_labelled("aspect", file)
    services.uncorrect(1, "aspect:price")
    refused = services.teach("aspect")
    assert not refused.taught
    assert "none can be judged" in refused.refused
