"""Texts are annotated as they arrive, once, and anew by a new version."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from rapport.events import lake, subscriptions
from rapport.events import services as events
from rapport.insights import handlers, selectors, services
from rapport.insights.contract import Gives
from rapport.insights.models import AnnotationCursor, Correction, Run
from rapport.insights.services import keeping
from rapport.insights.tests.conftest import NOW, Loud, Say, loaded, post, react, row, written
from rapport.kit.errors import Invalid, NotFound


def test_a_post_gets_language_and_sentiment_without_anybody_asking(say: Say) -> None:
    say(post("1", "ana", 1, "Das Kabel ist schrecklich, nie wieder!", venue="mastodon.example"))
    react()
    (language,) = written("language")
    (sentiment,) = written("sentiment")
    assert (language["label"], sentiment["label"]) == ("de", "negative")
    assert (sentiment["model"], sentiment["version"]) == ("sentiment", keeping.insight("sentiment").version)
    assert sentiment["value"] < 0 < sentiment["probability"]
    assert json.loads(sentiment["detail"])["words"]
    with lake.connect() as con:
        assert con.execute("SELECT seq, subject, ts FROM event").fetchall() == [
            (sentiment["seq"], sentiment["subject"], sentiment["ts"])
        ]


def test_our_own_words_and_silent_events_are_not_annotated(say: Say, loud: Loud) -> None:
    say(
        row("1", "message_sent", "customer:ana", 1, text="Hello Ana, your order is on its way"),
        row("2", "page_viewed", "customer:ana", 1),
        row("3", "till_closed", "customer:ana", 1, text="an event that no plan knows"),
    )
    react()
    assert [a["seq"] for a in written("loud")] == [3]
    assert loud.asked == [3]


def test_a_batch_given_again_is_annotated_once(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"), post("2", "bo", 1, "two"))
    subscriber = subscriptions.subscribers()[handlers.KEY]
    with lake.connect() as con:
        batch = subscriptions.read_batch(con, subscriber, 0, 2)
    handlers.on_texts(batch)
    handlers.on_texts(batch)
    loaded()
    assert loud.asked == [1, 2]
    assert len(written("loud")) == 2


def test_running_again_reads_only_what_is_new(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 2, "one"), post("2", "bo", 2, "two"))
    (first,) = services.run(["loud"])
    (second,) = services.run(["loud"])
    say(post("3", "ana", 1, "three"))
    (third,) = services.run(["loud"])
    assert [(s.state, s.n_in, s.n_out) for s in (first, second, third)] == [
        ("done", 2, 2),
        ("done", 0, 0),
        ("done", 1, 1),
    ]
    assert len(written("loud")) == 3


def test_a_new_version_reads_everything_anew_while_new_texts_are_served_first(
    say: Say, loud: Loud, pages_of_two: None
) -> None:
    say(*[post(str(k), "ana", 9, f"text {k}") for k in range(5)])
    react()
    loud.version, loud.asked = "2", []
    say(post("new", "bo", 1, "just said"))
    react()
    assert len(loud.asked) == 1, "what was just said does not wait for the old"
    cursor = AnnotationCursor.objects.get(version="2")
    assert cursor.done_seq == 0
    assert cursor.live_from is not None
    (summary,) = services.run(["loud"])
    assert (summary.n_in, summary.version) == (5, "2")
    by_version = [(a["seq"], a["version"]) for a in written("loud")]
    assert len(by_version) == len(set(by_version)) == 5 + 6
    assert selectors.card("loud").coverage.waiting == 0


def test_pages_that_end_within_the_log_leave_nothing_out(say: Say, loud: Loud, pages_of_two: None) -> None:
    quiet = [row(f"q{k}", "page_viewed", "customer:ana", 3) for k in range(3)]
    say(
        *quiet,
        *[post(str(k), "ana", 2, f"t{k}") for k in range(4)],
        *[{**q, "message_id": f"z{q['message_id']}"} for q in quiet],
    )
    seen: list[tuple[int, int | None, str]] = []
    services.run(["loud"], progress=lambda *step: seen.append(step))
    assert loud.asked == [4, 5, 6, 7]
    assert seen[-1][0] == seen[-1][1] == 10
    assert AnnotationCursor.objects.get().done_seq == 10


def test_a_crash_before_the_cursor_moves_repeats_and_one_before_the_log_forgets_nothing(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(post("1", "ana", 1, "one"))
    with monkeypatch.context() as broken:
        broken.setattr(events, "annotate", lambda table: (_ for _ in ()).throw(OSError("disk full")))
        (failed,) = services.run(["loud"])
    assert failed.state == "failed"
    assert "disk full" in failed.error
    assert AnnotationCursor.objects.get().done_seq == 0
    (done,) = services.run(["loud"])
    assert (done.state, done.n_out) == ("done", 1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("value", 1.5, "from 1.5 to 1.5"),
        ("label", "shouting", "labels loud 'shouting'"),
        ("writes", "volume", "writes 'volume'"),
        ("shift", 100, "texts it was not given"),
    ],
)
def test_a_model_that_breaks_its_word_fails_and_writes_nothing(
    say: Say, loud: Loud, field: str, value: object, message: str
) -> None:
    say(post("1", "ana", 1, "one"))
    setattr(loud, field, value)
    (summary,) = services.run(["loud"])
    assert summary.state == "failed"
    assert message in summary.error
    assert written("loud") == written("volume") == []


def test_an_unknown_model_is_named_with_those_there_are(say: Say) -> None:
    with pytest.raises(NotFound, match="rfm"):
        services.run(["clairvoyance"])
    assert Run.objects.count() == 0


def test_adapting_to_the_firms_labels_reads_the_old_texts_anew(say: Say, tmp_path: Any) -> None:
    say(post("1", "ana", 1, "got a quux today"))
    react()
    before, came = written("sentiment")[0]["label"], keeping.insight("sentiment").version
    file = tmp_path / "labels.csv"
    lines = [f"got a quux again number{k},negative\nthe zorp is here number{k},positive" for k in range(60)]
    file.write_text("text,feeling\n" + "\n".join(lines), encoding="utf-8")
    found = services.adapt("sentiment", file, label_column="feeling")
    assert (found.taught, found.version, found.n, found.before_version) == (True, f"{came}+1", 120, came)
    services.run(["sentiment"])
    newest = written("sentiment")[-1]
    assert (before, newest["label"], newest["version"]) != ("negative", "negative", came)
    assert (newest["label"], newest["version"]) == ("negative", f"{came}+1")
    assert selectors.card("sentiment").version == f"{came}+1"
    with pytest.raises(Invalid, match="no column 'label'; it has text, feeling"):
        services.adapt("sentiment", file)
    with pytest.raises(Invalid, match="learns from no labels"):
        services.adapt("rfm", file)
    with pytest.raises(Invalid, match="language learns nothing from labels"):
        services.adapt("language", file, label_column="feeling")


def test_what_was_learnt_is_kept_but_not_for_ever(db: None, noon: object) -> None:
    for k in range(keeping.KEPT + 4):
        keeping.keep("loud", f"1+{k}", b"x")
    kept = keeping.StoredModel.objects.filter(name="loud").order_by("id")
    assert [m.version for m in kept] == [f"1+{k}" for k in range(3, keeping.KEPT + 4)]
    assert [m.version for m in kept if m.is_active] == [f"1+{keeping.KEPT + 3}"]


def test_sentiment_by_day_and_venue_and_languages(say: Say) -> None:
    say(
        post("1", "ana", 3, "I love this, wonderful, thank you!", venue="a.example"),
        post("2", "bo", 3, "Terrible, awful, I hate it!", venue="a.example"),
        post("3", "chi", 1, "Schrecklich, furchtbar, nie wieder!", venue="b.example"),
        post("4", "chi", 99, "out of the asked time", venue="b.example"),
    )
    react()
    since = NOW.replace(hour=0) - 30 * (NOW - NOW.replace(day=1))
    days = selectors.sentiment_by_day(since, NOW)
    assert [
        (d.of.isoformat() if not isinstance(d.of, str) else d.of, d.n, d.n_negative, d.n_positive)
        for d in days
    ] == [
        ("2026-02-27", 2, 1, 1),
        ("2026-03-01", 1, 1, 0),
    ]
    assert all(-1 <= d.mean_low <= d.mean <= d.mean_high <= 1 for d in days)
    venues = selectors.sentiment_by_venue(since, NOW)
    assert [(v.of, v.n, v.n_negative) for v in venues] == [("a.example", 2, 1), ("b.example", 1, 1)]
    assert venues[1].mean < -0.5
    shares = selectors.language_shares(since, NOW)
    assert [(s.language, s.n, round(s.share, 3)) for s in shares] == [("en", 2, 0.667), ("de", 1, 0.333)]


def test_of_two_versions_the_newest_counts(say: Say, loud: Loud) -> None:
    loud.writes = "sentiment"
    loud.gives = (Gives("annotation", "sentiment", "x", -1, 1, ("negative", "positive"), "X."),)
    loud.label, loud.value = "negative", -1.0
    say(post("1", "ana", 1, "one"))
    services.run(["loud"])
    loud.version, loud.label, loud.value = "2", "positive", 1.0
    services.run(["loud"])
    (day,) = selectors.sentiment_by_day(NOW.replace(year=2025), NOW)
    assert (day.n, day.n_positive, day.mean) == (1, 1, 1.0)


def test_where_the_newest_word_on_a_text_has_no_value_an_older_one_is_not_shown(say: Say, loud: Loud) -> None:
    say(post("1", "ana", 1, "one"))
    services.run(["loud"])
    loud.version, loud.label, loud.value = "2", "quiet", None
    services.run(["loud"])
    assert shown_of_the_only_text() == ("quiet", None, "2")
    services.correct(1, "loud", "loud", "alice")
    services.uncorrect(1, "loud")
    loaded()
    assert shown_of_the_only_text() == ("quiet", None, "2")


def shown_of_the_only_text() -> tuple[str, float | None, str]:
    (text,) = selectors.texts_page(selectors.Wanted()).texts
    (said,) = text.said
    return said.label, said.value, said.version


def test_corrections_are_counted_by_the_database_and_each_model_has_its_own(
    db: None, loud: Loud, noon: dt.datetime, django_assert_num_queries: Any
) -> None:
    given = [("loud", "loud", "quiet")] * 3 + [
        ("loud", "quiet", "quiet"),
        ("loud:x", "loud", ""),
        ("tone", "a", "b"),
    ]
    Correction.objects.bulk_create(
        Correction(seq=k, name=name, label=label, said=said, made_at=noon)
        for k, (name, label, said) in enumerate(given)
    )
    with django_assert_num_queries(1) as asked:
        found = selectors.confusions("loud")
    assert "GROUP BY" in asked[0]["sql"]
    assert [(c.name, c.counts, c.n_right) for c in found] == [
        ("loud", {("loud", "quiet"): 3, ("quiet", "quiet"): 1}, 1),
        ("loud:x", {("loud", ""): 1}, 0),
    ]
    with django_assert_num_queries(1) as asked:
        assert selectors.n_corrections("loud") == 5
    assert "COUNT" in asked[0]["sql"]
