"""A template and its context as a message: plain text and HTML from the same blocks, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import escape
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid
from rapport.messaging.rules import blocks
from rapport.messaging.rules.blocks import Block, Template

WIDTH = 72
LINKING = ("button", "offer", "product", "campaign")  # blocks whose link is counted

BODY = (
    "margin:0;padding:24px 12px;background:#f4f4f1;color:#1d1f1c;"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
)
SHEET = "max-width:560px;margin:0 auto;padding:28px;background:#ffffff;border-radius:8px"
BUTTON = (
    "display:inline-block;padding:12px 20px;background:#1f5f4a;color:#ffffff;border-radius:6px;"
    "text-decoration:none;font-weight:600"
)
SMALL = "margin:0 0 12px;font-size:14px;color:#5a5f57"
FOOT = "max-width:560px;margin:16px auto 0;font-size:13px;color:#5a5f57"


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below every message: who sent it, where they are, and how to have no more of it."""

    firm: str
    postal_address: str
    because: str = ""
    links: tuple[tuple[str, str], ...] = ()  # label, address


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's words, and where its counted links lead, in order."""

    subject_line: str
    text: str
    html: str
    links: tuple[str, ...] = field(default=())


Counted = Callable[[int], str]  # the address by which the link at a position is counted


def render(
    template: Template,
    context: Mapping[str, Any],
    foot: Callable[[], Foot],
    *,
    language: str,
    counted: Counted | None = None,
) -> Rendered:
    """The message in a language; with `counted`, its links go by way of ours. Raises Invalid."""
    with override(language):
        links: list[str] = []
        pieces: list[tuple[str, str]] = []
        for block in blocks.filled(template, context):
            url = _address(blocks.words(block.url, context)) if block.url else ""
            if url and counted and block.type in LINKING:
                links.append(url)
                url = counted(len(links) - 1)
            pieces.append(_piece(block, context, url))
        below = foot()
        subject_line = " ".join(blocks.words(template.subject_line, context).split())
        return Rendered(
            subject_line,
            "\n\n".join([*(text for text, _html in pieces if text), _foot_text(below)]) + "\n",
            _page(subject_line, [html for _text, html in pieces], below, language),
            tuple(links),
        )


def _address(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid(f"{url!r} is no address that a message may lead to", "Begin with https://.")
    return url.strip()


def _piece(block: Block, context: Mapping[str, Any], url: str) -> tuple[str, str]:
    """One block as text and as HTML."""
    words = blocks.words(block.text, context)
    safe = escape(words).replace("\n", "<br>")
    if block.type == "heading":
        return (
            f"{words}\n{'=' * min(len(words), WIDTH)}",
            f'<h1 style="margin:0 0 16px;font-size:22px">{safe}</h1>',
        )
    if block.type == "facts":
        rows = [(blocks.words(label, context), blocks.words(value, context)) for label, value in block.rows]
        return "\n".join(f"{label}: {value}" for label, value in rows), _facts(rows)
    if block.type == "code":
        mono = "margin:0 0 16px;font:600 24px/1.4 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px"
        return words, f'<p style="{mono}">{safe}</p>'
    if url:
        return (
            f"{words}:\n{url}",
            f'<p style="margin:0 0 16px"><a href="{escape(url)}" style="{BUTTON}">{safe}</a></p>',
        )
    style = SMALL if block.type == "note" else "margin:0 0 16px"
    return words, f'<p style="{style}">{safe}</p>'


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th scope="row" style="padding:4px 16px 4px 0;text-align:start;vertical-align:top;'
        f'font-weight:600">{escape(label)}</th><td style="padding:4px 0">{escape(value)}</td></tr>'
        for label, value in rows
    )
    return f'<table style="margin:0 0 16px;border-collapse:collapse">{cells}</table>'


def _foot_text(foot: Foot) -> str:
    lines = ["-- ", *_sender(foot)]
    if foot.because:
        lines += ["", foot.because]
    lines += [f"{label}: {url}" for label, url in foot.links]
    return "\n".join(lines)


def _sender(foot: Foot) -> list[str]:
    """The firm's name and address; many an address begins with the name already."""
    lines = foot.postal_address.splitlines()
    return lines if not foot.firm or lines[:1] == [foot.firm] else [foot.firm, *lines]


def _foot_html(foot: Foot) -> str:
    address = "<br>".join(escape(line) for line in _sender(foot))
    html = f"<p>{address}</p>"
    if foot.because:
        html += f"<p>{escape(foot.because)}</p>"
    if foot.links:
        links = " · ".join(
            f'<a href="{escape(url)}" style="color:#5a5f57">{escape(label)}</a>' for label, url in foot.links
        )
        html += f"<p>{links}</p>"
    return html


def _page(title: str, pieces: Sequence[str], foot: Foot, language: str) -> str:
    direction = "rtl" if get_language_info(language)["bidi"] else "ltr"
    return (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{direction}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title></head>\n'
        f'<body style="{BODY}">\n<div style="{SHEET}">\n{chr(10).join(pieces)}\n</div>\n'
        f'<div style="{FOOT}">{_foot_html(foot)}</div>\n</body>\n</html>\n'
    )


def because(purpose_name: str, *, is_service: bool) -> str:
    """Why this message comes, in one sentence."""
    if is_service:
        return _("You get this because of something you did or asked for; it is no advertisement.")
    return _("You get this because of: %(purpose)s.") % {"purpose": purpose_name}


def links_in(text: str) -> list[str]:
    """Every address in a message's text."""
    return re.findall(r"https?://[^\s<>\"]+", text)
