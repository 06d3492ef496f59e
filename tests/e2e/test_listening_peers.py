"""The connectors against the real servers of their networks, on loopback, where those are installed.

`tests/e2e/peers/README.md` says how to install them. Each is started by the test that needs it, and ended.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import imaplib
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rapport.kit import clock, http, registry
from rapport.kit.http import Request
from rapport.listening import contract
from rapport.listening.contract import Draft, Media, Said
from rapport.listening.tests import serving
from rapport.listening.tests.drawing import drawn
from rapport.messaging.tests.loopback import Loopback

PEERS = Path(os.environ.get("PEERS", "/nowhere"))
HERE = Path(__file__).parent / "peers"
PATIENCE_S = 30.0  # for a server that has just begun, on a machine that does other things as well
QUESTION, ANSWER, THANKS = "My lantern flickers. What can I do?", "Dry the wick.", "That worked, thank you!"

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"), reason="it needs no store"
)


class Peer:
    """One network with an account of ours and Ana: what she does there, and what the connector makes of it."""

    connector: str
    deletes = True

    def __init__(self, values: dict[str, Any]) -> None:
        self.plugin: Any = registry.plugin(contract.KIND, self.connector).offers
        self.config = self.plugin.config(**values)
        self.cursor, self.memory = "", dict[str, Any]()

    @property
    def context(self) -> contract.Context:
        return serving.context(words=("lantern",), memory=self.memory)

    def say(self, text: str, answers: Said | None = None) -> Any:
        """Ana says something, perhaps in answer to what we said."""
        raise NotImplementedError

    def take_back(self, said: Any) -> None:
        """Ana deletes what she said."""
        raise NotImplementedError

    def shown(self, posted: str) -> list[str]:
        """The alternative texts of the pictures that Ana sees with a post of ours."""
        raise NotImplementedError

    def read(self) -> list[Said]:
        found = []
        for page in self.plugin.fetch(self.config, self.cursor, self.context):
            self.cursor = page.cursor
            found += page.said
        return found

    def wait_for(self, text: str, kind: str = "") -> Said:
        """What says that, once it comes."""
        until = clock.monotonic_s() + PATIENCE_S
        while clock.monotonic_s() < until:
            for said in self.read():
                if (text and text in said.text) or said.kind == kind:
                    return said
            clock.sleep(0.2)
        raise AssertionError(f"{text or kind!r} did not come within {PATIENCE_S} s")


def ask(url: str, method: str, body: Any = None, token: str = "", way: str = "POST") -> Any:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    sent = json.dumps(body).encode() if body is not None else None
    answer = http.fetch(Request(f"{url}/{method}", way, sent, headers), permits=lambda _: None)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int, process: subprocess.Popen[Any]) -> None:
    """Come back once somebody listens there."""
    until = clock.monotonic_s() + PATIENCE_S * 2
    while clock.monotonic_s() < until:
        assert process.poll() is None, "the peer ended at once"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        clock.sleep(0.2)
    raise AssertionError("the peer does not listen")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a program that ends with the test."""
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    running: list[subprocess.Popen[Any]] = []

    def begin(command: Sequence[str | Path], **more: Any) -> subprocess.Popen[Any]:
        quiet = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "stdin": subprocess.DEVNULL,
            **more,
        }
        process = subprocess.Popen(list(map(str, command)), **quiet)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


class Sky(Peer):
    connector = "bluesky"

    def __init__(self, told: Any) -> None:
        self.server, ana, shop = told["server"], told["people"]["ana"], told["people"]["shop"]
        super().__init__(
            {"server": self.server, "handle": shop["handle"], "app_password": shop["app_password"]}
        )
        opened = {"identifier": ana["handle"], "password": ana["password"]}
        self.did = ana["did"]
        self.token = ask(self.server, "xrpc/com.atproto.server.createSession", opened)["accessJwt"]

    def say(self, text: str, answers: Said | None = None) -> Any:
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": clock.now().isoformat()}
        if answers:
            found = ask(
                self.server, f"xrpc/app.bsky.feed.getPosts?uris={answers.id}", token=self.token, way="GET"
            )
            parent = found["posts"][0]
            here = {"uri": parent["uri"], "cid": parent["cid"]}
            record["reply"] = {"root": parent["record"].get("reply", {}).get("root", here), "parent": here}
        body = {"repo": self.did, "collection": "app.bsky.feed.post", "record": record}
        return ask(self.server, "xrpc/com.atproto.repo.createRecord", body, self.token)["uri"]

    def take_back(self, said: Any) -> None:
        body = {"repo": self.did, "collection": "app.bsky.feed.post", "rkey": said.rpartition("/")[2]}
        ask(self.server, "xrpc/com.atproto.repo.deleteRecord", body, self.token)

    def shown(self, posted: str) -> list[str]:
        until = clock.monotonic_s() + PATIENCE_S
        while clock.monotonic_s() < until:
            found = ask(
                self.server, f"xrpc/app.bsky.feed.getPosts?uris={posted}", token=self.token, way="GET"
            )
            if found["posts"]:
                return [one["alt"] for one in found["posts"][0]["embed"]["images"]]
            clock.sleep(0.2)
        raise AssertionError("the post is not seen")


@pytest.fixture
def sky(start: Any) -> Peer:
    if not (PEERS / "atproto" / "node_modules" / "@atproto" / "dev-env").is_dir():
        pytest.skip("@atproto/dev-env is not installed under $PEERS/atproto")
    if not (os.environ.get("DB_POSTGRES_URL") and os.environ.get("REDIS_HOST")):
        pytest.skip("DB_POSTGRES_URL and REDIS_HOST do not say where Bluesky's stores are")
    command = ["node", HERE / "bluesky.mjs", PEERS / "atproto"]
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in process.stdout:
        if line.startswith(b'{"server"'):
            return Sky(json.loads(line))
    raise AssertionError("the network did not begin")


class Toots(Peer):
    connector = "mastodon"

    def __init__(self, server: str) -> None:
        self.server = server
        shop, ana = (
            ask(server, "api/v1/_mock/dev_user", {"username": name}) for name in ("ottershop", "otterana")
        )
        super().__init__({"server": server, "access_token": shop["access_token"], "timeline": "local"})
        self.token = ana["access_token"]

    def say(self, text: str, answers: Said | None = None) -> Any:
        body = {"status": f"@ottershop {text}" if answers else text}
        body |= {"in_reply_to_id": answers.id.partition("@")[0]} if answers else {}
        return ask(self.server, "api/v1/statuses", body, self.token)["id"]

    def take_back(self, said: Any) -> None:
        ask(self.server, f"api/v1/statuses/{said}", token=self.token, way="DELETE")

    def shown(self, posted: str) -> list[str]:
        number = posted.partition("@")[0]
        found = ask(self.server, f"api/v1/statuses/{number}", token=self.token, way="GET")
        return [one["description"] for one in found["media_attachments"]]


@pytest.fixture
def toots(start: Any) -> Peer:
    program = PEERS / "mastodon" / "bin" / "mastodon_mock"
    if not program.exists():
        pytest.skip("mastodon-mock is not installed under $PEERS/mastodon")
    port = free_port()
    listens(port, start([program, "serve", "--in-memory", "--host", "127.0.0.1", "--port", str(port)]))
    return Toots(f"http://127.0.0.1:{port}")


class Rooms(Peer):
    connector = "matrix"

    def __init__(self, server: str) -> None:
        self.server = f"{server}/_matrix/client/v3"
        auth = {"type": "m.login.dummy"}
        shop, self.ana, bo = (
            ask(self.server, "register", {"username": name, "password": f"pw-{name}", "auth": auth})
            for name in ("shop", "ana", "bo")
        )
        values = {"server": server, "account": shop["user_id"], "password": "pw-shop", "accepts": "server"}
        super().__init__(values)
        wanted = {"preset": "public_chat", "invite": [shop["user_id"], bo["user_id"]]}
        self.room = ask(self.server, "createRoom", wanted, self.ana["access_token"])["room_id"]
        ask(self.server, f"join/{self.room}", {}, bo["access_token"])
        self.read()

    def say(self, text: str, answers: Said | None = None) -> Any:
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if answers:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": answers.id.partition("/")[2]}}
        where = f"rooms/{self.room}/send/m.room.message/{len(text)}"
        return ask(self.server, where, content, self.ana["access_token"], "PUT")["event_id"]

    def take_back(self, said: Any) -> None:
        ask(self.server, f"rooms/{self.room}/redact/{said}/1", {}, self.ana["access_token"], "PUT")

    def shown(self, posted: str) -> list[str]:
        where = f"rooms/{posted.partition('/')[0]}/messages?dir=b&limit=20"
        found = ask(self.server, where, token=self.ana["access_token"], way="GET")
        events = [one["content"] for one in reversed(found["chunk"]) if one["type"] == "m.room.message"]
        return [one["body"] for one in events if one.get("msgtype") == "m.image"]


@pytest.fixture
def rooms(start: Any, tmp_path: Path) -> Peer:
    python = PEERS / "synapse" / "bin" / "python"
    if not (PEERS / "synapse" / "bin" / "synapse_homeserver").exists():
        pytest.skip("matrix-synapse is not installed under $PEERS/synapse")
    port = free_port()
    module = [python, "-m", "synapse.app.homeserver"]
    made = [
        "--server-name",
        "otter.example",
        "--generate-config",
        "--report-stats=no",
        "--config-path",
        "all.yaml",
    ]
    subprocess.run([*module, *made, "--data-directory", "."], cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "all.yaml").read_text()
    kept = text[: text.index("listeners:")] + text[text.index("database:") :]
    more = {
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "resources": [{"names": ["client"]}],
            }
        ],
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "rc_registration": {"per_second": 100, "burst_count": 100},
    }
    (tmp_path / "all.yaml").write_text(
        kept.replace('trusted_key_servers:\n  - server_name: "matrix.org"', "")
    )
    (tmp_path / "more.yaml").write_text(json.dumps({**more, "trusted_key_servers": []}))
    listens(port, start([*module, "-c", "all.yaml", "-c", "more.yaml"], cwd=tmp_path))
    return Rooms(f"http://127.0.0.1:{port}")


class Letters(Peer):
    connector = "email"
    deletes = False

    def __init__(self, imap: int, smtp: int) -> None:
        self.smtp = smtp
        values = {
            "host": "127.0.0.1",
            "port": imap,
            "security": "none",
            "login_name": "shop",
            "password": "a-password",
            "sent_folder": "Sent",
            "keeps_sent": "us",
            "from_address": "shop@otter.example",
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp,
            "smtp_security": "none",
            "timeout_s": 10,
        }
        super().__init__(values)

    def say(self, text: str, answers: Said | None = None) -> Any:
        number = f"{len(text)}@maker.example"
        line = f"In-Reply-To: <{answers.id}>\r\n" if answers else ""
        raw = f"From: ana@maker.example\r\nSubject: Lamp\r\nMessage-ID: <{number}>\r\n{line}\r\n{text}\r\n"
        with smtplib.SMTP("127.0.0.1", self.smtp) as smtp:
            smtp.sendmail("ana@maker.example", ["shop@otter.example"], raw)
        return number


class Carrier:
    """An SMTP server that puts mail into Dovecot's folders."""

    def __init__(self, imap: int) -> None:
        self.imap = imap

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        for to in envelope.rcpt_tos:
            box = imaplib.IMAP4("127.0.0.1", self.imap)
            box.login(to.partition("@")[0], "a-password")
            box.append("INBOX", "", imaplib.Time2Internaldate(clock.now()), envelope.original_content)
            box.logout()
        return "250 2.0.0 taken"


DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password=a-password
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
  }}
}}
"""


@pytest.fixture
def letters(start: Any) -> Iterator[Peer]:
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if program is None or os.geteuid() != 0:
        pytest.skip("Dovecot is not installed, or may not change to the accounts it runs as")
    # Its sockets are named by their whole path, of which the system takes a hundred letters.
    folder, port = Path(tempfile.mkdtemp(prefix="dovecot-")), free_port()
    for name in ("run", "mail", "state"):
        (folder / name).mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    folder.chmod(0o755)  # what it starts runs as other accounts
    (folder / "all.conf").write_text(DOVECOT.format(folder=folder, port=port))
    running = start([program, "-F", "-c", folder / "all.conf"])
    listens(port, running)
    smtp = Loopback(Carrier(port))
    smtp.start()
    peer = Letters(port, smtp.port)
    yield peer
    if "mailbox" in peer.memory:
        peer.memory["mailbox"].close()
    smtp.stop()
    running.terminate()
    running.wait(20)
    shutil.rmtree(folder)


@pytest.mark.parametrize("network", ["sky", "toots", "rooms", "letters"])
def test_a_question_arrives_is_answered_once_and_thanked_for(
    network: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer: Peer = request.getfixturevalue(network)
    module = sys.modules.get(f"rapport.plugins.connectors.{peer.connector}.reading")
    for name in ("RECHECK_EVERY", "OWN_EVERY"):
        if hasattr(module, name):  # what a firm waits a minute for
            monkeypatch.setattr(module, name, dt.timedelta(seconds=1))
    assert not [f for f in peer.plugin.findings(peer.config, peer.context) if f.state == "bad"]
    peer.read()

    began_s = clock.monotonic_s()
    asked = peer.say(QUESTION)
    question = peer.wait_for(QUESTION)
    print(f"{peer.plugin.title}: heard after {clock.monotonic_s() - began_s:.1f} s")
    assert not question.is_ours

    draft = Draft(
        "0190f5c8c0de7000a000000000000001",
        ANSWER,
        in_reply_to=question.id,
        thread=question.thread,
        to=question.author,
        venue=question.venue,
        language="en",
        subject_line=question.subject_line,
        is_private=question.is_private,
    )
    receipt = peer.plugin.publish(peer.config, draft, peer.context)
    if peer.plugin.manners.publishes_once:
        assert peer.plugin.publish(peer.config, draft, peer.context).id == receipt.id
    found = peer.plugin.find(peer.config, draft, peer.context)
    assert found is not None
    assert found.id == receipt.id

    ours = Said(receipt.id, "post", clock.now(), "")
    peer.say(THANKS, ours)
    thanks = peer.wait_for(THANKS)
    assert (thanks.in_reply_to, thanks.asks_us) == (receipt.id, True)

    if peer.deletes:
        peer.take_back(asked)
        assert peer.wait_for("", "deletion").about == question.id


@pytest.mark.parametrize("network", ["sky", "toots", "rooms"])
def test_pictures_go_along_once_and_others_see_what_they_show(
    network: str, request: pytest.FixtureRequest
) -> None:
    peer: Peer = request.getfixturevalue(network)
    if network == "rooms":
        peer.config = dataclasses.replace(peer.config, posts_to=peer.room)  # type: ignore[attr-defined]
    draft = Draft(
        "0190f5c8c0de7000a000000000000002",
        "The lantern is back.",
        venue=peer.plugin.network,
        language="en",
        media=(
            Media(drawn(320, 240), "image/jpeg", "A lantern with a green shade.", 320, 240),
            Media(drawn(200, 300, "PNG"), "image/png", "The same lantern, lit.", 200, 300),
        ),
    )
    receipt = peer.plugin.publish(peer.config, draft, peer.context)
    assert peer.plugin.publish(peer.config, draft, peer.context).id == receipt.id
    found = peer.plugin.find(peer.config, draft, peer.context)
    assert found is not None
    assert found.id == receipt.id
    assert peer.shown(receipt.id) == [one.alt for one in draft.media]
