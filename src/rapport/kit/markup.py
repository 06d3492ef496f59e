"""HTML that others wrote, as text: nothing of it is ever shown as HTML, so nothing of it can do harm."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

UNSEEN = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object", "iframe"}
)
# Elements that begin on a line of their own.
BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form "
        "h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul",
    )
)
SPACED = frozenset(
    re.findall(r"\w+", "blockquote dl h1 h2 h3 h4 h5 h6 ol p pre table ul")
)  # with an empty line around
WITHOUT_END = frozenset(re.findall(r"\w+", "area base br col embed hr img input link meta source track wbr"))
DEPTH_MAX = 12  # of quotations: deeper ones are nobody's to read, and each costs two characters a line
_SPACES = re.compile(r"[ \t\r\n\f\u200b]+")
_COMMENT_END = re.compile(r"--\s*>")


def text_of(html: str) -> str:
    """What a reader would see of some HTML: paragraphs as lines, quotations behind `> `, addresses of links kept."""
    reader = _Reader()
    html, rest = _parted(html)
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # the standard library's reader gives up so on some broken declarations
        pass
    reader.handle_data(unescape(rest))
    return reader.whole()


def _parted(html: str) -> tuple[str, str]:
    """What may hold elements, and the words behind the last of them.

    The standard library's reader looks through all that follows for the end of each element and comment: where
    there is none, some kilobytes of `<a ` take it minutes.
    """
    ended = max((found.end() for found in _COMMENT_END.finditer(html)), default=0)
    begun = html.find("<!--", ended)
    again = html.find("<!--", begun + 1) if begun >= 0 else -1
    if again >= 0:  # one that never ends is read as words; more of them are nobody's to read
        html = html[:again]
    end = html.rfind(">") + 1
    return html[:end], html[end:]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, str]] = []  # depth of quotation, and words
        self._line = ""
        self._depth = 0
        self._unseen: list[str] = []
        self._plain = 0  # how many <pre> we are in
        self._addresses: list[tuple[str, str]] = []  # of links: where they lead, and the words so far

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen or tag in UNSEEN:
            # Only the element that began it can end it: <svg><title> has an end of its own.
            if tag not in WITHOUT_END and (not self._unseen or tag == self._unseen[0]):
                self._unseen.append(tag)
            return
        known = dict(attrs)
        if tag in BLOCKS:
            self._break(empty=tag in SPACED)
        if tag == "br":
            self._break(keep=True)
        elif tag == "blockquote":
            self._depth += 1
        elif tag == "li":
            self._line = "- "
        elif tag == "pre":
            self._plain += 1
        elif tag == "img":
            self._add((known.get("alt") or "").strip())
        elif tag == "a":
            self._addresses.append((known.get("href") or "", ""))

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[0]:
                self._unseen.pop()
            return
        if tag == "a" and self._addresses:
            self._end_link(*self._addresses.pop())
        if tag in BLOCKS:
            self._break(empty=tag in SPACED)
        if tag == "blockquote":
            self._depth = max(self._depth - 1, 0)
        elif tag == "pre":
            self._plain = max(self._plain - 1, 0)

    def handle_data(self, text: str) -> None:
        if self._unseen:
            return
        if self._plain:
            first, *rest = text.split("\n")
            self._line += first
            for line in rest:
                self._break(keep=True)
                self._line = line
            return
        self._add(_SPACES.sub(" ", text))

    def _add(self, words: str) -> None:
        if self._line.endswith((" ", "- ")) or not self._line:
            words = words.lstrip(" ")
        self._line += words
        if self._addresses:
            address, said = self._addresses[-1]
            self._addresses[-1] = (address, said + words)

    def _end_link(self, address: str, words: str) -> None:
        """Write where a link leads behind its words, unless they say so or are a name or a tag."""
        bare = re.sub(r"^https?://", "", address).rstrip("/")
        shown = re.sub(r"^https?://", "", words.strip()).rstrip("/")
        if bare not in {address, "", shown} and not shown.startswith(("@", "#")):
            self._line = f"{self._line.rstrip()} ({address})" if shown else f"{self._line}{address}"

    def _break(self, *, empty: bool = False, keep: bool = False) -> None:
        line = self._line if self._plain else self._line.strip()
        if line or keep:
            self._lines.append((self._depth, line))
        self._line = ""
        if empty and self._lines and self._lines[-1][1]:
            self._lines.append((self._depth, ""))

    def whole(self) -> str:
        """All that was read."""
        self._break()
        written = ["> " * min(depth, DEPTH_MAX) + line if line else "" for depth, line in self._lines]
        joined = "\n".join(line.rstrip() for line in written)
        return re.sub(r"\n{3,}", "\n\n", joined).strip("\n ")
