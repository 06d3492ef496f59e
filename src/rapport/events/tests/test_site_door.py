"""The visitors' door over ASGI: who may send, what is kept of whom, what is refused and said so."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from rapport.events.collector import Collector, door, refusals, script, sites
from rapport.events.spool import Spool
from rapport.events.tests.collecting import Answer, Request, ask, documents, running
from rapport.kit import clock, home, signing

KEY = "site_public"
ANA = "0123456789abcdef0123456789abcdef"
SHOP = "https://shop.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SITE: dict[str, Any] = {
    "source": "web-shop",
    "origins": [SHOP, "https://*.otter.example"],
    "before_consent": "count",
    "version": "v1",
    "purposes": [{"key": "analytics", "texts": {"en": ["Remember.", "t1"], "de": ["Merken.", "t2"]}}],
    "texts": {"en": {"title": "May we?"}, "de": {"title": "Dürfen wir?"}},
    "search": ["q"],
    "forms": ["newsletter"],
    "greeting": False,
    "slots": {"greeting": {"kind": "greeting", "content": {"en": {"text": "Hi", "named": "Hi, {name}"}}}},
}


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    made = Spool(tmp_path / "spool" / "spool.sqlite3")
    made.create()
    made.add_write_key("shop", "secret")
    publish()
    return made


def publish(**changes: Any) -> None:
    file = sites.location()
    file.parent.mkdir(exist_ok=True)
    withdrawn = changes.pop("withdrawn", [])
    document = {"sites": {KEY: SITE | changes}, "web": "https://rapport.example", "withdrawn": withdrawn}
    file.write_text(json.dumps(document))


def from_page(*messages: dict[str, Any], **more: Any) -> Request:
    headers = {"origin": SHOP, "user-agent": FIREFOX, "content-type": "text/plain", **more.pop("headers", {})}
    body = json.dumps({"key": more.pop("site_key", KEY), "sentAt": None, "batch": messages}).encode()
    return Request(
        "/c", [body], headers={k: v for k, v in headers.items() if v is not None}, key=None, **more
    )


def page(anonymous: str | None = None, **more: Any) -> dict[str, Any]:
    message = {"type": "page", "messageId": "m1", "timestamp": "2026-03-02T12:00:00Z"}
    message["properties"] = more.pop(
        "properties", {"path": "/wipers", "title": "Wipers", "referrer": "https://a.example/"}
    )
    return message | named(anonymous) | more


def named(anonymous: str | None, **allowed: bool) -> dict[str, Any]:
    if anonymous is None:
        return {}
    consent = {"categoryPreferences": allowed or {"analytics": True}}
    return {"anonymousId": anonymous, "context": {"consent": consent, "ip": "192.0.2.77"}}


def kept(spool: Spool) -> list[dict[str, Any]]:
    return [message for document in documents(spool) for message in document["batch"]]


def one(spool: Spool, request: Request) -> Answer:
    (answer,) = ask(spool, request)
    return answer


# The script


def test_the_script_is_small_enough_packed(capsys: pytest.CaptureFixture[str]) -> None:
    served = script.current()
    with capsys.disabled():
        print(f"\nvisitor script: {len(served.packed)} bytes packed, {len(served.plain)} plain")
    assert gzip.decompress(served.packed) == served.plain
    assert len(served.packed) <= script.BYTES_MAX


def test_the_script_keeps_to_the_habits_that_its_packing_needs() -> None:
    source = (Path(script.__file__).parent / "script.js").read_text(encoding="utf-8")
    assert "`" not in source
    assert '"' not in source.replace("// Rapport's", "")
    for line in source.splitlines():
        code = line.strip()
        if not code.startswith("//"):
            assert " //" not in code, code
            assert code.count("'") % 2 == 0, code
            assert not code or code[-1] in ";{}(,", code


def test_the_script_is_cached_by_its_tag_and_packed_where_that_is_understood(spool: Spool) -> None:
    plain = one(spool, Request("/c/r.js", method="GET", key=None))
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "max-age" in plain.headers["cache-control"]
    assert plain.headers["vary"] == "accept-encoding"
    assert plain.headers["access-control-allow-origin"] == "*"
    packed = one(spool, Request("/c/r.js", method="GET", key=None, headers={"accept-encoding": "br, gzip"}))
    assert gzip.decompress(packed.body) == plain.body
    again = {"if-none-match": f"W/{plain.headers['etag']}"}
    known = one(spool, Request("/c/r.js", method="GET", key=None, headers=again))
    assert (known.status, known.body) == (304, b"")
    assert one(spool, Request("/c/r.js", method="HEAD", key=None)).body == b""


# Its settings


def config(spool: Spool, query: str, **headers: str) -> Answer:
    collector = Collector(spool)

    async def work() -> Any:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def nothing() -> Any:
            raise AssertionError("a GET has no body to receive")

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/c/config",
            "query_string": query.encode(),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        }
        await collector(scope, nothing, send)
        return Answer(
            sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[1]["body"]
        )

    answer: Answer = running(collector, work)
    return answer


def test_the_script_is_told_in_the_pages_language(spool: Spool) -> None:
    german = config(spool, f"key={KEY}&lang=de-AT").json
    assert german["texts"] == {"title": "Dürfen wir?"}
    assert german["purposes"] == [["analytics", "Merken.", "t2"]]
    assert config(spool, f"key={KEY}&lang=ja").json["lang"] == "en"
    assert german["count"] is True


def test_nobody_is_greeted_by_name_where_the_site_does_not_greet(spool: Spool) -> None:
    assert config(spool, f"key={KEY}").json["slots"]["greeting"] == {"kind": "greeting", "text": "Hi"}
    publish(greeting=True)
    assert config(spool, f"key={KEY}").json["slots"]["greeting"]["named"] == "Hi, {name}"


def test_a_browser_that_asks_not_to_be_tracked_is_told_apart_also_by_caches(spool: Spool) -> None:
    plain, private = config(spool, f"key={KEY}"), config(spool, f"key={KEY}", sec_gpc="1")
    assert (plain.json["gpc"], private.json["gpc"]) == (False, True)
    assert config(spool, f"key={KEY}", dnt="1").json["gpc"] is True
    assert plain.headers["vary"] == "sec-gpc, dnt"
    assert plain.headers["etag"] != private.headers["etag"]
    assert config(spool, f"key={KEY}", if_none_match=plain.headers["etag"]).status == 304


def test_an_unknown_key_has_no_settings(spool: Spool) -> None:
    assert config(spool, "key=another").status == 404
    assert config(spool, "").status == 404
    assert {r.reason for r in refusals.read()} == {"unknown_key"}


# What is kept of whom


def test_who_allowed_it_is_an_event_of_that_browser(spool: Spool) -> None:
    answer = one(spool, from_page(page(ANA)))
    assert answer.json == {"success": True, "taken": 1, "refused": []}
    assert answer.headers["access-control-allow-origin"] == SHOP
    (message,) = kept(spool)
    assert message["anonymousId"] == ANA
    assert message["properties"]["title"] == "Wipers"
    assert message["context"] == {
        "channel": "web",
        "page": {"host": "shop.example"},
        "consent": {"categoryPreferences": {"analytics": True}},
    }
    assert documents(spool)[0]["door"] == "site"


@pytest.mark.parametrize(
    "who",
    [
        named(None),
        named(ANA, analytics=False, personalisation=True),
        {"anonymousId": ANA},
        {"anonymousId": ANA, "context": {"consent": "yes"}},
        {"anonymousId": "short", "context": {"consent": {"categoryPreferences": {"analytics": True}}}},
        {"anonymousId": ANA, "context": {"consent": {"categoryPreferences": {"analytics": "true"}}}},
    ],
)
def test_who_did_not_is_counted_without_anything_that_tells_them_apart(
    spool: Spool, who: dict[str, Any]
) -> None:
    assert one(spool, from_page(page() | who)).json["taken"] == 1
    (message,) = kept(spool)
    assert message["event"] == "page_counted"
    assert message["properties"] == {"path": "/wipers", "referrer": "https://a.example/"}
    assert set(message) == {"type", "event", "messageId", "timestamp", "context", "properties"}
    assert message["context"] == {"channel": "web", "page": {"host": "shop.example"}}


def test_where_the_firm_takes_nothing_before_consent_nothing_is_kept(spool: Spool) -> None:
    publish(before_consent="nothing")
    answer = one(spool, from_page(page(), {"type": "track", "event": "quote_requested"}))
    assert answer.json["taken"] == 0
    assert answer.json["refused"] == [["no_consent", "page"], ["no_consent", "quote_requested"]]
    assert documents(spool) == []


def test_only_pages_are_counted_of_who_did_not_allow_more(spool: Spool) -> None:
    search = {"type": "track", "event": "site_searched", "properties": {"query": "my illness"}}
    assert one(spool, from_page(search)).json["refused"] == [["no_consent", "site_searched"]]


def test_a_choice_on_the_banner_is_evidence_of_how_it_was_made(spool: Spool) -> None:
    properties = {"purpose": "analytics", "wording": "t1", "shown": "shop.example/wipers", "how": "confirmed"}
    chosen = {"type": "track", "event": "consent_granted", "anonymousId": ANA, "properties": properties}
    unnamed = {key: value for key, value in chosen.items() if key != "anonymousId"}
    assert one(spool, from_page(chosen, unnamed)).json["refused"] == [["no_consent", "consent_granted"]]
    (message,) = kept(spool)
    assert message["properties"] == properties | {"how": "banner"}


def test_an_answer_to_the_banner_is_counted_whoever_gave_it(spool: Spool) -> None:
    answered = {
        "type": "track",
        "event": "banner_answered",
        "anonymousId": ANA,
        "properties": {"choice": "refused"},
    }
    made_up = answered | {"properties": {"choice": "<b>"}}
    assert one(spool, from_page(answered, made_up)).json["refused"] == [["unknown_type", "banner_answered"]]
    (message,) = kept(spool)
    assert "anonymousId" not in message
    assert message["properties"] == {"choice": "refused", "version": "v1"}


def test_a_browser_whose_owner_took_it_back_elsewhere_is_told_to_forget(spool: Spool) -> None:
    publish(withdrawn=[sites.withdrawn_hash(f"anonymous:{ANA}")])
    answer = one(spool, from_page(page(ANA), {"type": "track", "event": "quote_requested", **named(ANA)}))
    assert answer.json["forget"] is True
    assert answer.json["refused"] == [["withdrawn", "quote_requested"]]
    assert ANA not in json.dumps(documents(spool))


def test_a_form_tells_its_values_only_where_the_firm_asked(spool: Spool) -> None:
    def sent(form: str) -> dict[str, Any]:
        properties = {"form": form, "fields": ["topic"], "values": {"topic": "wipers"}}
        return {"type": "track", "event": "form_sent", "properties": properties, **named(ANA)}

    one(spool, from_page(sent("newsletter"), sent("complaint")))
    asked, other = kept(spool)
    assert asked["properties"]["values"] == {"topic": "wipers"}
    assert other["properties"] == {"form": "complaint", "fields": ["topic"]}


# Who it is


def test_a_signed_link_and_a_signed_log_in_prove_who_it_is(spool: Spool) -> None:
    token = signing.sign("site", "email:ana@example.org", ttl=dt.timedelta(days=1))
    secret = sites.login_secret(KEY, sites.Site(source="web-shop"))
    proof = hmac.new(secret.encode(), b"1001", hashlib.sha256).hexdigest()
    one(
        spool,
        from_page(
            {"type": "identify", "token": token, **named(ANA)},
            {"type": "identify", "userId": "1001", "proof": proof, **named(ANA)},
        ),
    )
    link, login = kept(spool)
    assert link["context"]["rapport"] == {"proved": ["email:ana@example.org"], "evidence": "link"}
    assert login["context"]["rapport"] == {"proved": ["customer:1001"], "evidence": "login"}
    assert {m["anonymousId"] for m in (link, login)} == {ANA}
    assert all("userId" not in m and "token" not in m for m in (link, login))


@pytest.mark.parametrize(
    "claim",
    [
        {"userId": "1001"},
        {"userId": "1001", "proof": "00" * 32},
        {"userId": "1001", "proof": "é"},
        {"token": "made-up"},
        {"token": signing.sign("standing", "email:ana@example.org")},
        {},
    ],
    ids=["nothing", "another", "no-ascii", "made-up", "another-kind", "empty"],
)
def test_who_proves_nothing_is_not_believed(spool: Spool, claim: dict[str, str]) -> None:
    answer = one(spool, from_page({"type": "identify", **claim, **named(ANA)}))
    assert answer.json["refused"] == [["unproved", "identify"]]


def test_an_expired_link_proves_nothing(spool: Spool, noon: dt.datetime) -> None:
    token = signing.sign("site", "email:ana@example.org", ttl=dt.timedelta(days=1))
    with clock.frozen(noon + dt.timedelta(days=2)):
        answer = one(spool, from_page({"type": "identify", "token": token, **named(ANA)}))
    assert answer.json["refused"] == [["unproved", "identify"]]


def test_what_a_page_claims_was_proved_is_not_passed_on(spool: Spool) -> None:
    forged = page(ANA)
    forged["context"]["rapport"] = {"proved": ["customer:1"], "evidence": "login"}
    one(spool, from_page(forged))
    assert "rapport" not in kept(spool)[0]["context"]


# Who may send


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"origin": "https://evil.example"}, "foreign_origin"),
        ({"origin": "http://shop.example"}, "foreign_origin"),
        ({"origin": "https://otter.example"}, "foreign_origin"),
        ({"origin": "https://nototter.example"}, "foreign_origin"),
        ({"origin": "null"}, "no_origin"),
        ({"origin": None}, "no_origin"),
    ],
)
def test_only_the_sites_own_pages_send(spool: Spool, headers: dict[str, Any], reason: str) -> None:
    answer = one(spool, from_page(page(ANA), headers=headers))
    assert (answer.status, answer.json["error"]) == (403, reason)
    assert documents(spool) == []
    (seen,) = refusals.read()
    assert (seen.source, seen.reason, seen.origin) == (
        "web-shop",
        reason,
        (headers["origin"] or "").replace("null", ""),
    )


@pytest.mark.parametrize("origin", [SHOP, "https://www.otter.example", "https://a.b.otter.example"])
def test_allowed_pages_send(spool: Spool, origin: str) -> None:
    assert one(spool, from_page(page(ANA), headers={"origin": origin})).status == 200


def test_pages_on_the_collectors_own_host_always_send(spool: Spool) -> None:
    headers = {"origin": "http://rapport.test:8000", "host": "rapport.test:8001"}
    assert one(spool, from_page(page(ANA), headers=headers)).status == 200
    headers["host"] = "rapport.test.evil.example:8001"
    assert one(spool, from_page(page(ANA), headers=headers)).status == 403


def test_a_site_switched_off_and_a_key_of_nobody_are_refused(spool: Spool) -> None:
    assert one(spool, from_page(page(ANA), site_key="another")).status == 401
    # What servers hold opens nothing here, and what pages hold opens nothing there.
    assert one(spool, from_page(page(ANA), site_key="secret")).status == 401
    body = json.dumps({"batch": [{"type": "track", "event": "a_b", "userId": "1"}]}).encode()
    assert one(spool, Request("/v1/batch", [body], key=KEY)).status == 401
    publish(is_on=False)
    assert one(spool, from_page(page(ANA))).json["error"] == "switched_off"


def test_a_machine_is_set_apart(spool: Spool) -> None:
    bot = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    one(spool, from_page(page(ANA), {"type": "track", "event": "form_sent", **named(ANA)}, headers=bot))
    (message,) = kept(spool)
    assert message["event"] == "page_crawled"
    assert message["properties"] == {"bot": "Googlebot", "path": "/wipers"}
    assert ANA not in json.dumps(message)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, ""),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
            "",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Cubot KingKong) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
            "",
        ),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0) Chrome/116 Safari/537.36",
            "bingbot",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
            "HeadlessChrome",
        ),
        ("curl/8.5.0", "curl"),
        ("", "unnamed"),
    ],
)
def test_machines_are_known_by_what_they_call_themselves(user_agent: str, name: str) -> None:
    assert door.machine(user_agent) == name


def test_a_flood_is_refused_with_a_time_to_wait_and_others_pass(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
    collector = Collector(spool)
    collector.site.limit.burst = 3

    async def status(client: str, **headers: str) -> Answer:
        answer = await from_page(page(ANA), client=client, headers=headers).send_to(collector)
        assert answer
        return answer

    async def work() -> None:
        nonlocal now_s
        # One network: the last 8 bits make no difference.
        assert [(await status(f"192.0.2.{i}")).status for i in range(4)] == [200, 200, 200, 429]
        assert int((await status("192.0.2.9")).headers["retry-after"]) >= 1
        assert (await status("192.0.3.1")).status == 200
        assert (await status("127.0.0.1", **{"x-forwarded-for": "203.0.113.5, 192.0.2.200"})).status == 429
        # Only a proxy of ours is believed.
        assert (await status("198.51.100.1", **{"x-forwarded-for": "192.0.2.1"})).status == 200
        now_s += 60
        assert (await status("192.0.2.1")).status == 200

    running(collector, work)
    assert "too_often" in {r.reason for r in refusals.read()}


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.77", "192.0.2.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
        ("unix", ""),
    ],
)
def test_an_address_is_cut_before_anything_sees_it(peer: str, network: str) -> None:
    assert door.network_of(peer, "") == network


def test_no_address_is_kept_anywhere(spool: Spool) -> None:
    one(spool, from_page(page(ANA), client="192.0.2.177"))
    one(spool, from_page(page(ANA), client="192.0.2.177", headers={"origin": "https://evil.example"}))
    ask(spool)
    for file in home.root().rglob("*"):
        if file.is_file():
            assert b"192.0.2" not in file.read_bytes(), file


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"key":"a","batch":[]}', b'{"key":"a","batch":[1]}', b"\xff"]
)
def test_what_cannot_be_read_is_refused(spool: Spool, body: bytes) -> None:
    answer = one(spool, Request("/c", [body], key=None, headers={"origin": SHOP}))
    assert answer.status == 400
    assert answer.json["hint"]


def test_too_much_at_once_is_refused(spool: Spool) -> None:
    assert one(spool, from_page(*[page(ANA)] * 101)).status == 400
    large = page(ANA, properties={"path": "x" * 40_000})
    assert one(spool, from_page(large)).json["refused"] == [["too_large", "page"]]
    assert one(spool, from_page(large, large)).status == 413


def test_a_published_file_in_pieces_leaves_the_sites_as_they_were(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
    found = sites.Sites()
    assert found.of_key(KEY)
    sites.location().write_text('{"sites": {')
    now_s += 3
    assert found.of_key(KEY)
    sites.location().unlink()
    now_s += 3
    assert found.of_key(KEY) is None


def test_what_is_below_the_door_and_not_there_says_so(spool: Spool) -> None:
    assert one(spool, Request("/c/else", method="GET", key=None)).status == 404
    preflight = one(spool, Request("/c", method="OPTIONS", key=None))
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")
