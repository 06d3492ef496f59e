"""HTTP to the outside world: to public addresses alone, checked before they are connected to, within limits.

Server-side request forgery is somebody else's address that leads back into our own network (OWASP, SSRF
prevention). A name is therefore resolved once, every address it stands for must be public, and the
connection goes to the very address that was checked: a name that resolves differently a moment later
changes nothing. Redirects are new requests and pass the same checks.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from rapport.kit import clock, home
from rapport.kit.errors import Denied, Invalid, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

PORTS = {"https": 443, "http": 80}
# Not the public internet: IANA's special-purpose registries (RFC 6890), written out because Python's own
# tables grow from release to release, and the addresses behind which clouds keep what only a machine of
# theirs should ask.
INNER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "::/32", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/9", "ff00::/8",
    )
)  # fmt: skip
# IPv6 ranges that carry an IPv4 address, and where it begins, in bits from the right.
CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped, RFC 4291
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)
_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_CHUNK = 65_536
PLAIN_HEADERS = frozenset({"accept", "accept-language", "user-agent", "if-none-match", "if-modified-since"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take, redirects included."""

    time_s: float = 10.0
    answer_bytes: int = 2_000_000
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: what an address says, taken apart and in one spelling."""

    scheme: str
    host: str  # a name or a literal address, in lower case
    port: int
    target: str  # path and query

    @property
    def named(self) -> str:
        """The host, with its port where that is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    url: str  # after redirects
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def place_of(url: str) -> Place:
    """Take an address apart; Invalid for every spelling that two readers could read differently."""
    shown = url[:200]
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Invalid(
            f"the address {shown!r} holds characters that addresses may not",
            "Write it percent-encoded, and names in their ASCII form.",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").removesuffix(".")
    except ValueError as error:
        raise Invalid(f"{shown!r} is no address: {error}", "Write https://HOST/PATH.") from None
    if parts.scheme not in PORTS or not host:
        raise Invalid(f"{shown!r} is not an address on the web", "Write https://HOST/PATH.")
    if "@" in parts.netloc:
        raise Invalid(f"the address of {host} holds a name or password", "Send them in a header.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, _host(host), port or PORTS[parts.scheme], target)


def _host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if _NUMBER.match(host.rpartition(".")[2]):
        # 2130706433, 0177.0.0.1 and 0x7f.1 are all 127.0.0.1 to a resolver, and look like nothing to a reader.
        raise Invalid(
            f"{host!r} is neither a name nor an address", "Write the address as four decimal numbers."
        )
    if not _NAME.fullmatch(host):
        raise Invalid(f"{host!r} is not the name of a host", "Write a name such as api.example.com.")
    return host


def is_public(address: Address | str) -> bool:
    """Whether an address lies in the public internet: not private, local, shared, multicast or a cloud's own."""
    try:
        known = ipaddress.ip_address(address) if isinstance(address, str) else address
    except ValueError:
        return False
    if isinstance(known, ipaddress.IPv6Address):
        if known.scope_id is not None:
            return False
        carried = next((bits for network, bits in CARRIERS if known in network), None)
        if carried is not None:
            return is_public(ipaddress.IPv4Address((int(known) >> carried) & 0xFFFFFFFF))
    return known.is_global and not any(known in network for network in INNER)


def is_loopback(address: str) -> bool:
    """Whether an address is this very machine."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(known, "ipv4_mapped", None)
    return bool((mapped or known).is_loopback)


def resolve(host: str, port: int) -> list[str]:
    """Every address that a name stands for now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(
            f"{host} cannot be found: {error.strerror or error}",
            "Check the name; if it is right, try again later.",
            retry_after_s=60,
        ) from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def checked_address(place: Place, resolver: Resolve | None = None) -> str:
    """The one address to connect to, or Denied where any that the name stands for is not public."""
    found = list((resolver or resolve)(place.host, place.port))
    if not found:
        raise Unavailable(f"{place.host} has no address", "Check the name.", retry_after_s=60)
    local = home.env("OUTBOUND_LOOPBACK") == "1" and all(is_loopback(address) for address in found)
    if not local:
        for address in found:
            if not is_public(address):
                raise Denied(
                    f"{place.host} leads to {address}, which is not in the public internet",
                    "Requests of ours never go into a private network.",
                )
        if place.scheme != "https":
            raise Denied(f"{place.host} was to be reached without encryption", "Write https://.")
    return found[0]


def fetch(
    request: Request,
    *,
    permits: Callable[[Place], None],
    limits: Limits | None = None,
    resolver: Resolve | None = None,
) -> Answer:
    """Send a request and give the answer, whatever its status.

    `permits` is asked before each connection and raises where the place is not allowed. Raises Invalid or
    Denied for a place that may not be reached, Unavailable where it did not answer within the limits.
    """
    limits = limits or Limits()
    until_s = clock.monotonic_s() + limits.time_s
    for _ in range(limits.redirects + 1):
        place = place_of(request.url)
        permits(place)
        address = checked_address(place, resolver)
        answer = _once(request, place, address, until_s - clock.monotonic_s(), limits)
        onward = answer.headers.get("location")
        if answer.status not in {301, 302, 303, 307, 308} or not onward:
            return answer
        request = _redirected(request, place, answer, _joined(request.url, onward))
    raise Unavailable(
        f"{request.url[:200]} redirects too often", "Register the address it ends at.", retry_after_s=3600
    )


def _joined(url: str, onward: str) -> str:
    try:
        return urljoin(url, onward)
    except ValueError as error:
        raise Invalid(
            f"{url[:200]} redirects to no address: {error}", "Register the one it ends at."
        ) from None


def _redirected(request: Request, before: Place, answer: Answer, url: str) -> Request:
    """The next request; nothing secret follows to another place, and no body where the method changes."""
    after = place_of(url)
    headers = dict(request.headers)
    body, method = request.body, request.method
    if answer.status == 303 or (answer.status in {301, 302} and method == "POST"):
        body, method = None, "GET"
        headers = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
    if (after.scheme, after.host, after.port) != (before.scheme, before.host, before.port):
        if body is not None:
            raise Denied(
                f"{before.host} sends what it was given on to {after.host}",
                "Register the address that it ends at.",
            )
        # Any other header may hold a key: APIs give them names of their own.
        headers = {k: v for k, v in headers.items() if k.lower() in PLAIN_HEADERS}
    return Request(url, method, body, headers)


def _once(request: Request, place: Place, address: str, left_s: float, limits: Limits) -> Answer:
    if left_s <= 0:
        raise _too_slow(place, limits)
    connection = _Connection(place, address, left_s)
    # A socket's timeout is per read; an answer that comes a byte a second would never run into it.
    watch = threading.Timer(left_s, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request(request.method, place.target, request.body, dict(request.headers))
        answer = connection.getresponse()
        parts: list[bytes] = []
        size = 0
        while part := answer.read(_CHUNK):
            size += len(part)
            if size > limits.answer_bytes:
                raise Unavailable(
                    f"the answer of {place.host} is larger than {limits.answer_bytes} bytes",
                    "It was not read to its end.",
                    retry_after_s=3600,
                )
            parts.append(part)
        if connection.was_cut:
            raise _too_slow(place, limits)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(request.url, answer.status, headers, b"".join(parts))
    except (OSError, http.client.HTTPException) as error:
        if connection.was_cut or isinstance(error, TimeoutError):
            raise _too_slow(place, limits) from None
        raise Unavailable(
            f"{place.host} did not answer: {error}", "Try again later.", retry_after_s=60
        ) from None
    finally:
        watch.cancel()
        connection.close()


def _too_slow(place: Place, limits: Limits) -> Unavailable:
    return Unavailable(
        f"{place.host} took longer than {limits.time_s:g} s", "Try again later.", retry_after_s=60
    )


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, speaking to the name that it was asked for."""

    def __init__(self, place: Place, address: str, timeout_s: float) -> None:
        super().__init__(place.host, place.port, timeout=timeout_s)
        self._place = place
        self._address = address
        self.was_cut = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self._place.port), self.timeout)
        if self._place.scheme == "https":
            # The handshake comes after the socket is held, so that it can be cut as well.
            self.sock = secure = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self._place.host, do_handshake_on_connect=False
            )
            secure.do_handshake()

    def cut(self) -> None:
        """End it now, from another thread."""
        self.was_cut = True
        held = self.sock
        if held is not None:
            with contextlib.suppress(OSError):  # closed already
                held.shutdown(socket.SHUT_RDWR)
