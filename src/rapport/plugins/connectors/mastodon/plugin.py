"""Mastodon: who addresses us there, tags and words that we follow, and our answers (REST API, ActivityPub behind it)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from rapport.kit import clock, markup, wire
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Manners,
    Media,
    Page,
    Pictures,
    Receipt,
    Said,
    Terms,
    nothing_posted,
)
from rapport.plugins.connectors.mastodon import server as servers
from rapport.plugins.connectors.mastodon import statuses
from rapport.plugins.connectors.mastodon.archive import MastodonArchive
from rapport.plugins.connectors.mastodon.reading import Round
from rapport.plugins.connectors.mastodon.server import Config, Refused, Server

LENGTH_MAX = 500
READY_TRIES, READY_S = 30, 2.0  # how often and after which time a server is asked whether a picture is ready
LOOKED_AT = 40  # of our own posts, where one may be whose answer was lost


class Mastodon:
    """One account on one server."""

    name = "mastodon"
    title = "Mastodon"
    network = "mastodon"
    config: type[Config] = Config
    terms = Terms(
        keep_days=90,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=True,
        source="https://docs.joinmastodon.org/api/rate-limits/",
        read_on=dt.date(2026, 11, 22),
        note=(
            "Each server has rules of its own on its page About, and many of them forbid advertising and unasked "
            "answers of firms: read them, and say so on the rule card. Days and hours here are our own caution."
        ),
    )
    # Servers may allow more of a picture: this is what all since 4.0 take.
    archive = MastodonArchive()
    manners = Manners(
        requests=270,
        per_s=300,
        every_s=4,
        publishes_once=True,
        length_max=LENGTH_MAX,
        pictures=Pictures(most=4, bytes_max=8_000_000, side_max=3_840, alt_max=1_500),
    )
    costs = "Free: an account and an application made in its preferences are enough."
    sees = (
        "Posts that mention the account, in public or to it alone, likes and reposts of its posts, what it posts "
        "elsewhere, followed words as tags, and where you choose so the server's public timeline."
    )
    cannot_see = (
        "Posts that the account's server does not know, and words that are no tags unless the timeline or the "
        "server's search has them."
    )

    def check(self, config: Config) -> None:
        servers.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        server = Server(config, context)
        try:
            name = statuses.author_of(server.account, config.host)
        except Refused as refused:
            return [Finding("Access token", "bad", refused.failed.message, refused.failed.hint)]
        except Failed as failed:
            return [Finding("Access token", "bad", failed.message, failed.hint)]
        found = [Finding("Access token", "ok", f"it is that of {name}")]
        found.append(_tried(server, "Notifications", "/api/v1/notifications"))
        if config.timeline != "none":
            found.append(_tried(server, "Public timeline", "/api/v1/timelines/public"))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        try:
            found = Round(Server(config, context), cursor, context)
        except Refused as refused:
            raise refused.failed from None
        yield from found.pages()

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        parts = [id.partition("@") for id in ids]
        numbers = [number for number, _, host in parts if host == config.host and number.isdigit()]
        try:
            return Round(Server(config, context), "", context).among(numbers)
        except Refused as refused:
            raise refused.failed from None

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        server = Server(config, context)
        try:
            parent = _parent(server, draft)
            body = _body(config, draft, parent)
            if numbers := [_uploaded(server, one, context) for one in draft.media]:
                body["media_ids"] = numbers
            found = server.post("/api/v1/statuses", body, _key(draft)).value
        except Refused as refused:
            raise _for_publishing(refused) from None
        return _receipt(found, config.host)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        server = Server(config, context)
        asked: servers.Parameters = [("limit", LOOKED_AT), ("exclude_reblogs", "true")]
        try:
            found = server.get(f"/api/v1/accounts/{server.us}/statuses", asked).value
        except Refused as refused:
            raise refused.failed from None
        wanted = markup.text_of(draft.text)
        for entity in found if isinstance(found, list) else []:
            seen = statuses.status(entity, server.us, config.host)
            # The server makes markup of what we send, and we may have put a name before it.
            if (
                seen
                and seen.said.in_reply_to == draft.in_reply_to
                and wire.says(markup.text_of(seen.said.text), wanted, is_end=True)
            ):
                return _receipt(entity, config.host)
        return None


def _tried(server: Server, what: str, path: str) -> Finding:
    try:
        server.get(path, [("limit", 1)])
    except Refused as refused:
        return Finding(what, "bad", refused.failed.message, refused.failed.hint)
    except Failed as failed:
        return Finding(what, "bad", failed.message, failed.hint)
    return Finding(what, "ok", "can be read")


def _parent(server: Server, draft: Draft) -> Any:
    """The status that is answered."""
    if not draft.in_reply_to:
        return None
    number, _, host = draft.in_reply_to.partition("@")
    if host != server.config.host:
        raise Failed(
            f"{draft.in_reply_to} is not a post on {server.config.host}",
            is_permanent=True,
            hint="Answer with the source that read it.",
        )
    try:
        return server.get(f"/api/v1/statuses/{number}").value
    except Refused as refused:
        if refused.status in {404, 410}:
            raise Failed("the post that this answers is not there any more", is_permanent=True) from None
        raise


def _body(config: Config, draft: Draft, parent: Any) -> dict[str, Any]:
    """What to post. Whoever is answered has to be named in the text, or is not told of it."""
    to = statuses.author_of(wire.at(parent, "account"), config.host) if parent else draft.to.lstrip("@")
    handle = f"@{to.removesuffix('@' + config.host)}" if to else ""
    text = draft.text if not to or statuses.opens_with(draft.text, handle) else f"{handle} {draft.text}"
    is_hidden = draft.is_private or wire.text_at(parent, "visibility") in statuses.HIDDEN
    if is_hidden and not to:
        raise Failed("nobody is named whom this private message is for", is_permanent=True)
    body: dict[str, Any] = {"status": text, "visibility": "direct" if is_hidden else config.visibility}
    if parent:
        body["in_reply_to_id"] = wire.text_at(parent, "id")
    if draft.language:
        body["language"] = draft.language
    return body


def _uploaded(server: Server, one: Media, context: Context) -> str:
    """The number of a picture once the server has made it ready: until then no status may show it."""
    with nothing_posted():
        try:
            got = server.upload(one.read(), one.content_type, one.alt)
            number = wire.text_at(got.value, "id")
            if not number:
                raise Failed(
                    f"{server.config.host} does not say what became of a picture", retry_after_s=30.0
                )
            for _try in range(READY_TRIES):
                if got.is_ready:
                    return number
                if context.is_stopping():
                    break
                clock.sleep(READY_S)
                got = server.get(f"/api/v1/media/{number}")
        except Refused as refused:
            raise refused.failed from None
    raise Failed(f"{server.config.host} is not done with a picture yet", retry_after_s=60.0)


def _key(draft: Draft) -> str:
    return hashlib.sha256(f"rapport:{draft.id}".encode()).hexdigest()


def _receipt(entity: Any, host: str) -> Receipt:
    number = wire.text_at(entity, "id")
    if not number:
        raise Failed(f"{host} does not say what became of the post", is_unsure=True, retry_after_s=30.0)
    return Receipt(f"{number}@{host}", wire.text_at(entity, "url"), wire.text_at(entity, "created_at"))


def _for_publishing(refused: Refused) -> Failed:
    failed = refused.failed
    if refused.status >= 500:
        failed.is_unsure = True
    return failed


plugin = Mastodon()
