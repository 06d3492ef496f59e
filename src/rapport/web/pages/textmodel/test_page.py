from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tasks_db.models import DBTaskResult

from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.components import modelcard
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint

LINES = [
    f"got a quux again in {w},negative\nthe zorp is here in {w},positive"
    for w in map(str, "abcdefghijklmnopqrstuvwxyz")
]


@pytest.fixture
def labels() -> SimpleUploadedFile:
    return SimpleUploadedFile("mine.csv", ("text,feeling\n" + "\n".join(LINES)).encode(), "text/csv")


def test_a_model_is_taught_on_screen_and_taken_back(
    alice: Staff, say: Say, labels: SimpleUploadedFile
) -> None:
    client = logged_in(alice)
    page = client.get("/text-models/sentiment/")
    html = page.content.decode()
    assert "0 labelled texts are there" in html
    assert "Model card" in html
    assert "Learnt from" in html
    client.post("/text-models/sentiment/labels/", {"file": labels, "column": "feeling", "of": "sentiment"})
    (kept,) = insights.labelled_files("sentiment")
    assert kept.labels == {"negative": 26, "positive": 26}
    client.post("/text-models/sentiment/teach/")
    jobs.run_due()
    page = client.get("/text-models/sentiment/")
    told = page.context["lesson"]
    assert told.taught
    assert [(one.label, one.n) for one in told.gained] == [("negative", "26"), ("positive", "26")]
    serves = next(v for v in page.context["versions"] if v.serves)
    assert serves.version.endswith("+1")
    assert serves.by == alice.email
    client.post("/text-models/sentiment/back/", {"version": serves.version.partition("+")[0]})
    page = client.get("/text-models/sentiment/")
    assert [v.serves for v in page.context["versions"]] == [False, True]


def test_too_few_labels_are_refused_with_how_many_are_needed(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post("/text-models/sentiment/teach/")
    jobs.run_due()
    told = client.get("/text-models/sentiment/").context["lesson"]
    assert not told.taught
    assert "it takes 50" in told.sentence


def test_what_became_of_a_lesson_is_not_that_of_the_one_before(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post("/text-models/sentiment/teach/")
    jobs.run_due()
    client.post("/text-models/sentiment/teach/")
    page = client.get("/text-models/sentiment/")
    assert page.context["lesson"] is None
    assert "being taught now" in page.content.decode()


def test_a_model_that_learns_nothing_offers_no_lesson(alice: Staff, say: Say) -> None:
    html = logged_in(alice).get("/text-models/language/").content.decode()
    assert "learns nothing from labels" in html
    assert "Teach it now" not in html


def test_asked_twice_it_is_taught_once(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    for name in ("sentiment", "sentiment", "intent"):
        client.post(f"/text-models/{name}/teach/")
    waiting = DBTaskResult.objects.filter(task_path__endswith=".teach_model")
    assert sorted(given["args"][0] for given in waiting.values_list("args_kwargs", flat=True)) == [
        "intent",
        "sentiment",
    ]


def test_what_staff_says_stands_beside_what_the_model_had_said(alice: Staff, say: Say) -> None:
    first = spool.current().next_seq()
    say(
        *[
            touchpoint("post_published", "mastodon:bo@example.social", ts=MONDAY, text=t)
            for t in ("Terrible!", "Awful!")
        ]
    )
    subscriptions.drain()
    events.settle(spool.current().next_seq() - 1)
    services.correct(first, "sentiment", "positive", "alice")
    services.correct(first + 1, "sentiment", "negative", "alice")
    client = logged_in(alice)
    (table,) = client.get("/text-models/sentiment/").context["tables"]
    assert "right about" in table.finding
    urls = {
        (row.label, column): cell.url
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }
    assert len(client.get(urls["positive", "negative"]).context["texts"]) == 1
    listed = client.get("/text-models/").content.decode()
    assert "2 texts corrected or confirmed by staff" in listed


def test_a_reading_is_stopped_and_goes_on(alice: Staff, bob: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post("/text-models/sentiment/reading/", {"do": "stop"})
    assert client.get("/text-models/").context["models"]
    assert next(s for s in services.reading.standings() if s.model == "sentiment").is_paused
    client.post("/text-models/sentiment/reading/", {"do": "go"})
    assert not next(s for s in services.reading.standings() if s.model == "sentiment").is_paused
    assert logged_in(bob).post("/text-models/sentiment/teach/").status_code == 403


def test_a_wrong_file_is_refused_in_words(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    for name, content, said in (
        ("labels.doc", b"x", "no table known here"),
        ("labels.csv", b"text,label\nfine,splendid\n", "is no sentiment"),
        ("mine.csv", b"words,label\nfine,positive\n", "mine.csv has no column"),
        ("mine.csv", b"", "mine.csv is empty"),
        ("mine.csv", "text,label\nschön,positive\n".encode("latin-1"), "mine.csv is not in UTF-8"),
        ("mine.parquet", b"no table", "mine.parquet cannot be read"),
    ):
        answer = client.post(
            "/text-models/sentiment/labels/",
            {"file": SimpleUploadedFile(name, content)},
            headers={"Referer": "http://testserver/text-models/sentiment/?from=list"},
        )
        assert answer.status_code == 400
        html = answer.content.decode()
        assert said in html
        assert "/tmp" not in html
        assert 'href="/text-models/sentiment/?from=list">Back</a>' in html
    assert insights.labelled_files("sentiment") == []


def test_a_card_is_text_and_not_markup() -> None:
    html = modelcard.rendered(
        "# Title\n\n## Part\n\nA `code` and **bold** <script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two"
    )
    assert html == (
        "<h3>Part</h3><p>A <code>code</code> and <strong>bold</strong> &lt;script&gt;</p>"
        '<div class="table-box"><table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr></tbody></table></div><ul><li>one</li><li>two</li></ul>"
    )
