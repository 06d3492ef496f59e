"""Small archives as networks hand them out, written for tests."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from typing import Any

TWEET = {
    "id_str": "1050118621198921728",
    "created_at": "Wed Oct 10 20:19:24 +0000 2018",
    "full_text": "Open till six &amp; on Sundays too https://t.co/abc",
    "entities": {"urls": [{"url": "https://t.co/abc", "expanded_url": "https://shop.example/hours"}]},
    "lang": "en",
    "retweeted": False,
}
ACCOUNT = 'window.YTD.account.part0 = [ {"account": {"username": "Shop", "accountDisplayName": "The Shop"}} ]'
NOTE = {
    "id": "https://mastodon.example/users/shop/statuses/109348",
    "type": "Note",
    "summary": None,
    "published": "2022-11-15T10:00:00Z",
    "attributedTo": "https://mastodon.example/users/shop",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "cc": [],
    "inReplyTo": None,
    "url": "https://mastodon.example/@shop/109348",
    "content": "<p>We are <b>open</b> again.</p><p>Come!</p>",
    "contentMap": {"en": "<p>We are open again.</p>"},
}
ACTOR = {
    "id": "https://mastodon.example/users/shop",
    "type": "Person",
    "preferredUsername": "Shop",
    "name": "The Shop",
}
MESSAGE = {
    "id": 7,
    "type": "message",
    "date": "2021-03-04T12:00:00",
    "date_unixtime": "1614859200",
    "from": "Ana",
    "from_id": "user111",
    "text": ["Where is ", {"type": "bold", "text": "my order"}, "?"],
}
COMMENT = {
    "id": "abc1",
    "author": "Ana",
    "body": "The pump is loud.",
    "created_utc": 1640995200,
    "parent_id": "t3_xyz",
    "link_id": "t3_xyz",
    "subreddit": "Coffee",
    "permalink": "/r/Coffee/comments/xyz/pump/abc1/",
}
LETTER = """\
From: Ana <ana@example.org>
To: shop@example.com
Date: Mon, 05 Mar 2018 10:00:00 +0000
Message-ID: <1@example.org>
Subject: My order

Where is it?
"""
ANSWER = """\
From: Shop <shop@example.com>
To: ana@example.org
Date: Mon, 05 Mar 2018 11:00:00 +0000
Message-ID: <2@example.com>
In-Reply-To: <1@example.org>
References: <1@example.org>
Subject: Re: My order

On its way.
"""


def tweets(*posts: dict[str, Any], name: str = "tweets.part0") -> str:
    """A file of X, each post over the one it is like."""
    return f"window.YTD.{name} = " + json.dumps([{"tweet": {**TWEET, **post}} for post in posts], indent=2)


def outbox(*activities: dict[str, Any]) -> str:
    """A file of Mastodon."""
    whole = {"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json"}
    return json.dumps({**whole, "type": "OrderedCollection", "totalItems": 1, "orderedItems": activities})


def created(**post: Any) -> dict[str, Any]:
    """One activity that says something."""
    actor = "https://mastodon.example/users/shop"
    return {"id": "a", "type": "Create", "actor": actor, "object": {**NOTE, **post}}


def chat(
    *messages: dict[str, Any], type: str = "private_supergroup", id: int = 555, name: str = "Fans"
) -> str:
    """A chat of Telegram."""
    rows = [{**MESSAGE, **message} for message in messages]
    return json.dumps({"name": name, "type": type, "id": id, "messages": rows}, ensure_ascii=False)


def mbox(*mails: str) -> str:
    """A mailbox."""
    return "".join(f"From MAILER-DAEMON Mon Mar  5 10:00:00 2018\n{mail}\n" for mail in mails)


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A zip with these files."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return held.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    """A gzipped tar with these files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            packed.addfile(entry, io.BytesIO(content.encode()))
    return held.getvalue()
