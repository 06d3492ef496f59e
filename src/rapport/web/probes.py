"""What a supervisor asks: does it live, can it serve, how does it fare."""

from __future__ import annotations

import hmac

import duckdb
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.http import require_safe

from rapport.events import lake
from rapport.events import selectors as events
from rapport.kit import clock, home
from rapport.kit.errors import RapportError
from rapport.staff.rules import Right
from rapport.web.access import may, public

TEXT = "text/plain; charset=utf-8"


@public
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type=TEXT)


@public
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """The stores answer too; what does not is named, with what to do."""
    broken = [line for line in (_operational(), _lake()) if line]
    return HttpResponse("\n".join(broken or ["ok"]) + "\n", status=503 if broken else 200, content_type=TEXT)


def _operational() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM staff_staff LIMIT 1")
    except DatabaseError as error:
        return f"operational store: {error}"
    return ""


def _lake() -> str:
    try:
        con = lake.connect()
        try:
            con.execute("SELECT 1 FROM event LIMIT 1")
        finally:
            con.close()
    except (duckdb.Error, RapportError) as error:
        return f"lake: {error}"
    return ""


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format, version 0.0.4: for staff who see Health, or for whoever holds the token.

    Where no RAPPORT_METRICS_TOKEN is set, a collector on this machine may read it without one; behind a
    proxy on this machine set the token, since there every request comes from it.
    """
    if not (may(request, Right.SEE_HEALTH) or _is_collector(request)):
        return HttpResponseForbidden("Send the token RAPPORT_METRICS_TOKEN as a bearer.\n", content_type=TEXT)
    state = events.log_state()
    since = state.oldest_waiting_at
    lines: list[str] = []
    for name, help_text, value in (
        ("events_accepted", "Sequence number that the next event gets.", state.next_seq),
        ("events_loaded", "Sequence number up to which events are in the lake.", state.loaded_seq),
        ("events_waiting", "Events accepted and not yet in the lake.", state.waiting),
        (
            "events_waiting_s",
            "Age of the oldest of them.",
            (clock.now() - since).total_seconds() if since else 0,
        ),
        ("loader_running", "Whether a loader holds its lock.", int(state.loader_runs)),
        ("spool_bytes", "Size of the spool.", state.spool_bytes),
        ("lake_bytes", "Size of the lake's files.", state.lake_bytes),
        ("lake_files", "Number of the lake's files.", state.lake_files),
        ("quarantine_waiting", "Refused touchpoints that wait for a decision.", state.quarantine_waiting),
    ):
        lines += _gauge(name, help_text, [("", value)])
    subscribers = events.subscriber_states()
    lines += _gauge(
        "subscriber_lag",
        "Events between a subscriber and the lake's head.",
        [(f'{{key="{s.key}"}}', s.lag) for s in subscribers],
    )
    lines += _gauge(
        "subscriber_failing",
        "Whether a subscriber's last run failed.",
        [(f'{{key="{s.key}"}}', int(bool(s.failing_since))) for s in subscribers],
    )
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _gauge(name: str, help_text: str, samples: list[tuple[str, float]]) -> list[str]:
    full = f"rapport_{name}"
    head = [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
    return head + [f"{full}{labels} {value:g}" for labels, value in samples]


def _is_collector(request: HttpRequest) -> bool:
    token = home.env("METRICS_TOKEN")
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    is_here = request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}
    return is_here and "X-Forwarded-For" not in request.headers
