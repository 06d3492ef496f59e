"""What we say: posts under ids of our own, and their delivery to the inboxes of whom they are for."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from typing import Any

from rapport.kit import markup, wire
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Draft, Failed, Receipt, retry_after_s
from rapport.plugins.connectors.activitypub import signatures
from rapport.plugins.connectors.activitypub.account import CONTEXT, EVERYBODY, KIND, Account
from rapport.plugins.connectors.activitypub.actors import GONE, Actor, Actors, Missing, host_of
from rapport.plugins.connectors.activitypub.shelf import Shelf

AT_ONCE = 100  # deliveries of one round
AGAIN_S = (60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)  # after a server did not take it; then it is let go
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class Writer:
    """Posts as one account."""

    def __init__(self, account: Account, context: Context) -> None:
        self._account, self._context = account, context
        self._shelf = Shelf(context)
        self._actors = Actors(account, context)

    def publish(self, draft: Draft) -> Receipt:
        """Post a draft; handed over twice it has the same id, under which other servers know it once."""
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        key = key_of(draft)
        known = self._shelf.post(key) or self._shelf.letter(key)
        if known is None:
            known = self._begun(key, draft)
        if known["inbox"]:
            try:
                self._hand_over(known)
            except Failed as error:
                if error.is_permanent and not known.get("is_taken"):
                    self._shelf.withdraw(key)  # nobody may read what was never posted
                raise
        elif not known.get("is_queued"):
            self._queue(key, known["note"])
        known["is_taken"] = known["is_queued"] = True
        self._keep(key, known)
        return self._receipt(known)

    def find(self, draft: Draft) -> Receipt | None:
        """Whether it was taken by whom it is for."""
        key = key_of(draft)
        known = self._shelf.post(key) or self._shelf.letter(key)
        return self._receipt(known) if known is not None and known.get("is_taken") else None

    def round(self) -> None:
        """Deliver what waits and is due: posts to followers, and that we accept them."""
        silent: set[str] = set()
        n_left = AT_ONCE
        for key, value in self._shelf.going(self._now_s):
            host = host_of(wire.text_at(value, "to"))
            if host in silent:  # it is waited for once in a round, and what waits for others goes before
                continue
            if not n_left or self._context.is_stopping() or not self._context.may_post():
                return
            n_left -= 1
            if not self._deliver(key, value):
                silent.add(host)

    @property
    def _now_s(self) -> int:
        return int(self._context.now().timestamp())

    def _begun(self, key: str, draft: Draft) -> dict[str, Any]:
        parent = self._shelf.heard(draft.in_reply_to) if draft.in_reply_to else None
        if parent is not None and parent.get("is_gone"):
            raise Failed("the post that this answers is not there any more", is_permanent=True)
        is_private = draft.is_private or bool(parent and parent.get("is_private"))
        to: tuple[str, str, str] | None = None  # id, handle and inbox
        if parent is not None:
            to = (parent["actor"], parent["handle"], parent["inbox"])
        elif draft.in_reply_to or is_private:
            found = self._whom(draft.to)
            to = (found.id, found.handle, found.inbox)
        note = self._note(key, draft, to, is_private=is_private)
        known = {
            "note": note,
            "inbox": to[2] if to else "",
            "about": to[1] if to else "",
            "is_private": is_private,
        }
        self._keep(key, known)
        return known

    def _whom(self, handle: str) -> Actor:
        if not handle:
            raise Failed("nobody is named whom this is for", is_permanent=True)
        try:
            return self._actors.by_handle(handle)
        except Missing as error:
            raise Failed(f"{handle} cannot be found: {error.message}", is_permanent=True) from None

    def _keep(self, key: str, known: dict[str, Any]) -> None:
        self._shelf.put(key, known, is_private=known["is_private"], about=known["about"])

    def _note(
        self, key: str, draft: Draft, to: tuple[str, str, str] | None, *, is_private: bool
    ) -> dict[str, Any]:
        account = self._account
        id = f"{account.posts}{key}"
        everybody = [EVERYBODY]
        first: list[str]
        second: list[str]
        if is_private and to:
            first, second = [to[0]], []
        elif to:
            first, second = (
                ([to[0]], everybody) if account.config.visibility == "unlisted" else (everybody, [to[0]])
            )
        elif account.config.visibility == "unlisted":
            first, second = [account.followers], everybody
        else:
            first, second = everybody, [account.followers]
        content = written(draft.text, to)
        note: dict[str, Any] = {
            "id": id,
            "type": "Note",
            "attributedTo": account.id,
            "content": content,
            "published": wire.written(self._context.now()),
            "url": id,
            "to": first,
            "cc": second,
            "tag": [{"type": "Mention", "href": to[0], "name": f"@{to[1]}"}] if to else [],
        }
        if draft.in_reply_to:
            note["inReplyTo"] = draft.in_reply_to
        if draft.language:
            note["contentMap"] = {draft.language: content}
        return note

    def _hand_over(self, known: dict[str, Any]) -> None:
        """To the one whom it is for; raises Failed unless their server took it."""
        host = host_of(known["inbox"])
        try:
            answer = self._post(known["inbox"], create(known["note"]))
        except Failed as error:
            # The network drops what comes twice, and other servers have nothing to do with this one's trouble.
            error.is_unsure = error.reason == "unreachable"
            error.is_permanent = error.reason == "permission"
            raise
        if answer.status < 300:
            return
        words = wire.text_at(wire.document(answer.body), "error")[:200]
        said = f"{host} answered {answer.status}{f': {words}' if words else ''}"
        if answer.status in GONE:
            raise Failed(f"{known['about']} is not there any more: {said}", is_permanent=True)
        wait_s = retry_after_s(answer, self._context.now())
        if answer.status == 429 or answer.status >= 500 or answer.status in {401, 408}:
            # 401 comes also from servers that could not ask us for our key just now.
            raise Failed(
                said, retry_after_s=wait_s or 300.0, is_unsure=answer.status >= 500, reason="permission"
            )
        raise Failed(
            f"{said}: it takes nothing from us",
            reason="permission",
            is_permanent=True,
            hint="Its people may have shut us out: look at what its page About says.",
        )

    def _queue(self, key: str, note: dict[str, Any]) -> None:
        """A post of our own goes to everybody who follows us, once to each server."""
        at = wire.moment(note["published"])
        due_s = int(at.timestamp()) if at else self._now_s
        for one in self._shelf.followers():
            is_own = one["shared"] == one["inbox"]  # the address is theirs alone, and tells of them
            self._shelf.send(due_s, one["shared"], key, {"post": key}, about=one["handle"] if is_own else "")

    def _deliver(self, key: str, value: dict[str, Any]) -> bool:
        """Deliver something that waits; gives whether its server answered."""
        to, tries = wire.text_at(value, "to"), wire.count_at(value, "tries") or 0
        activity = value.get("activity")
        if activity is None:
            known = self._shelf.post(wire.text_at(value, "post"))
            if known is None:  # taken out since
                self._shelf.gone(key)
                return True
            activity = create(known["note"])
        try:
            answer = self._post(to, activity)
        except Failed as error:
            if error.reason == "rate":
                raise
            answer = None
        if answer is not None and (
            answer.status < 300 or (answer.status < 500 and answer.status not in {401, 408, 429})
        ):
            self._shelf.gone(key)
            return True
        if tries < len(AGAIN_S):
            _, _, name, _ = key.split("/")
            more = {**value, "tries": tries + 1}
            self._shelf.send(self._now_s + AGAIN_S[tries], to, name, more, about=wire.text_at(value, "about"))
        self._shelf.gone(key)
        return False

    def _post(self, inbox: str, activity: dict[str, Any]) -> Answer:
        body = json.dumps(activity, ensure_ascii=False).encode()
        request = Request(inbox, "POST", body, {"content-type": KIND, "accept": KIND})
        account = self._account
        answer = self._context.fetch(
            signatures.signed(request, account.key, account.config.private_key, self._context.now())
        )
        if (
            answer.url != inbox
        ):  # the signature is for the inbox, and on most ways elsewhere the body is left out
            raise Failed(f"{host_of(inbox)} sends what it is given on to {answer.url[:200]}", is_unsure=True)
        return answer

    def _receipt(self, known: dict[str, Any]) -> Receipt:
        id = known["note"]["id"]
        said = (
            f"taken by {host_of(known['inbox'])}" if known["inbox"] else "it goes out to those who follow us"
        )
        return Receipt(id, "" if known["is_private"] else id, said)


def key_of(draft: Draft) -> str:
    """What ends the id of a draft's post."""
    return re.sub(r"[^0-9A-Za-z-]", "-", draft.id)[:100]


def create(note: dict[str, Any]) -> dict[str, Any]:
    """That we say it."""
    return {
        "@context": CONTEXT[0],
        "id": f"{note['id']}/activity",
        "type": "Create",
        "actor": note["attributedTo"],
        "published": note["published"],
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }


def written(text: str, to: tuple[str, str, str] | None) -> str:
    """Words as the HTML of a post: paragraphs, addresses as links, and whoever is answered named first."""
    paragraphs = [part for part in re.split(r"\n{2,}", text.strip()) if part.strip()]
    made = [_linked(part.strip()).replace("\n", "<br>") for part in paragraphs]
    if to:
        name = to[1].partition("@")[0]
        opening = re.compile(rf"@{re.escape(name)}(?:@[\w.:-]+)?\s*,?\s*", re.IGNORECASE)
        made[0] = opening.sub("", made[0], count=1) if opening.match(made[0]) else made[0]
        named = f'<a href="{html.escape(to[0])}" class="u-url mention">@<span>{html.escape(name)}</span></a>'
        made[0] = f'<span class="h-card">{named}</span> {made[0]}'
    return "".join(f"<p>{part}</p>" for part in made)


def _linked(text: str) -> str:
    parts, end = [], 0
    for found in _LINK.finditer(text):
        address = html.escape(found[0])
        parts.append(html.escape(text[end : found.start()], quote=False))
        parts.append(f'<a href="{address}" rel="nofollow noopener">{address}</a>')
        end = found.end()
    return "".join([*parts, html.escape(text[end:], quote=False)])


def shown(note: dict[str, Any], account: Account, at: dt.datetime | None) -> str:
    """A post of ours for whoever opens its address in a browser."""
    when = f" · {at:%Y-%m-%d %H:%M} UTC" if at else ""
    return f"{account.config.title} (@{account.handle}){when}\n\n{markup.text_of(note['content'])}\n"
