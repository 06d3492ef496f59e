"""Fifths: which of five equal parts of the people a figure puts somebody in, and the name of the cell.

Hughes 1994, "Strategic database marketing": people are sorted by recency, by frequency and by monetary value,
and each sort is cut into five equal parts, 5 the best. Where many share a figure, all of them go to the lowest
part that one of them reaches, so that equal people get equal scores; parts are then unequal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTS = 5
Floats = NDArray[np.float64]
Fifths = NDArray[np.int64]

LABELS = (
    "champions",
    "loyal",
    "potential loyalists",
    "new",
    "promising",
    "need attention",
    "about to sleep",
    "at risk",
    "can't lose",
    "hibernating",
    "lost",
)

# Row: fifth of recency, 1 to 5; column: fifth of frequency, 1 to 5. The usual ten cells of practice, with
# the twice lowest of "hibernating" named "lost".
_CELLS = (
    ("lost", "lost", "at risk", "at risk", "can't lose"),
    ("hibernating", "hibernating", "at risk", "at risk", "can't lose"),
    ("about to sleep", "about to sleep", "need attention", "loyal", "loyal"),
    ("promising", "potential loyalists", "potential loyalists", "loyal", "loyal"),
    ("new", "potential loyalists", "potential loyalists", "champions", "champions"),
)
_CELL = np.array([[LABELS.index(name) for name in row] for row in _CELLS])


def cuts(figures: Floats) -> list[float]:
    """The four figures that somebody must exceed for the second to the fifth part; none of no figures.

    >>> cuts(np.array([1.0, 1.0, 1.0, 2.0, 9.0]))
    [1.0, 1.0, 1.0, 2.0]
    """
    n = len(figures)
    if n == 0:
        return []
    ascending = np.sort(figures)
    return [float(ascending[-(-n * part // PARTS) - 1]) for part in range(1, PARTS)]


def fifth(figures: Floats, above: list[float]) -> Fifths:
    """(people,): 1 to 5.

    >>> fifth(np.array([1.0, 2.0, 9.0]), [1.0, 1.0, 1.0, 2.0])
    array([1, 4, 5])
    """
    return np.asarray(1 + np.searchsorted(np.array(above), figures, side="left"), np.int64)


def label(recency: Fifths, frequency: Fifths) -> NDArray[Any]:
    """(people,): the place of each one's cell among LABELS.

    >>> [LABELS[k] for k in label(np.array([5, 1]), np.array([5, 1]))]
    ['champions', 'lost']
    """
    return np.asarray(_CELL[recency - 1, frequency - 1])
