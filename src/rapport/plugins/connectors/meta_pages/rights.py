"""What a token of Meta's may do, and for how long: Meta says it of any token to the app that it was made for."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from rapport.kit import wire
from rapport.kit.http import Request
from rapport.listening.contract import Context, Failed, Finding

SOON = dt.timedelta(days=14)
HINT = "Ask for {} in the app's review, let an administrator of the firm agree, and make a new token with it."


def findings(
    context: Context, api: str, token: str, app_secret: str, needed: Mapping[str, str]
) -> list[Finding]:
    """A finding for each right that is needed (its name there, and what for), and for the token's end."""
    try:
        told = _token(context, api, token, app_secret)
    except Failed as failed:
        message = f"Meta does not say what the token may do: {failed.message}"
        return [Finding("Rights", "warn", message, f"It needs {', '.join(needed)}.")]
    scopes = wire.items_at(told, "scopes")
    found = [
        Finding(name, "ok", f"the token may {what}")
        if name in scopes
        else Finding(name, "bad", f"the token may not {what}", HINT.format(name))
        for name, what in needed.items()
    ]
    for member, message in (
        ("expires_at", "the token ends on {}"),
        ("data_access_expires_at", "what people say can be read until {}"),
    ):
        stamp = wire.count_at(told, member)
        until = dt.datetime.fromtimestamp(stamp, dt.UTC) if stamp else None  # 0: never
        if until is not None and until < context.now() + SOON:
            hint = "Make a new token before, best one of a system account, which does not end."
            found.append(Finding("End", "warn", message.format(until.date().isoformat()), hint))
    return found


def _token(context: Context, api: str, token: str, app_secret: str) -> Any:
    proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    app = wire.text_at(_got(context, f"{api}/app?{urlencode({'appsecret_proof': proof})}", token), "id")
    if not app:
        raise Failed("it does not say of which app it is")
    asked = urlencode({"input_token": token})
    told = wire.at(_got(context, f"{api}/debug_token?{asked}", f"{app}|{app_secret}"), "data")
    if wire.at(told, "is_valid") is not True:
        raise Failed(wire.text_at(told, "error", "message") or "it does not hold")
    return told


def _got(context: Context, url: str, bearer: str) -> Any:
    answer = context.fetch(Request(url, headers={"authorization": f"Bearer {bearer}"}))
    found = wire.document(answer.body)
    if answer.status != 200 or wire.at(found, "error"):
        raise Failed(wire.text_at(found, "error", "message") or f"it answered {answer.status}")
    return found
