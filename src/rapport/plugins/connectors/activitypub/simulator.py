"""Servers of the Fediverse in this process: people with keys, who write to us and are answered.

They sign and check signatures by code of their own, as draft-cavage-12 says it, so that a mistake of the
connector is not made twice.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.playing import ADDRESS
from rapport.listening.tests.serving import Answered, Asked

US = f"{ADDRESS}actor"
INBOX = urlsplit(ADDRESS).path + "inbox"
HOST = urlsplit(ADDRESS).netloc
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


@cache
def pair(name: str) -> rsa.RSAPrivateKey:  # noqa: ARG001  one for each name
    """Keys take a while to make."""
    return rsa.generate_private_key(65_537, 2_048)


class Person:
    """Somebody with an account on a server."""

    def __init__(self, servers: Fediverse, name: str, host: str, key: str = "") -> None:
        self.servers, self.name, self.host = servers, name, host
        self.id = f"https://{host}/users/{name}"
        self.key, self.is_gone = key or f"{name}@{host}", False

    @property
    def pem(self) -> str:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return pair(self.key).public_key().public_bytes(serialization.Encoding.PEM, kind).decode()

    @property
    def document(self) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": self.id,
            "type": "Person",
            "preferredUsername": self.name,
            "name": self.name.title(),
            "inbox": f"{self.id}/inbox",
            "outbox": f"{self.id}/outbox",
            "endpoints": {"sharedInbox": f"https://{self.host}/inbox"},
            "publicKey": {"id": f"{self.id}#main-key", "owner": self.id, "publicKeyPem": self.pem},
        }

    def note(
        self, text: str, *, number: int = 1, answers: str = "", to: Any = PUBLIC, **more: Any
    ) -> dict[str, Any]:
        """A post that names us; its server shows it."""
        note = {
            "id": f"https://{self.host}/notes/{self.name}-{number}",
            "type": "Note",
            "attributedTo": self.id,
            "content": f'<p><a href="{US}" class="u-url mention">@<span>help</span></a> {text}</p>',
            "published": self.servers.day().isoformat().replace("+00:00", "Z"),
            "to": to,
            "cc": [US],
            "tag": [{"type": "Mention", "href": US, "name": "@help@shop.example"}],
            **({"inReplyTo": answers} if answers else {}),
            **more,
        }
        self.servers.notes[note["id"]] = note
        return note

    def does(self, kind: str, about: Any, **more: Any) -> dict[str, Any]:
        """An activity."""
        self.servers.n_done += 1
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"https://{self.host}/activities/{self.servers.n_done}",
            "type": kind,
            "actor": self.id,
            "object": about,
            **more,
        }

    def signed(self, activity: Mapping[str, Any], **spoilt: str) -> tuple[dict[str, str], bytes]:
        """A delivery to our inbox: headers and body. What is spoilt is signed so, and yet wrong."""
        body = json.dumps(activity).encode()
        digest = f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"
        date = format_datetime(self.servers.day(), usegmt=True)
        headers = {"host": HOST, "date": date, "digest": digest, "content-type": "application/activity+json"}
        headers |= spoilt
        target = headers.pop("target", f"post {INBOX}")
        names = headers.pop("names", "(request-target) host date digest content-type")
        lines = [
            f"{name}: {target if name == '(request-target)' else headers[name]}" for name in names.split()
        ]
        made = pair(self.key).sign("\n".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256())
        value = base64.b64encode(made).decode()
        key = headers.pop("key", f"{self.id}#main-key")
        headers["signature"] = f'keyId="{key}",algorithm="rsa-sha256",headers="{names}",signature="{value}"'
        return headers, body


class Fediverse(Act):
    """Two servers. `ours` gives what lies at an address of ours, as anybody may read it."""

    places = ("https://lake.example", "https://hill.example")
    content_type = "application/activity+json; charset=utf-8"

    def __init__(self, day: Day, ours: Callable[[str], Mapping[str, Any]]) -> None:
        super().__init__(day)
        self.ours = ours
        self.people: dict[str, Person] = {}
        self.notes: dict[str, dict[str, Any]] = {}
        self.taken: list[
            tuple[str, dict[str, Any]]
        ] = []  # inbox and activity, each activity once to a server
        self.n_copies = self.n_done = 0

    def person(self, name: str, host: str = "lake.example") -> Person:
        """Somebody opens an account."""
        made = Person(self, name, host)
        self.people[made.id] = made
        return made

    def sent_to(self, person: Person) -> list[dict[str, Any]]:
        """What we sent to somebody, or to everybody on their server."""
        own = {f"{person.id}/inbox", f"https://{person.host}/inbox"}
        return [activity for inbox, activity in self.taken if inbox in own]

    def answer(self, asked: Asked) -> Answered:
        url = f"https://{asked.headers['host']}{asked.path}" if "host" in asked.headers else asked.path
        if asked.path == "/.well-known/webfinger":
            return self._fingered(asked)
        if asked.method == "POST":
            return self._delivered(asked, url)
        person = self.people.get(url)
        if person is not None:
            return Answered({"error": "Gone"}, 410) if person.is_gone else Answered(person.document)
        note = self.notes.get(url)
        author = self.people.get(note["attributedTo"]) if note else None
        if note is None or (author is not None and author.is_gone) or PUBLIC not in (note["to"], *note["cc"]):
            return Answered({"error": "Record not found"}, 404)
        return Answered(note)

    def _fingered(self, asked: Asked) -> Answered:
        name, _, host = asked.first("resource").removeprefix("acct:").partition("@")
        person = self.people.get(f"https://{host}/users/{name}")
        if person is None or person.is_gone:
            return Answered({}, 404)
        link = {"rel": "self", "type": "application/activity+json", "href": person.id}
        return Answered({"subject": asked.first("resource"), "links": [link]})

    def _delivered(self, asked: Asked, url: str) -> Answered:
        if (wrong := self._distrust(asked)) is not None:
            return Answered({"error": wrong}, 401)
        activity = asked.content
        host = urlsplit(url).netloc
        if any(known["id"] == activity["id"] and urlsplit(to).netloc == host for to, known in self.taken):
            self.n_copies += 1
        else:
            self.taken.append((url, activity))
        return Answered("", 202)

    def _distrust(self, asked: Asked) -> str | None:
        """What is wrong with a signature; None where it holds."""
        parts = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers.get("signature", "")))
        names = parts.get("headers", "").split()
        if not {"(request-target)", "host", "date", "digest"} <= set(names):
            return "Mastodon requires the host, date and digest headers to be signed"
        if (
            asked.headers["digest"]
            != f"SHA-256={base64.b64encode(hashlib.sha256(asked.body).digest()).decode()}"
        ):
            return "Invalid Digest value"
        if abs(parsedate_to_datetime(asked.headers["date"]) - self.day()) > dt.timedelta(hours=1):
            return "Signed request date outside acceptable time window"
        owner = self.ours(parts["keyId"].partition("#")[0])
        if owner["publicKey"]["id"] != parts["keyId"] or asked.content["actor"] != owner["id"]:
            return "Actor and key do not match"
        headers = {**asked.headers, "(request-target)": f"post {asked.path}"}
        text = "\n".join(f"{name}: {headers[name]}" for name in names).encode()
        key = serialization.load_pem_public_key(owner["publicKey"]["publicKeyPem"].encode())
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            key.verify(base64.b64decode(parts["signature"]), text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return "Verification failed for the signature"
        return None
