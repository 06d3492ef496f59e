"""ActivityPub: the firm's own account on the Fediverse, at Rapport's own address, without anybody else's server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapport.kit import wire
from rapport.kit.http import Request
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Hook,
    Manners,
    Receipt,
    Received,
    Said,
    Terms,
)
from rapport.plugins.connectors.activitypub import account as accounts
from rapport.plugins.connectors.activitypub import reading, signatures, writing
from rapport.plugins.connectors.activitypub.account import CONTEXT, KIND, Account, Config
from rapport.plugins.connectors.activitypub.actors import Actors, Missing
from rapport.plugins.connectors.activitypub.inbox import Inbox
from rapport.plugins.connectors.activitypub.shelf import KEEP_DAYS, Shelf
from rapport.plugins.connectors.activitypub.writing import Writer

LENGTH_MAX = 500  # what most servers let their own people write; longer ones are shown folded
NOT_FOUND = Received((), 404, b"not found")


class ActivityPub:
    """One account at an address of ours."""

    name = "activitypub"
    title = "Fediverse, own account (ActivityPub)"
    network = reading.NETWORK
    config: type[Config] = Config
    terms = Terms(
        keep_days=KEEP_DAYS,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://www.w3.org/TR/activitypub/",
        read_on=None,
        note=(
            "ActivityPub is a protocol, and nobody's terms: each server has rules of its own on its page About, and "
            "shuts out whoever breaks them. Read those of the servers where many write to you, and say so on a rule "
            "card (mastodon:its.name). Days and hours here are our own caution."
        ),
    )
    manners = Manners(requests=600, per_s=60, every_s=4, publishes_once=True, length_max=LENGTH_MAX)
    costs = "Free: Rapport's own address is enough, by https and reachable from outside."
    sees = (
        "Posts that mention the account or answer it, in public or to it alone, likes and reposts of its posts, who "
        "follows and who blocks it, changes and deletions."
    )
    cannot_see = (
        "Posts that do not address the account: nobody's timeline is read here, and no word is searched for. Polls, "
        "and reports that other servers' moderators send."
    )

    def check(self, config: Config) -> None:
        accounts.check(config)

    def made(self, config: Config) -> Mapping[str, Any]:
        return {} if config.private_key else {"private_key": signatures.new_key()}

    def handle(self, config: Config, address: str) -> str:
        return f"@{Account(config, address).handle}"

    def standing(self, config: Config, address: str) -> Sequence[Finding]:  # noqa: ARG002  the address is what counts
        return accounts.standing(address)

    def finger(self, config: Config, resource: str, address: str) -> Mapping[str, Any] | None:
        return Account(config, address).finger(resource)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        account = Account(config, context.address)
        found = [
            Finding("Account", "ok", f"people write to @{account.handle}"),
            *accounts.standing(context.address),
        ]
        if any(one.state == "bad" for one in found):
            return found
        return [*found, _found_by_others(account, context)]

    def deliver(self, config: Config, context: Context) -> None:
        Writer(Account(config, context.address), context).round()

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        account = Account(config, context.address)
        if hook.method == "POST":
            if hook.place.strip("/") != "inbox":
                return NOT_FOUND
            return Inbox(account, context).take(hook)
        return _shown(account, hook, context)

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        account = Account(config, context.address)
        actors, shelf, now = Actors(account, context, is_limited=False), Shelf(context), context.now()
        found: list[Said] = []
        for id in ids:
            known = shelf.heard(id)
            # What was said to us alone is shown to nobody, and looks as if it were not there.
            if known is None or known.get("is_private"):
                continue
            if known.get("is_gone"):  # and is in the log all the same: nobody was left to record it
                found.append(reading.deletion(id, "", now))
                continue
            try:
                value = actors.document(id)
            except Missing as error:
                if error.is_gone:
                    shelf.take_back(id, known["actor"])
                    found.append(reading.deletion(id, known["handle"], now))
                continue
            except Failed as error:
                if error.reason == "rate":
                    break
                continue
            edited = reading.edited(value)
            is_same = reading.id_of(wire.at(value, "attributedTo")) == known["actor"] and reading.is_post(
                value
            )
            if edited and edited != known.get("edited") and is_same:
                try:
                    author = actors.by_id(known["actor"])
                except Failed:
                    continue
                said = reading.post(value, author, now)
                shelf.hear(
                    id,
                    author.id,
                    author.handle,
                    inbox=author.inbox,
                    is_private=said.is_private,
                    edited=edited,
                )
                found.append(reading.edit(said, edited, now))
        return found

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        return Writer(Account(config, context.address), context).publish(draft)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        return Writer(Account(config, context.address), context).find(draft)


def _shown(account: Account, hook: Hook, context: Context) -> Received:
    """What lies at an address of ours."""
    shelf, place = Shelf(context), hook.place.strip("/")
    if place in {"", "actor"}:
        return _document(account.document())
    if place == "followers":
        return _document(_collection(account.followers, shelf.n_followers))
    if place == "outbox":
        return _document(_collection(f"{account.address}outbox", shelf.n_posts))
    kind, _, rest = place.partition("/")
    key, _, part = rest.partition("/")
    known = shelf.post(key) if kind == "posts" and key else None
    if known is None or part not in {"", "activity"}:
        return NOT_FOUND
    note = known["note"]
    if part == "activity":
        return _document(writing.create(note))
    accepted = hook.headers.get("accept", "")
    if "json" not in accepted and "text/html" in accepted:
        words = writing.shown(note, account, wire.moment(note["published"]))
        return Received((), 200, words.encode(), "text/plain; charset=utf-8", {"Vary": "Accept"})
    return _document({"@context": CONTEXT[0], **note})


def _document(found: Mapping[str, Any]) -> Received:
    body = json.dumps(found, ensure_ascii=False).encode()
    return Received((), 200, body, KIND, {"Vary": "Accept"})


def _collection(id: str, n: int) -> dict[str, Any]:
    """How many there are; which they are is nobody's business."""
    return {"@context": CONTEXT[0], "id": id, "type": "OrderedCollection", "totalItems": n}


def _found_by_others(account: Account, context: Context) -> Finding:
    """Whether the handle leads to this account for whoever asks from outside."""
    what, url = "WebFinger", account.finger_url()
    hint = "The address has to be reachable from outside, and a proxy has to pass /.well-known/webfinger and /hooks/."
    try:
        answer = context.fetch(Request(url, headers={"accept": "application/jrd+json"}))
    except Failed as failed:
        return Finding(what, "bad", failed.message, hint)
    links = wire.items_at(wire.document(answer.body), "links")
    own = [wire.text_at(link, "href") for link in links if wire.text_at(link, "rel") == "self"]
    if answer.status == 200 and account.id in own:
        return Finding(what, "ok", f"@{account.handle} leads to this account")
    if context.kept is None and answer.status == 404:
        return Finding(what, "ok", f"{account.host} answers; the handle leads here once it is set up")
    if own:
        return Finding(
            what, "bad", f"@{account.handle} leads to {own[0]}, which is another account", "Choose a name."
        )
    return Finding(what, "bad", f"{url} answered {answer.status}", hint)


plugin = ActivityPub()
