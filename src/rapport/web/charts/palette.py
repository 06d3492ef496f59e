"""The colours of the screens, read from the stylesheet's custom properties: one place says them."""

from __future__ import annotations

import functools
import re
from pathlib import Path

STYLESHEET = Path(__file__).parent.parent / "static" / "rapport.css"
SERIES = ("series-1", "series-2", "series-3", "series-4", "series-5", "series-6")
SENTIMENT = ("negative", "neutral", "positive")
CHROME = ("ink", "ink-2", "line", "line-strong", "surface")

_PAIR = re.compile(r"--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")


@functools.cache
def colours() -> dict[str, tuple[str, str]]:
    """(light, dark) of every custom property that holds a colour."""
    return {name: (light, dark) for name, light, dark in _PAIR.findall(STYLESHEET.read_text("utf-8"))}


def sentinel(name: str) -> str:
    """A colour that nothing else has, to stand in a drawing until it is replaced."""
    return f"#fe{_names().index(name):02x}01"


def to_variables(svg: str) -> str:
    """Sentinels as CSS variables, so that one drawing serves light and dark."""
    for name in _names():
        svg = svg.replace(sentinel(name), f"var(--{name})")
    return svg


def to_light(text: str) -> str:
    """Sentinels as the light theme's colours, for a drawing that leaves the screen."""
    for name in _names():
        text = text.replace(sentinel(name), colours()[name][0])
    return text


def _names() -> tuple[str, ...]:
    return SERIES + SENTIMENT + CHROME
