"""Pinterest: the firm's own pins. Its API (v5) gives no comments, and this says so rather than read the site."""

from __future__ import annotations

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
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Said,
    Terms,
    refusal,
    setting,
)

API = "https://api.pinterest.com/v5"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Config:
    """Which account."""

    access_token: str = setting(
        "",
        "Access token",
        "Of the firm's business account, with pins:read and user_accounts:read; it ends after 30 days.",
        secret=True,
    )


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
        may_answer=False,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://policy.pinterest.com/en/developer-guidelines",
        read_on=None,
        note=(
            "Pinterest forbids to read its site by machine, to keep what its interface gave (a day is the least that "
            "this program knows), and to join any of it with other services or with anything personal. Its interface "
            "has no comments. Hours here are our own caution."
        ),
    )
    manners = Manners(requests=30, per_s=60, every_s=900)
    costs = "Free, with an app of the firm's own that Pinterest approved."
    sees = "The firm's own pins, when they were made and what they say."
    cannot_see = (
        "Comments: Pinterest's interface gives none, neither under the firm's pins nor elsewhere, nor can any be "
        "answered; also pins of others, followed words, messages and who saved a pin."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
            raise Invalid("there is no access token", "Make one for the firm's business account.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        try:
            name = wire.text_at(_get(config, context, "user_account"), "username")
            _get(config, context, "pins?page_size=1")
        except Failed as failed:
            return [Finding("Pinterest", "bad", failed.message, failed.hint)]
        hint = "Read and answer them in Pinterest itself."
        return [
            Finding("Access token", "ok", f"it is that of {name}"),
            Finding("Comments", "warn", "cannot be read: Pinterest's interface gives none", hint),
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
        url=f"https://www.pinterest.com/pin/{id}/",
        is_ours=True,
    )
    return Found(id, at, said)


def _get(config: Config, context: Context, path: str, *, is_gone_told: bool = False) -> Any:
    answer = context.fetch(
        Request(f"{API}/{path}", headers={"authorization": f"Bearer {config.access_token}"})
    )
    if is_gone_told and answer.status == 404:
        return None
    found = wire.document(answer.body)
    if answer.status != 200:
        raise refusal(answer, "Pinterest", context.now(), words=wire.text_at(found, "message"))
    if not isinstance(found, dict):
        raise Failed("Pinterest answered with something that is no JSON")
    return found


plugin = Pinterest()
