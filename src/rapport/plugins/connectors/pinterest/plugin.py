"""Pinterest: the firm's own pins, read and made. Its API (v5) gives no comments; the site is not read instead."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rapport.kit import wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Pictures,
    Receipt,
    Said,
    Terms,
    refusal,
    setting,
    tried,
)

API = "https://api.pinterest.com/v5"
LENGTH_MAX = 800  # of a pin's description
PAGE = 100


@dataclass(frozen=True, slots=True)
class Config:
    """Which account."""

    access_token: str = setting(
        "",
        "Access token",
        "Of the firm's business account, with pins:read and user_accounts:read, and to make pins also pins:write "
        "and boards:read; it ends after 30 days.",
        secret=True,
    )
    board: str = setting(
        "", "Board for our pins", "Its number, digits alone. Without one, pins are read and none is made.",
        optional=True,
    )  # fmt: skip


class Pinterest:
    """One business account."""

    name = "pinterest"
    title = "Pinterest"
    network = "pinterest"
    config: type[Config] = Config
    terms = Terms(
        keep_days=1,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://policy.pinterest.com/en/developer-guidelines",
        read_on=None,
        note=(
            "Pinterest forbids to read its site by machine, to keep what its interface gave (a day is the least that "
            "this program knows), and to join any of it with other services or with anything personal. Its interface "
            "has no comments to answer: what may be posted are pins of the firm's own. Hours here are our own caution."
        ),
    )
    manners = Manners(
        requests=30,
        per_s=60,
        every_s=900,
        length_max=LENGTH_MAX,
        pictures=Pictures(most=1, is_needed=True, bytes_max=5_000_000, side_max=4_000, alt_max=500),
    )
    costs = "Free, with an app of the firm's own that Pinterest approved."
    sees = "The firm's own pins, when they were made and what they say."
    cannot_see = (
        "Comments: Pinterest's interface gives none, neither under the firm's pins nor elsewhere, nor can any be "
        "answered; also pins of others, followed words, messages and who saved a pin."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
            raise Invalid("there is no access token", "Make one for the firm's business account.")
        if config.board and not re.fullmatch(r"[0-9]{1,24}", config.board):
            raise Invalid(f"{config.board!r} is no number of a board", "It has digits alone.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        right = "Make a token with {}; the app needs Pinterest's approval for it."
        found = tried(
            (
                "Access token",
                lambda: f"it is that of {wire.text_at(_get(config, context, 'user_account'), 'username')}",
                right.format("user_accounts:read"),
            ),
            (
                "Pins",
                lambda: _get(config, context, "pins?page_size=1") and "can be read",
                right.format("pins:read"),
            ),
        )
        if {one.state for one in found} == {"bad"}:
            return found
        hint = "Read and answer them in Pinterest itself."
        return [
            *found,
            Finding("Comments", "warn", "cannot be read: Pinterest's interface gives none", hint),
            *_board(config, context),
        ]

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        marks = Marks.read(cursor)
        before = marks.text()
        us = context.memory.get("us")
        if not us or us[0] != config.access_token:
            name = wire.text_at(_get(config, context, "user_account"), "username")
            us = context.memory["us"] = (config.access_token, name)
        walk = marks.walk("pins", _listed(config, context, us[1]), context.since)
        gaps = []
        if walk.cut is not None and walk.cut > walk.since:
            gaps.append(Gap(walk.since, walk.cut, "horizon", "more pins were made than can be read at once"))
        said = list(marks.new(walk.found))
        if said or gaps or marks.text() != before:
            yield Page(said, marks.text(), gaps)

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        now = context.now()
        return [
            Said(f"{id}#deletion", "deletion", now, "", about=id)
            for id in ids
            if id.isdigit() and _get(config, context, f"pins/{id}", is_gone_told=True) is None
        ]

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if draft.in_reply_to or draft.is_private:
            raise Failed("Pinterest's interface answers nobody", is_permanent=True, hint="Answer there.")
        if not draft.media:
            raise Failed("a pin needs a picture", is_permanent=True, hint="Add one.")
        if not config.board:
            hint = "Enter its number in this source."
            raise Failed("it is not said on which board our pins stand", is_permanent=True, hint=hint)
        (one,) = draft.media
        body = {
            "board_id": config.board,
            "title": draft.subject_line[:100],
            "description": draft.text,
            "alt_text": one.alt,
            "media_source": {
                "source_type": "image_base64",
                "content_type": one.content_type,
                "data": base64.b64encode(one.read()).decode(),
            },
        }
        # The picture travels with its pin: neither is there without the other.
        id = wire.text_at(_asked(config, context, "pins", body), "id")
        if not id:
            raise Failed("Pinterest does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(id, _url(id))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        for pin in wire.items_at(_get(config, context, f"pins?page_size={PAGE}"), "items"):
            is_same = wire.says(wire.text_at(pin, "description"), draft.text)
            if is_same and wire.text_at(pin, "board_id") == config.board:
                id = wire.text_at(pin, "id")
                return Receipt(id, _url(id))
        return None


def _board(config: Config, context: Context) -> list[Finding]:
    if not config.board:
        hint = "Enter the number of a board to make pins."
        return [Finding("Board", "warn", "pins are read, and none is made", hint)]
    try:
        name = wire.text_at(_get(config, context, f"boards/{config.board}"), "name")
    except Failed as failed:
        return [Finding("Board", "bad", failed.message, failed.hint)]
    return [Finding("Board", "ok", f"our pins stand on {name}")]


def _url(id: str) -> str:
    return f"https://www.pinterest.com/pin/{id}/"


def _listed(config: Config, context: Context, us: str) -> Iterator[list[Found[Said]]]:
    """Pages of pins, the newest first."""
    bookmark = ""
    while True:
        onward = f"&bookmark={quote(bookmark, safe='')}" if bookmark else ""
        told = _get(config, context, f"pins?page_size={PAGE}{onward}")
        yield [seen for pin in wire.items_at(told, "items") if (seen := _read(pin, us))]
        bookmark = wire.text_at(told, "bookmark")
        if not bookmark:
            return


def _read(pin: Any, us: str) -> Found[Said] | None:
    id, written = wire.text_at(pin, "id"), wire.text_at(pin, "created_at")
    # Pinterest writes moments in UTC without saying so.
    at = wire.moment(written) or wire.moment(f"{written}Z")
    if not id or at is None:
        return None
    words = [wire.text_at(pin, "title"), wire.text_at(pin, "description")]
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=us,
        text="\n\n".join(part for part in words if part),
        thread=id,
        venue="pinterest",
        url=_url(id),
        is_ours=True,
    )
    return Found(id, at, said)


def _get(config: Config, context: Context, path: str, *, is_gone_told: bool = False) -> Any:
    return _asked(config, context, path, None, is_gone_told=is_gone_told)


def _asked(config: Config, context: Context, path: str, body: Any, *, is_gone_told: bool = False) -> Any:
    headers = {"authorization": f"Bearer {config.access_token}"}
    if body is None:
        answer = context.fetch(Request(f"{API}/{path}", headers=headers))
    else:
        headers["content-type"] = "application/json"
        sent = json.dumps(body, ensure_ascii=False).encode()
        answer = context.fetch(Request(f"{API}/{path}", "POST", sent, headers))
    if is_gone_told and answer.status == 404:
        return None
    found = wire.document(answer.body)
    if answer.status not in {200, 201}:
        failed = refusal(answer, "Pinterest", context.now(), words=wire.text_at(found, "message"))
        failed.is_unsure = body is not None and answer.status >= 500
        raise failed
    if not isinstance(found, dict):
        raise Failed("Pinterest answered with something that is no JSON", is_unsure=body is not None)
    return found


plugin = Pinterest()
