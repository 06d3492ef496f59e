"""The account that we read and post as, how its instance is asked, and what Lemmy's views say.

Ids are the instance's own numbers, so ours name what they are and where (`c12@lemmy.example`: c a comment, p a
post, m a private message); handles and communities name their own instances, which may be others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from rapport.kit import http, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.kit.marks import Found
from rapport.listening.contract import Context, Failed, Said, refusal, setting

TOKEN = "token"  # noqa: S105  where it is remembered
# What Lemmy calls it where the log-in is over, where something is gone, and where we ask too often.
OVER = frozenset({"not_logged_in", "incorrect_login", "incorrect_totp_token", "missing_totp_token"})
GONE = frozenset({"couldnt_find_comment", "couldnt_find_post", "couldnt_find_object", "not_found"})
OFTEN = "rate_limit_error"
_ID = re.compile(r"([cpm])(\d+)@(.+)")

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account."""

    server: str = setting("https://lemmy.world", "Instance", "Where the account lives.")
    username: str = setting("", "Account", "Its name, without the instance.")
    password: str = setting(
        "", "Password", "The account may not ask for a second factor; mark it as a bot's.", secret=True
    )

    @property
    def host(self) -> str:
        """The instance's name."""
        return urlsplit(self.server).netloc.lower()


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if http.place_of(config.server).target != "/":
        raise Invalid(f"{config.server!r} holds a path", "Write the instance alone: https://lemmy.world.")
    if not re.fullmatch(r"\w{3,60}", config.username, re.ASCII):
        raise Invalid(f"{config.username!r} is no account", "Write its name without @ and instance.")
    if not config.password:
        raise Invalid("there is no password", "Enter the account's own.")


def id_of(kind: str, number: int | None, host: str) -> str:
    """An id of ours."""
    return f"{kind}{number}@{host}"


def number_of(id: str, host: str) -> tuple[str, int]:
    """What an id of ours names on this instance; raises Failed where it is of another."""
    found = _ID.fullmatch(id)
    if not found or found[3] != host:
        raise Failed(f"{id} is not on {host}", is_permanent=True, hint="Answer with the source that read it.")
    return found[1], int(found[2])


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The instance's own error, for callers who know what it means there."""

    code: str
    failed: Failed


class Instance:
    """Asks an instance in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something; raises Failed."""
        try:
            return self._logged_in("GET", path + (f"?{urlencode(parameters)}" if parameters else ""))
        except Refused as refused:
            raise refused.failed from None

    def get_if_there(self, path: str, parameters: Parameters) -> Any:
        """Ask for one thing; None where it is gone."""
        try:
            return self._logged_in("GET", f"{path}?{urlencode(parameters)}")
        except Refused as refused:
            if refused.code in GONE:
                return None
            raise refused.failed from None

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something; raises Failed."""
        try:
            return self._logged_in("POST", path, body)
        except Refused as refused:
            if refused.code in GONE or refused.code == "locked":
                refused.failed.is_permanent = True
            raise refused.failed from None

    def _logged_in(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            return self._asked(method, target, body, self._token())
        except Refused as refused:
            if refused.code != "not_logged_in":
                raise
            # The token may have been ended there; a new log-in says whether the account still is welcome.
            self._context.memory.pop(TOKEN, None)
            return self._asked(method, target, body, self._token())

    def _token(self) -> str:
        key = (self.config.server, self.config.username, self.config.password)
        held = self._context.memory.get(TOKEN)
        if not held or held[0] != key:
            body = {"username_or_email": self.config.username, "password": self.config.password}
            token = wire.text_at(self._asked("POST", "/user/login", body, ""), "jwt")
            if not token:
                raise Failed(
                    f"{self.config.host} gives no token: the account waits to be admitted or to confirm its address",
                    reason="login",
                    retry_after_s=None,
                )
            held = self._context.memory[TOKEN] = (key, token)
        return str(held[1])

    def _asked(self, method: str, target: str, body: Mapping[str, Any] | None, token: str) -> Any:
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        sent = None
        if body is not None:
            headers["content-type"] = "application/json"
            sent = json.dumps(body, ensure_ascii=False).encode()
        url = f"{self.config.server.rstrip('/')}/api/v3{target}"
        answer = self._context.fetch(Request(url, method, sent, headers))
        found = wire.document(answer.body)
        is_posting = method == "POST" and bool(token)  # rather than a log-in
        if answer.status == 200 and isinstance(found, dict):
            return found
        if answer.status == 200:
            raise Failed(f"{self.config.host} answered with something that is no JSON", is_unsure=is_posting)
        code, host = wire.text_at(found, "error"), self.config.host
        failed = refusal(answer, host, self._context.now(), words=code.replace("_", " "))
        if code in OVER or answer.status == 401:
            failed = Failed(
                f"{host} does not accept the log-in of {self.config.username}: {code.replace('_', ' ')}",
                reason="login",
                retry_after_s=None,
                hint="Enter the password anew; the account may not ask for a second factor.",
            )
        elif code == OFTEN:
            # Instances say neither what their limit is nor when it ends; most count over ten minutes.
            wait = wire.wait_s(answer.headers, self._context.now())
            failed = Failed(f"{host} wants fewer requests", reason="rate", retry_after_s=wait or 120.0)
        failed.is_unsure = is_posting and answer.status >= 500
        raise Refused(code, failed)


def comment(view: Any, config: Config, *, asks_us: bool = False) -> Found[Said] | None:
    """A comment; None where it is not whole, or is gone."""
    held = wire.at(view, "comment")
    number, post = wire.count_at(held, "id"), wire.count_at(held, "post_id")
    at, author = moment(wire.at(held, "published")), handle(wire.at(view, "creator"))
    if number is None or post is None or at is None or not author or is_gone(held):
        return None
    host = config.host
    above = [part for part in wire.text_at(held, "path").split(".")[:-1] if part not in {"", "0"}]
    thread = id_of("p", post, host)
    said = Said(
        id=id_of("c", number, host),
        kind="post",
        ts=at,
        author=author,
        author_name=wire.text_at(view, "creator", "display_name") or wire.text_at(view, "creator", "name"),
        text=wire.text_at(held, "content"),
        in_reply_to=f"c{above[-1]}@{host}" if above else thread,
        thread=thread,
        venue=venue(view),
        url=f"{config.server.rstrip('/')}/comment/{number}",
        is_ours=is_ours(author, config),
        asks_us=not is_ours(author, config) and (asks_us or names(wire.text_at(held, "content"), config)),
    )
    return Found(said.id, at, said, wire.text_at(held, "updated"))


def post(view: Any, config: Config) -> Found[Said] | None:
    """A post; None where it is not whole, or is gone."""
    held = wire.at(view, "post")
    number, at = wire.count_at(held, "id"), moment(wire.at(held, "published"))
    author = handle(wire.at(view, "creator"))
    if number is None or at is None or not author or is_gone(held):
        return None
    parts = (wire.text_at(held, name) for name in ("name", "body", "url"))
    id = id_of("p", number, config.host)
    text = "\n\n".join(part for part in parts if part)
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=author,
        author_name=wire.text_at(view, "creator", "display_name") or wire.text_at(view, "creator", "name"),
        text=text,
        thread=id,
        venue=venue(view),
        url=f"{config.server.rstrip('/')}/post/{number}",
        is_ours=is_ours(author, config),
        asks_us=not is_ours(author, config) and names(text, config),
    )
    return Found(id, at, said, wire.text_at(held, "updated"))


def message(view: Any, config: Config) -> Found[Said] | None:
    """A private message; None where it is not whole, or is gone."""
    held = wire.at(view, "private_message")
    number, at = wire.count_at(held, "id"), moment(wire.at(held, "published"))
    author, to = handle(wire.at(view, "creator")), handle(wire.at(view, "recipient"))
    if number is None or at is None or not author or is_gone(held):
        return None
    ours = is_ours(author, config)
    said = Said(
        id=id_of("m", number, config.host),
        kind="message",
        ts=at,
        author=author,
        author_name=wire.text_at(view, "creator", "display_name") or wire.text_at(view, "creator", "name"),
        text=wire.text_at(held, "content"),
        # Private messages form no threads there: what two say to each other is one.
        thread=f"with-{to if ours else author}@{config.host}",
        venue="lemmy",
        is_private=True,
        is_ours=ours,
        asks_us=not ours,
    )
    return Found(said.id, at, said, wire.text_at(held, "updated"))


def is_gone(held: Any) -> bool:
    """Whether its author or a moderator took it away."""
    return wire.at(held, "deleted") is True or wire.at(held, "removed") is True


def handle(person: Any) -> str:
    """Name and instance of somebody."""
    name, host = wire.text_at(person, "name").lower(), urlsplit(wire.text_at(person, "actor_id")).netloc
    return f"{name}@{host.lower()}" if name and host else ""


def venue(view: Any) -> str:
    """The community that something stands in."""
    community = handle(wire.at(view, "community"))
    return f"lemmy:{community}" if community else "lemmy"


def is_ours(author: str, config: Config) -> bool:
    """Whether it is our account."""
    return author == f"{config.username.lower()}@{config.host}"


def names(text: str, config: Config) -> bool:
    """Whether a text names our account as Lemmy does."""
    return f"@{config.username.lower()}@{config.host}" in text.lower()


def moment(value: Any) -> Any:
    """A time; instances before 0.19 wrote UTC without saying so."""
    found = wire.moment(value)
    return found or (wire.moment(f"{value}Z") if isinstance(value, str) else None)
