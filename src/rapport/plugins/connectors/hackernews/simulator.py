"""Hacker News in this process: its items, and the search of Algolia over them."""

from __future__ import annotations

import re
from typing import Any

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

SHOWN_MAX = 1_000


class HackerNews(Act):
    """`say` is what people do."""

    places = ("https://hn.algolia.com", "https://hacker-news.firebaseio.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.items: list[dict[str, Any]] = []
        self.page_max = 100

    def say(self, who: str, text: str, *, title: str = "", answers: str = "", url: str = "") -> str:
        """Somebody posts a story (with a title) or a comment."""
        number = len(self.items) + 1
        item: dict[str, Any] = {"id": number, "by": who, "time": int(self.day().timestamp()), "text": text}
        item |= {"type": "comment", "parent": int(answers)} if answers else {"type": "story", "title": title}
        if url:
            item["url"] = url
        self.items.append(item)
        if answers:
            self.items[int(answers) - 1].setdefault("kids", []).insert(0, number)
        return str(number)

    def named(self, id: str) -> dict[str, Any]:
        """An item by its number."""
        return self.items[int(id) - 1]

    def answer(self, asked: Asked) -> Answered:
        if asked.path.startswith("/v0/item/"):
            number = int(asked.path.removesuffix(".json").rpartition("/")[2])
            item = self.items[number - 1] if 0 < number <= len(self.items) else None
            if item and item.get("deleted"):
                item = {k: v for k, v in item.items() if k not in {"by", "text", "title"}}
            return Answered("null") if item is None else Answered(item)
        if asked.path == "/v0/updates.json":
            return Answered({"items": [], "profiles": []})
        return self._searched(asked)

    def _searched(self, asked: Asked) -> Answered:
        word = asked.first("query").strip('"').lower()
        since = int((re.findall(r">=(\d+)", asked.first("numericFilters")) or ["0"])[0])
        tags = asked.first("tags")
        author = re.search(r"author_(\w+)", tags)
        kinds = {kind for kind in ("story", "comment") if kind in tags} or {"story", "comment"}
        found = [
            item
            for item in reversed(self.items)
            if item["type"] in kinds
            and item["time"] >= since
            and (author is None or item["by"] == author[1])
            and word in f"{item.get('title', '')} {item['text']}".lower()
            and not item.get("dead")
        ][:SHOWN_MAX]
        size, page = min(int(asked.first("hitsPerPage", "20")), self.page_max), int(asked.first("page", "0"))
        part = found[page * size : (page + 1) * size]
        return Answered(
            {
                "hits": [self._entry(item) for item in part],
                "page": page,
                "nbPages": -(-len(found) // size),
                "nbHits": len(found),
            }
        )

    def _entry(self, item: dict[str, Any]) -> dict[str, Any]:
        top = item
        while "parent" in top:
            top = self.items[top["parent"] - 1]
        held = {"objectID": str(item["id"]), "author": item["by"], "created_at_i": item["time"]}
        if item["type"] == "comment":
            return held | {"comment_text": item["text"], "parent_id": item["parent"], "story_id": top["id"]}
        return held | {"title": item["title"], "story_text": item["text"] or None, "url": item.get("url")}
