"""Who may come in at the visitors' door: which pages, how often, and which of them are machines. Pure.

The sender's address is cut to its network before anything else sees it (the last 8 of 32 bits, the last
80 of 128), is used for the limit alone, and is stored nowhere.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rapport.kit import clock

BURST = 120.0  # requests at once from one network with one key: an office behind one address
REFILL_PER_S = 10.0
BUCKETS_MAX = 50_000

KEPT_BITS = {4: 24, 6: 48}

# Networks where a proxy of ours may stand (RFC 1918, RFC 4193, this machine).
_OURS = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
)

# As crawlers, previewers, monitors and drivers of browsers name themselves.
_MACHINE = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|slurp|headless|phantomjs|lighthouse|pagespeed|preview|scan|monitor"
    r"|uptime|pingdom|facebookexternalhit|embedly|curl/|wget/|python-|httpx|aiohttp|okhttp|java/|go-http"
    r"|libwww|selenium|puppeteer|playwright|axios|node-fetch|apache-httpclient|mediapartners|archive\.org",
    re.IGNORECASE,
)
_MACHINE_NAME = re.compile(
    r"([A-Za-z0-9_.-]*(?:bot|crawler|spider|preview|headlesschrome)[A-Za-z0-9_.-]*)", re.I
)


def network_of(peer: str, forwarded: str) -> str:
    """The truncated address of whoever sends.

    `forwarded` (X-Forwarded-For) counts only from a peer on a private network, where a proxy of ours
    stands; its last entry is the one that this proxy wrote itself.
    """
    address = _address(peer)
    if address is not None and forwarded and any(address in net for net in _OURS):
        address = _address(forwarded.rpartition(",")[2].strip()) or address
    if address is None:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ipaddress.ip_network(f"{address}/{KEPT_BITS[address.version]}", strict=False).network_address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_allowed(origin: str, allowed: list[str], host: str) -> bool:
    """Whether a page of this origin may send.

    `allowed` holds `https://shop.example`, or `https://*.shop.example` for every name below it. A page on
    the collector's own host (the one that shows how the script works) always may.
    """
    if origin in allowed:
        return True
    here = urlsplit(origin)
    name = here.hostname or ""
    if name and name == urlsplit(f"//{host}").hostname:
        return True
    for one in allowed:
        scheme, star, below = one.partition("://*.")
        if star and here.scheme == scheme and name.endswith(f".{below}") and here.port is None:
            return True
    return False


def machine(user_agent: str) -> str:
    """What a machine that says it is one calls itself; empty for a browser."""
    if not user_agent:
        return "unnamed"
    if not _MACHINE.search(user_agent):
        return ""
    found = _MACHINE_NAME.search(user_agent)
    return (found.group(1) if found else re.split(r"[/ ;(]", user_agent, maxsplit=1)[0])[:80] or "unnamed"


@dataclass(slots=True)
class Limit:
    """A bucket of requests for each network and key, filled again as time passes."""

    burst: float = BURST
    refill_per_s: float = REFILL_PER_S
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def wait_s(self, network: str, key: str) -> float:
        """0 where the request may pass, which takes one from the bucket; else seconds until one may."""
        now_s = clock.monotonic_s()
        left, since_s = self._buckets.pop((network, key), (self.burst, now_s))
        left = min(self.burst, left + (now_s - since_s) * self.refill_per_s)
        passes = left >= 1
        # Put back at the end, so that the first ones are those not heard from for longest.
        self._buckets[(network, key)] = (left - 1 if passes else left, now_s)
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.pop(next(iter(self._buckets)))
        return 0.0 if passes else (1 - left) / self.refill_per_s
