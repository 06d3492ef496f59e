"""Facts hold our own drafts and other people's words; notices say who is concerned; drafts say what sources say."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http import server as http_server

import pyarrow as pa
import pytest

from rapport.consent import selectors as consent
from rapport.consent.services import recipients
from rapport.events import rules, subscriptions
from rapport.events import services as events
from rapport.kit import clock, secret
from rapport.kit.errors import Conflict, Denied, Invalid
from rapport.knowledge import selectors, services
from rapport.knowledge.models import Endpoint
from rapport.knowledge.rules import checking, drafting, files
from rapport.knowledge.tests.conftest import BY

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
RANGE = checking.KnownFact("range", "The Kolt e-Brio goes 300 km on a charge.", ("e-Brio",), ("km", "range"))
TESTED = checking.KnownFact(
    "tested", "Our brake pads were tested by the inspectorate.", ("brake pads",), ("tested",)
)


def codes(text: str, language: str = "en", **changes: object) -> list[tuple[str, str]]:
    known = [
        checking.KnownPrice("Wiper blades", 2490, "EUR", NOW - dt.timedelta(hours=changes.pop("age", 2)))
    ]
    found = checking.check_draft(text, language, [RANGE, TESTED], known, NOW, **changes)
    return [(f.code, f.words) for f in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Our world-class blades help.", [("spin", "world-class")]),
        ("They are the best blades.", [("superlative", "best")]),
        ("We guarantee that it fits.", [("promise", "we guarantee")]),
        ("Wiper blades cost 24.90 EUR.", []),
        ("Wiper blades cost 19,90 €.", [("wrong_price", "19,90 €")]),
        ("They last 3 years.", [("claim_without_fact", "3 years")]),
        ("The e-Brio goes 300 km.", []),
        ("The e-Brio goes 400 km.", [("claim_without_fact", "400 km"), ("contradicts_fact", "The e-Brio goes 400 km.")]),
        ("Turn the blades round once and clean the glass.", []),
        ("Write to us on Monday at 9:30, we are here until 18:00.", []),
    ],
)  # fmt: skip
def test_a_draft_is_looked_at_for_what_it_says_too_much(text: str, expected: list[tuple[str, str]]) -> None:
    assert codes(text) == expected


def test_a_stale_price_is_told_from_a_fresh_one() -> None:
    assert codes("Wiper blades cost 24.90 EUR.", age=30) == [("stale_price", "24.90 EUR")]


def test_what_a_source_says_needs_no_fact() -> None:
    assert codes("They last 3 years.", sources=["They last 3 years."]) == []


def test_an_expired_fact_bears_nothing_out() -> None:
    over = checking.KnownFact(
        "x", "The e-Brio goes 300 km.", ("e-Brio",), ("km",), valid_until=dt.date(2026, 3, 1)
    )
    found = checking.check_draft("The e-Brio goes 300 km.", "en", [over], [], NOW)
    assert {f.code for f in found} == {"expired_fact", "claim_without_fact"}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("The e-Brio only goes 150 km, don't buy it", "range"),
        ("these brake pads were never tested by anybody", "tested"),
        ("Does the e-Brio go 150 km?", ""),
        ("I heard the e-Brio goes 150 km", ""),
        ("The e-Brio goes 300 km, not 150 km", ""),
        ("The Nordling goes 150 km", ""),
        ("I drove the e-Brio 2 years", ""),
        ("My brake pads were tested, all fine", ""),
        ("My brake pads squeal", ""),
        ("If the brake pads were not tested I would not buy them", ""),
    ],
)
def test_only_a_plain_contradiction_is_flagged(text: str, fact: str) -> None:
    found = checking.contradictions(text, "en", [RANGE, TESTED], NOW)
    assert [c.fact for c in found] == ([fact] if fact else [])


@pytest.mark.parametrize("language", drafting.languages())
def test_a_draft_keeps_to_its_language_and_length(language: str) -> None:
    line = drafting.Line("Wiper blades", "Gearhaven", "24,90 EUR", "02.03.2026", is_ours=False)
    piece = drafting.Piece(
        "k", "entry", "T", "Clean the glass. Turn the blades round.", language, (line,), "https://x.example/a"
    )
    whole = drafting.from_template([piece], drafting.Wanted(language))
    words = drafting.phrases(language)
    assert whole.text.startswith(words["formal"])
    assert "24,90 EUR" in whole.text
    assert words["not_ours"] in whole.text
    assert not whole.is_cut
    short = drafting.from_template([piece], drafting.Wanted(language, length_max=60))
    assert short.is_cut
    assert len(short.text) <= 60
    assert "Clean the glass." in short.text


def test_what_does_not_fit_ends_with_a_sentence() -> None:
    assert drafting.shortened("Clean the glass. Turn the blades round.", 20) == "Clean the glass."
    assert drafting.shortened("Cleaning everything thoroughly", 12) == "Cleaning…"


def test_figures_are_one_in_every_spelling() -> None:
    assert {drafting.figure(f) for f in ("1,234.50", "1.234,50", "1234.5")} == {"1234.5"}
    assert checking.prices("€ 1.299, 24,90 Euro and 12000원") == [
        (129900, "EUR", "€ 1.299"), (2490, "EUR", "24,90 Euro"), (12000, "KRW", "12000원"),
    ]  # fmt: skip


def test_files_of_several_shapes_are_read() -> None:
    as_csv = b"doc_id,question,answer\n1,How a?,So.\n1,And a?,\n2,How b?,Thus.\n"
    held = files.read(as_csv, "k.csv")
    assert [(e.key, e.wordings, dict(e.solutions)) for e in held.entries] == [
        ("1", ("How a?", "And a?"), {"en": "So."}), ("2", ("How b?",), {"en": "Thus."}),
    ]  # fmt: skip
    assert files.read(files.as_json(held.entries).encode()).entries == held.entries
    assert files.questions(b'["a?", {"text": "b?"}]') == ["a?", "b?"]
    assert files.questions(b"a?\n\nb?\n") == ["a?", "b?"]
    with pytest.raises(Invalid, match="column key"):
        files.read(b"a,b\n1,2\n")


class Model:
    """A model's endpoint on loopback, which says what it was told to."""

    def __init__(self) -> None:
        self.says, self.status = "", 200
        self.asked: list[tuple[str, str | None, object]] = []
        outer = self

        class Handler(http_server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked.append((self.path, self.headers.get("authorization"), json.loads(body)))
                answer = json.dumps({"choices": [{"message": {"content": outer.says}}]}).encode()
                self.send_response(outer.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_given: object) -> None:
                """Say nothing."""

        self.server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    made = Model()
    yield made
    made.server.shutdown()
    made.server.server_close()


def register(host: str) -> None:
    recipients.register_recipient(
        name="Words Ltd", kind="endpoint", host=host, fields=["question"], purpose="service", by=BY
    )


@pytest.mark.usefixtures("known")
def test_a_model_is_only_asked_where_customers_can_read_of_it(model: Model) -> None:
    with pytest.raises(Denied, match="registered"):
        services.set_endpoint(f"http://{model.host}", "small", by=BY)
    register(model.host)
    services.set_endpoint(f"http://{model.host}/v1", "small", by=BY, key="secret")
    model.says = "Turn the blades round [1]."
    made = services.draft(["wipers-judder"], "@shop my wipers judder, ana@example.org", language="en")
    assert (made.text, made.by, made.cites, made.sent) == (
        "Turn the blades round.", "small", ("wipers-judder",), ("question",),
    )  # fmt: skip
    ((path, key, asked),) = model.asked
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert "ana@example.org" not in json.dumps(asked)
    assert consent.recipients()[0].n_sent == 1


@pytest.mark.usefixtures("known")
def test_a_key_that_is_kept_goes_to_no_other_server(model: Model) -> None:
    register(model.host)
    register("model.other.example")
    services.set_endpoint(f"http://{model.host}/v1", "small", by=BY, key="secret")
    with pytest.raises(Invalid, match="another server"):
        services.set_endpoint("https://model.other.example/v1", "small", by=BY)
    assert Endpoint.objects.get().url == f"http://{model.host}/v1"
    services.set_endpoint(f"http://{model.host}", "large", by=BY)  # the same server keeps it
    assert Endpoint.objects.get().sealed
    services.set_endpoint("https://model.other.example/v1", "small", by=BY, key="other")
    assert secret.unseal(Endpoint.objects.get().sealed) == "other"


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("says", "status", "why"),
    [
        ("Turn them round.", 200, "names no source"),
        ("Turn them round [4].", 200, "was not given"),
        ("", 200, "no text"),
        ("Turn them [1]", 500, "status 500"),
        ("long " * 2_000 + "[1]", 200, "longer than asked"),
    ],
)
def test_our_own_words_stand_where_a_model_fails(model: Model, says: str, status: int, why: str) -> None:
    register(model.host)
    services.set_endpoint(f"http://{model.host}", "small", by=BY)
    model.says, model.status = says, status
    made = services.draft(["wipers-judder"], "They judder", language="en")
    assert made.by == "template"
    assert "Clean the glass" in made.text
    assert any(why in note for note in made.notes)


@pytest.mark.usefixtures("known")
def test_a_figure_that_no_source_has_is_marked(model: Model) -> None:
    register(model.host)
    services.set_endpoint(f"http://{model.host}", "small", by=BY)
    model.says = "They cost 24.90 EUR [1] and last 7 years [1], see https://elsewhere.example/x"
    made = services.draft(["wipers-judder"], "They judder", language="en")
    assert made.unfounded == ("7", "https://elsewhere.example/x")
    assert ("claim_without_fact", "7 years") in {(f.code, f.words) for f in made.findings}


@pytest.mark.usefixtures("known")
def test_nothing_is_drafted_from_what_is_gone() -> None:
    with pytest.raises(Invalid, match="nothing to draft"):
        services.draft(["gone"], "?", language="en")


def record(*rows: dict[str, object]) -> None:
    table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
    span = events.record(table, source="test")
    events.settle(span.first + span.n - 1)
    subscriptions.drain()


def touchpoint(number: int, name: str, identifier: str, **columns: object) -> dict[str, object]:
    properties = json.dumps(columns.pop("properties", {}))
    return {
        "message_id": f"m{number}",
        "name": name,
        "ts": NOW,
        "identifier": identifier,
        "properties": properties,
        **columns,
    }


@pytest.mark.usefixtures("home", "db")
def test_a_post_against_a_fact_is_flagged_and_goes_with_its_author() -> None:
    from rapport.consent import erasers
    from rapport.knowledge import handlers

    services.write_fact(
        "range",
        services.FactWritten(RANGE.statement, "Kolt, data sheet", dt.date(2026, 1, 5), ["e-Brio"], ["km"]), by=BY,
    )  # fmt: skip
    record(
        touchpoint(1, "post_published", "bluesky:bo", text="The e-Brio only does 150 km!"),
        touchpoint(2, "post_published", "bluesky:chi", text="The e-Brio does 300 km, nice"),
    )
    (flag,) = selectors.flags()
    assert (flag.identifier, flag.fact, flag.text) == ("bluesky:bo", "range", "The e-Brio only does 150 km!")
    assert handlers.erase(erasers.Erasing((1,), ("bluesky:bo",), ("h",))) == 1
    assert selectors.flags() == []


@pytest.mark.usefixtures("home", "db")
def test_a_notice_concerns_those_with_an_open_order_alone() -> None:
    with clock.frozen(NOW):
        order = {"order_id": "1", "items": [{"product_code": "W1", "category": "wipers"}], "country": "DE"}
        record(
            touchpoint(1, "order_placed", "customer:1", properties=order),
            touchpoint(2, "order_placed", "customer:2", properties=order | {"country": "FR"}),
            touchpoint(3, "order_placed", "customer:3", properties=order | {"items": [{"category": "oil"}]}),
            touchpoint(4, "order_placed", "customer:4", properties=order, ts=NOW - dt.timedelta(days=40)),
            touchpoint(5, "order_placed", "customer:5", properties=order),
            touchpoint(6, "order_refunded", "customer:5", properties=order),
        )
        slug = services.write_notice(
            "",
            services.NoticeWritten(
                {"en": "Late"}, {"en": "Flooded."}, BY, products=["wipers"], countries=["de"]
            ),
            by=BY,
        )
        with clock.frozen(NOW + dt.timedelta(hours=1)):
            assert [a.identifier for a in selectors.affected(slug)] == ["customer:1"]
            services.publish_notice(slug, by=BY)
            assert [n.slug for n in selectors.notices_now()] == [slug]
            services.update_notice(slug, {"en": "It leaves tomorrow."}, by=BY)
            services.end_notice(slug, by=BY)
            with pytest.raises(Conflict):
                services.publish_notice(slug, by=BY)
            assert selectors.notice(slug).updates[0].text("de") == "It leaves tomorrow."
