"""What staff says of a text stands above what models say, at once, later, and gone with whoever wrote it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rapport.consent import services as consent
from rapport.consent.exporters import Exporting
from rapport.events import lake
from rapport.events import services as events
from rapport.insights import selectors, services
from rapport.insights.models import Correction
from rapport.insights.selectors import spoken
from rapport.insights.services import annotating, corrected, forgetting, permitting
from rapport.insights.tests.conftest import Loud, Say, loaded, post, react, written
from rapport.kit import home
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import selectors as people


def newest(name: str = "loud") -> dict[int, tuple[str, str]]:
    """(label, model) of each text, as readers take it."""
    with lake.connect() as con:
        rows = con.execute(
            "SELECT seq, arg_max(label, run), arg_max(model, run) FROM annotation WHERE name = $name GROUP BY seq",
            {"name": name},
        ).fetchall()
    return {seq: (label, model) for seq, label, model in rows}


def test_a_correction_is_seen_at_once_and_by_every_reader_once_the_log_has_it(say: Say) -> None:
    say(post("1", "ana", 1, "The cable arrived on a Tuesday."))
    react()
    said = services.correct(1, "sentiment", "negative", "alice@example.org")
    (before_loading,) = selectors.texts_page(selectors.Wanted()).texts
    shown = {s.name: s for s in before_loading.said}["sentiment"]
    assert (shown.label, shown.by, shown.instead_of) == ("negative", "alice@example.org", said.said)
    events.settle(said.upto_seq)
    assert newest("sentiment") == {1: ("negative", "staff")}
    row = written("sentiment")[-1]
    assert (row["value"], row["probability"], row["detail"]) == (-1.0, 1.0, '{"words": []}')
    person = people.subject_of("mastodon:ana")
    assert person is not None
    (event,) = people.timeline(person).events
    assert {a.name: (a.label, a.model) for a in event.annotations}["sentiment"] == ("negative", "staff")


def test_a_correction_outlives_a_new_version_that_reads_everything_again(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    react()
    services.correct(1, "loud", "quiet", "alice")
    loud.version = "2"
    services.run(["loud"])
    assert newest() == {1: ("quiet", "staff"), 2: ("loud", "loud")}
    rows = [(r["seq"], r["model"], r["version"]) for r in written("loud")]
    assert (1, "loud", "2") not in rows, "nothing is written that staff has said already"


def test_a_correction_made_while_models_read_is_not_overtaken(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    read = annotating._said_together

    def corrected_meanwhile(group: Any, texts: Any) -> Any:
        yield from read(group, texts)
        services.correct(2, "loud", "quiet", "alice")

    monkeypatch.setattr(annotating, "_said_together", corrected_meanwhile)
    services.run(["loud"])
    loaded()
    assert newest() == {1: ("loud", "loud"), 2: ("quiet", "staff")}
    monkeypatch.setattr(annotating, "_said_together", read)
    with monkeypatch.context() as blind:  # as a model would that read before and writes after
        blind.setattr(corrected, "spared", lambda said, labels: said)
        loud.version = "2"
        services.run(["loud"])
    loaded()
    assert newest()[2] == ("quiet", "staff")


def test_taken_back_what_the_present_version_says_stands_again(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"))
    react()
    services.correct(1, "loud", "quiet", "alice")
    loud.version, loud.label = "2", "loud"
    services.run(["loud"])
    services.uncorrect(1, "loud")
    loaded()
    assert newest() == {1: ("loud", "loud")}
    assert written("loud")[-1]["version"] == "2"
    assert Correction.objects.count() == 0
    with pytest.raises(NotFound, match="nobody has corrected loud"):
        services.uncorrect(1, "loud")


def test_what_is_no_text_no_annotation_or_no_label_is_refused(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"), post("2", "ana", 1, None))
    react()
    with pytest.raises(NotFound, match="holds no text"):
        services.correct(2, "loud", "quiet", "alice")
    with pytest.raises(NotFound, match="There are: loud"):
        services.correct(1, "volume", "quiet", "alice")
    with pytest.raises(Invalid, match="Choose one of loud, quiet"):
        services.correct(1, "loud", "deafening", "alice")
    with pytest.raises(NotFound, match="nothing is called 'loud:ly'"):
        services.correct(1, "loud:ly", "quiet", "alice")
    assert Correction.objects.count() == 0


def test_of_aspects_only_those_of_the_catalogue_are_corrected(say: Say) -> None:
    say(post("1", "ana", 1, "The delivery was late."))
    for name in ("aspect", "aspect:", "aspect:weather"):
        with pytest.raises(NotFound, match="nothing is called"):
            services.correct(1, name, "negative", "alice")
    services.correct(1, "aspect:delivery", "negative", "alice")
    assert [c.name for c in Correction.objects.all()] == ["aspect:delivery"]


def test_a_text_whose_writer_refuses_is_not_corrected(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"))
    monkeypatch.setattr(permitting, "texts_seen", lambda _leave, texts: texts.slice(0, 0))
    with pytest.raises(NotFound, match="not read"):
        services.correct(1, "loud", "quiet", "alice")
    assert Correction.objects.count() == 0


def test_two_corrections_at_once_leave_the_row_and_the_log_alike(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"))
    write = corrected.write

    def held(*given: Any) -> Any:
        with pytest.raises(Conflict), home.lock("correct"):
            pass
        return write(*given)

    monkeypatch.setattr(corrected, "write", held)
    services.correct(1, "loud", "quiet", "alice")


class Killed(BaseException):
    """As if the process had ended here."""


def test_killed_between_the_row_and_the_log_the_log_is_told_later(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    react()
    services.correct(2, "loud", "quiet", "alice")

    def die(*_given: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(events, "annotate", die)
        with pytest.raises(Killed):
            services.correct(1, "loud", "quiet", "alice")
        with pytest.raises(Killed):
            services.uncorrect(2, "loud")
    loaded()
    assert newest() == {1: ("loud", "loud"), 2: ("quiet", "staff")}
    assert services.tell_owed() == 2
    loaded()
    assert newest() == {1: ("quiet", "staff"), 2: ("loud", "loud")}
    assert services.tell_owed() == 0


def test_killed_while_an_account_is_set_apart_every_text_of_it_is_marked_later(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"), post("2", "ana", 2, "two"))
    react()

    def die(*_given: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(events, "annotate", die)
        with pytest.raises(Killed):
            services.decide(1, is_genuine=False, staff="alice")
    assert services.tell_owed() == 1
    loaded()
    assert {label for label, _model in newest("authenticity").values()} == {"left_out"}
    assert len(newest("authenticity")) == 2


def test_the_labels_given_most_are_offered_first(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud.gives = (dataclasses.replace(loud.gives[0], labels=()),)
    say(*[post(str(k), "ana", 1, f"text {k}") for k in range(3)])
    for seq, label in ((1, "a"), (2, "z"), (3, "z")):
        services.correct(seq, "loud", label, "alice")
    assert selectors.labels_offered() == {"loud": ("z", "a")}
    monkeypatch.setattr(spoken, "LABELS_MOST", 1)
    assert selectors.labels_offered() == {"loud": ("z",)}


def test_the_last_word_counts_and_remembers_what_the_model_said(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"))
    react()
    for label in ("quiet", "loud"):
        services.correct(1, "loud", label, "alice")
        loaded()
    kept = Correction.objects.get()
    assert (kept.label, kept.said, kept.version) == ("loud", "loud", "1")
    (confusion,) = selectors.confusions("loud")
    assert (confusion.counts, confusion.n_right) == ({("loud", "loud"): 1}, 1)


def test_what_a_newer_version_no_longer_says_no_reader_shows(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    services.run(["loud"])
    loud.version, loud.silent_on = "2", (1,)
    services.run(["loud"])
    assert newest() == {1: ("", "loud"), 2: ("loud", "loud")}
    page = selectors.texts_page(selectors.Wanted())
    assert {t.seq: [s.label for s in t.said] for t in page.texts} == {1: [], 2: ["loud"]}
    asked = selectors.texts_page(selectors.Wanted(name="loud"))
    assert [t.seq for t in asked.texts] == [2]


def test_pages_go_on_where_they_ended_newest_or_least_sure_first(say: Say, loud: Loud) -> None:
    say(*[post(str(k), "ana", 10 - k, f"text {k}", venue="here" if k % 2 else "there") for k in range(5)])
    react()
    for wanted, right in (
        (selectors.Wanted(), [5, 4, 3, 2, 1]),
        (selectors.Wanted(name="loud", label="loud"), [5, 4, 3, 2, 1]),
        (selectors.Wanted(name="loud", is_unsure_first=True), [5, 4, 3, 2, 1]),
        (selectors.Wanted(venue="here"), [4, 2]),
        (selectors.Wanted(name="loud", label="quiet"), []),
    ):
        seen, before = [], ""
        for _ in range(4):
            page = selectors.texts_page(wanted, before=before, limit=2)
            seen += [text.seq for text in page.texts]
            before = page.next
            if not before:
                break
        assert seen == right, wanted
    with pytest.raises(Invalid, match="damaged"):
        selectors.texts_page(selectors.Wanted(), before="yesterday")


def test_erasing_somebody_deletes_what_staff_said_of_their_texts(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    react()
    for seq in (1, 2):
        services.correct(seq, "loud", "quiet", "alice")
    loaded()
    ana = people.subject_of("mastodon:ana")
    assert ana is not None
    (section,) = forgetting.sections(Exporting((ana,), ("mastodon:ana",), (ana,)))
    assert [(row["about"], row["read as"]) for row in section.rows] == [("loud", "quiet")]
    certificate = consent.erase("mastodon:ana", by="alice")
    assert dict(certificate.counts)["corrections and labelled texts"] == 1
    assert [c.seq for c in Correction.objects.all()] == [2]


def test_every_field_of_said_is_told(say: Say) -> None:
    say(post("1", "ana", 1, "Terrible cable, it broke at once."))
    react()
    (text,) = selectors.texts_page(selectors.Wanted(name="sentiment")).texts
    shown = {s.name: dataclasses.asdict(s) for s in text.said}["sentiment"]
    assert "terrible" in shown["words"]
    assert shown["reason"].startswith("Reads as negative")
    assert (shown["by"], shown["model"]) == ("", "sentiment")
