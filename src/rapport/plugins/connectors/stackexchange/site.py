"""One site of Stack Exchange: how its API is asked, within its quota, and what it says.

Its numbers are of one site, so ours say of what and where: `q12@stackoverflow` is a question, `a` an answer, `c` a
comment. People are known by their number there, since names are no one's alone.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rapport.kit import markup, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.kit.marks import Found
from rapport.listening.contract import Context, Failed, Said, refusal, setting

API = "https://api.stackexchange.com/2.3"
UNPACKED_MAX = 20_000_000  # bytes; a small answer may unpack to a very large one
QUOTA, BACKOFF, US = "quota", "backoff", "us"  # where they are remembered
SPENT_S = 3_600.0  # the quota is renewed daily, and nobody says when
LOGIN = {"access_token_required", "invalid_access_token", "access_token_compromised", "key_required"}
OUT_OF_ORDER = {"internal_error", "temporarily_unavailable"}
_WAIT = re.compile(r"available in (\d+) seconds")
_ID = re.compile(r"([qac])(\d+)@(.+)")

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which site, and with which application."""

    site: str = setting("stackoverflow", "Site", "As the API names it: stackoverflow, superuser, diy.")
    tags: str = setting(
        "", "Tags", "Every question with one of them is read. Separated by spaces.", optional=True
    )
    app_key: str = setting(
        "",
        "Key of the application",
        "Free on stackapps.com: with it 10,000 requests a day instead of 300.",
        optional=True,
    )
    access_token: str = setting(
        "",
        "Access token",
        "Of the account that answers, with write_access and no_expiry. Empty: it is only read.",
        secret=True,
        optional=True,
    )

    @property
    def tagged(self) -> tuple[str, ...]:
        """The tags that are read."""
        return tuple(self.tags.lower().split())


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.]{1,40}", config.site):
        raise Invalid(f"{config.site!r} is no site", "Write it as in the API: stackoverflow, superuser, diy.")
    for tag in config.tagged:
        if not re.fullmatch(r"[\w.+#-]{1,35}", tag):
            raise Invalid(f"{tag!r} is no tag", "Write tags as they stand on the site, separated by spaces.")
    for text, what in ((config.app_key, "key"), (config.access_token, "token")):
        if text and not re.fullmatch(r"[\x21-\x7e]{8,}", text):
            raise Invalid(f"this is no {what}", "Copy it from stackapps.com.")
    if config.access_token and not config.app_key:
        raise Invalid("a token needs its application's key", "Enter the key as well.")


def number_of(id: str, site: str) -> tuple[str, int]:
    """What an id of ours names on this site; raises Failed where it is of another."""
    found = _ID.fullmatch(id)
    if not found or found[3] != site:
        raise Failed(f"{id} is not on {site}", is_permanent=True, hint="Answer with the source that read it.")
    return found[1], int(found[2])


class Site:
    """Asks the site."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context

    @property
    def us(self) -> int:
        """Our number on the site; 0 where we only read."""
        if not self.config.access_token:
            return 0
        key = (self.config.site, self.config.access_token)
        held = self._context.memory.get(US)
        if not held or held[0] != key:
            number = wire.count_at(self.get("/me"), "items", 0, "user_id")
            if number is None:
                raise Failed(
                    f"the token's account has not joined {self.config.site}",
                    reason="login",
                    retry_after_s=None,
                )
            held = self._context.memory[US] = (key, number)
        return int(held[1])

    def get(self, path: str, parameters: Parameters = (), *, is_of_site: bool = True) -> Any:
        """Ask for something, of this site or of all; raises Failed."""
        always = [(name, value) for name, value in self._always() if is_of_site or name == "key"]
        asked = urlencode([*parameters, *always])
        return self._asked(path, Request(f"{API}{path}?{asked}"))

    def post(self, path: str, form: Parameters) -> Any:
        """Make something; raises Failed."""
        body = urlencode([*form, *self._always()]).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self._asked(path, Request(f"{API}{path}", "POST", body, headers))

    def _always(self) -> Parameters:
        told = [("site", self.config.site), ("filter", "withbody")]
        told += [("key", self.config.app_key)] if self.config.app_key else []
        return told + ([("access_token", self.config.access_token)] if self.config.access_token else [])

    def _asked(self, path: str, request: Request) -> Any:
        method = re.sub(r"/[\d;]+", "/{ids}", path)
        for name in (QUOTA, f"{BACKOFF}:{method}"):
            until, now = self._context.memory.get(name), self._context.now()
            if until is not None and until > now:
                raise Failed(
                    "the day's requests are spent"
                    if name == QUOTA
                    else f"{self.config.site} wants us to wait",
                    reason="rate",
                    retry_after_s=(until - now).total_seconds(),
                    hint="With a key of stackapps.com there are more." if name == QUOTA else "",
                )
        answer = self._context.fetch(request)
        found = wire.document(unpacked(answer))
        self._note(method, found)
        if answer.status != 200 or not isinstance(found, dict) or "error_id" in found:
            failed = self._failed(answer, found)
            # Its own errors come with a status of 400, whatever is the matter.
            is_theirs = answer.status >= 500 or wire.text_at(found, "error_name") in OUT_OF_ORDER
            is_nothing = answer.status == 200 and not isinstance(found, dict)
            failed.is_unsure = request.method == "POST" and (is_theirs or is_nothing)
            raise failed
        return found

    def _note(self, method: str, found: Any) -> None:
        """Keep what the site says of its limits, which stands in every answer."""
        wait = wire.count_at(found, "backoff")
        if wait:
            until = self._context.now() + dt.timedelta(seconds=wait)
            self._context.memory[f"{BACKOFF}:{method}"] = until
        if wire.count_at(found, "quota_remaining") == 0:
            self._context.memory[QUOTA] = self._context.now() + dt.timedelta(seconds=SPENT_S)

    def _failed(self, answer: Answer, found: Any) -> Failed:
        code, words = wire.text_at(found, "error_name"), wire.text_at(found, "error_message")
        if code == "throttle_violation":
            told = _WAIT.search(words)
            wait_s = float(told[1]) if told else SPENT_S
            return Failed(
                f"Stack Exchange wants fewer requests: {words}", reason="rate", retry_after_s=wait_s
            )
        if code in LOGIN:
            return Failed(
                f"Stack Exchange does not accept the token: {words}",
                reason="login",
                retry_after_s=None,
                hint="Make the token anew with write_access and no_expiry, and enter it with its key.",
            )
        if code in OUT_OF_ORDER:
            return Failed(f"Stack Exchange does not answer just now: {words}", retry_after_s=300.0)
        if code == "access_denied":
            return Failed(
                f"Stack Exchange does not let us do this: {words}",
                reason="permission",
                retry_after_s=3_600.0,
                is_permanent=True,
                hint="The token needs write_access, and the account enough reputation there.",
            )
        if answer.status == 200:
            return Failed("Stack Exchange answered with something that is no JSON")
        return refusal(answer, "Stack Exchange", self._context.now(), words=words)


def unpacked(answer: Answer) -> bytes:
    """The body; the API packs every answer, whether that was asked for or not."""
    kind = answer.headers.get("content-encoding", "").lower()
    if kind not in {"gzip", "deflate"}:
        return answer.body
    for bits in (47, -15):  # gzip and zlib by their heads; and bare deflate, which some call so
        unpacker = zlib.decompressobj(bits)
        try:
            found = unpacker.decompress(answer.body, UNPACKED_MAX)
        except zlib.error:
            continue
        if unpacker.unconsumed_tail:
            raise Failed(f"an answer unpacks to more than {UNPACKED_MAX} bytes", retry_after_s=3_600.0)
        return found
    raise Failed("an answer cannot be unpacked", retry_after_s=300.0)


def read(item: Any, site: str, us: int, *, question: int = 0, asks_us: bool = False) -> Found[Said] | None:
    """A question, answer or comment; None where it is not whole. `question` is that of a comment, where known."""
    kind = next((k for k in ("comment", "answer", "question") if wire.count_at(item, f"{k}_id")), "")
    if kind == "question" and wire.text_at(item, "post_type") == "answer":
        kind = "answer"
    number = wire.count_at(item, f"{kind}_id")
    created = wire.count_at(item, "creation_date")
    if not kind or number is None or created is None:
        return None
    at = dt.datetime.fromtimestamp(created, dt.UTC)
    id, owner = f"{kind[0]}{number}@{site}", wire.at(item, "owner")
    person = wire.count_at(owner, "user_id")
    asked = wire.count_at(item, "question_id") or question
    post = wire.count_at(item, "post_id") or 0
    thread = id if kind == "question" else f"q{asked}@{site}" if asked else ""
    above = {"question": "", "answer": thread, "comment": f"{'q' if post == asked else 'a'}{post}@{site}"}
    words = markup.text_of(wire.text_at(item, "body"))
    title = html.unescape(wire.text_at(item, "title")) if kind == "question" else ""
    is_ours = bool(us) and person == us
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=f"{person}@{site}" if person else "",
        author_name=html.unescape(wire.text_at(owner, "display_name")),
        text=f"{title}\n\n{words}" if title else words,
        in_reply_to=above[kind],
        thread=thread,
        venue=f"stackexchange:{site}",
        url=wire.text_at(item, "link"),
        is_ours=is_ours,
        asks_us=asks_us and not is_ours,
    )
    edited = wire.count_at(item, "last_edit_date")
    return Found(id, at, said, str(edited) if edited else "")
