"""Whether a link was followed by a machine: the scanners that fetch every link of a mail before it is read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

WITHIN_US = 1_200_000  # no reader follows two links of one message within this time
WATCH_US = 2 * WITHIN_US  # after this, a click's neighbours are known
SAME_LINK_MAX = 2  # fetches of one link within that time: a double click, not a machine

# What mail gateways and link checkers call themselves; those that pose as browsers are told by their pace.
SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|ironport|symantec|messagelabs|fireeye|trendmicro|safelinks|sophos"
    r"|google-safety|googleimageproxy|bingpreview|skypeuripreview|slackbot|facebookexternalhit|twitterbot"
    r"|linkedinbot|whatsapp|telegrambot|discordbot|bot\b|crawler|spider|scanner|preview|linkcheck|urlcheck"
    r"|python-requests|python-urllib|aiohttp|httpx|curl/|wget/|go-http-client|java/|okhttp|headless",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch of a link of a message."""

    at_us: int
    position: int
    is_head: bool = False
    is_scanner: bool = False


def is_scanner(user_agent: str) -> bool:
    """Whether the fetcher names itself as one, or not at all, which no browser does."""
    return not user_agent.strip() or bool(SCANNERS.search(user_agent))


def by_machine(fetch: Fetch, others: Sequence[Fetch]) -> bool:
    """Whether a machine made this fetch; `others` are all fetches of the same message, this one too."""
    if fetch.is_head or fetch.is_scanner:
        return True
    near = [other for other in others if abs(other.at_us - fetch.at_us) <= WITHIN_US]
    if any(other.is_head or other.is_scanner for other in near):
        return True
    if len({other.position for other in near} | {fetch.position}) > 1:
        return True
    return len(near) > SAME_LINK_MAX
