"""The stylesheet's promises about colour, computed: contrast (WCAG 2.2), and colours told apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rapport.web.charts import palette

TEXT = ["ink", "ink-2", "accent", "warn", "danger"]
SURFACES = ["bg", "surface", "sunken"]
PAIRS = [
    *itertools.product(TEXT, SURFACES),
    ("accent", "accent-soft"),
    ("warn", "warn-soft"),
    ("danger", "danger-soft"),
    ("ink", "accent-soft"),
    ("ink-2", "accent-soft"),
    ("accent-ink", "accent"),
    ("danger-ink", "danger"),
    ("ink", "line"),
]
SHAPES = [*palette.SERIES, *palette.SENTIMENT, "line-strong"]

# Machado, Oliveira and Fernandes 2009, severity 1.0, in linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    a, b = sorted((float(linear(c) @ TO_XYZ[1]) for c in (one, other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.clip(rgb, 0, 1) @ TO_XYZ.T / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "surface"), PAIRS)
def test_text_stands_out_at_least_4_5_to_1(text: str, surface: str, theme: int) -> None:
    known = palette.colours()
    assert contrast(known[text][theme], known[surface][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_stand_out_at_least_3_to_1(shape: str, theme: int) -> None:
    known = palette.colours()
    assert contrast(known[shape][theme], known["surface"][theme]) >= 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("group", [palette.SERIES, palette.SENTIMENT], ids=["series", "sentiment"])
def test_colours_are_told_apart_with_every_colour_blindness(
    group: tuple[str, ...], eyes: str, theme: int
) -> None:
    seen = {n: lab(linear(palette.colours()[n][theme]) @ np.array(EYES[eyes]).T) for n in group}
    for a, b in itertools.combinations(group, 2):
        assert float(np.linalg.norm(seen[a] - seen[b])) >= 15, (a, b)


def test_every_sentinel_is_its_own_and_none_stays() -> None:
    names = [*palette.SERIES, *palette.SENTIMENT, *palette.CHROME]
    assert len({palette.sentinel(n) for n in names}) == len(names)
    drawn = " ".join(palette.sentinel(n) for n in names)
    assert palette.to_variables(drawn) == " ".join(f"var(--{n})" for n in names)
    assert "#fe" not in palette.to_light(drawn)
