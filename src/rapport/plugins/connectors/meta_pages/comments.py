"""What posts and comments of Facebook and Instagram say, from lists and from web hooks."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from rapport.kit import picking, wire
from rapport.kit.marks import Found
from rapport.listening.contract import Said
from rapport.plugins.connectors.meta_pages.graph import Config

PAGE_COMMENT = "id,message,created_time,from{id,name},parent{id},permalink_url"
# The feed of a page holds what visitors post there as well.
PAGE_POST = "id,message,created_time,from{id,name},permalink_url"
GRAM_COMMENT = "id,text,timestamp,username,from{id,username},parent_id"
GRAM_POST = "id,caption,timestamp,permalink"


def read(config: Config, held: Any, post: Any = None) -> Found[Said] | None:
    """One post or comment; None where it is not whole. `post` is what a comment stands under."""
    id = wire.text_at(held, "id")
    at = moment(wire.text_at(held, "created_time") or wire.text_at(held, "timestamp"))
    if at is None or not id:
        return None
    author = wire.text_at(held, "from", "id")
    handle = wire.text_at(held, "username") or wire.text_at(held, "from", "username")
    post_id = wire.text_at(post, "id")
    # The list of an Instagram account's posts does not name who wrote them, and holds nobody else's.
    is_own_list = not post_id and not config.is_page
    # Meta marks comments of the account itself by what else it calls the account.
    is_ours = author == config.number or is_own_list or bool(wire.text_at(held, "from", "self_ig_scoped_id"))
    above = wire.text_at(held, "parent", "id") or wire.text_at(held, "parent_id") or post_id
    words = (wire.text_at(held, name) for name in ("message", "text", "caption"))
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=config.number if is_ours else (author if config.is_page else handle or author),
        author_name=wire.text_at(held, "from", "name") or handle,
        text=next((text for text in words if text), ""),
        in_reply_to=above,
        thread=post_id or id,
        venue=config.place,
        url=next((url for n in ("permalink_url", "permalink") if (url := wire.text_at(held, n))), ""),
        is_ours=is_ours,
        asks_us=not is_ours,  # said on the firm's page, or under its posts
    )
    return Found(id, at, said)


def moment(text: str) -> dt.datetime | None:
    """As Meta writes them: 2026-03-02T12:00:00+0000."""
    return wire.moment(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text))


def changed(config: Config, change: Any, now: dt.datetime) -> Said | None:
    """What a web hook tells of one comment; None where it is about something else."""
    value = wire.at(change, "value")
    if not config.is_page:
        if wire.text_at(change, "field") not in {"comments", "live_comments"}:
            return None
        held = {**value, "timestamp": wire.written(now)} if isinstance(value, dict) else {}
        found = read(config, held, wire.at(value, "media"))
        return found.said if found else None
    if wire.text_at(change, "field") != "feed" or wire.text_at(value, "item") != "comment":
        return None
    id, verb = wire.text_at(value, "comment_id"), wire.text_at(value, "verb")
    at = picking.moment(wire.at(value, "created_time")) or now
    if not id:
        return None
    if verb in {"remove", "hide"}:
        return Said(f"{id}#deletion", "deletion", at, "", about=id)
    held = {
        "id": id,
        "message": wire.text_at(value, "message"),
        "created_time": wire.written(at),
        "from": wire.at(value, "from"),
        "parent_id": wire.text_at(value, "parent_id"),
        "permalink_url": wire.text_at(value, "post", "permalink_url"),
    }
    found = read(config, held, {"id": wire.text_at(value, "post_id")})
    if found is None:
        return None
    one = found.said
    if verb == "edited":
        version = f"{at.timestamp():.0f}"
        return Said(f"{id}#{version}", "edit", at, one.author, one.text, about=id, venue=one.venue)
    return one if verb == "add" else None
