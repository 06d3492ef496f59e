"""A plug-in's README as a model card: headings, paragraphs, lists, tables, emphasis; everything else is text."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\[([^\]]+)\]\((https://[^\s)&]+)\)"), r'<a href="\2" rel="noreferrer">\1</a>'),
)
_RULE = re.compile(r"^\|[\s:|-]+\|$")


def of(module: str) -> SafeString:
    """The card of a plug-in by its module's name; empty where it brings none."""
    spec = importlib.util.find_spec(module)
    readme = Path(spec.origin).with_name("README.md") if spec and spec.origin else None
    if readme is None or not readme.is_file():
        return SafeString("")
    return rendered(readme.read_text(encoding="utf-8"))


def rendered(text: str) -> SafeString:
    """Markdown as HTML, its title left out and headings a step lower; nothing in it is taken as HTML."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return mark_safe("".join(part for block in blocks for part in _block(block.strip())))  # noqa: S308  escaped


def _block(block: str) -> Iterator[str]:
    lines = block.splitlines()
    for kind, group in groupby(lines, _kind):
        found = list(group)
        if kind == "heading":
            for line in found:
                marks, _, said = line.partition(" ")
                level = min(len(marks) + 1, 6)
                if level > 2:
                    yield f"<h{level}>{_inline(said)}</h{level}>"
        elif kind == "table":
            yield _table(found)
        elif kind == "item":
            items = "".join(f"<li>{_inline(line.strip()[2:])}</li>" for line in found)
            yield f"<ul>{items}</ul>"
        else:
            yield f"<p>{_inline(' '.join(line.strip() for line in found))}</p>"


def _kind(line: str) -> str:
    if re.match(r"#{1,6} ", line):
        return "heading"
    if line.startswith("|"):
        return "table"
    return "item" if re.match(r"\s*[-*] ", line) else "text"


def _table(lines: list[str]) -> str:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in lines
        if not _RULE.match(line.strip())
    ]
    head, *body = rows
    cells = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head)
    whole = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return (
        f'<div class="table-box"><table><thead><tr>{cells}</tr></thead><tbody>{whole}</tbody></table></div>'
    )


def _inline(text: str) -> str:
    found = str(escape(text))
    for pattern, instead in _INLINE:
        found = pattern.sub(instead, found)
    return found
