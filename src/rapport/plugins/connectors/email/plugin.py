"""A mailbox: read over IMAP, answered over SMTP."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Receipt,
    Said,
    Terms,
)
from rapport.plugins.connectors.email import config as settings
from rapport.plugins.connectors.email import letters, mailbox, posting
from rapport.plugins.connectors.email.archive import MailArchive
from rapport.plugins.connectors.email.config import Config
from rapport.plugins.connectors.email.mailbox import Mail, Mailbox

OPEN = "mailbox"  # where the connection is remembered
PER_PAGE = 25


class Email:
    """One mailbox, and the server that its answers leave by."""

    name = "email"
    title = "Mailbox"
    network = "email"
    config: type[Config] = Config
    terms = Terms(
        keep_days=None,
        may_match=True,
        may_derive=True,
        may_train=True,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=720,
        is_public=False,
        source="https://www.rfc-editor.org/rfc/rfc3834",
        read_on=dt.date(2026, 11, 22),
        note=(
            "People wrote to the firm itself; what may be kept, and how long, is a matter of law and of the firm's "
            "own retention. Answers go to whoever wrote, and to no machine."
        ),
    )
    archive = MailArchive()
    manners = Manners(requests=600, per_s=60, every_s=4, length_max=0)
    costs = "Free: the mailbox you have."
    sees = (
        "Mail in one folder, also what staff sent from other programs where you name the folder of sent mail; "
        "quotations and signatures are kept apart from what was written, and attachments are named."
    )
    cannot_see = (
        "What is encrypted to a person (S/MIME, PGP), what lies inside attachments, words beyond the first "
        "megabyte of a mail, and what was deleted before it was read."
    )

    def check(self, config: Config) -> None:
        settings.check(config)

    def ours(self, config: Config) -> frozenset[str]:
        return config.ours

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:  # noqa: ARG002  needs a mailbox alone
        try:
            box = Mailbox(config)
        except Failed as failed:
            return [Finding("Log-in", "bad", failed.message, failed.hint)]
        found = [Finding("Log-in", "ok", f"{config.host} lets {config.login_name} in")]
        try:
            for folder in filter(None, (config.folder, config.sent_folder)):
                found.append(_opened(box, folder))
        finally:
            box.close()
        if not config.smtp_host:
            found.append(
                Finding("Sending", "warn", "there is no SMTP server", "Answers leave by the mail channel.")
            )
        else:
            found.append(posting_works(config))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        places = _places(cursor)
        box = _open(config, context)
        try:
            for folder in filter(None, (config.folder, config.sent_folder)):
                yield from _folder(box, folder, places, config, context)
        except Failed:
            # A connection that broke off in the middle of an answer would answer the next question with its rest.
            context.memory.pop(OPEN, None)
            box.close()
            raise

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        return posting.posted(draft, config, context.now())

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:  # noqa: ARG002  as above
        return posting.found(draft, config)

    def parse(self, config: Config, raw: Any) -> Sequence[Said]:
        """What one mail says."""
        whole = str(raw).encode()
        arrived = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
        return [letters.said(whole, config, name=letters.stand_in(whole), arrived=arrived)]


def _opened(box: Mailbox, folder: str) -> Finding:
    try:
        box.open(folder)
    except Failed as failed:
        return Finding(folder, "bad", failed.message, f"There are: {', '.join(box.folders()[:20])}.")
    return Finding(folder, "ok", "can be read")


def posting_works(config: Config) -> Finding:
    """Whether the server for sending lets us in; nothing is sent."""
    try:
        with posting.connected(config) as smtp:
            smtp.noop()
    except posting.TROUBLE as error:
        return Finding(
            "Sending", "bad", f"{config.smtp_host}: {error}", "Check server, encryption and log-in."
        )
    return Finding("Sending", "ok", f"{config.smtp_host} lets us in")


def _open(config: Config, context: Context) -> Mailbox:
    """The connection of the round before, if it still stands: servers dislike a log-in every few seconds."""
    held = context.memory.get(OPEN)
    if isinstance(held, Mailbox):
        if held.is_alive():
            return held
        context.memory.pop(OPEN, None)
        held.close()
    fresh = context.memory[OPEN] = Mailbox(config)
    return fresh


def _places(cursor: str) -> dict[str, tuple[int, int, str]]:
    """By folder: its UIDVALIDITY, the largest UID that was read, and when the newest mail came."""
    found = wire.document(cursor.encode())
    places = {}
    for folder, place in (found if isinstance(found, dict) else {}).items():
        validity, uid = wire.count_at(place, 0), wire.count_at(place, 1)
        if validity is not None and uid is not None:
            places[str(folder)] = (validity, uid, wire.text_at(place, 2))
    return places


def _folder(
    box: Mailbox, folder: str, places: dict[str, tuple[int, int, str]], config: Config, context: Context
) -> Iterator[Page]:
    validity = box.open(folder)
    before, uid, newest = places.get(folder, (validity, 0, ""))
    since = wire.moment(newest) or context.since
    uid = uid if before == validity else 0  # numbered anew: what we had read up to means nothing any more
    uids = box.after(uid, since)
    for start in range(0, len(uids), PER_PAGE):
        mails = list(box.read(uids[start : start + PER_PAGE]))
        # SEARCH knows days alone.
        fresh = [mail for mail in mails if uid or mail.arrived >= since]
        said, gaps = _said(fresh, config)
        latest = max([newest, *(wire.written(mail.arrived) for mail in mails)])
        places[folder] = (validity, max(uids[start : start + PER_PAGE]), latest)
        yield Page(said, json.dumps(places), gaps)
        if context.is_stopping():
            return
    if not uids and places.get(folder) != (validity, uid, newest):
        places[folder] = (validity, uid, newest)
        yield Page((), json.dumps(places))


def _said(mails: Sequence[Mail], config: Config) -> tuple[list[Said], list[Gap]]:
    said: list[Said] = []
    gaps: list[Gap] = []
    for mail in mails:
        try:
            one = letters.said(mail.raw, config, name=letters.stand_in(mail.raw), arrived=mail.arrived)
        except (
            Exception
        ) as error:  # mail is what strangers send, and the standard library's parser raises what it meets
            told = (
                f"a mail that came then cannot be read ({type(error).__name__}); it lies in {config.folder}"
            )
            gaps.append(Gap(mail.arrived, mail.arrived, "unreachable", told))
            continue
        if not one.author:
            gaps.append(
                Gap(mail.arrived, mail.arrived, "unreachable", "a mail that came then names no sender")
            )
            continue
        said.append(one)
        if not mail.is_whole:
            told = f"of a mail of {mail.size} bytes the first {mailbox.MAIL_BYTES_MAX} were read"
            gaps.append(Gap(mail.arrived, mail.arrived, "horizon", told))
    return said, gaps


plugin = Email()
