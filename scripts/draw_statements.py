"""Draw statements of people with the quotations that show them, for a reader to judge: right, wrong, and why.

    RAPPORT_HOME=... python scripts/draw_statements.py FILE [--n 200] [--seed 1]

Drawn from the last refresh of the home, evenly over the kinds as far as there are enough, and over people. The file
holds one JSON object a line, with empty fields `right` and `why`; it quotes people, so it belongs outside any
repository, and is deleted once it was read. With --count, a file that was judged is summed up.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", type=Path)
    asked.add_argument("--n", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--count", action="store_true")
    given = asked.parse_args()
    if given.count:
        count(given.file)
        return
    from rapport.web import stores

    stores.set_up()
    drawn = draw(given.n, given.seed)
    given.file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in drawn), "utf-8")
    print(f"{len(drawn)} statements in {given.file}: {dict(Counter(one['kind'] for one in drawn))}")


def draw(n: int, seed: int) -> list[dict[str, object]]:
    """As many statements as there are, up to n, each of another person where people suffice."""
    from rapport.aio import rules, selectors
    from rapport.people import selectors as people

    found = selectors.overall()
    if found is None:
        sys.exit("nothing was worked out in this home yet: run `rapport aio refresh` first")
    rng = np.random.default_rng(seed)
    drawn: list[dict[str, object]] = []
    quota = dict.fromkeys(rules.KINDS, n // len(rules.KINDS))
    pairs: dict[str, list[tuple[int, str]]] = {}
    for kind, views in zip(rules.KINDS, (found.attitudes, found.interests, found.opinions), strict=True):
        names = [f"{kind}:{view.standing.about}" for view in views]
        scored = people.scores_arrow(names)
        mine = list(zip(scored["person"].to_pylist(), scored["name"].to_pylist(), strict=True))
        rng.shuffle(mine)
        pairs[kind] = mine
    short = sum(max(0, quota[kind] - len(pairs[kind])) for kind in quota)
    for kind in sorted(quota, key=lambda kind: -len(pairs[kind])):
        quota[kind] = (
            min(len(pairs[kind]), quota[kind] + short) if len(pairs[kind]) > quota[kind] else len(pairs[kind])
        )
        short = max(0, n - sum(min(quota[k], len(pairs[k])) for k in quota))
    for kind, mine in pairs.items():
        for person, name in mine[: quota[kind]]:
            for view in selectors.of_person(int(person)):
                if f"{view.kind}:{view.about}" == name:
                    drawn.append(line(int(person), view))
    return drawn


def line(person: int, view: object) -> dict[str, object]:
    """A statement with what shows it, and two fields for the reader."""
    from rapport.aio.selectors import StatementView

    assert isinstance(view, StatementView)
    return {
        "person": person,
        "kind": view.kind,
        "about": view.about,
        "says": f"{view.label}: {view.title}",
        "value": round(view.value, 2),
        "interval": [round(view.low, 2), round(view.high, 2)],
        "n": view.n,
        "origin": view.origin,
        "evidence": [one.as_json() for one in view.evidence],
        "right": None,
        "why": "",
    }


def count(file: Path) -> None:
    """How many were judged right, by kind, and why the others were not."""
    judged = [json.loads(row) for row in file.read_text("utf-8").splitlines() if row.strip()]
    judged = [one for one in judged if one["right"] is not None]
    for kind in (*sorted({one["kind"] for one in judged}), None):
        mine = [one for one in judged if kind in (None, one["kind"])]
        right = sum(bool(one["right"]) for one in mine)
        print(f"{kind or 'all':10} {right} of {len(mine)} right: {right / max(1, len(mine)):.3f}")
    for why, n in Counter(one["why"] for one in judged if not one["right"]).most_common():
        print(f"  {n:4}  {why or 'no reason given'}")


if __name__ == "__main__":
    main()
