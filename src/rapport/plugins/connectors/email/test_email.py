"""A mailbox read and answered, against a mail server in this process."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Context, Draft, Failed, Page, Said
from rapport.listening.tests import serving
from rapport.messaging.tests.loopback import Loopback
from rapport.plugins.connectors.email import letters, mailbox, simulator
from rapport.plugins.connectors.email.config import Config
from rapport.plugins.connectors.email.plugin import OPEN, plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
ASKS = b"""From: =?utf-8?q?Ana_M=C3=BCller?= <Ana@Maker.example>
To: shop@otter.example
Subject: =?utf-8?q?My_l=C3=A4mp?=
Message-ID: <a1@maker.example>
Date: Mon, 02 Mar 2026 12:30:00 +0100
Content-Type: text/plain; charset=utf-8

Hello, my lamp flickers.
--\x20
Ana
"""


class Outbox:
    """An SMTP server that keeps what it is given, and answers as it is told."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answers: dict[str, str] = {}
        self.breaks_off = False

    async def handle_RCPT(  # noqa: N802  aiosmtpd calls it so
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  as above
        self.mails.append(message_from_bytes(envelope.original_content))
        if self.breaks_off:
            server.transport.abort()
        return self.answers.get("DATA", "250 2.0.0 taken")


class Reader:
    """A source: its configuration, cursor and memory."""

    def __init__(self, server: simulator.MailServer) -> None:
        self.config = Config(
            host="127.0.0.1",
            port=server.port,
            security="none",
            login_name=simulator.NAME,
            password=simulator.PASSWORD,
            from_address="shop@otter.example",
            from_name="Otter Lanterns",
            timeout_s=5,
        )
        self.cursor = ""
        self.memory: dict[str, Any] = {}

    def change(self, **values: Any) -> None:
        self.config = dataclasses.replace(self.config, **values)

    @property
    def context(self) -> Context:
        return serving.context(now=lambda: NOON, since=NOON - dt.timedelta(days=1), memory=self.memory)

    def pages(self) -> list[Page]:
        found = []
        for page in plugin.fetch(self.config, self.cursor, self.context):
            found.append(page)
            self.cursor = page.cursor
        return found

    def read(self) -> list[Said]:
        return [said for page in self.pages() for said in page.said]


@pytest.fixture
def server() -> Iterator[simulator.MailServer]:
    with simulator.MailServer() as found:
        yield found


@pytest.fixture
def reader(server: simulator.MailServer) -> Iterator[Reader]:
    found = Reader(server)
    yield found
    if OPEN in found.memory:
        found.memory[OPEN].close()


@pytest.fixture
def outbox(reader: Reader) -> Iterator[Outbox]:
    handler = Outbox()
    server = Loopback(handler)
    server.start()
    port = server.port
    reader.change(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    yield handler
    server.stop()


def letter(**headers: str) -> bytes:
    """A mail with other headers than Ana's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"From": "ana@maker.example", "Message-ID": "<x@maker.example>", "Subject": "Hello", **named}
    head = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    return f"{head}\nIs it mended?\n".encode()


def test_a_letter_arrives_whole(server: simulator.MailServer, reader: Reader) -> None:
    server.inbox.put(ASKS)
    (said,) = reader.read()
    assert (said.id, said.kind, said.author, said.author_name) == (
        "a1@maker.example",
        "message",
        "ana@maker.example",
        "Ana Müller",
    )
    assert (said.text, said.subject_line) == ("Hello, my lamp flickers.", "My lämp")
    assert said.ts == dt.datetime(2026, 3, 2, 11, 30, tzinfo=dt.UTC)
    assert (said.thread, said.in_reply_to, said.venue) == ("a1@maker.example", "", "email")
    assert said.is_private
    assert said.asks_us
    assert said.detail == {"signature": "--\nAna"}


def test_reading_changes_nothing_and_nothing_comes_twice(
    server: simulator.MailServer, reader: Reader
) -> None:
    server.inbox.put(ASKS)
    assert len(reader.read()) == 1
    assert reader.read() == []
    assert server.inbox.mails[0].flags == set()
    assert not any(command.startswith("SELECT") for command in server.commands)
    assert server.n_log_ins == 1, "the connection is kept"


def test_much_mail_is_read_page_by_page_and_a_killed_reader_goes_on(
    server: simulator.MailServer, reader: Reader
) -> None:
    for n in range(60):
        server.inbox.put(letter(Message_ID=f"<{n}@maker.example>"))
    first = next(iter(plugin.fetch(reader.config, "", reader.context)))
    assert len(first.said) == 25
    reader.cursor = first.cursor
    told = [s.id for s in first.said] + [s.id for s in reader.read()]
    assert told == [f"{n}@maker.example" for n in range(60)]


def test_a_server_that_numbers_anew_is_read_on(server: simulator.MailServer, reader: Reader) -> None:
    server.inbox.put(letter(Message_ID="<1@maker.example>"), "01-Mar-2026 13:00:00 +0000")
    server.inbox.put(letter(Message_ID="<2@maker.example>"))
    reader.read()
    del server.inbox.mails[0]
    server.inbox.put(letter(Message_ID="<3@maker.example>"), "02-Mar-2026 12:00:05 +0000")
    server.number_anew()
    assert [s.id for s in reader.read()] == ["2@maker.example", "3@maker.example"], (
        "known ids come twice, none is lost"
    )
    assert reader.read() == []


def test_what_came_before_we_begin_is_left(server: simulator.MailServer, reader: Reader) -> None:
    server.inbox.put(letter(), "28-Feb-2026 12:00:00 +0000")
    assert reader.read() == []


def test_a_connection_that_breaks_off_is_made_anew(server: simulator.MailServer, reader: Reader) -> None:
    server.inbox.put(ASKS)
    server.breaks_at = "FETCH"
    with pytest.raises(Failed) as caught:
        reader.read()
    assert caught.value.reason == "unreachable"
    assert len(reader.read()) == 1
    assert server.n_log_ins == 2


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ("[AUTHENTICATIONFAILED] no", "login"),
        ("[UNAVAILABLE] later", "unreachable"),
        ("[LIMIT] too many", "unreachable"),
    ],
)
def test_a_log_in_that_is_refused_is_said_in_words(
    server: simulator.MailServer, reader: Reader, refusal: str, reason: str
) -> None:
    server.refuses = refusal
    with pytest.raises(Failed, match=refusal.partition("] ")[2]) as caught:
        reader.read()
    assert caught.value.reason == reason
    assert (caught.value.retry_after_s is None) == (reason == "login")


def test_names_and_passwords_may_have_other_letters(server: simulator.MailServer, reader: Reader) -> None:
    server.folders["Envoy&AOk-s"] = simulator.Folder()
    server.folders["Envoy&AOk-s"].put(letter(From="shop@otter.example"))
    reader.change(password=simulator.ACCENTED, sent_folder="Envoyés")
    assert [s.is_ours for s in reader.read()] == [True]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Sent", "Sent"),
        ("R&D", "R&-D"),
        ("보낸메일함", "&vPSwuLpUx3zVaA-"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ],
)
def test_folders_are_named_in_the_letters_of_the_protocol(name: str, written: str) -> None:
    assert mailbox.utf7(name) == written


def test_what_a_form_of_ours_sent_is_from_whoever_filled_it_in(reader: Reader) -> None:
    raw = letter(From="Otter <shop@otter.example>", Reply_To="Bo Berg <Bo@maker.example>")
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert (said.author, said.author_name, said.is_ours, said.asks_us) == (
        "bo@maker.example",
        "Bo Berg",
        False,
        True,
    )


def test_a_folder_that_is_not_there_is_said_in_words(server: simulator.MailServer, reader: Reader) -> None:
    reader.change(folder="Post")
    with pytest.raises(Failed, match="no folder 'Post'"):
        reader.read()


def test_a_large_letter_is_cut_and_that_is_a_gap(
    server: simulator.MailServer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAIL_BYTES_MAX", 400)
    server.inbox.put(letter() + b"x" * 1000)
    (page,) = reader.pages()
    assert page.said[0].text.startswith("Is it mended?")
    assert page.gaps[0].reason == "horizon"


def test_mail_that_names_nobody_is_a_gap(server: simulator.MailServer, reader: Reader) -> None:
    server.inbox.put(letter(From=""))
    server.inbox.put(ASKS)
    (page,) = reader.pages()
    assert [s.id for s in page.said] == ["a1@maker.example"]
    assert "names no sender" in page.gaps[0].message


def test_what_staff_sent_elsewhere_is_ours(server: simulator.MailServer, reader: Reader) -> None:
    reader.change(sent_folder="Sent", our_addresses="help@otter.example")
    server.folders["Sent"].put(letter(From="Help <HELP@otter.example>", In_Reply_To="<a1@maker.example>"))
    (said,) = reader.read()
    assert said.is_ours
    assert not said.asks_us
    assert reader.read() == []


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, ""),
        ({"Auto_Submitted": "no"}, ""),
        ({"Auto_Submitted": "auto-replied"}, "reply"),
        ({"Subject": "Automatic reply: lamp"}, "reply"),
        ({"Subject": "Abwesenheitsnotiz"}, "reply"),
        ({"X_Autoreply": "yes"}, "reply"),
        ({"Precedence": "bulk"}, "list"),
        ({"List_Id": "<news.example>"}, "list"),
        ({"Auto_Submitted": "auto-generated"}, "other"),
        ({"From": "no-reply@bank.example"}, "other"),
        ({"From": "MAILER-DAEMON@mx.example", "Return_Path": "<>"}, "bounce"),
        ({"Content_Type": "multipart/report; report-type=disposition-notification; boundary=b"}, "report"),
    ],
)
def test_machines_are_told_from_people(reader: Reader, headers: dict[str, str], kind: str) -> None:
    said = letters.said(letter(**headers), reader.config, name="n", arrived=NOON)
    assert said.detail.get("automatic", "") == kind
    assert said.asks_us == (not kind)


def test_a_report_names_what_was_not_delivered(reader: Reader) -> None:
    raw = b"""From: MAILER-DAEMON@mx.example
Message-ID: <r1@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It did not go.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; Ana@Maker.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <ours@otter.example>

--b--
"""
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert said.detail == {
        "automatic": "bounce",
        "status": "5.1.1",
        "address": "ana@maker.example",
        "bounce_of": "ours@otter.example",
    }


def test_html_and_attachments_become_words(reader: Reader) -> None:
    raw = b"""From: ana@maker.example
Message-ID: <h1@maker.example>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Gr=FC=DFe<script>alert(1)</script></p><blockquote><p>old</p></blockquote>
--c--
--b
Content-Type: image/png; name="lamp.png"
Content-Disposition: attachment; filename="lamp.png"
Content-Transfer-Encoding: base64

AAAA
--b--
"""
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert said.text == "Grüße"
    assert said.detail == {"quoted": "> old", "attachments": ["lamp.png, image/png, 3 bytes"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"From: =?x-unknown?q?=FF?= <ana@maker.example>\n\nhello",
        b"From: ana@maker.example\nContent-Type: text/plain; charset=no-such\n\nhello",
        b"From: ana@maker.example\nContent-Type: multipart/mixed\n\nno boundary",
        b"From: ana@maker.example\nDate: yesterday\nMessage-ID: nonsense\n\nhello",
        b"From: ana@maker.example\nContent-Transfer-Encoding: base64\n\n%%%",
        b'From: "a, <b>" <ana@maker.example>, bo@maker.example\n\nhello',
    ],
)
def test_odd_mail_breaks_nothing(reader: Reader, raw: bytes) -> None:
    said = letters.said(raw, reader.config, name="stands-in", arrived=NOON)
    assert said.id
    assert said.ts == NOON


def test_lines_that_were_broken_for_the_way_are_joined(reader: Reader) -> None:
    raw = letter(Content_Type="text/plain; format=flowed") + b"One line \nthat goes on.\n> old \n> older\n"
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert "One line that goes on." in said.text
    assert said.detail["quoted"] == "> old older"


def test_an_answer_is_threaded_and_numbered_by_its_draft(outbox: Outbox, reader: Reader) -> None:
    draft = Draft(
        "d1",
        "Grüße, please dry it.",
        in_reply_to="a2@maker.example",
        thread="a1@maker.example",
        to="ana@maker.example",
        subject_line="My lämp",
        language="en",
    )
    receipt = plugin.publish(reader.config, draft, reader.context)
    again = plugin.publish(reader.config, draft, reader.context)
    mail = outbox.mails[0]
    assert mail["Message-ID"] == f"<{receipt.id}>"
    assert receipt.id == again.id
    assert mail["In-Reply-To"] == "<a2@maker.example>"
    assert mail["References"] == "<a1@maker.example> <a2@maker.example>"
    assert str(letters._words(mail, "Subject")) == "Re: My lämp"
    assert mail["From"] == "Otter Lanterns <shop@otter.example>"
    assert mail.get_payload(decode=True).decode().strip() == "Grüße, please dry it."
    own = letters.said(mail.as_bytes(), reader.config, name="n", arrived=NOON)
    assert (own.thread, own.in_reply_to, own.is_ours) == ("a1@maker.example", "a2@maker.example", True)


@pytest.mark.parametrize(("answer", "is_permanent"), [("550 5.1.1 nobody", True), ("450 4.2.0 later", False)])
def test_a_refusal_is_told_as_it_was_meant(
    outbox: Outbox, reader: Reader, answer: str, is_permanent: bool
) -> None:
    outbox.answers["ana@maker.example"] = answer
    with pytest.raises(Failed, match=answer.partition(" ")[2]) as caught:
        plugin.publish(reader.config, Draft("d1", "x", to="ana@maker.example"), reader.context)
    assert caught.value.is_permanent == is_permanent
    assert not caught.value.is_unsure


def test_an_answer_whose_taking_was_not_heard_is_looked_for(
    server: simulator.MailServer, outbox: Outbox, reader: Reader
) -> None:
    draft = Draft("d1", "x", to="ana@maker.example")
    outbox.breaks_off = True
    with pytest.raises(Failed) as caught:
        plugin.publish(reader.config, draft, reader.context)
    assert caught.value.is_unsure
    with pytest.raises(Failed, match="cannot be told") as caught:
        plugin.find(reader.config, draft, reader.context)
    assert caught.value.is_unsure
    reader.change(sent_folder="Sent", keeps_sent="server")
    assert plugin.find(reader.config, draft, reader.context) is None
    server.folders["Sent"].put(outbox.mails[0].as_bytes())
    found = plugin.find(reader.config, draft, reader.context)
    assert found is not None
    assert f"<{found.id}>" == outbox.mails[0]["Message-ID"]


def test_what_we_sent_is_put_where_staff_look_for_it(
    server: simulator.MailServer, outbox: Outbox, reader: Reader
) -> None:
    reader.change(sent_folder="Sent", keeps_sent="us")
    draft = Draft("d1", "x", to="ana@maker.example")
    receipt = plugin.publish(reader.config, draft, reader.context)
    assert receipt.id.encode() in server.folders["Sent"].mails[0].raw
    assert plugin.find(reader.config, draft, reader.context) is not None


@pytest.mark.parametrize("to", ["", "nobody", "a@b\nBcc: c@d.example", "ana@maker.example, bo@maker.example"])
def test_an_answer_goes_to_one_address(outbox: Outbox, reader: Reader, to: str) -> None:
    with pytest.raises(Failed) as caught:
        plugin.publish(reader.config, Draft("d1", "x", to=to), reader.context)
    assert caught.value.is_permanent
    assert outbox.mails == []


def test_a_mailbox_without_a_server_for_sending_is_only_read(reader: Reader) -> None:
    with pytest.raises(Failed, match="only read") as caught:
        plugin.publish(reader.config, Draft("d1", "x", to="ana@maker.example"), reader.context)
    assert caught.value.is_permanent


def test_the_check_names_what_works(server: simulator.MailServer, outbox: Outbox, reader: Reader) -> None:
    reader.change(sent_folder="Sent")
    found = plugin.findings(reader.config, reader.context)
    assert [(f.what, f.state) for f in found] == [
        ("Log-in", "ok"),
        ("INBOX", "ok"),
        ("Sent", "ok"),
        ("Sending", "ok"),
    ]
    reader.change(sent_folder="Gone", smtp_port=1)
    found = plugin.findings(reader.config, reader.context)
    assert [f.state for f in found] == ["ok", "ok", "bad", "bad"]
    assert "INBOX, Sent" in found[2].hint
    server.refuses = "[AUTHENTICATIONFAILED] no"
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["bad"]


@pytest.mark.parametrize(
    "change",
    [
        {"host": ""},
        {"host": "https://imap.example"},
        {"host": "imap.example", "security": "none"},
        {"security": "ssl3"},
        {"port": 0},
        {"password": ""},
        {"from_address": "shop"},
        {"from_address": ""},
        {"keeps_sent": "us"},
        {"keeps_sent": "angels"},
        {"folder": "a\nb"},
        {"smtp_host": "smtp.example", "smtp_security": "none"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(reader: Reader, change: dict[str, Any]) -> None:
    plugin.check(reader.config)
    reader.change(**change)
    with pytest.raises(Invalid):
        plugin.check(reader.config)


def test_time_goes_no_further_than_when_it_came(reader: Reader) -> None:
    raw = letter(Date="Mon, 02 Mar 2030 12:00:00 +0000")
    assert letters.said(raw, reader.config, name="n", arrived=NOON).ts == NOON


VOUCHES = "mx.otter.example; dkim=pass header.d=maker.example; spf=fail; dmarc=pass (p=reject) header.from=maker.example"
FAILED = "dmarc=fail (p=none) header.from=maker.example"
DENIES = "mx.otter.example 1; spf=pass smtp.mailfrom=evil.example; dkim=none; dmarc=fail (p=none dis=none; why (so))"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], ""),
        ([VOUCHES], ""),
        ([DENIES], "dmarc"),
        (['MX.otter.example; dkim=fail reason="bad"; spf=softfail'], "dkim, spf"),
        (["mx.otter.example; dkim=fail; spf=pass"], ""),
        (["mx.otter.example; none"], ""),
        (["mx.otter.example; dmarc=temperror; spf=fail"], ""),
        ([DENIES.replace("mx.otter", "mx.evil")], ""),
        ([VOUCHES, DENIES], ""),
        (["elsewhere.example; dmarc=pass", DENIES], ""),
        ([""], ""),
        # Whoever sends chooses the address that bounces go to, and so the words in its quotes.
        ([f'mx.otter.example; spf=pass smtp.mailfrom="a; dmarc=pass "@evil.example; {FAILED}'], "dmarc"),
        ([f'mx.otter.example; spf=pass smtp.mailfrom="\\"; dmarc=pass "@evil.example; {FAILED}'], "dmarc"),
        (
            [f'mx.otter.example; spf=pass smtp.mailfrom="("@evil.example; {FAILED}; dkim=none (no ")")'],
            "dmarc",
        ),
        (
            [f'mx.otter.example; spf=pass (said "(" and "; dmarc=pass) smtp.mailfrom=evil.example; {FAILED}'],
            "dmarc",
        ),
        ([f"mx.otter.example; spf=pass smtp.helo=a;dmarc=pass; {FAILED}"], "dmarc"),
        ([f'mx.otter.example; spf=pass smtp.helo="(; {FAILED}'], "dmarc"),
        (['mx.otter.example; dmarc=pass reason="a; dmarc=fail" (p=none)'], ""),
    ],
)
def test_only_the_server_that_is_trusted_denies_a_sender(
    reader: Reader, headers: list[str], why: str
) -> None:
    raw = "".join(f"Authentication-Results: {one}\n" for one in headers).encode() + ASKS
    reader.change(trusted_server="mx.otter.example")
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert said.detail.get("unconfirmed", "") == why
    reader.change(trusted_server="")
    assert "unconfirmed" not in letters.said(raw, reader.config, name="n", arrived=NOON).detail


def test_who_only_claims_to_be_us_is_not_ours(reader: Reader) -> None:
    reader.change(trusted_server="mx.otter.example")
    raw = f"Authentication-Results: {DENIES}\n".encode()
    raw += letter(From="Otter <shop@otter.example>", Reply_To="Bo Berg <bo@maker.example>")
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert (said.author, said.is_ours, said.asks_us) == ("shop@otter.example", False, True)


def test_of_several_in_a_report_only_the_one_that_failed_counts(reader: Reader) -> None:
    raw = b"""From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; bo@maker.example
Action: delayed
Status: 4.2.2

Final-Recipient: rfc822; ana@maker.example
Action: failed
Status: 5.1.1 (no such mailbox)

Final-Recipient: rfc822; chi@maker.example
Action: relayed
Status: 2.0.0

--b--
"""
    said = letters.said(raw, reader.config, name="n", arrived=NOON)
    assert said.detail == {"automatic": "bounce", "status": "5.1.1", "address": "ana@maker.example"}
