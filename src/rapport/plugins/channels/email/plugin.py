"""Mail over SMTP (RFC 5321), signed with DKIM (RFC 6376), many messages in flight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rapport.messaging.contract import Context, Finding, Limits, Record, Session
from rapport.plugins.channels.email import config as settings
from rapport.plugins.channels.email import signing
from rapport.plugins.channels.email.config import Config
from rapport.plugins.channels.email.session import SmtpSession


class Email:
    """Any SMTP server: the firm's own, or a provider's."""

    name = "email"
    title = "E-mail"
    namespace = "email"
    config: type[Config] = Config

    def check(self, config: Config) -> None:
        settings.check(config)

    def limits(self, config: Config) -> Limits:
        return Limits(in_flight=config.in_flight, per_minute=config.per_minute)

    def keys(self, config: Config) -> Mapping[str, Any]:  # noqa: ARG002  nothing of it goes into a key
        selector, pem = signing.new_key()
        return {"dkim_selector": selector, "dkim_key": pem}

    def records(self, config: Config) -> Sequence[Record]:
        found = []
        if config.dkim_key:
            found.append(
                Record(
                    f"{config.dkim_selector}._domainkey.{config.domain}",
                    "TXT",
                    signing.public_record(config.dkim_key),
                    "DKIM: lets receivers check that a mail is yours and was not changed.",
                )
            )
        found.append(
            Record(
                f"_dmarc.{config.domain}",
                "TXT",
                "v=DMARC1; p=none",
                "DMARC: large receivers want one; begin with p=none and tighten it when all your mail is signed.",
            )
        )
        return found

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        return [_dkim(config, context), _spf(config, context), _dmarc(config, context)]

    async def open(self, config: Config, context: Context) -> Session:
        return SmtpSession(config, context)


def _texts(name: str, context: Context) -> Sequence[str] | Finding:
    try:
        return context.texts_of(name)
    except OSError as error:
        return Finding(name, "warn", f"nobody answered for {name}: {error}", "Try again in a while.")


def _dkim(config: Config, context: Context) -> Finding:
    if not config.dkim_key:
        return Finding("DKIM", "bad", "mail is not signed", "Make a key below and publish its record.")
    name = f"{config.dkim_selector}._domainkey.{config.domain}"
    texts = _texts(name, context)
    if isinstance(texts, Finding):
        return texts
    if not texts:
        return Finding(
            "DKIM", "bad", f"there is no record at {name}", "Publish it; it may take an hour to show."
        )
    if not any(signing.same_key(text, config.dkim_key) for text in texts):
        return Finding("DKIM", "bad", f"{name} holds another key", "Replace it by the record shown here.")
    return Finding("DKIM", "ok", f"{name} holds our key")


def _spf(config: Config, context: Context) -> Finding:
    texts = _texts(config.domain, context)
    if isinstance(texts, Finding):
        return texts
    found = [text for text in texts if text.lower().startswith("v=spf1")]
    if len(found) == 1:
        return Finding("SPF", "ok", found[0], "See that it names the server above.")
    if found:
        return Finding("SPF", "bad", f"{config.domain} has {len(found)} SPF records", "Join them into one.")
    return Finding(
        "SPF",
        "warn",
        f"{config.domain} does not say who may send for it",
        "Ask your provider for its record.",
    )


def _dmarc(config: Config, context: Context) -> Finding:
    texts = _texts(f"_dmarc.{config.domain}", context)
    if isinstance(texts, Finding):
        return texts
    found = [text for text in texts if text.lower().startswith("v=dmarc1")]
    if found:
        return Finding("DMARC", "ok", found[0])
    return Finding(
        "DMARC", "warn", f"there is no record at _dmarc.{config.domain}", "Publish the one shown here."
    )


plugin = Email()
