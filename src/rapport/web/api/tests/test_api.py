"""The API: tokens and scopes, people for a purpose, consent, events, and errors in words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.test import Client

from rapport.consent import selectors as consent
from rapport.consent import services as consenting
from rapport.events import selectors as events
from rapport.events import spool
from rapport.people import selectors as people
from rapport.people import services as deciding
from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.staff.rules import Scope
from rapport.web.api import auth
from rapport.web.api.people import forget_warrants
from rapport.web.conftest import MONDAY, Say, identified, touchpoint

pytestmark = pytest.mark.django_db


class Caller:
    """A system of the firm that calls with a token."""

    def __init__(self, text: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {text}"} if text else {})

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = self.client.get(f"/api{path}", query)
        assert answer.status_code == status, answer.content
        return answer.json()

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = self.client.post(f"/api{path}", json.dumps(body), content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Rates and warrants are a process's own."""
    auth.rate.forget()
    forget_warrants()
    yield
    auth.rate.forget()
    forget_warrants()


def caller(by: Staff, *scopes: str, **fields: Any) -> Caller:
    return Caller(staff.create_token(by, name="shop", scopes=scopes, **fields)[1])


@pytest.fixture
def machine(alice: Staff) -> Caller:
    return caller(alice, *Scope)


def test_without_a_token_nothing_opens_and_it_says_how(client: Client) -> None:
    for path in (
        "/people?purpose=analytics",
        "/health",
        "/token",
        "/consent?identifier=email:a&purpose=marketing",
    ):
        answer = client.get(f"/api{path}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Bearer TOKEN" in answer.json()["hint"]
    assert Caller("rpt_wrong").get("/token", 401)["message"].startswith("This token is unknown")


def test_a_logged_in_browser_is_no_token(client: Client, alice: Staff) -> None:
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/token").status_code == 401


def test_each_endpoint_opens_to_its_scope_alone(alice: Staff, home: Any) -> None:
    opened = {
        Scope.PEOPLE_READ: ("get", "/people/customer:404", {"purpose": "analytics"}, 404),
        Scope.CONSENT_READ: ("get", "/purposes", {}, 200),
        Scope.HEALTH_READ: ("get", "/health", {}, 200),
        Scope.CONSENT_WRITE: ("post", "/suppressions/lift", {"identifier": "email:x@example.org"}, 200),
        Scope.EVENTS_WRITE: ("post", "/events", {}, 400),
    }
    for held in opened:
        one = caller(alice, held)
        for scope, (verb, path, given, status) in opened.items():
            expected = status if scope == held else 403
            if verb == "get":
                one.get(path, expected, **given)
            else:
                one.post(path, given, expected)


def test_a_token_says_what_it_opens(alice: Staff) -> None:
    one = caller(alice, Scope.HEALTH_READ, machine=False)
    said = one.get("/token")
    assert (said["scopes"], said["staff"], said["per_minute"]) == (["health:read"], "alice@example.com", 600)


def test_who_asks_too_often_is_told_how_long_to_wait(alice: Staff) -> None:
    one = caller(alice, Scope.HEALTH_READ, per_minute=2)
    other = caller(alice, Scope.HEALTH_READ)
    one.get("/token")
    one.get("/token")
    answer = one.client.get("/api/token")
    assert answer.status_code == 429
    assert 20 <= int(answer.headers["Retry-After"]) <= 30
    other.get("/token")


def test_a_person_is_read_for_a_purpose(ana: int, machine: Caller) -> None:
    found = machine.get("/people/email:ana@example.org", purpose="analytics")
    assert (found["id"], found["display_name"], found["is_partial"]) == (ana, "Ana Ruiz", False)
    assert found["identifiers"] == ["customer:1", "email:ana@example.org", "mastodon:ana@example.social"]
    country = next(t for t in found["traits"] if t["name"] == "country")
    assert (country["value"], country["origin"], country["identifier"]) == ("ES", "declared", "customer:1")
    assert machine.get("/people", purpose="analytics", search="ana")["people"][0]["id"] == ana


def test_without_consent_nobody_is_shown(ana: int, machine: Caller) -> None:
    for path in ("/people/customer:1", "/people/customer:1/timeline"):
        refused = machine.get(path, 403, purpose="marketing")
        assert "may not be read for marketing" in refused["message"]
    assert machine.get("/people", purpose="marketing") == {"people": [], "next": "", "n_hidden": 1}
    assert machine.get("/people", purpose="marketing", search="ana")["n_hidden"] == 1
    consenting.grant("email:ana@example.org", "marketing", how="form")
    assert machine.get("/people/customer:1", purpose="marketing")["display_name"] == "Ana Ruiz"
    assert [p["id"] for p in machine.get("/people", purpose="marketing")["people"]] == [ana]
    consenting.withdraw("email:ana@example.org", "marketing", how="form")
    machine.get("/people/customer:1", 403, purpose="marketing")


def test_consent_shows_no_probable_half(ana: int, say: Say, machine: Caller) -> None:
    say(identified("customer:9", name="Ana R", country="PT"), touchpoint("form_sent", "customer:9"))
    import pyarrow as pa

    pair = {"a": [people.subject_of("customer:1")], "b": [people.subject_of("customer:9")]}
    table = pa.table({**pair, "confidence": [0.97], "evidence": ["similar"]})
    deciding.propose(table, source="model", accept_from=0.9)
    consenting.grant("customer:9", "marketing", how="form")
    found = machine.get("/people/customer:1", purpose="marketing")
    assert found["is_partial"]
    assert (found["identifiers"], found["display_name"], found["scores"]) == (["customer:9"], "", [])
    assert {t["identifier"] for t in found["traits"]} == {"customer:9"}
    happened = machine.get("/people/customer:1/timeline", purpose="marketing")["events"]
    assert {e["name"] for e in happened} == {"person_identified", "form_sent"}
    assert machine.get("/people", purpose="marketing")["n_hidden"] == 1


def test_a_timeline_is_paged_to_its_end(ana: int, machine: Caller) -> None:
    seen: list[int] = []
    before = ""
    while True:
        page = machine.get("/people/customer:1/timeline", purpose="analytics", limit=2, before=before)
        seen += [event["seq"] for event in page["events"]]
        before = page["next"]
        if not before:
            break
    assert len(seen) == len(set(seen)) == 5
    bought = machine.get("/people/customer:1/timeline", purpose="analytics", kinds="bought")["events"]
    assert [(e["name"], e["value_minor"], e["currency"]) for e in bought] == [("order_placed", 8450, "EUR")]


def test_people_are_paged_to_their_end(say: Say, machine: Caller) -> None:
    say(*(identified(f"customer:{i}", name=f"Person {i}") for i in range(7)))
    seen: list[int] = []
    cursor = ""
    while True:
        page = machine.get("/people", purpose="analytics", limit=3, cursor=cursor)
        seen += [row["id"] for row in page["people"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 7


def test_who_writes_in_public_alone_is_nobody_here(say: Say, machine: Caller) -> None:
    say(touchpoint("post_published", "mastodon:bo@example.social", text="Hm."))
    machine.get("/people/mastodon:bo@example.social", 404, purpose="analytics")
    machine.get("/people/mastodon:bo@example.social/timeline", 404, purpose="analytics")
    machine.get("/people", 400, purpose="analytics", kind="author")
    assert machine.get("/people", purpose="analytics", search="bo@example.social")["people"] == []


def test_reading_is_written_down_once_an_hour(ana: int, machine: Caller) -> None:
    from django.db import connection

    for _ in range(3):
        machine.get("/people/customer:1", purpose="analytics")
    machine.get("/people/customer:1", 403, purpose="research")
    with connection.cursor() as cursor:
        cursor.execute("SELECT purpose, why FROM consent_warranted WHERE minted_by = 'token shop'")
        assert sorted(cursor.fetchall()) == [("analytics", "API"), ("research", "API")]


def test_a_purpose_must_be_named_and_be_one(ana: int, machine: Caller) -> None:
    missing = machine.get("/people/customer:1", 400)
    assert "purpose" in missing["message"]
    assert missing["fields"] == ["query", "purpose"]
    assert "no purpose" in machine.get("/people/customer:1", 404, purpose="resale")["message"]


def test_what_somebody_says_counts_when_it_answers(ana: int, machine: Caller) -> None:
    asked = {"identifier": "email:ana@example.org", "purpose": "marketing", "channel": "email"}
    assert machine.get("/consent", **asked)["reason"] == "no_consent"
    evidence = {"how": "form", "shown": "https://shop.example/newsletter", "wording": "2026-1"}
    made = machine.post("/consent/grant", {**asked, **evidence})
    said = machine.get("/consent", **asked)
    assert (said["allowed"], said["reason"], said["suppressed"]) == (True, "granted", None)
    (row,) = machine.get("/consent/ledger", identifier="customer:1")
    assert row["id"] == made["id"]
    assert (row["how"], row["shown"], row["wording"], row["source"]) == (*evidence.values(), "api shop")
    machine.post("/consent/withdraw", asked)
    assert machine.get("/consent", **asked)["reason"] == "withdrawn"
    machine.post("/consent/deny", {**asked, "purpose": "research"})
    assert not consent.allows("customer:1", "research", "email").allowed


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"purpose": "resale"}, 404),
        ({"channel": "pigeon"}, 400),
        ({"identifier": "ana"}, 400),
        ({"identifier": "phone:call me"}, 400),
        ({"at": "2199-01-01T00:00:00Z"}, 400),
        ({"at": "2026-03-02T12:00:00"}, 400),
        ({"how": "staff"}, 400),
    ],
)
def test_a_statement_that_makes_no_sense_is_refused_in_words(
    home: Any, machine: Caller, changes: dict[str, Any], status: int
) -> None:
    asked = {"identifier": "email:ana@example.org", "purpose": "marketing", "channel": "email", **changes}
    refused = machine.post("/consent/grant", asked, status)
    assert refused["message"]
    assert refused["hint"]


def test_sending_is_stopped_and_allowed_again(home: Any, machine: Caller) -> None:
    who = {"identifier": "email:ana@example.org"}
    machine.post("/suppressions", {**who, "channel": "email", "reason": "complained"})
    assert machine.get("/consent", **who, purpose="service", channel="email")["suppressed"] == "complained"
    (row,) = machine.get("/suppressions", **who)
    assert (row["channel"], row["reason"], row["by"], row["lifted_at"]) == (
        "email",
        "complained",
        "token shop",
        None,
    )
    (row,) = machine.post("/suppressions/lift", who, 200)
    assert row["lifted_at"]
    assert machine.get("/consent", **who, purpose="service", channel="email")["suppressed"] is None


def event(**changes: Any) -> dict[str, Any]:
    return {
        "message_id": "1",
        "name": "order_placed",
        "ts": MONDAY.isoformat(),
        "identifier": "Customer:1".lower(),
        "also": ["email:Ana@Example.org"],
        "evidence": "order",
        "value_minor": 995,
        "currency": "EUR",
        "properties": {"order_id": "7"},
        **changes,
    }


def test_events_are_recorded_once_and_reach_the_timeline(say: Say, machine: Caller) -> None:
    made = machine.post("/events", {"source": "till", "events": [event(), event(message_id="2")]})
    machine.post("/events", {"source": "till", "events": [event()]})
    assert made["n"] == 2
    say(touchpoint("form_sent", "customer:1"))
    happened = machine.get("/people/email:ana@example.org/timeline", purpose="analytics", kinds="bought")[
        "events"
    ]
    assert [(e["source"], e["value_minor"], e["properties"]) for e in happened] == [
        ("till", 995, {"order_id": "7"})
    ] * 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"properties": {}}, "order_id"),
        ({"properties": {"order_id": 7}}, "order_id"),
        ({"ts": "1980-01-01T00:00:00Z"}, "timestamp"),
        ({"ts": "2026-03-02 noon"}, "ts"),
        ({"identifier": "phone:call me"}, "identifier"),
        ({"name": "Order Placed"}, "name"),
        ({"name": "message_sent", "properties": {}}, "recorded by messaging"),
        ({"value_minor": 2**70}, "value_minor"),
        ({"properties": {"order_id": "7", "note": "x" * 40_000}}, "properties"),
    ],
)
def test_one_wrong_event_refuses_the_request_and_says_which(
    home: Any, machine: Caller, changes: dict[str, Any], said: str
) -> None:
    before = spool.current().next_seq()
    refused = machine.post("/events", {"source": "till", "events": [event(), event(**changes)]}, 400)
    assert said in refused["message"]
    assert "1" in refused["message"]
    assert spool.current().next_seq() == before
    assert sum(events.quarantine_counts().values()) == 0


def test_a_request_is_opened_once_and_followed(ana: int, machine: Caller) -> None:
    asked = {"ref": "email:ana@example.org", "kind": "access", "note": "By telephone."}
    made = machine.post("/requests", asked)
    assert (made["state"], made["opened_by"], made["days_left"]) == ("open", "token shop", 30)
    assert machine.post("/requests", asked)["id"] == made["id"]
    assert [row["id"] for row in machine.get("/requests")] == [made["id"]]
    assert machine.get(f"/requests/{made['id']}")["note"] == "By telephone."
    machine.get("/requests/018f0000-0000-7000-8000-000000000000", 404)
    machine.get("/requests/nonsense", 400)
    machine.post("/requests", {**asked, "kind": "applause"}, 400)


def test_surveys_tell_what_the_answers_come_to(ana: int, say: Say, machine: Caller) -> None:
    from rapport.surveys import services as surveys
    from rapport.surveys.rules import Definition

    assert machine.get("/surveys") == []
    machine.get("/surveys/nowhere/results", 404, purpose="research")
    surveys.create("thanks", Definition(languages=("en",)), by="alice@example.com")
    assert [row["slug"] for row in machine.get("/surveys")] == ["thanks"]
    assert machine.get("/surveys/thanks/results", purpose="analytics")["n_answers"] == 0


def test_health_names_what_is_wrong(home: Any, machine: Caller) -> None:
    said = machine.get("/health")
    assert said["state"] == "warn"  # nothing runs beside this test
    assert {check["name"] for check in said["checks"]} >= {"Data folder", "Lake"}


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "{}", '{"source": 1}', "\ud800"])
def test_a_body_that_is_none_is_refused_in_words(home: Any, machine: Caller, body: str) -> None:
    answer = machine.client.post(
        "/api/events", body.encode("utf-8", "surrogatepass"), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_what_is_not_there_is_said_as_json(machine: Caller) -> None:
    for path in ("/", "/persons", "/people/a/b/c"):
        assert "there is nothing" in machine.get(path, 404)["message"].lower()
    assert machine.client.put("/api/events").status_code == 405


def test_the_document_describes_every_endpoint_and_its_answers(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["info"]["title"] == "Rapport"
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            assert operation["summary"], (path, verb)
            assert operation["security"], (path, verb)
            assert {"400", "401", "403", "429"} <= operation["responses"].keys(), (path, verb)
            scope = operation["description"].rpartition("Scope: `")[2].rstrip("`.")
            assert scope in set(Scope) or path == "/api/token", (path, verb)


def test_the_page_that_shows_it_takes_nothing_from_elsewhere(client: Client) -> None:
    answer = client.get("/api/docs")
    html = answer.content.decode()
    assert "//" not in html.replace("https://json-schema.org", "")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for part in html.split('"'):
        if part.startswith("/static/"):
            with closing(client.get(part)) as file:
                assert file.status_code == 200, part


def test_tokens_that_ended_open_nothing(alice: Staff, noon: dt.datetime) -> None:
    made, text = staff.create_token(alice, name="till", scopes=[Scope.HEALTH_READ], days=1)
    one = Caller(text)
    one.get("/token")
    staff.revoke_token(alice, made.pk)
    one.get("/token", 401)
