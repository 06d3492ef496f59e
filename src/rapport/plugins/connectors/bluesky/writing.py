"""What we post: a record under a key of the draft's own, so that the same draft is in the repository once.

A record's key is a TID (https://atproto.com/specs/tid), 53 bits of time and 10 of chance; ours is made of the
draft's id. `putRecord` with `swapRecord: null` writes where nothing is, and says so where something is.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import Context, Draft, Failed, Pictures, Receipt, nothing_posted
from rapport.plugins.connectors.bluesky import posts
from rapport.plugins.connectors.bluesky.account import Account, Refused

LENGTH_MAX, BYTES_MAX = 300, 3_000  # graphemes, and bytes of UTF-8 (lexicon app.bsky.feed.post)
# Lexicon app.bsky.embed.images; of the alternative text it names no limit, the app takes so many.
PICTURES = Pictures(most=4, bytes_max=1_000_000, side_max=2_000, alt_max=2_000)
KEYS = 3  # that a draft may have: two drafts whose keys are the same would be one post otherwise
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
TIMES_FROM, TIMES = (
    1_672_531_200_000_000,
    31_536_000_000_000,
)  # microseconds of 2023, the network's first year
LINK = re.compile(r"(?<![\w@/])https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}…]")
MENTION = re.compile(
    r"(?<![\w@/.])@((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]*)"
)
TAG = re.compile(r"(?<![\w#/&])#([^\W\d_]\w{0,63})")
JOINER = "\u200d"


def published(account: Account, draft: Draft, context: Context) -> Receipt:
    """Post it; raises Failed."""
    _check(draft)
    record = _record(account, draft, context)
    for key in keys(draft.id):
        body = {
            "repo": account.did,
            "collection": posts.POST,
            "rkey": key,
            "swapRecord": None,
            "record": record,
        }
        try:
            found = account.procedure("com.atproto.repo.putRecord", body)
        except Refused as refused:
            if refused.name != "InvalidSwap":
                raise refused.failed from None
        else:
            uri = wire.text_at(found, "uri") or f"at://{account.did}/{posts.POST}/{key}"
            return Receipt(uri, posts.web_address(uri), wire.text_at(found, "cid"))
        there = _there(account, draft, key)
        if there is not None:
            return there
    raise Failed("other posts have this draft's keys", is_permanent=True, hint="Write it as a new draft.")


def found(account: Account, draft: Draft) -> Receipt | None:
    """The post of a draft, where there is one."""
    return next((r for key in keys(draft.id) if (r := _there(account, draft, key))), None)


def keys(id: str) -> Iterator[str]:
    """The keys that the record of a draft may have, the same for every try."""
    for n in range(KEYS):
        number = int.from_bytes(hashlib.sha256(f"{id}#{n}".encode()).digest())
        bits = (TIMES_FROM + (number >> 10) % TIMES) << 10 | number & 1023
        yield "".join(ALPHABET[bits >> shift & 31] for shift in range(60, -5, -5))


def graphemes(text: str) -> int:
    """About how many characters a reader counts, as the network does (Unicode UAX 29, without its rarer rules)."""
    n, before, flags = 0, "", 0
    for c in text:
        is_flag = "\U0001f1e6" <= c <= "\U0001f1ff"
        flags = flags + 1 if is_flag else 0
        joins = (
            unicodedata.category(c) in {"Mn", "Me", "Mc", "Cf"}
            or "\U0001f3fb" <= c <= "\U0001f3ff"
            or before == JOINER
            or (before == "\r" and c == "\n")
            or (is_flag and flags % 2 == 0)
        )
        n += not joins or not before
        before = c
    return n


def facets(account: Account, text: str) -> list[dict[str, Any]]:
    """Links, mentions and tags of a text, by their places in bytes of UTF-8."""
    found = [(m, {"$type": "app.bsky.richtext.facet#link", "uri": m[0]}) for m in LINK.finditer(text)]
    for match in MENTION.finditer(text):
        did = _did(account, match[1].lower())
        if did:
            found.append((match, {"$type": posts.MENTION, "did": did}))
    found += [(m, {"$type": "app.bsky.richtext.facet#tag", "tag": m[1]}) for m in TAG.finditer(text)]
    found.sort(key=lambda pair: pair[0].start())
    return [
        {
            "index": {
                "byteStart": len(text[: match.start()].encode()),
                "byteEnd": len(text[: match.end()].encode()),
            },
            "features": [feature],
        }
        for match, feature in found
    ]


def _check(draft: Draft) -> None:
    if draft.is_private:
        raise Failed(
            "private messages are not sent on Bluesky from here",
            is_permanent=True,
            hint="Answer in public, or by mail.",
        )
    if not draft.text.strip():
        raise Failed("there are no words to post", is_permanent=True)
    n = graphemes(draft.text)
    if n > LENGTH_MAX or len(draft.text.encode()) > BYTES_MAX:
        raise Failed(
            f"the post has {n} characters, and Bluesky takes {LENGTH_MAX}",
            is_permanent=True,
            hint="Say it shorter.",
        )


def _record(account: Account, draft: Draft, context: Context) -> dict[str, Any]:
    record: dict[str, Any] = {
        "$type": posts.POST,
        "text": draft.text,
        "createdAt": wire.written(context.now()),
    }
    if draft.language:
        record["langs"] = [draft.language]
    marked = facets(account, draft.text)
    if marked:
        record["facets"] = marked
    if draft.in_reply_to:
        record["reply"] = _references(account, draft.in_reply_to)
    if draft.media:
        record["embed"] = {"$type": "app.bsky.embed.images", "images": _images(account, draft)}
    return record


def _images(account: Account, draft: Draft) -> list[dict[str, Any]]:
    """The pictures, uploaded: until a record shows them nobody sees them, and the server lets them go again."""
    found = []
    for one in draft.media:
        with nothing_posted():
            try:
                blob = account.upload(one.read(), one.content_type)
            except Refused as refused:
                raise refused.failed from None
        if not wire.text_at(blob, "ref", "$link"):
            raise Failed("the server does not say what became of a picture", retry_after_s=30.0)
        ratio = {"width": one.width, "height": one.height}
        found.append({"alt": one.alt, "image": blob, "aspectRatio": ratio})
    return found


def _references(account: Account, uri: str) -> dict[str, Any]:
    """The post that is answered and the one its thread began with, each with its version."""
    try:
        view = account.query("app.bsky.feed.getPosts", [("uris", uri)])
    except Refused as refused:
        raise refused.failed from None
    parent = wire.at(view, "posts", 0)
    cid = wire.text_at(parent, "cid")
    if not cid:
        raise Failed(
            "the post that this answers is not there any more",
            is_permanent=True,
            hint="It was deleted, or its author does not want to hear from this account.",
        )
    here = {"uri": uri, "cid": cid}
    root = wire.at(parent, "record", "reply", "root")
    is_whole = wire.text_at(root, "uri") and wire.text_at(root, "cid")
    return {"root": {"uri": root["uri"], "cid": root["cid"]} if is_whole else here, "parent": here}


def _there(account: Account, draft: Draft, key: str) -> Receipt | None:
    """The record under a key, if it is this draft's."""
    asked = [("repo", account.did), ("collection", posts.POST), ("rkey", key)]
    try:
        record = account.query("com.atproto.repo.getRecord", asked)
    except Refused as refused:
        if refused.name == "RecordNotFound" or "could not locate record" in refused.words.lower():
            return None
        raise refused.failed from None
    value = wire.at(record, "value")
    is_same = (
        wire.text_at(value, "text") == draft.text
        and wire.text_at(value, "reply", "parent", "uri") == draft.in_reply_to
    )
    uri = f"at://{account.did}/{posts.POST}/{key}"
    return Receipt(uri, posts.web_address(uri), wire.text_at(record, "cid")) if is_same else None


def _did(account: Account, handle: str) -> str:
    try:
        return wire.text_at(account.query("com.atproto.identity.resolveHandle", [("handle", handle)]), "did")
    except Refused as refused:
        if refused.failed.reason in {"rate", "login"} or refused.status >= 500:
            raise refused.failed from None
        return ""  # nobody of that name: the words stay as they are
