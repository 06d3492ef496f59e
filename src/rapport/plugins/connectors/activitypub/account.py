"""The firm's account: how it is set up, what it is called, and where what belongs to it can be read."""

from __future__ import annotations

import html
import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rapport.kit import home, http
from rapport.kit.errors import Invalid
from rapport.listening.contract import Finding, setting
from rapport.plugins.connectors.activitypub import signatures

CONTEXT: Any = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]
EVERYBODY = "https://www.w3.org/ns/activitystreams#Public"
KIND = "application/activity+json"
VISIBILITIES = {"public": "Public", "unlisted": "Public, but not on servers' public timelines"}
_NAME = re.compile(r"[a-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Config:
    """How the account is called and described."""

    account: str = setting(
        "help",
        "Name of the account",
        "Small letters, digits and underscores: with help, people write to @help@your.address. It cannot be changed "
        "later without becoming somebody else.",
    )
    title: str = setting("", "Name that is shown", "Such as that of the firm.")
    summary: str = setting(
        "",
        "About the account",
        "Who answers here, and when. Others read it before they write.",
        lines=True,
        optional=True,
    )
    website: str = setting("", "The firm's web page", "With https://.", optional=True)
    domain: str = setting(
        "",
        "Domain of the handle",
        "Where it is another than Rapport's own address, such as shop.example: that one has to pass "
        "/.well-known/webfinger on to Rapport.",
        optional=True,
    )
    visibility: str = setting("public", "Our public posts", choices=VISIBILITIES)
    private_key: str = setting(
        "", "Key", "Made at the set-up; everything that leaves is signed with it.", secret=True, made=True
    )


@dataclass(frozen=True, slots=True)
class Account:
    """A configuration at its address."""

    config: Config
    address: str  # where the source is called, with a slash at its end

    @property
    def host(self) -> str:
        """The host that others call."""
        return http.place_of(self.address).named

    @property
    def id(self) -> str:
        return f"{self.address}actor"

    @property
    def key(self) -> str:
        return f"{self.id}#main-key"

    @property
    def inbox(self) -> str:
        return f"{self.address}inbox"

    @property
    def followers(self) -> str:
        return f"{self.address}followers"

    @property
    def posts(self) -> str:
        """What the ids of our posts begin with."""
        return f"{self.address}posts/"

    @property
    def handle(self) -> str:
        return f"{self.config.account}@{self.config.domain or self.host}"

    def document(self) -> dict[str, Any]:
        """The account as other servers read it."""
        config = self.config
        title = config.title or config.account
        found: dict[str, Any] = {
            "@context": CONTEXT,
            "id": self.id,
            "type": "Organization",
            "preferredUsername": config.account,
            "name": title,
            "summary": "".join(f"<p>{html.escape(line)}</p>" for line in config.summary.splitlines() if line),
            "url": config.website or self.id,
            "inbox": self.inbox,
            "outbox": f"{self.address}outbox",
            "followers": self.followers,
            "endpoints": {"sharedInbox": self.inbox},
            "manuallyApprovesFollowers": False,
            "discoverable": True,
            "publicKey": {
                "id": self.key,
                "owner": self.id,
                "publicKeyPem": signatures.public_of(config.private_key),
            },
        }
        if config.website:
            link = f'<a href="{html.escape(config.website)}" rel="me nofollow noopener">{html.escape(config.website)}</a>'
            found["attachment"] = [{"type": "PropertyValue", "name": "Web", "value": link}]
        return found

    def finger(self, resource: str) -> dict[str, Any] | None:
        """What WebFinger says of us; None where somebody else is meant."""
        scheme, _, rest = resource.partition(":")
        if scheme.lower() == "acct":
            name, _, host = rest.lstrip("@").lower().partition("@")
            if name != self.config.account or host not in {self.host, self.config.domain} - {""}:
                return None
        elif resource != self.id:
            return None
        links = [{"rel": "self", "type": KIND, "href": self.id}]
        if self.config.website:
            page = "http://webfinger.net/rel/profile-page"
            links.append({"rel": page, "type": "text/html", "href": self.config.website})
        return {"subject": f"acct:{self.handle}", "aliases": [self.id], "links": links}

    def finger_url(self) -> str:
        """Where others ask who we are."""
        scheme = urlsplit(self.address).scheme
        return (
            f"{scheme}://{self.config.domain or self.host}/.well-known/webfinger?resource=acct:{self.handle}"
        )


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if not _NAME.fullmatch(config.account):
        raise Invalid(f"{config.account!r} cannot name an account", "Use small letters, digits, underscores.")
    if not config.title.strip():
        raise Invalid("the account shows no name", "Enter the firm's, such as Otter Tools.")
    if config.website and urlsplit(config.website).scheme not in http.PORTS:
        raise Invalid(f"{config.website[:80]!r} is no web page", "Write https://HOST.")
    if config.website:
        http.place_of(config.website)
    if config.domain and http.place_of(f"https://{config.domain}").named != config.domain:
        raise Invalid(f"{config.domain!r} is no domain", "Write its name alone, such as shop.example.")
    if config.visibility not in VISIBILITIES:
        raise Invalid("it has to be said who sees our public posts", "Choose one of those shown.")
    signatures.public_of(config.private_key)


def standing(address: str) -> list[Finding]:
    """What of the address would keep others from reaching us; asks nobody."""
    what = "Public address"
    try:
        place = http.place_of(address)
    except Invalid as error:
        return [Finding(what, "bad", error.message, "Set RAPPORT_PUBLIC_URL.")]
    found: list[Finding] = []
    is_tried = home.env("OUTBOUND_LOOPBACK") == "1"  # on this machine alone
    if place.scheme != "https":
        found.append(
            Finding(
                what,
                "warn" if is_tried else "bad",
                f"{place.scheme}://{place.named} is not encrypted: servers of the Fediverse call https alone",
                "Set RAPPORT_PUBLIC_URL to the https address under which Rapport is reached from outside.",
            )
        )
    if not is_tried and _is_inner(place.host):
        found.append(
            Finding(
                what,
                "bad",
                f"nobody outside reaches {place.host}",
                "Set RAPPORT_PUBLIC_URL to a name that leads here from everywhere.",
            )
        )
    if not place.target.startswith("/hooks/"):
        found.append(
            Finding(
                what,
                "warn",
                f"Rapport lies below a path, and others look for an account at the root of {place.named}",
                "Let the proxy pass /.well-known/webfinger on to Rapport.",
            )
        )
    return found


def _is_inner(host: str) -> bool:
    try:
        return not http.is_public(ipaddress.ip_address(host))
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".lan"))
