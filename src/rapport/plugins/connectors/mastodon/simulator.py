"""A Mastodon server in this process, on loopback: accounts, statuses, notifications, timelines, search.

It answers as Mastodon 4.3 does: numbers that grow, pages by `max_id` and `min_id` with a Link header, markup in
`content`, idempotency keys, hidden statuses, 404 for what was deleted. It does not federate.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from rapport.kit import clock, wire
from rapport.listening.tests.serving import Answered, Asked, Server

ME = "shop"
TOKEN = "a-token"  # noqa: S105  of nobody


@dataclass(slots=True)
class Status:
    """One status."""

    number: str
    account: str
    text: str
    created_at: dt.datetime
    visibility: str = "public"
    answers: str = ""
    edited_at: dt.datetime | None = None
    media: tuple[str, ...] = ()


@dataclass(slots=True)
class Attachment:
    """A picture that was handed over; it is ready once it was asked for `left` times."""

    kind: str
    content: bytes
    alt: str
    left: int
    status: str = ""  # that shows it


@dataclass
class Mastodon(Server):
    """The server. `say` and `favourite` are what people do."""

    now: Callable[[], dt.datetime] = clock.now
    statuses: dict[str, Status] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    media: dict[str, Attachment] = field(default_factory=dict)
    works_for: int = 0  # how often it says of a picture that it still works on it
    odd: list[Any] = field(default_factory=list)  # entries among the notifications
    searches_words: bool = False
    gives_many: bool = True
    _n: int = 109_000_000_000_000_000

    def __post_init__(self) -> None:
        super().__init__()
        self.accounts = {ME: "1"}

    @property
    def host(self) -> str:
        """Its name."""
        return self.address.removeprefix("http://")

    def say(
        self,
        account: str,
        text: str,
        *,
        answers: str = "",
        visibility: str = "public",
        at: dt.datetime | None = None,
    ) -> str:
        """Somebody posts; gives the number."""
        self._n += 1
        number = str(self._n)
        self.accounts.setdefault(account, str(len(self.accounts) + 1))
        self.statuses[number] = Status(number, account, text, at or self.now(), visibility, answers)
        if account != ME and ME in self._mentioned(text):
            self._tell("mention", account, number, at)
        return number

    def favourite(self, account: str, number: str) -> None:
        """Somebody likes a status."""
        self.accounts.setdefault(account, str(len(self.accounts) + 1))
        self._tell("favourite", account, number)

    def change(self, number: str, text: str) -> None:
        """Somebody edits a status."""
        self.statuses[number].text = text
        self.statuses[number].edited_at = self.now()

    def take_back(self, number: str) -> None:
        """Somebody deletes a status."""
        del self.statuses[number]
        self.told = [one for one in self.told if one["status"] != number]

    def of_me(self) -> list[Status]:
        """Our statuses, oldest first."""
        return [s for s in self.statuses.values() if s.account == ME]

    def _tell(self, kind: str, account: str, number: str, at: dt.datetime | None = None) -> None:
        self._n += 1
        one = {"id": str(self._n), "type": kind, "by": account, "status": number, "at": at or self.now()}
        self.told.append(one)

    def _mentioned(self, text: str) -> set[str]:
        return set(re.findall(r"@(\w+(?:@[\w.:-]+\w)?)", text)) & {
            *self.accounts,
            *(f"{name}@{self.host}" for name in self.accounts),
        }

    def answer(self, asked: Asked) -> Answered:
        """What the server would say."""
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered({"error": "The access token is invalid"}, 401)
        path = asked.path
        number = path.removeprefix("/api/v1/statuses/").partition("/")[0]
        if path == "/api/v1/accounts/verify_credentials":
            return Answered(self._account(ME))
        if path == "/api/v1/notifications":
            return self._notifications(asked)
        if path.startswith("/api/v1/timelines/tag/"):
            tags = {path.rpartition("/")[2], *asked.query.get("any[]", [])}
            return self._page(asked, (s for s in self._public() if tags & self._tags(s.text)))
        if path == "/api/v1/timelines/public":
            return self._page(asked, self._public())
        if path == f"/api/v1/accounts/{self.accounts[ME]}/statuses":
            return self._page(asked, self.of_me())
        if path == "/api/v2/search":
            word = asked.first("q").lower()
            found = (s for s in self._public() if self.searches_words and word in s.text.lower())
            return Answered({"statuses": self._page(asked, found).body, "accounts": [], "hashtags": []})
        if path == "/api/v2/media":
            return self._upload(asked)
        if path.startswith("/api/v1/media/"):
            return self._attachment(path.rpartition("/")[2])
        if path == "/api/v1/statuses":
            return self._post(asked) if asked.method == "POST" else self._many(asked)
        if number not in self.statuses:
            return Answered({"error": "Record not found"}, 404)
        if path.endswith("/context"):
            return Answered({"ancestors": self._ancestors(number), "descendants": []})
        return Answered(self._entity(self.statuses[number]))

    def _upload(self, asked: Asked) -> Answered:
        _name, kind, content = asked.form["file"]
        if not kind.startswith("image/") or not content:
            return Answered({"error": "Validation failed: File content type is invalid"}, 422)
        alt = asked.form.get("description", ("", "", b""))[2].decode()
        if len(alt) > 1_500:
            return Answered({"error": "Validation failed: Description is too long"}, 422)
        self._n += 1
        number = str(self._n)
        self.media[number] = Attachment(kind, content, alt, self.works_for)
        return Answered(self._told_media(number), 202 if self.works_for else 200)

    def _attachment(self, number: str) -> Answered:
        if number not in self.media:
            return Answered({"error": "Record not found"}, 404)
        self.media[number].left -= 1
        return Answered(self._told_media(number), 206 if self.media[number].left > 0 else 200)

    def _told_media(self, number: str) -> dict[str, Any]:
        one = self.media[number]
        url = None if one.left > 0 else f"https://files.{self.host}/{number}"
        return {"id": number, "type": "image", "url": url, "description": one.alt}

    def _public(self) -> list[Status]:
        return [s for s in self.statuses.values() if s.visibility == "public"]

    def _tags(self, text: str) -> set[str]:
        return {tag.lower() for tag in re.findall(r"#(\w+)", text)}

    def _account(self, name: str) -> dict[str, Any]:
        local, _, host = name.partition("@")
        return {
            "id": self.accounts[name],
            "acct": name,
            "username": local,
            "display_name": local.capitalize(),
            "followers_count": 12,
            "url": f"https://{host or self.host}/@{local}",
        }

    def _entity(self, status: Status) -> dict[str, Any]:
        marked = html.escape(status.text)
        for name in sorted(self._mentioned(status.text), key=len, reverse=True):
            address = f"https://{self.host}/@{name}"
            link = (
                f'<span class="h-card"><a href="{address}">@<span>{name.partition("@")[0]}</span></a></span>'
            )
            marked = marked.replace(f"@{name}", link)
        address = r'<a href="\g<0>"><span class="invisible">https://</span><span>\g<1></span></a>'
        marked = re.sub(r"https://([\w./-]+\w)(?![^<]*>)", address, marked)
        return {
            "id": status.number,
            "created_at": wire.written(status.created_at),
            "edited_at": wire.written(status.edited_at) if status.edited_at else None,
            "in_reply_to_id": status.answers or None,
            "visibility": status.visibility,
            "spoiler_text": "",
            "language": "en",
            "url": f"https://{self.host}/@{status.account}/{status.number}",
            "content": f"<p>{marked}</p>",
            "account": self._account(status.account),
            "mentions": [
                {"id": self.accounts[name.removesuffix(f"@{self.host}")], "acct": name}
                for name in sorted(self._mentioned(status.text))
            ],
            "reblog": None,
            "media_attachments": [self._told_media(number) for number in status.media],
        }

    def _ancestors(self, number: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        at = self.statuses[number].answers
        while at in self.statuses:
            found.insert(0, self._entity(self.statuses[at]))
            at = self.statuses[at].answers
        return found

    def _notifications(self, asked: Asked) -> Answered:
        kinds = asked.query.get("types[]", [])
        entities = [
            {
                "id": one["id"],
                "type": one["type"],
                "created_at": wire.written(one["at"]),
                "account": self._account(one["by"]),
                "status": self._entity(self.statuses[one["status"]]),
            }
            for one in self.told
            if not kinds or one["type"] in kinds
        ]
        return self._paged(asked, [*entities, *self.odd])

    def _page(self, asked: Asked, found: Iterable[Status]) -> Answered:
        return self._paged(asked, [self._entity(s) for s in found])

    def _paged(self, asked: Asked, entities: list[Any]) -> Answered:
        """Newest first; right after `min_id` where that is asked for, else right before `max_id`."""
        entities = sorted(entities, key=lambda e: int(e["id"]), reverse=True)
        limit = min(int(asked.first("limit", "20")), 80)
        if asked.first("min_id"):
            part = [e for e in entities if int(e["id"]) > int(asked.first("min_id"))][-limit:]
        else:
            before = asked.first("max_id")
            part = [e for e in entities if not before or int(e["id"]) < int(before)][:limit]
        if not part:
            return Answered([])
        kept = [(k, v) for k, values in asked.query.items() if k not in {"max_id", "min_id"} for v in values]
        onward = f"{self.address}{asked.path}?{urlencode([*kept, ('max_id', part[-1]['id'])])}"
        back = f"{self.address}{asked.path}?{urlencode([*kept, ('min_id', part[0]['id'])])}"
        return Answered(part, headers={"link": f'<{onward}>; rel="next", <{back}>; rel="prev"'})

    def _many(self, asked: Asked) -> Answered:
        if not self.gives_many:
            return Answered({"error": "Not Found"}, 404)
        numbers = asked.query.get("id[]", [])
        if len(numbers) > 20:
            return Answered({"error": "Too many"}, 422)
        return Answered([self._entity(self.statuses[n]) for n in numbers if n in self.statuses])

    def _post(self, asked: Asked) -> Answered:
        key, body = asked.headers.get("idempotency-key", ""), asked.content
        if key and key in self.keys:
            return Answered(self._entity(self.statuses[self.keys[key]]))
        text, parent = wire.text_at(body, "status"), wire.text_at(body, "in_reply_to_id")
        if not text or len(text) > 500:
            return Answered({"error": "Validation failed: Text character limit of 500 exceeded"}, 422)
        if parent and parent not in self.statuses:
            return Answered({"error": "The post you are trying to reply to does not appear to exist."}, 404)
        media = [str(one) for one in wire.items_at(body, "media_ids")]
        if wrong := self._wrong_media(media):
            return Answered({"error": f"Validation failed: {wrong}"}, 422)
        number = self.say(ME, text, answers=parent, visibility=wire.text_at(body, "visibility") or "public")
        self.statuses[number].media = tuple(media)
        for one in media:
            self.media[one].status = number
        if key:
            self.keys[key] = number
        return Answered(self._entity(self.statuses[number]))

    def _wrong_media(self, media: list[str]) -> str:
        if len(media) > 4:
            return "Cannot attach more than 4 files"
        if any(one not in self.media or self.media[one].status for one in media):
            return f"Media {', '.join(media)} not found or already attached to another post"
        if any(self.media[one].left > 0 for one in media):
            return "Cannot attach files that have not finished processing. Try again in a moment!"
        return ""
