"""Mail over a real SMTP server on loopback: signatures, refusals, silence, encryption, many at once."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dkim
import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rapport.kit.errors import Invalid
from rapport.messaging.contract import Context, Message, Receipt, TransportError
from rapport.messaging.tests.loopback import Loopback, message_of, words_of
from rapport.plugins.channels.email import signing, writing
from rapport.plugins.channels.email.config import Config, check
from rapport.plugins.channels.email.plugin import plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
PASSWORD = "otter-password"
CONTEXT = Context(now=lambda: NOON, texts_of=lambda name: ())
HEADERS = {
    "List-Unsubscribe": "<https://rapport.example.org/u/" + "t" * 150 + ">",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def message(to: str = "ana@example.org", **more: Any) -> Message:
    given: dict[str, Any] = {
        "id": "0190f5c8",
        "to": to,
        "subject_line": "Früher Frühling: €5 für Otter",
        "text": "Guten Tag.\n.\nEine Zeile mit einem Punkt davor.\n",
        "html": "<p>Guten Tag.</p>",
        "language": "de",
        "headers": HEADERS,
    }
    return Message(**(given | more))


class Handler:
    """Answers as it is told and keeps what came."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.envelopes: list[Any] = []
        self.answers: dict[str, str] = {}
        self.silent_s = 0.0
        self.present = 0
        self.most = 0
        self.encrypted: list[bool] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  aiosmtpd calls it so
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  aiosmtpd calls it so
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd calls it so
        self.present += 1
        self.most = max(self.most, self.present)
        await asyncio.sleep(self.silent_s)
        self.present -= 1
        self.arrived.append(envelope.original_content)
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return self.answers.get("DATA", "250 2.0.0 taken")


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Handler, Config]]]:
    """Start a server; gives its handler and the configuration that reaches it."""
    servers = []

    def start(**options: Any) -> tuple[Handler, Config]:
        handler = Handler()
        server = Loopback(handler, **options)
        servers.append(server)
        server.start()
        config = Config(
            host="127.0.0.1",
            port=server.port,
            security="none",
            from_address="shop@otter.example",
            timeout_s=5,
        )
        return handler, config

    yield start
    for server in servers:
        server.stop()


def send(config: Config, *messages: Message) -> list[Receipt | TransportError]:
    """Send all at once over one session."""

    async def all_of() -> list[Any]:
        session = await plugin.open(config, CONTEXT)
        try:
            return await asyncio.gather(*map(session.send, messages), return_exceptions=True)
        finally:
            await session.close()
            await asyncio.sleep(0.01)
            left = [t for t in asyncio.get_running_loop()._transports.values() if not t.is_closing()]  # type: ignore[attr-defined]
            assert left == [], "a connection outlives its session"

    return asyncio.run(all_of())


def test_what_arrives_is_what_was_meant(serve: Any) -> None:
    handler, config = serve()
    (receipt,) = send(dataclasses.replace(config, from_name='Otter "Tools", Inc.'), message())
    assert isinstance(receipt, Receipt)
    assert receipt.answer == "250 2.0.0 taken"
    mail = message_of(handler.arrived[0])
    assert mail["Subject"] == "Früher Frühling: €5 für Otter"
    assert mail["From"].addresses[0].display_name == 'Otter "Tools", Inc.'
    assert mail["Message-ID"] == "<0190f5c8@otter.example>"
    assert mail["List-Unsubscribe"] == HEADERS["List-Unsubscribe"]
    assert words_of(handler.arrived[0]).replace("\r\n", "\n") == message().text
    assert words_of(handler.arrived[0], "html").strip() == "<p>Guten Tag.</p>"
    assert handler.arrived[0].isascii()
    assert max(map(len, handler.arrived[0].split(b"\r\n"))) <= 998


def test_the_transcript_has_every_step_and_no_secret(serve: Any) -> None:
    def login(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        ok = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
        return AuthResult(success=ok, handled=ok)

    _handler, config = serve(authenticator=login, auth_require_tls=False)
    (receipt,) = send(dataclasses.replace(config, login_name="shop", password=PASSWORD), message())
    said = "\n".join(receipt.transcript)
    for step in (
        "> connect",
        "> EHLO otter.example",
        "> AUTH as shop",
        "> MAIL FROM",
        "> RCPT TO",
        "> DATA",
        "< 250",
    ):
        assert step in said
    assert PASSWORD not in said
    (refused,) = send(dataclasses.replace(config, login_name="shop", password="wrong"), message())
    assert isinstance(refused, TransportError)
    assert (refused.of_channel, refused.code) == (True, 535)
    assert "wrong" not in "\n".join(refused.transcript)


def test_dkim_covers_the_way_out_and_survives_what_servers_do(serve: Any) -> None:
    handler, config = serve()
    selector, pem = signing.new_key()
    send(dataclasses.replace(config, dkim_selector=selector, dkim_key=pem), message())
    raw = handler.arrived[0]
    record = signing.public_record(pem).encode()

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name.rstrip(b".") == f"{selector}._domainkey.otter.example".encode()
        return record

    def good(changed: bytes) -> bool:
        return bool(dkim.verify(changed, dnsfunc=dns))

    assert good(raw)
    assert good(b"Received: from a by b\r\n" + raw)
    assert good(raw.replace(b"Subject: ", b"Subject:   "))  # relaxed: white space may change
    signed = raw.split(b"\r\n\r\n")[0].lower()
    header = signed[signed.index(b"dkim-signature") :]
    assert b"list-unsubscribe" in header
    assert b"list-unsubscribe-post" in header
    assert not good(raw.replace(b"/u/ttt", b"/u/xtt"))
    assert not good(raw.replace(b"One-Click", b"No-Click"))
    assert not good(b"From: evil@example.org\r\n" + raw)  # none may be added
    assert not good(raw.replace(b"Guten", b"Guden"))


def test_a_published_key_is_known_again_however_it_is_spaced() -> None:
    _selector, pem = signing.new_key()
    record = signing.public_record(pem)
    assert signing.same_key(record.replace("p=", "p=  ").replace("; ", ";"), pem)
    assert not signing.same_key(record[:-10] + "AAAAAAAAAA", pem)
    assert not signing.same_key("v=DKIM1", pem)


@pytest.mark.parametrize(
    ("step", "answer", "permanent", "of_address", "of_channel"),
    [
        ("ana@example.org", "550 5.1.1 no such person", True, True, False),
        ("ana@example.org", "550 no such person", True, True, False),
        ("ana@example.org", "550 5.7.1 blocked for policy", True, False, False),
        ("ana@example.org", "552 5.2.2 mailbox full", True, False, False),
        ("ana@example.org", "450 4.2.0 greylisted", False, False, False),
        ("DATA", "554 5.6.0 spam", True, False, False),
        ("DATA", "451 4.3.0 later", False, False, False),
        ("MAIL", "553 5.7.1 you may not send from there", True, False, True),
        ("MAIL", "552 5.3.4 too big", True, False, False),
        ("ana@example.org", "421 4.7.0 too many", False, False, True),
    ],
)
def test_a_refusal_means_what_its_step_says(
    serve: Any, step: str, answer: str, permanent: bool, of_address: bool, of_channel: bool
) -> None:
    handler, config = serve()
    handler.answers[step] = answer
    (error,) = send(config, message())
    assert isinstance(error, TransportError)
    assert (error.permanent, error.of_address, error.of_channel, error.is_unsure) == (
        permanent,
        of_address,
        of_channel,
        False,
    )
    assert error.answer == answer


def test_one_refusal_leaves_the_connection_to_the_next(serve: Any) -> None:
    handler, config = serve()
    handler.answers["bo@example.org"] = "550 5.1.1 no"
    one = dataclasses.replace(config, in_flight=1)
    results = send(one, message("bo@example.org"), message("ana@example.org"), message("chi@example.org"))
    assert [type(r) for r in results] == [TransportError, Receipt, Receipt]
    assert len(handler.arrived) == 2


def test_silence_after_the_message_is_unsure(serve: Any) -> None:
    handler, config = serve()
    handler.silent_s = 2
    (error,) = send(dataclasses.replace(config, timeout_s=1), message())
    assert isinstance(error, TransportError)
    assert error.is_unsure
    assert not error.permanent


def test_nobody_there_is_the_channels_trouble() -> None:
    (error,) = send(Config(host="127.0.0.1", port=1, security="none", from_address="a@b.example"), message())
    assert isinstance(error, TransportError)
    assert (error.of_channel, error.is_unsure, error.permanent) == (True, False, False)
    assert "127.0.0.1:1" in error.answer


def test_many_are_in_flight_and_no_more_than_allowed(serve: Any) -> None:
    handler, config = serve()
    handler.silent_s = 0.05
    config = dataclasses.replace(config, in_flight=5)
    results = send(config, *(message(f"p{i}@example.org", id=str(i)) for i in range(25)))
    assert all(isinstance(r, Receipt) for r in results)
    assert handler.most == 5


@pytest.mark.parametrize(
    "to", ["no-at-sign", "a b@example.org", "a@exa\nmple.org", "<a@example.org>", "@b.c"]
)
def test_what_is_no_address_is_refused_before_it_reaches_a_server(to: str) -> None:
    with pytest.raises(TransportError, match="no mail address"):
        writing.address(to)


def test_no_value_can_add_a_header() -> None:
    config = Config(from_address="shop@otter.example", from_name="Otter")
    with pytest.raises(ValueError, match="line break"):
        writing.written(message(headers={"X-A": "b\r\nBcc: evil@example.org"}), config, NOON)


def test_a_domain_with_letters_of_its_own_is_written_as_dns_has_it(serve: Any) -> None:
    handler, config = serve()
    (receipt,) = send(config, message("ana@müller.example"))
    assert isinstance(receipt, Receipt)
    assert handler.envelopes[0].rcpt_tos == ["ana@xn--mller-kva.example"]


def test_a_name_with_letters_of_its_own_needs_a_server_that_knows_them(serve: Any) -> None:
    _handler, config = serve(enable_SMTPUTF8=False)
    (error,) = send(config, message("anä@example.org"))
    assert isinstance(error, TransportError)
    assert error.permanent
    assert not error.of_address


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    found = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2050, 1, 1, tzinfo=dt.UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    files[0].write_bytes(found.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def test_starttls_encrypts_and_an_unknown_certificate_is_refused(
    serve: Any, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(*certificate)
    handler, config = serve(tls_context=server_side, require_starttls=True)
    config = dataclasses.replace(config, security="starttls")
    (error,) = send(config, message())
    assert isinstance(error, TransportError)
    assert error.of_channel
    assert "certificate" in error.answer.lower()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    (receipt,) = send(config, message())
    assert isinstance(receipt, Receipt)
    assert handler.encrypted == [True]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"host": ""}, "no host name"),
        ({"host": "smtp.example.org", "security": "none"}, "everybody between here"),
        ({"port": 0}, "is no port"),
        ({"from_address": "shop"}, "is no mail address"),
        ({"from_address": ""}, "no from address"),
        ({"reply_to": "x@y"}, "is no mail address"),
        ({"password": "x"}, "no log-in name"),
        ({"in_flight": 0}, "out of range"),
        ({"security": "some"}, "kind of encryption"),
        ({"from_name": "a\nb"}, "line break"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, Any], says: str) -> None:
    good: dict[str, Any] = {"host": "smtp.example.org", "from_address": "shop@otter.example"}
    check(Config(**good))
    with pytest.raises(Invalid, match=says):
        check(Config(**(good | wrong)))


def test_findings_tell_none_from_wrong_from_nobody_answering() -> None:
    selector, pem = signing.new_key()
    config = Config(from_address="shop@otter.example", dkim_selector=selector, dkim_key=pem)
    name = f"{selector}._domainkey.otter.example"

    def found(texts_of: Callable[[str], Any]) -> dict[str, str]:
        return {f.what: f.state for f in plugin.findings(config, Context(lambda: NOON, texts_of))}

    assert found(lambda name: ()) == {"DKIM": "bad", "SPF": "warn", "DMARC": "warn"}
    records = {
        name: (signing.public_record(pem),),
        "otter.example": ("other", "v=spf1 -all"),
        "_dmarc.otter.example": ("v=DMARC1; p=none",),
    }
    assert found(lambda n: records.get(n, ())) == {"DKIM": "ok", "SPF": "ok", "DMARC": "ok"}

    def down(name: str) -> Any:
        raise OSError("timed out")

    assert set(found(down).values()) == {"warn"}
