"""Drawings from specs: SVG for the screen with our colours as variables, SVG, PNG and CSV to take away.

vl-convert runs Vega-Lite inside this process; it is given no base address, so it can fetch nothing.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import html
import io
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import vl_convert
from django.utils.safestring import SafeString, mark_safe

from rapport.kit import home
from rapport.kit.errors import NotFound
from rapport.web.charts import palette

KEPT_MAX = 500  # drawings on disk; the oldest go first
LINKS_MAX = 100  # beyond this many, the links of a drawing leave the Tab order to the table's

_LINK = re.compile(
    r'<a xlink:href="(?:https://vega\.github\.io/vega-datasets/)?([^"]*)"><path aria-label="([^"]*)"'
)
_LOCALES = {"de": "de-DE", "fr": "fr-FR", "es": "es-ES", "ko": "ko-KR", "en": "en-US"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is needed to draw a chart again: two widths, its words and its figures."""

    wide: dict[str, Any]
    narrow: dict[str, Any]
    language: str
    title: str
    alt: str
    right: str  # who may fetch it, as a staff.rules.Right
    columns: list[str]
    rows: list[list[Any]]

    @property
    def key(self) -> str:
        """The same chart has the same key, whoever asks; nobody can guess another's."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(drawing: Drawing) -> str:
    """Store a drawing for its downloads; gives its key."""
    folder, key = _folder(), drawing.key
    file = folder / f"{key}.json"
    if not file.exists():
        temporary = folder / f".{key}.{os.getpid()}"
        temporary.write_text(json.dumps(asdict(drawing), ensure_ascii=False, default=str), "utf-8")
        temporary.replace(file)
        _sweep(folder)
    return key


def kept(key: str) -> Drawing:
    """The drawing stored under a key, or NotFound."""
    file = _folder() / f"{key}.json"
    try:
        return Drawing(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise NotFound(
            "this chart is no longer kept", "Open its page again; that draws it with today's figures."
        ) from None


def inline(drawing: Drawing, *, narrow: bool = False) -> SafeString:
    """The SVG that stands in a page: our colours as variables, marks as links with their figures."""
    svg = _svg(json.dumps(drawing.narrow if narrow else drawing.wide), drawing.language)
    n_links = len(_LINK.findall(svg))
    attributes = ' tabindex="-1"' if n_links > LINKS_MAX else ""

    def link(match: re.Match[str]) -> str:
        target, label = match.groups()
        opened = f'<a href="/{target.lstrip("/")}"{attributes} aria-label="{label}">'
        return f'{opened}<title>{label}</title><path aria-hidden="true"'

    svg = _LINK.sub(link, palette.to_variables(svg)).replace(' font-family="sans-serif"', "")
    opening = f'<svg role="{"group" if n_links else "img"}" aria-label="{html.escape(drawing.alt)}"'
    return mark_safe(svg.replace("<svg", opening, 1))  # noqa: S308  vega escapes every label


def to_svg(drawing: Drawing) -> str:
    """The drawing as a file of its own, in the light theme's colours."""
    svg = palette.to_light(_svg(json.dumps(_framed(drawing)), drawing.language))
    return re.sub(r'<a xlink:href="[^"]*">(.*?)</a>', r"\1", svg, flags=re.DOTALL)


def to_png(drawing: Drawing) -> bytes:
    """The drawing as a picture, twice as sharp as the screen's."""
    spec = json.loads(palette.to_light(json.dumps(_framed(drawing))))
    picture: bytes = vl_convert.vegalite_to_png(spec, scale=2, **_options(drawing.language))
    return picture


def to_csv(drawing: Drawing) -> str:
    """The figures behind the drawing; a cell that a spreadsheet would run is disarmed."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([disarmed(c) for c in drawing.columns])
    writer.writerows([[disarmed(c) for c in row] for row in drawing.rows])
    return out.getvalue()


def disarmed(cell: Any) -> Any:
    """A cell that a spreadsheet would run, as a text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _framed(drawing: Drawing) -> dict[str, Any]:
    title = {"text": drawing.title, "anchor": "start", "fontSize": 15, "color": palette.sentinel("ink")}
    return {**drawing.wide, "title": title, "background": palette.sentinel("surface"), "padding": 16}


@functools.lru_cache(maxsize=256)
def _svg(spec: str, language: str) -> str:
    svg: str = vl_convert.vegalite_to_svg(spec, **_options(language))
    return svg


def _options(language: str) -> dict[str, Any]:
    locale = _LOCALES.get(language, "en-US")
    return {"allowed_base_urls": [], "time_format_locale": locale, "format_locale": locale}


def _folder() -> Path:
    folder = home.path("cache", "charts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sweep(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda f: f.stat().st_mtime)
    for file in files[:-KEPT_MAX]:
        file.unlink(missing_ok=True)
