"""The little that all benches share: a registry, paired runs, medians, one way to print.

A bench is a module of this package with a function marked `@bench("name")` that gives one or more
`Measure`. A figure is a ratio to a peer (or a limit) measured in the same run: absolute times say more
about the machine than about Rapport. Our run and the peer's alternate, so that whatever else the machine
does falls on both, and each ratio is of one such pair.

    @bench("json")
    def json_reading() -> Measure:
        return paired("json", ours, theirs, unit="MB/s", of="json.loads", at_least=5.0)

A goal that is missed is said, and changes no exit status; a bench that cannot run raises `Missing`.
"""

from __future__ import annotations

import importlib
import json as json_module
import os
import pkgutil
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.kit import clock
from rapport.kit.errors import NotFound

RUNS = 5

Bench = Callable[[], "Measure | Iterable[Measure]"]
_benches: dict[str, Bench] = {}
_by_name_only: set[str] = set()


class Missing(Exception):
    """What a bench needs (a peer, a data set) is not on this machine."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: ours and the peer's, pair by pair, in `unit`."""

    name: str
    of: str  # the peer, or "the limit of 200 ms"
    unit: str
    ours: Sequence[float]
    peer: Sequence[float]
    at_least: float | None = None  # the goal for the ratio ours / peer
    at_most: float | None = None
    figures: Mapping[str, str] = field(default_factory=dict)  # anything else worth knowing, with its unit

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.peer, strict=True)]

    @property
    def is_met(self) -> bool | None:
        """Whether the median ratio reaches the goal; None where there is none."""
        ratio = statistics.median(self.ratios)
        if self.at_least is not None:
            return ratio >= self.at_least
        return None if self.at_most is None else ratio <= self.at_most

    def lines(self) -> list[str]:
        ratios = self.ratios
        spread = f"median of {len(ratios)}; {_short(min(ratios))} to {_short(max(ratios))}"
        line = f"{self.name}: {_short(statistics.median(ratios))}x of {self.of} ({spread})"
        if self.is_met is not None:
            goal = (
                f"at least {self.at_least:g}x" if self.at_least is not None else f"at most {self.at_most:g}x"
            )
            line += f"; goal {goal}: {'met' if self.is_met else 'missed'}"
        values = f"  {_range(self.ours)} against {_range(self.peer)} {self.unit}"
        return [line, values, *(f"  {name}: {value}" for name, value in self.figures.items())]

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "of": self.of,
            "ratio": _spread(self.ratios),
            "unit": self.unit,
            "ours": _spread(self.ours),
            "peer": _spread(self.peer),
            "at_least": self.at_least,
            "at_most": self.at_most,
            "met": self.is_met,
            "figures": dict(self.figures),
        }


def bench(name: str, *, by_name_only: bool = False) -> Callable[[Bench], Bench]:
    """Register a bench under the name that `rapport bench NAME` takes; a long one may run by its name alone."""

    def register(function: Bench) -> Bench:
        _benches[name] = function
        if by_name_only:
            _by_name_only.add(name)
        return function

    return register


def paired(
    name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    unit: str,
    of: str,
    runs: int = RUNS,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Measure:
    """Call both in turn, `runs` times; each gives a figure in `unit` (a rate, or `timed` seconds)."""
    pairs = [(ours(), peer()) for _ in range(runs)]
    return Measure(
        name, of, unit, [a for a, _ in pairs], [b for _, b in pairs], at_least=at_least, at_most=at_most
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work took."""
    began = clock.monotonic_s()
    work()
    return clock.monotonic_s() - began


def benches() -> dict[str, Bench]:
    """Every bench by name: the modules of this package, imported."""
    package = importlib.import_module("rapport.bench")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in {"harness", "child", "tests"}:
            importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_benches.items()))


def run(names: Sequence[str], json: bool) -> int:
    """Run these benches, or all; 0 where each one ran or said what it lacks."""
    known = benches()
    for name in names:
        if name not in known:
            raise NotFound(f"there is no bench called {name!r}", f"There are: {', '.join(known)}.")
    documents: list[dict[str, Any]] = []
    missing: dict[str, str] = {}
    for name in names or [name for name in known if name not in _by_name_only]:
        try:
            result = known[name]()
        except Missing as reason:
            missing[name] = str(reason)
            if not json:
                print(f"{name}: not measured: {reason}", flush=True)
            continue
        for measure in [result] if isinstance(result, Measure) else result:
            documents.append(measure.document())
            if not json:
                print("\n".join(measure.lines()), flush=True)
    if json:
        machine = {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        }
        print(json_module.dumps({"machine": machine, "measures": documents, "missing": missing}, indent=2))
    return 0


def _spread(values: Sequence[float]) -> dict[str, float | int]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": len(values)}


def _range(values: Sequence[float]) -> str:
    return f"{_short(statistics.median(values))} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    """Three significant digits, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
