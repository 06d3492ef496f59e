"""Kakao's chatbot in this process: it calls a skill as the skill's reference shows."""

from __future__ import annotations

import json
from typing import Any

SECRET, BOT = "a-secret-of-otter-lamps-1", "5c7a3b1e9d2f4a6b8c0d1e2f"


def call(person: str, words: str, *, bot: str = BOT, lang: str = "kr") -> tuple[dict[str, str], bytes]:
    """Somebody says something to the chatbot."""
    who: dict[str, Any] = {"id": person, "type": "botUserKey", "properties": {"plusfriendUserKey": "p-1"}}
    body = {
        "intent": {"id": "i-1", "name": "Fallback"},
        "userRequest": {
            "timezone": "Asia/Seoul",
            "params": {"surface": "Kakaotalk.plusfriend"},
            "block": {"id": "b-1", "name": "Fallback"},
            "utterance": words,
            "lang": lang,
            "user": who,
        },
        "bot": {"id": bot, "name": "Otter Lamps"},
        "action": {"name": "ask", "clientExtra": None, "params": {}, "id": "a-1", "detailParams": {}},
    }
    return {"x-rapport-key": SECRET}, json.dumps(body, ensure_ascii=False).encode()
