"""Requests of ours reach public addresses alone, however an address is spelt and whatever a name resolves to."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import server as http_server
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import http
from rapport.kit.errors import Denied, Invalid, RapportError, Unavailable
from rapport.kit.http import Limits, Request

INNER = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
INNER6 = ["::1/128", "::/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "2001::/32"]

inner4 = st.sampled_from(INNER).flatmap(lambda n: st.ip_addresses(network=n))
inner6 = st.sampled_from(INNER6).flatmap(lambda n: st.ip_addresses(network=n))
outer4 = st.ip_addresses(v=4).filter(lambda a: http.is_public(str(a)))


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """Every way to write an IPv4 address that inet_aton, and with it most resolvers, understands."""
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a}.0x{(b << 16) | (c << 8) | d:x}",
        f"{a}.{b}.{c}.{d}.",
    ]


def carriers(address: ipaddress.IPv4Address) -> list[str]:
    """IPv6 addresses that lead to an IPv4 address."""
    number = int(address)
    return [
        str(ipaddress.IPv6Address((0xFFFF << 32) | number)),
        str(ipaddress.IPv6Address((0xFFFF << 48) | number)),
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1)),
    ]


def allow(_place: http.Place) -> None:
    """No register to ask."""


def reach(url: str, found: list[str] | None = None) -> str:
    """The address that a request would be connected to; nothing is sent."""
    place = http.place_of(url)
    return http.checked_address(place, lambda host, _port: found if found is not None else [host])


@given(inner4)
def test_no_spelling_of_an_inner_address_is_reached(address: ipaddress.IPv4Address) -> None:
    for text in [str(address), *spellings(address), *(f"[{c}]" for c in carriers(address))]:
        with pytest.raises((Denied, Invalid)):
            reach(f"https://{text}/")


@given(inner6)
def test_no_inner_address_of_ipv6_is_reached(address: ipaddress.IPv6Address) -> None:
    with pytest.raises(Denied):
        reach(f"https://[{address}]/")
    with pytest.raises((Denied, Invalid)):
        reach(f"https://[{address.exploded}%25eth0]/")


@given(outer4, st.one_of(inner4, inner6))
def test_a_name_is_refused_as_soon_as_one_of_its_addresses_is_inner(outer: Any, inner: Any) -> None:
    assert reach("https://shop.example/", [str(outer)]) == str(outer)
    for found in ([str(outer), str(inner)], [str(inner), str(outer)]):
        with pytest.raises(Denied, match="not in the public internet"):
            reach("https://shop.example/", found)


@given(outer4)
def test_a_public_address_is_public_in_every_carrier(address: ipaddress.IPv4Address) -> None:
    assert all(http.is_public(text) for text in carriers(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_the_internet_is_public(address: str) -> None:
    assert http.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "192.0.0.192",
    ],
)
def test_the_doors_of_clouds_stay_shut(address: str) -> None:
    assert not http.is_public(address)


@given(st.text(max_size=80))
def test_whatever_is_written_is_refused_in_words_or_understood(text: str) -> None:
    for url in (text, "https://" + text):
        with contextlib.suppress(Invalid):
            place = http.place_of(url)
            assert place.scheme in http.PORTS
            assert 0 < place.port < 65_536
            assert place.target.startswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example", "//shop.example", "https://",
        "https://ana:secret@shop.example/", "https://shop.example\\@10.0.0.1/", "https://shop.example/a b",
        "https://shop.example/\r\nX-Header: 1", "https://shop.example:99999/", "https://[::1", "https://sh%6fp.example/",
        "https://①②⑦.0.0.1/", "https://localhost:0x50/",
    ],
)  # fmt: skip
def test_addresses_that_two_readers_could_read_differently_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        http.place_of(url)


def test_a_name_has_one_spelling() -> None:
    place = http.place_of("HTTPS://Shop.Example.:8443/a?b=1#c")
    assert (place.host, place.port, place.target, place.named) == (
        "shop.example",
        8443,
        "/a?b=1",
        "shop.example:8443",
    )


def test_no_encryption_no_request() -> None:
    with pytest.raises(Denied, match="without encryption"):
        reach("http://shop.example/", ["93.184.215.14"])


# From here on against a real server on loopback, which the operator must have allowed.


class Server:
    """A server on loopback: what it saw, and how it answers each path."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, Callable[[http_server.BaseHTTPRequestHandler], None]] = {}
        outer = self

        class Handler(http_server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {k.lower(): v for k, v in self.headers.items()}
                outer.seen.append((self.command, self.path, headers, self.rfile.read(length)))
                outer.answers.get(self.path, say(200, b"fine"))(self)

            do_GET = do_POST = answer  # noqa: N815  the library's names

            def log_message(self, *_given: object) -> None:
                """Say nothing."""

        self._server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def say(
    status: int, body: bytes = b"", **headers: str
) -> Callable[[http_server.BaseHTTPRequestHandler], None]:
    def answer(handler: http_server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator allowed this very machine."""
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")


def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_this_machine_is_refused_unless_the_operator_allows_it(server: Server) -> None:
    with pytest.raises(Denied, match="not in the public internet"):
        http.fetch(Request(server.url()), permits=allow)
    assert server.seen == []


def test_allowing_this_machine_allows_no_other_inner_address(local: None) -> None:
    with pytest.raises(Denied):
        reach("http://shop.example/", ["127.0.0.1", "10.0.0.1"])


def test_a_request_and_its_answer(server: Server, local: None) -> None:
    answer = http.fetch(
        Request(server.url("/a?b=1"), "POST", b"hello", {"content-type": "text/plain"}), permits=allow
    )
    assert (answer.status, answer.body) == (200, b"fine")
    method, path, headers, body = server.seen[0]
    assert (method, path, body) == ("POST", "/a?b=1", b"hello")
    assert headers["host"] == f"127.0.0.1:{server.port}"


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    server: Server, local: None
) -> None:
    """DNS rebinding: the second answer to the same question would be the router's own page."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.168.0.1"]

    answer = http.fetch(Request(server.url(host="shop.example")), permits=allow, resolver=rebinding)
    assert answer.status == 200
    assert asked == ["shop.example"]
    assert server.seen[0][2]["host"] == f"shop.example:{server.port}"


def test_a_redirect_is_checked_like_a_request(server: Server, local: None) -> None:
    server.answers["/"] = say(302, Location="http://169.254.169.254/latest/meta-data/")
    with pytest.raises(Denied, match=r"169\.254\.169\.254"):
        http.fetch(Request(server.url()), permits=allow)


@pytest.mark.parametrize("location", ["http://[", "//[x/", "https://a:b/", "javascript:alert(1)"])
def test_a_redirect_to_no_address_is_refused(server: Server, local: None, location: str) -> None:
    server.answers["/"] = say(302, Location=location)
    with pytest.raises(Invalid):
        http.fetch(Request(server.url()), permits=allow)


def test_a_redirect_goes_only_where_requests_may_go(server: Server, local: None) -> None:
    server.answers["/"] = say(302, Location=server.url("/on", host="other.example"))

    def only_shop(place: http.Place) -> None:
        if place.host != "shop.example":
            raise Denied(f"{place.host} is not registered", "Register it.")

    with pytest.raises(Denied, match=r"other\.example is not registered"):
        http.fetch(Request(server.url(host="shop.example")), permits=only_shop, resolver=here)
    assert len(server.seen) == 1


def test_a_redirect_takes_no_secret_and_no_body_elsewhere(server: Server, local: None) -> None:
    server.answers["/"] = say(302, Location=server.url("/on", host="other.example"))
    secret = {"Authorization": "Bearer x", "Cookie": "a=b", "Api-Key": "y", "Accept": "text/plain"}
    http.fetch(Request(server.url(host="shop.example"), headers=secret), permits=allow, resolver=here)
    assert server.seen[0][2]["authorization"] == "Bearer x"
    assert not {"authorization", "cookie", "api-key"} & server.seen[1][2].keys()
    assert server.seen[1][2]["accept"] == "text/plain"

    server.answers["/"] = say(307, Location=server.url("/on", host="other.example"))
    with pytest.raises(Denied, match="sends what it was given on"):
        http.fetch(Request(server.url(host="shop.example"), "POST", b"ana"), permits=allow, resolver=here)


def test_a_redirected_post_becomes_a_get_without_its_body(server: Server, local: None) -> None:
    server.answers["/"] = say(303, Location="/done")
    http.fetch(Request(server.url(), "POST", b"ana", {"Content-Type": "text/plain"}), permits=allow)
    assert [(seen[0], seen[1], seen[3]) for seen in server.seen] == [
        ("POST", "/", b"ana"),
        ("GET", "/done", b""),
    ]


def test_redirects_come_to_an_end(server: Server, local: None) -> None:
    server.answers["/"] = say(302, Location="/")
    with pytest.raises(Unavailable, match="redirects too often"):
        http.fetch(Request(server.url()), permits=allow, limits=Limits(redirects=2))
    assert len(server.seen) == 3


def test_an_answer_is_read_to_its_limit_and_no_further(server: Server, local: None) -> None:
    server.answers["/"] = say(200, b"x" * 5_000)
    with pytest.raises(Unavailable, match="larger than 4999 bytes"):
        http.fetch(Request(server.url()), permits=allow, limits=Limits(answer_bytes=4_999))
    assert (
        len(http.fetch(Request(server.url()), permits=allow, limits=Limits(answer_bytes=5_000)).body) == 5_000
    )


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_drips_is_cut_off(server: Server, local: None, part: str) -> None:
    """A byte now and then keeps every single read within its own timeout."""

    def drip(handler: http_server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\n" + (b"" if part == "headers" else b"Content-Length: 500\r\n\r\n")
        )
        try:
            for _ in range(100):
                handler.wfile.write(b"a")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    server.answers["/"] = drip
    began = time.monotonic()
    with pytest.raises(Unavailable, match="took longer than"):
        http.fetch(Request(server.url()), permits=allow, limits=Limits(time_s=0.4))
    assert time.monotonic() - began < 4.5, "and not after the five seconds it would go on for"


def test_nobody_listening_is_said_in_words(local: None) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match="did not answer"):
        http.fetch(Request(f"http://127.0.0.1:{port}/"), permits=allow)


def test_a_name_that_stands_for_nothing_is_said_in_words() -> None:
    with pytest.raises(RapportError) as caught:
        reach("https://shop.example/", [])
    assert "shop.example" in caught.value.message
