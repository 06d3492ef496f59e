"""Whether pictures can go with a post to a network, told from what is known of them without unpacking them. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which pictures a network takes along with a post.

    most : so many at most; 0: none
    is_needed : a post without one is refused
    bytes_max, side_max : a larger one is made smaller before it leaves; 0: no limit worth naming
    kinds : the content types that it takes; others are written anew as JPEG
    alt_max : characters of an alternative text; 0: no limit worth naming
    takes_alt : it has a place for alternative texts; where it has none, the words of the post have to say it all
    text_max : characters of a post with pictures, where that is fewer than without; 0: as many
    narrowest, widest : width over height, at least and at most; 0: any
    is_fetched : the network fetches them from an address of ours, and takes no bytes
    """

    most: int = 0
    is_needed: bool = False
    bytes_max: int = 0
    side_max: int = 0
    kinds: Sequence[str] = ("image/jpeg", "image/png")
    alt_max: int = 0
    takes_alt: bool = True
    text_max: int = 0
    narrowest: float = 0.0
    widest: float = 0.0
    is_fetched: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a picture."""

    content_type: str
    width: int
    height: int
    n_bytes: int
    alt: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a post's pictures: a code, which of them (from 1; 0: all), a figure, and whether it may leave."""

    code: str
    n: int = 0
    figure: float = 0
    is_forbidden: bool = True


def remarks(shapes: Sequence[Shape], takes: Pictures, address: str = "", n_chars: int = 0) -> list[Remark]:
    """What stands against these pictures on a network that takes such; what only is made smaller is no hindrance.

    address : where this installation is reached, for networks that fetch pictures themselves
    n_chars : of the words beside them
    """
    if not shapes:
        return [Remark("needed")] if takes.is_needed else []
    if not takes.most:
        return [Remark("none_taken")]
    found = [Remark("too_many", figure=takes.most)] if len(shapes) > takes.most else []
    if takes.is_fetched and not is_reachable(address):
        found.append(Remark("not_reachable"))
    if takes.text_max and n_chars > takes.text_max:
        found.append(Remark("long_text", figure=takes.text_max))
    for n, shape in enumerate(shapes, 1):
        found += _of_one(n, shape, takes)
    if not takes.takes_alt:
        found.append(Remark("alt_left_out", is_forbidden=False))
    return found


def _of_one(n: int, shape: Shape, takes: Pictures) -> list[Remark]:
    found = []
    if not shape.alt.strip():
        found.append(Remark("no_alt", n))
    elif takes.alt_max and len(shape.alt) > takes.alt_max:
        found.append(Remark("long_alt", n, takes.alt_max))
    ratio = shape.width / shape.height
    # A hundredth more or less is what rounding to whole dots makes of a right one.
    if takes.narrowest and ratio < takes.narrowest * 0.99:
        found.append(Remark("too_narrow", n, takes.narrowest))
    if takes.widest and ratio > takes.widest * 1.01:
        found.append(Remark("too_wide", n, takes.widest))
    is_large = takes.bytes_max and shape.n_bytes > takes.bytes_max
    if is_large or (takes.side_max and max(shape.width, shape.height) > takes.side_max):
        found.append(Remark("made_smaller", n, is_forbidden=False))
    return found


def is_reachable(address: str) -> bool:
    """Whether others on the internet can fetch from there, as far as an address tells.

    >>> is_reachable("https://rapport.example.org"), is_reachable("http://localhost:8000")
    (True, False)
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme != "https" or "." not in host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))
