"""What other servers deliver: believed where its signature holds, and only about what is its sender's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Context, Hook, Received, Said
from rapport.plugins.connectors.activitypub import reading, signatures
from rapport.plugins.connectors.activitypub.account import CONTEXT, Account
from rapport.plugins.connectors.activitypub.actors import ACTORS, Actor, Actors, Missing, denied, host_of
from rapport.plugins.connectors.activitypub.reading import id_of
from rapport.plugins.connectors.activitypub.shelf import Shelf, number

TAKEN = Received((), 202, b"accepted")
POSTS_AT_ONCE = 1_000  # of somebody who is gone; the others go as they are looked for


class Inbox:
    """One account's."""

    def __init__(self, account: Account, context: Context) -> None:
        self._account, self._context = account, context
        self._now = context.now()
        self._shelf = Shelf(context)
        self._actors = Actors(account, context)

    def take(self, hook: Hook) -> Received:
        """What a delivery says to us; raises Denied where it is not its sender's, Failed where that cannot be seen."""
        activity = wire.document(hook.body)
        if not isinstance(activity, dict):
            raise Invalid("the body is no JSON", "Send one activity.")
        kinds: dict[str, Callable[[dict[str, Any], Actor], list[Said]]] = {
            "Create": self._said,
            "Update": self._changed,
            "Delete": self._deleted,
            "Follow": self._follows,
            "Undo": self._undone,
            "Block": self._blocks,
            "Like": self._reacts,
            "Announce": self._reacts,
        }
        signature = signatures.of(hook.headers, hook.body, self._now)
        take = kinds.get(wire.text_at(activity, "type"))
        sender = id_of(wire.at(activity, "actor"))
        if take is None or not sender or not self._is_ours(activity, sender):
            return TAKEN
        try:
            actor = self._signer(signature, hook)
        except Missing as error:
            if id_of(wire.at(activity, "object")) == sender and self._is_gone(sender):
                return Received(self._left(sender), TAKEN.status, TAKEN.body)
            raise denied(error) from None
        if actor.id != sender:
            raise Denied(f"{actor.id} signed what {sender} did", "Whoever does something has to sign it.")
        return Received(take(activity, actor), TAKEN.status, TAKEN.body)

    def _is_ours(self, activity: dict[str, Any], sender: str) -> bool:
        """Whether it is about us at all, by what can be seen without asking anybody: most of a flood is not."""
        kind, about = wire.text_at(activity, "type"), wire.at(activity, "object")
        id = id_of(about)
        if kind == "Delete":
            if id == sender:
                return bool(self._shelf.follower(sender) or self._shelf.posts_by(sender, 1))
            known = self._shelf.heard(id)
            return bool(known and known.get("actor") == sender)
        if kind in {"Follow", "Block"}:
            return id == self._account.id
        if kind in reading.REACTIONS:
            return self._is_our_post(id)
        if kind == "Undo":
            return bool(self._shelf.follower(sender))
        if kind == "Update" and id == sender:
            return True
        if isinstance(about, dict) and host_of(id) == host_of(sender):
            known = self._shelf.heard(id) if kind == "Update" else None
            return reading.is_post(about) and (known is not None or reading.concerns(self._account, about))
        # What it says has to be asked for, and of nobody less than of ourselves.
        return bool(id) and host_of(id) != self._account.host

    def _is_our_post(self, id: str) -> bool:
        posts = self._account.posts
        return id.startswith(posts) and self._shelf.post(id.removeprefix(posts)) is not None

    def _signer(self, signature: signatures.Signature, hook: Hook) -> Actor:
        target = f"{urlsplit(self._account.address).path}{hook.place}"

        def holds(actor: Actor) -> bool:
            host, headers = self._account.host, hook.headers
            return signatures.holds(
                signature, actor.pem, method=hook.method, target=target, host=host, headers=headers
            )

        actor = self._actors.by_key(signature.key)
        # A key may have been exchanged since it was asked for.
        if not holds(actor) and not holds(actor := self._actors.by_key(signature.key, anew=True)):
            raise Denied("the signature does not hold", "Sign it with the key that the account shows.")
        return actor

    def _is_gone(self, id: str) -> bool:
        """Whether an account says so itself: of one that is gone no key is left that could have signed it."""
        try:
            self._actors.by_id(id)
        except Missing as error:
            return error.is_gone
        return False

    def _post(self, activity: dict[str, Any], actor: Actor) -> tuple[dict[str, Any], Actor] | None:
        """The post that an activity is about, and its author; asked for where it is not its sender's own."""
        value = wire.at(activity, "object")
        id = id_of(value)
        author = id_of(wire.at(value, "attributedTo"))
        if isinstance(value, dict) and host_of(id) == host_of(actor.id):
            if author != actor.id:
                raise Denied(f"{actor.id} did not write {id}", "Whoever wrote it has to send it.")
            return (value, actor) if reading.is_post(value) else None
        try:
            found = self._actors.document(id)
            author = id_of(wire.at(found, "attributedTo"))
            if not reading.is_post(found) or host_of(author) != host_of(id_of(found)):
                return None
            return found, actor if author == actor.id else self._actors.by_id(author)
        except Missing:
            return None

    def _said(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        found = self._post(activity, actor)
        if found is None or not reading.concerns(self._account, found[0]):
            return []
        value, author = found
        known = self._shelf.heard(id_of(value))
        if known is not None and known.get("is_gone"):
            return []
        if known is not None and known.get("actor") != author.id:
            raise Denied(f"{author.id} did not write {id_of(value)}", "Whoever wrote it has to send it.")
        said = reading.post(value, author, self._now)
        self._hear(said, value, author)
        return [said]

    def _hear(self, said: Said, value: dict[str, Any], author: Actor) -> None:
        edited = reading.edited(value)
        more = {"inbox": author.inbox, "is_private": said.is_private, "edited": edited}
        self._shelf.hear(said.id, author.id, author.handle, **more)

    def _changed(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        value = wire.at(activity, "object")
        if wire.text_at(value, "type") in ACTORS or id_of(value) == actor.id:
            self._actors.forget(actor.id)
            return []
        found = self._post(activity, actor)
        if found is None:
            return []
        value, author = found
        known = self._shelf.heard(id_of(value))
        if known is None:  # it was changed so that it says something to us
            return self._said(activity, actor)
        edited = reading.edited(value)
        before, after = wire.moment(known.get("edited")), wire.moment(edited)
        is_older = before is not None and after is not None and after < before
        if known.get("is_gone") or known.get("actor") != author.id or is_older:
            return []
        said = reading.post(value, author, self._now)
        self._hear(said, value, author)
        return [reading.edit(said, edited, self._now)]

    def _deleted(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        id = id_of(wire.at(activity, "object"))
        if id == actor.id:
            return self._left(actor.id)
        known = self._shelf.heard(id)
        if known is None or known.get("actor") != actor.id:
            return []
        self._shelf.take_back(id, actor.id)
        return [reading.deletion(id, actor.handle, self._now)]

    def _left(self, actor: str) -> list[Said]:
        """Somebody closed their account: all that they said to us goes with it."""
        found: list[Said] = []
        for id in self._shelf.posts_by(actor, POSTS_AT_ONCE):
            known = self._shelf.heard(id)
            found.append(reading.deletion(id, wire.text_at(known, "handle"), self._now))
            self._shelf.take_back(id, actor)
        self._shelf.unfollow(actor)
        self._actors.forget(actor)
        return found

    def _follows(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        follow = id_of(activity)
        self._shelf.follow(actor.id, actor.handle, actor.inbox, actor.shared, follow)
        answer = {
            "@context": CONTEXT,
            "id": f"{self._account.address}accepts/{number(follow or actor.id)}",
            "type": "Accept",
            "actor": self._account.id,
            "object": {"id": follow, "type": "Follow", "actor": actor.id, "object": self._account.id},
        }
        due_s = int(self._now.timestamp())
        self._shelf.send(due_s, actor.inbox, "accept", {"activity": answer}, about=actor.handle)
        return []

    def _undone(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        value, known = wire.at(activity, "object"), self._shelf.follower(actor.id)
        is_follow = (
            wire.text_at(value, "type") == "Follow" and id_of(wire.at(value, "object")) == self._account.id
        )
        if is_follow or (known is not None and id_of(value) and id_of(value) == known.get("activity")):
            self._shelf.unfollow(actor.id)
        return []

    def _blocks(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        self._shelf.unfollow(actor.id)
        return [reading.block(actor, id_of(activity), self._now)]

    def _reacts(self, activity: dict[str, Any], actor: Actor) -> list[Said]:
        kind = reading.REACTIONS[wire.text_at(activity, "type")]
        return [reading.reaction(kind, id_of(wire.at(activity, "object")), actor, self._now)]
