"""What a line of a web server's log says: its formats, which files belong to a page, who is a machine.

Formats: the Common Log Format of NCSA httpd, the combined format of Apache and nginx, either with a
virtual host before it or further values after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# One line, whatever its quotes: RE2 and Python read it alike. A request may hold quotes itself, so it
# ends at the last quote that a status and a size follow; a browser's name may lack its last quote.
LINE = (
    r"^(?:(?P<host>\S+:\d+) )?(?P<address>\S+) \S+ .*?\S (?P<at>\[[^\] ]+) (?P<zone>[+-]\d{4}\]) "
    r'"(?P<request>.*)" (?P<status>[1-9]\d{2}) (?P<bytes>\d+|-)'
    r'(?: "(?P<referrer>.*?)" "(?P<browser>.*?)(?:"(?: .*)?)?)?\s*$'
)
# How some of these parts look, for lines that were split at blanks alone.
FORMS = {
    "at": r"^\[[^\] ]+$",
    "zone": r"^[+-]\d{4}\]$",
    "status": r"^[1-9]\d{2}$",
    "bytes": r"^(\d+|-)$",
}

# What pages consist of and machines read; everything else that is fetched is a page.
ASSET_ENDINGS = (
    "css|js|mjs|map|png|jpe?g|gif|ico|svg|webp|avif|bmp|tiff?|woff2?|ttf|otf|eot|mp3|mp4|m4a|m4v|webm|og[gv]"
    "|wav|avi|mov|swf|json|xml|rss|atom|txt|webmanifest|wasm"
)

# Query parameters that carry what somebody searched for: on a site of ours, and at search engines.
SITE_SEARCH_PARAMETERS = ("q", "s", "query", "search", "keyword", "keywords")
ENGINE_SEARCH_PARAMETERS = ("q", "p", "query", "text", "wd", "word", "search_query")
SEARCH_ENGINES = (
    r"(^|\.)(google|bing|yahoo|duckduckgo|baidu|yandex|ecosia|qwant|startpage|naver|daum|seznam|ask|aol"
    r"|search|sogou|brave|kagi|mojeek|swisscows|metager|exalead|dogpile)\.[a-z.]+$"
)

# Machines that say what they are. RE2, case does not matter.
MACHINES = (
    r"bot\b|bot[/_\-. ;:,)0-9]|bots\b|crawl|spider|slurp|archiver|scrap(er|y)|harvest|indexer|facebookexternalhit"
    r"|mediapartners|feed|rss|reader|syndicat|planet|fetch|wget|curl|python|perl|ruby|java/|libwww|lwp|go-http"
    r"|okhttp|httpclient|http_client|http-client|axios|node-|guzzle|php/|headless|phantom|lighthouse|pagespeed"
    r"|pingdom|uptime|monitor|nagios|zabbix|check_http|statuscake|validator|w3c_|preview|embed|scan|nmap|nikto"
    r"|zgrab|masscan|sqlmap|apache-|winhttp|mechanize|siege|jmeter|k6/|locust|ahrefs|semrush|dataprovider"
    r"|heritrix|nutch|httrack|teleport|offline|search engine|searchengine|ia_archiver|bingpreview|google-"
    r"|google web preview|appengine|proxy|translate|wordpress|drupal|joomla|mediawiki|microsoft office"
)
# Telephones and browsers whose names hold such a word and that are none.
NOT_MACHINES = r"\bcubot\b"
# The name by which a machine is listed: the word that ends in bot and the like, else its first word.
MACHINE_NAME = (
    r"(?i)([a-z0-9][a-z0-9._\-]*"
    r"(?:bot|crawler|spider|slurp|archiver|feedfetcher|externalhit|preview|reader)[a-z0-9_\-]*)"
)
NO_BROWSER = "no user agent"
ROBOTS_READER = "read robots.txt"

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_LINE = re.compile(LINE)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one log are split at blanks: their number of parts, and what comes first."""

    has_host: bool  # vhost:port before the address
    has_browser: bool  # combined, not common
    n_extra: int  # values after what we read
    n_quotes: int  # in a line without an odd one

    @property
    def columns(self) -> list[str]:
        """Names of the parts, in order."""
        named = ["address", "ident", "account", "at", "zone", "request", "status", "bytes"]
        if self.has_browser:
            named += ["referrer", "browser"]
        return ["host"] * self.has_host + named + [f"extra_{k}" for k in range(self.n_extra)]

    @property
    def description(self) -> str:
        text = "combined log format" if self.has_browser else "common log format"
        return text + (", with virtual hosts" if self.has_host else "")


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The layout that most of these lines have; None where not one of them is a log line."""
    found: dict[Layout, int] = {}
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        has_host, has_browser = match["host"] is not None, match["browser"] is not None
        parts = _PARTS.findall(line)
        n_extra = len(parts) - 8 - has_host - 2 * has_browser
        n_quotes = 2 * sum(part.startswith('"') for part in parts)
        layout = Layout(has_host, has_browser, max(0, n_extra), n_quotes)
        found[layout] = found.get(layout, 0) + 1
    return max(found, key=lambda layout: found[layout]) if found else None


def fault_of(line: str) -> tuple[str, str]:
    """(field, sentence) on the first thing that keeps a line from being read."""
    if not re.match(r"^(\S+:\d+ )?\S+ \S+ ", line):
        return "address", "The line does not begin with an address and two names."
    if not re.search(r"\[[^\]]+ [+-]\d{4}\]", line):
        return "at", "There is no time such as [17/May/2015:10:05:03 +0000]."
    if not re.search(r'\] ".*" ', line):
        return "request", "There is no request in quotes after the time."
    if not re.search(r'" [1-9]\d{2} (\d+|-)', line):
        return "status", "After the request there is no status such as 200 and no size."
    return "line", "The line is in neither the common nor the combined format."
