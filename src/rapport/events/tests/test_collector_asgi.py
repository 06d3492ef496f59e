"""The collector over ASGI: who may send, what is answered, what is stored, and when."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from rapport.events.collector import Collector, asgi, commit
from rapport.events.collector.envelope import REQUEST_BYTES_MAX
from rapport.events.spool import SEGMENT, Range, Spool, hash_key
from rapport.events.tests.collecting import (
    KEY,
    Answer,
    Request,
    ask,
    batch,
    documents,
    post,
    running,
    stored,
)
from rapport.kit import clock, ids

TRACK = {"type": "track", "messageId": "m1", "event": "Order Completed", "userId": "ana"}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool" / "spool.sqlite3")
    made.create()
    made.add_write_key("shop", KEY)
    return made


def test_a_batch_is_stored_with_the_source_of_its_key(spool: Spool, noon: Any) -> None:
    (answer,) = ask(spool, batch(TRACK, TRACK | {"messageId": "m2"}))
    assert (answer.status, answer.json) == (200, {"success": True})
    (body,) = stored(spool)
    assert (body.kind, body.source, body.first, body.n) == (SEGMENT, "shop", 1, 2)
    assert body.received_at == clock.to_us(noon)
    assert documents(spool) == [{"batch": [TRACK, TRACK | {"messageId": "m2"}], "sentAt": None}]


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias"])
def test_each_kind_has_its_address_and_the_browser_library_a_short_one(spool: Spool, kind: str) -> None:
    message = {"messageId": "m1", "userId": "ana"}
    long, short = ask(spool, post(f"/v1/{kind}", message), post(f"/v1/{kind[0]}", message))
    assert (long.status, short.status) == (200, 200)
    kept = {"batch": [message | {"type": kind}], "sentAt": None}
    assert documents(spool) == [kept, kept]


def test_the_key_may_come_in_the_body_instead(spool: Spool) -> None:
    answers = ask(
        spool,
        post("/v1/track", TRACK | {"writeKey": KEY}, key=None),
        post("/v1/batch", {"batch": [TRACK], "writeKey": KEY}, key=None),
        post("/v1/b", {"batch": [TRACK], "writeKey": KEY}, key=None, headers={"authorization": "Bearer x"}),
    )
    assert [a.status for a in answers] == [200, 200, 200]
    assert {body.source for body in stored(spool)} == {"shop"}
    assert KEY not in json.dumps(documents(spool))


@pytest.mark.parametrize(
    "request_",
    [
        batch(TRACK, key="another"),
        batch(TRACK, key=""),
        batch(TRACK, key=None),
        batch(TRACK, key=None, headers={"authorization": "Basic !!!"}),
        batch(TRACK, key=None, headers={"authorization": "Basic /w=="}),
        post("/v1/track", TRACK | {"writeKey": "another"}, key=None),
        # Who is named in the header is meant, whatever the body says.
        post("/v1/track", TRACK | {"writeKey": KEY}, key="another"),
        # A stranger does not learn whether the body was well-formed.
        post("/v1/batch", b"{", key="another"),
    ],
)
def test_an_unknown_key_is_refused_and_nothing_stored(spool: Spool, request_: Request) -> None:
    (answer,) = ask(spool, request_)
    assert answer.status == 401
    assert "write key" in answer.json["error"]
    assert answer.json["hint"]
    assert stored(spool) == []


def test_a_new_key_works_at_once_and_a_revoked_one_within_two_seconds_no_more(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
    collector = Collector(spool)

    async def status(key: str) -> int:
        answer = await batch(TRACK, key=key).send_to(collector)
        assert answer
        return answer.status

    async def work() -> None:
        nonlocal now_s
        assert await status("later") == 401
        spool.add_write_key("site", "later")
        assert await status("later") == 200
        spool.revoke_write_key(hash_key("later"))
        assert await status("later") == 200
        now_s += 2.1
        assert await status("later") == 401

    running(collector, work)


def test_gzip_is_read(spool: Spool) -> None:
    body = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    (answer,) = ask(spool, post("/v1/batch", body, headers={"content-encoding": "GZIP"}))
    assert answer.status == 200
    assert documents(spool)[0]["batch"] == [TRACK]


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b" " * 50_000_000, mtime=0), 413),
        ("br", b"{}", 415),
        ("identity", json.dumps({"batch": [TRACK]}).encode(), 200),
    ],
)
def test_other_encodings(spool: Spool, encoding: str, body: bytes, status: int) -> None:
    (answer,) = ask(spool, post("/v1/batch", body, headers={"content-encoding": encoding}))
    assert answer.status == status


@pytest.mark.parametrize("length", [{}, {"content-length": "10000000"}])
def test_a_property_of_ten_megabytes_is_refused_and_read_to_its_end(
    spool: Spool, length: dict[str, str]
) -> None:
    request = Request("/v1/batch", [b"x" * 100_000] * 100, headers=length)
    large, next_one = ask(spool, request, batch(TRACK))
    assert large.status == 413
    assert "500 kB" in large.json["error"]
    assert next_one.status == 200
    assert len(stored(spool)) == 1


def test_a_request_of_the_greatest_size_is_taken_in_whatever_pieces_it_comes(spool: Spool) -> None:
    frame = len(json.dumps({"batch": [TRACK]}))
    body = json.dumps({"batch": [TRACK]}).encode() + b" " * (REQUEST_BYTES_MAX - frame)
    pieces = [body[i : i + 70_000] for i in range(0, len(body), 70_000)]
    whole, more = ask(spool, Request("/v1/batch", pieces), Request("/v1/batch", [*pieces, b" "]))
    assert (whole.status, more.status) == (200, 413)


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(spool: Spool) -> None:
    collector = Collector(spool)

    async def work() -> Answer | None:
        return await Request("/v1/batch", [b'{"batch":['], hangs_up=True).send_to(collector)

    assert running(collector, work) is None
    assert stored(spool) == []


def test_a_sender_that_stalls_is_let_go(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_WAIT_S", 0.01)
    (answer,) = ask(spool, Request("/v1/batch", [], headers={"content-length": "20"}))
    assert answer.status == 408


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("/v1/batch", b"{", "not JSON"),
        ("/v1/batch", b'{"batch":[]}', "empty"),
        ("/v1/batch", b'{"batch":[{"type":"track"},{}]}', "batch[1]"),
        ("/v1/track", b'{"event":"\xff"}', "not UTF-8"),
    ],
)
def test_a_refusal_says_what_and_what_to_do(spool: Spool, path: str, body: bytes, part: str) -> None:
    (answer,) = ask(spool, post(path, body))
    assert answer.status == 400
    assert part in answer.json["error"]
    assert answer.json["hint"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert stored(spool) == []


def test_browsers_of_any_origin_may_send(spool: Spool) -> None:
    preflight, sent = ask(spool, Request("/v1/batch", method="OPTIONS", key=None), batch(TRACK))
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert sent.headers["access-control-allow-origin"] == "*"


def test_other_methods_and_addresses(spool: Spool) -> None:
    got, lost, wrong = ask(
        spool,
        Request("/v1/track", method="GET"),
        Request("/v1/nothing"),
        Request("/livez"),
    )
    assert (got.status, got.headers["allow"]) == (405, "POST, OPTIONS")
    assert (lost.status, wrong.status) == (404, 404)
    assert "identify" in lost.json["hint"]


def test_requests_in_hand_together_share_a_commit(tmp_path: Path) -> None:
    class Slow(Spool):
        def append(self, bodies: Any) -> list[Range]:
            sizes.append(len(bodies))
            gate.wait(10)
            return super().append(bodies)

    sizes: list[int] = []
    gate = threading.Event()
    spool = Slow(tmp_path / "spool" / "spool.sqlite3")
    spool.create()
    spool.add_write_key("shop", KEY)
    collector = Collector(spool)

    async def work() -> list[Answer | None]:
        sending = [asyncio.create_task(batch(TRACK).send_to(collector)) for _ in range(40)]
        while collector.committer.waiting_bytes < 40 * 100:
            await asyncio.sleep(0.001)
        # Nothing is acknowledged before its commit.
        assert not any(task.done() for task in sending)
        gate.set()
        return await asyncio.gather(*sending)

    answers: list[Answer] = running(collector, work)
    assert {a.status for a in answers} == {200}
    assert sum(sizes) == 40
    assert len(sizes) <= 3
    assert spool.next_seq() == 41
    assert collector.committer.waiting_bytes == 0


def test_when_too_much_waits_the_sender_is_asked_to_come_back(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "WAITING_BYTES_MAX", -1)
    (answer,) = ask(spool, batch(TRACK))
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert stored(spool) == []


def test_a_full_disk_is_said_and_nothing_acknowledged_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    told = logging.Handler()
    told.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    # A logger of its own: whatever other tests made of the process's logging does not matter here.
    log = logging.Logger("commit")
    log.addHandler(told)
    monkeypatch.setattr("rapport.events.collector.commit.log", log)

    class Full(Spool):
        def append(self, bodies: Any) -> list[Range]:
            self.connection().execute(f"PRAGMA max_page_count = {pages}")
            return super().append(bodies)

    pages = 1
    spool = Full(tmp_path / "spool" / "spool.sqlite3")
    spool.create()
    spool.add_write_key("shop", KEY)
    collector = Collector(spool)
    large = [TRACK | {"properties": {"text": ids.token(15_000)}} for _ in range(10)]  # does not pack
    ready = Request("/readyz", method="GET")

    async def work() -> None:
        nonlocal pages
        refused = await batch(*large, TRACK).send_to(collector)
        assert refused
        assert refused.status == 503
        assert "full" in refused.json["error"]
        assert refused.headers["retry-after"] == "5"
        unready = await ready.send_to(collector)
        assert unready
        assert (unready.status, unready.json["ready"]) == (503, False)
        assert "full" in unready.json["reason"]
        pages = 100_000
        taken = await batch(TRACK).send_to(collector)
        again = await ready.send_to(collector)
        assert taken
        assert again
        assert (taken.status, again.status) == (200, 200)

    running(collector, work)
    assert [body.n for body in stored(spool)] == [1]
    assert spool.next_seq() == 2
    assert "full" in said[0]
    assert "can be written again" in said[-1]


def test_a_damaged_spool_is_said(spool: Spool) -> None:
    with sqlite3.connect(spool.path) as con:
        con.execute("DROP TABLE write_key")
    con.close()
    sent, ready = ask(spool, batch(TRACK), Request("/readyz", method="GET"))
    assert (sent.status, ready.status) == (503, 503)
    assert "write_key" in sent.json["error"]
    assert "write_key" in ready.json["reason"]


def test_without_a_spool_it_says_how_to_make_one(tmp_path: Path) -> None:
    (answer,) = ask(Spool(tmp_path / "nowhere" / "spool.sqlite3"), batch(TRACK))
    assert answer.status == 503
    assert "rapport init" in answer.json["hint"]


def test_stopping_stores_what_waits_and_refuses_what_comes_after(spool: Spool) -> None:
    collector = Collector(spool)

    async def life() -> tuple[list[Answer | None], Answer | None, Answer | None]:
        await collector.start()
        sending = [asyncio.create_task(batch(TRACK).send_to(collector)) for _ in range(20)]
        await asyncio.sleep(0)
        await collector.stop()
        late = await batch(TRACK).send_to(collector)
        ready = await Request("/readyz", method="GET").send_to(collector)
        return await asyncio.gather(*sending), late, ready

    answers, late, ready = asyncio.run(life())
    assert {a.status for a in answers if a} == {200}
    assert late
    assert ready
    assert (late.status, ready.status) == (503, 503)
    assert sum(body.n for body in stored(spool)) == 20


def test_stopping_does_not_wait_long_for_a_body(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "STOPPING_BODY_WAIT_S", 0.01)
    collector = Collector(spool)

    async def life() -> Answer | None:
        await collector.start()
        sending = asyncio.create_task(
            Request("/v1/batch", [], headers={"content-length": "9"}).send_to(collector)
        )
        await asyncio.sleep(0)
        await collector.stop()
        return await sending

    answer = asyncio.run(life())
    assert answer
    assert answer.status == 408


def test_metrics_count_what_happened(spool: Spool) -> None:
    here = Request("/metrics", method="GET", client="127.0.0.1", key=None)
    *_, metrics = ask(spool, batch(TRACK, TRACK), batch(TRACK), batch(), here)
    lines = dict(
        line.rsplit(" ", 1) for line in metrics.body.decode().splitlines() if not line.startswith("#")
    )
    assert lines['rapport_collector_requests_total{status="200"}'] == "2"
    assert lines['rapport_collector_requests_total{status="400"}'] == "1"
    assert lines["rapport_collector_events_total"] == "3"
    assert lines["rapport_collector_commits_total"] == "2"
    assert lines["rapport_collector_waiting_bytes"] == "0"
    assert float(lines["rapport_collector_commit_seconds_total"]) > 0


def test_metrics_are_for_this_machine_or_for_who_holds_the_token(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def status(client: str, **headers: str) -> int:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return ask(spool, Request("/metrics", method="GET", client=client, key=None, headers=named))[0].status

    assert status("127.0.0.1") == 200
    assert status("192.0.2.7") == 403
    assert status("127.0.0.1", x_forwarded_for="192.0.2.7") == 403
    monkeypatch.setenv("RAPPORT_METRICS_TOKEN", "secret")
    assert status("127.0.0.1") == 403
    assert status("192.0.2.7", authorization="Bearer secret") == 200
    assert status("192.0.2.7", authorization="Bearer other") == 403


def test_alive_and_ready(spool: Spool) -> None:
    alive, ready = ask(spool, Request("/livez", method="GET"), Request("/readyz", method="HEAD"))
    assert (alive.status, ready.status) == (200, 200)


def test_the_senders_address_is_stored_nowhere(spool: Spool) -> None:
    ask(spool, batch(TRACK, client="203.0.113.77", headers={"x-forwarded-for": "203.0.113.78"}))
    (body,) = stored(spool)
    assert b"203.0.113" not in (body.body or b"")
    assert "203.0.113" not in repr(body)


def test_the_application_speaks_lifespan(home: Path) -> None:
    from rapport.events import spool as spools
    from rapport.events.collector import app

    spools.current().add_write_key("shop", KEY)
    answers: list[Any] = []

    async def life() -> Answer | None:
        coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        going: asyncio.Queue[Any] = asyncio.Queue()
        living = asyncio.create_task(app({"type": "lifespan"}, coming.get, going.put))
        await coming.put({"type": "lifespan.startup"})
        answers.append((await going.get())["type"])
        answer = await batch(TRACK).send_to(app)
        await coming.put({"type": "lifespan.shutdown"})
        answers.append((await going.get())["type"])
        await living
        return answer

    answer = asyncio.run(life())
    assert answer
    assert answer.status == 200
    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert spools.current().next_seq() == 2


def test_a_basic_header_with_a_password_is_read_up_to_the_colon(spool: Spool) -> None:
    credentials = base64.b64encode(f"{KEY}:ignored:too".encode()).decode()
    (answer,) = ask(spool, batch(TRACK, key=None, headers={"authorization": f"basic {credentials}"}))
    assert answer.status == 200


def test_a_body_that_packs_well_comes_back_as_it_was(spool: Spool) -> None:
    messages = [TRACK | {"messageId": f"m{i}"} for i in range(200)]
    (answer,) = ask(spool, batch(*messages))
    assert answer.status == 200
    with sqlite3.connect(spool.path) as con:
        ((packed_bytes,),) = con.execute("SELECT length(body) FROM body").fetchall()
    con.close()
    (body,) = stored(spool)
    assert packed_bytes < len(body.body or b"") / 2
    assert documents(spool)[0]["batch"] == messages
