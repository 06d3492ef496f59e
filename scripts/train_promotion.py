#!/usr/bin/env python
"""Learn the weights by which a draft is read as promotion, and say how good they are.

    uv run scripts/train_promotion.py            learn from all writers and write the weights
    uv run scripts/train_promotion.py --measure  leave one writer out after the other, and say what would have come

Learnt from the drafts in `src/rapport/venues/tests/`: those of writers who had not seen the checker, sentences
written to learn from, and the drafts that the word rules are tested with. The same drafts give the same weights.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts import linear
from rapport.kit.texts.learning import Floats
from rapport.venues.rules import check, weighing
from rapport.venues.rules.folding import folded
from rapport.venues.rules.promoting import promoting
from rapport.venues.tests.written import FIRM, FIRMS, Written, drafts, sentences, spelled, written

FOLDER = Path(weighing.__file__).parent
RIDGE = 0.7
TEXTS_MIN = 2  # a word in fewer drafts is not learnt
STEPS_MAX = 80
BLOCKED_MAX, DOUBTED_MAX = 0.02, 0.12  # of the allowed drafts, when thresholds are chosen


@dataclass(frozen=True, slots=True)
class Row:
    """A text to learn from; `writer` is empty where it belongs to none."""

    writer: str
    draft: weighing.Draft
    promotes: bool


def row(writer: str, text: str, names: tuple[str, ...], promotes: bool) -> Row:
    read = folded(text)
    ruled = {one.kind for one in promoting(read, tuple(name for name in names if "." not in name))}
    return Row(writer, weighing.Draft(read, ruled, names), promotes)


def rows() -> list[Row]:
    found = []
    for writer in FIRMS:
        for one in written(writer):
            if one.promotes is not None:
                names = (one.draft.firm, *one.draft.own_domains)
                found.append(row(writer, one.draft.text, names, one.promotes))
    found += [row("", text, (), promotes) for promotes, _language, text in sentences()]
    for verdict, card, _language, _asked, codes, text in drafts():
        one = row("", spelled(text.removeprefix("+")), (FIRM, "ProBlade", "otter.example"), False)
        ruled = any(kind in one.draft.ruled for kind in weighing.RULED)
        if (
            verdict == "no"
            and codes != "promotion_ratio"
            and (codes.startswith("promotion_") or (ruled and not codes))
        ):
            found.append(replace(one, promotes=True))
        elif verdict == "ok" and card not in {"email", "chat"} and "{" not in text:
            found.append(one)
    return found


def learnt(given: linear.Labelled, scale: Floats) -> linear.Linear:
    return linear.fit(
        given, weighing.LABELS, ridge=RIDGE, scale=scale, texts_min=TEXTS_MIN, steps_max=STEPS_MAX
    )


def labelled(given: list[Row]) -> linear.Labelled:
    n = len(given)
    label = np.array([one.promotes for one in given], np.int64)
    return linear.Labelled(
        weighing.columns([one.draft for one in given]), label, np.ones(n), np.zeros((n, 2))
    )


def held_out(given: list[Row], matrix: linear.Labelled, scale: Floats) -> dict[str, linear.Linear]:
    """For each writer the weights that their drafts had no part in."""
    whose = np.array([one.writer for one in given])
    return {writer: learnt(matrix.rows(np.flatnonzero(whose != writer)), scale) for writer in FIRMS}


@dataclass(frozen=True, slots=True)
class Judged:
    """A writer's draft: what stands against it but promotion, and what it weighs for who has not seen its writer."""

    one: Written
    is_blocked: bool
    by_rule: bool
    z: float


def judged(writer: str, model: linear.Linear) -> list[Judged]:
    found = []
    for one in written(writer):
        open_card = replace(one.card, forbids=())
        read = row(writer, one.draft.text, (one.draft.firm, *one.draft.own_domains), False)
        x = weighing.columns([read.draft])[:, model.buckets] @ model.weights + model.bias
        found.append(
            Judged(
                one,
                any(finding.is_forbidden for finding in check(open_card, one.draft)),
                bool("promotion" in one.card.forbids and set(weighing.RULED) & set(read.draft.ruled)),
                float(x[0, 1] - x[0, 0]) if "promotion" in one.card.forbids else -99.0,
            )
        )
    return found


def chosen(given: list[Judged]) -> tuple[float, float, float]:
    """The thresholds that block and doubt at most so many of the allowed drafts."""
    fair = [one for one in given if not one.one.is_forbidden and not one.is_blocked]
    ruled = np.sort([one.z for one in fair if one.by_rule])[::-1]
    free = np.sort([one.z for one in fair if not one.by_rule])[::-1]
    half = int(BLOCKED_MAX * len(fair) / 2)
    doubted = int(DOUBTED_MAX * len(fair)) - len(ruled)
    return _above(free, half), _above(ruled, half), _above(free, max(doubted, half))


def _above(falling: NDArray[np.float64], n: int) -> float:
    """A threshold that the first n reach and no more."""
    if n >= len(falling):
        return -9.0
    return float((falling[max(n - 1, 0)] + falling[n]) / 2 if n else falling[0] + 0.05)


def outcome(one: Judged, at: tuple[float, float, float]) -> str:
    if one.is_blocked or one.z >= at[one.by_rule]:
        return "blocked"
    return "doubted" if one.by_rule or one.z >= at[2] else "free"


def told(name: str, given: list[Judged], at: tuple[float, float, float]) -> str:
    bad = [one for one in given if one.one.is_forbidden]
    fair = [one for one in given if not one.one.is_forbidden]
    alone = sum(not (one.is_blocked or one.by_rule) for one in bad)
    said = {k: [outcome(one, at) for one in group] for k, group in (("bad", bad), ("fair", fair))}
    return (
        f"| {name} | {len(bad)} | {alone} | {len(bad) - said['bad'].count('blocked')}"
        f" | {said['bad'].count('free')} | {len(fair)} | {sum(one.is_blocked or one.by_rule for one in fair)}"
        f" | {said['fair'].count('blocked')} | {said['fair'].count('doubted')} |"
    )


def measure(given: list[Row], matrix: linear.Labelled, scale: Floats, *, shows: bool) -> None:
    found = {writer: judged(writer, model) for writer, model in held_out(given, matrix, scale).items()}
    print("| writer left out | forbidden | pass rules | pass rules and weights | pass unseen")
    print("  | allowed | blocked by rules | blocked | doubted |")
    for writer, mine in found.items():
        # The thresholds are those that the other writers' drafts choose.
        at = chosen([one for other, theirs in found.items() if other != writer for one in theirs])
        print(told(writer, mine, at))
        if shows:
            for one in mine:
                said = outcome(one, at)
                if one.one.is_forbidden == (said == "free") and (one.one.is_forbidden or said == "blocked"):
                    print("   ", said, round(one.z, 1), one.by_rule, one.one.why, "|", one.one.draft.text)
    every = [one for mine in found.values() for one in mine]
    at = chosen(every)
    print(told("all, one pair of thresholds", every, at))
    print("FORBIDDEN_FROM, FORBIDDEN_BY_RULE_FROM, DOUBTED_FROM =", [round(x, 2) for x in at])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--measure", action="store_true")
    asked.add_argument("--show", action="store_true", help="with --measure: print each draft judged wrongly")
    said = asked.parse_args()
    given = rows()
    matrix = labelled(given)
    scale = weighing.scale(matrix.matrix)
    if said.measure:
        measure(given, matrix, scale, shows=said.show)
        return
    model = learnt(matrix, scale)
    (FOLDER / weighing.WEIGHTS).write_bytes(model.to_bytes())
    print(
        f"{len(given)} texts, {sum(one.promotes for one in given)} of them promote; {len(model.buckets)} columns"
    )


if __name__ == "__main__":
    main()
