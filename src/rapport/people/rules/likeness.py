"""How alike two rows are: which columns are compared, at which levels, and which pairs are looked at.

The model is that of Fellegi and Sunter (1969): each column adds the binary logarithm of m / u, where m is
how often true pairs agree at that level and u how often any two rows do. Splink estimates both from the rows
themselves; the figures here are what it starts from, and what stands where a file is too small to learn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of likeness: its code, its condition in SQL, what m and u are before anything is learnt."""

    code: str
    condition: str
    m: float
    u: float
    rarity_of: str = ""  # column whose rare values count more when they agree


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared of two rows, from the most alike level to the least."""

    name: str
    reads: tuple[str, ...]  # columns of compared.sql; there is no comparison where the first says nothing
    levels: tuple[Level, ...]
    missing: str  # condition in SQL under which nothing can be said

    def words(self) -> tuple[str, ...]:
        """The code of each level by the figure that Splink gives it; -1, nothing to compare, is the last."""
        return (*(level.code for level in reversed(self.levels)), "missing")

    def as_splink(self, *, by_rarity: bool = True) -> dict[str, Any]:
        """As Splink takes it; by rarity, agreeing in a value that few have counts for more."""
        levels = [{"sql_condition": self.missing, "label_for_charts": "missing", "is_null_level": True}]
        for level in self.levels:
            rarity = {"tf_adjustment_column": level.rarity_of} if level.rarity_of and by_rarity else {}
            levels.append(
                {
                    "sql_condition": level.condition,
                    "label_for_charts": level.code,
                    "m_probability": level.m,
                    "u_probability": level.u,
                    **rarity,
                }
            )
        return {"output_column_name": self.name, "comparison_levels": levels}


def _either_empty(*columns: str) -> str:
    return " AND ".join(f"({c}_l IS NULL OR {c}_r IS NULL)" for c in columns)


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


def _typo(column: str, n: int = 1) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {n}"


def _near(column: str, from_: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {from_}"


def _name(column: str, other: str, u: float) -> Comparison:
    begins = (
        f"starts_with({column}_l, {column}_r) OR starts_with({column}_r, {column}_l) OR {_near(column, 0.8)}"
    )
    levels = (
        Level("same", _same(column), 0.75, u, rarity_of=column),
        Level("swapped", f"{column}_l = {other}_r AND {other}_l = {column}_r", 0.02, u * u),
        Level("typo", f"{_typo(column)} OR {_near(column, 0.92)}", 0.12, u),
        Level("alike", begins, 0.05, 4 * u),
        Level("other", "ELSE", 0.06, 1 - 6 * u - u * u),
    )
    return Comparison(column, (column, other), levels, _either_empty(column))


def _exact(column: str, m: float, u: float, *between: Level) -> Comparison:
    left_m, left_u = 1 - m - sum(level.m for level in between), 1 - u - sum(level.u for level in between)
    levels = (
        Level("same", _same(column), m, u, rarity_of=column),
        *between,
        Level("other", "ELSE", left_m, left_u),
    )
    return Comparison(column, (column,), levels, _either_empty(column))


_BIRTH = Comparison(
    "birth",
    ("birth",),
    (
        Level("same", _same("birth"), 0.85, 0.0001),
        Level("typo", _typo("birth"), 0.09, 0.001),
        Level("alike", _typo("birth", 2), 0.03, 0.01),
        Level("other", "ELSE", 0.03, 0.9889),
    ),
    _either_empty("birth"),
)
_RARE = "NOT (is_common_l AND is_common_r)"
_EMAIL = Comparison(
    "email",
    ("email", "is_common"),
    (
        Level("same", _same("email"), 0.5, 0.00001),
        Level("typo", f"{_typo('email', 2)} AND {_RARE}", 0.1, 0.00001),
        Level("local", f"split_part(email_l, '@', 1) = split_part(email_r, '@', 1) AND {_RARE}", 0.1, 0.0001),
        Level("alike", f"{_near('email', 0.88)} AND {_RARE}", 0.05, 0.0005),
        # Most addresses are made of the name. At a provider that many use, likeness says nothing beyond it.
        Level("common", "is_common_l AND is_common_r", 0.15, 0.3),
        Level("other", "ELSE", 0.1, 0.69938),
    ),
    _either_empty("email"),
)
_NUMBER = Comparison(
    "number",
    ("number",),
    (
        Level("same", _same("number"), 0.85, 0.000001),
        Level("typo", _typo("number"), 0.09, 0.00002),
        Level("alike", _typo("number", 2), 0.03, 0.001),
        Level("other", "ELSE", 0.03, 0.998979),
    ),
    _either_empty("number"),
)
_PHONE = Comparison(
    "phone",
    ("phone",),
    (
        Level("same", _same("phone"), 0.6, 0.00001),
        Level("typo", _typo("phone"), 0.08, 0.00001),
        Level("other", "ELSE", 0.32, 0.99998),
    ),
    _either_empty("phone"),
)


def _place(filled: set[str]) -> Comparison | None:
    """Postcode and city are one comparison: who shares the first shares the second, so they do not count twice."""
    reads = tuple(c for c in ("postcode", "city") if c in filled)
    levels: list[Level] = []
    if len(reads) == 2:
        both = f"{_same('postcode')} AND {_same('city')}"
        levels.append(Level("same", both, 0.6, 0.0005, rarity_of="postcode"))
    if "postcode" in filled:
        code = "same" if len(reads) == 1 else "postcode"
        levels.append(Level(code, _same("postcode"), 0.1, 0.0005, rarity_of="postcode"))
    if len(reads) == 2:
        levels.append(Level("typo", f"{_typo('postcode')} AND {_same('city')}", 0.05, 0.001))
    if "city" in filled:
        code = "same" if len(reads) == 1 else "city"
        levels.append(Level(code, _same("city"), 0.05, 0.02, rarity_of="city"))
    if "postcode" in filled:
        levels.append(Level("near", _typo("postcode"), 0.03, 0.005))
    if "city" in filled:
        levels.append(Level("alike", _near("city", 0.9), 0.03, 0.005))
    if not levels:
        return None
    rest = Level("other", "ELSE", 1 - sum(x.m for x in levels), 1 - sum(x.u for x in levels))
    return Comparison("place", reads, (*levels, rest), _either_empty(*reads))


def comparisons(filled: set[str]) -> list[Comparison]:
    """What is compared where these columns of compared.sql say something."""
    alike = Level("alike", _near("street", 0.88), 0.1, 0.002)
    known = [
        _name("given", "family", 0.01),
        _name("family", "given", 0.005),
        _BIRTH,
        _EMAIL,
        _PHONE,
        _NUMBER,
        _place(filled),
        _exact("street", 0.7, 0.001, alike),
        _exact("house", 0.75, 0.02),
        _exact("birth_place", 0.8, 0.02),
        _exact("gender", 0.97, 0.5),
        _exact("occupation", 0.6, 0.02),
    ]
    return [c for c in known if c is not None and c.reads[0] in filled]


# Which pairs are looked at: those that agree in all of these expressions, the narrowest first.
# `l` and `r` are the two rows where a rule is not the same on both sides.
BLOCKS: tuple[tuple[str, ...], ...] = (
    ("number",),
    ("email",),
    ("phone",),
    ("given", "family", "birth"),
    ("family", "birth"),
    ("given", "birth"),
    ("given", "family"),
    ("birth",),
    ("street", "house"),
    ("local",),
    ("family", "postcode"),
    ("given", "postcode"),
    ("family", "left(given, 2)", "left(birth, 4)"),
    ("given", "left(birth, 4)", "city"),
    ("left(birth, 6)", "postcode"),
    ("given", "city"),
    ("left(birth, 6)", "city"),
    ("given", "left(birth, 4)"),
    ("family", "city"),
    ("family", "left(given, 1)"),
    ("street",),
    ("family",),
    ("given",),
    ("postcode",),
)
SWAPPED = ("l.given = r.family AND l.family = r.given", "l.given = r.family", "l.family = r.given")

# What is taken for one person without a model, to say how common pairs are before anything is learnt.
SURE: tuple[tuple[str, ...], ...] = (
    ("number",),
    ("email",),
    ("given", "family", "birth"),
    ("given", "phone"),
)
SURE_RECALL = 0.8

# Blocks within which m is learnt; the columns of a block itself are learnt within another.
TRAINING: tuple[tuple[str, ...], ...] = (
    ("given", "family"),
    ("birth",),
    ("number",),
    ("email",),
    ("phone",),
    ("postcode", "house"),
    ("family", "postcode"),
    ("given", "postcode"),
    ("given", "city"),
    ("family", "city"),
)

# Which fields of rules.columns each comparison looks at, in the order in which they are read.
READS: dict[str, tuple[str, ...]] = {
    "given": ("given_name",),
    "family": ("family_name",),
    "birth": ("birth_date",),
    "email": ("email",),
    "phone": ("phone",),
    "number": ("number",),
    "place": ("postcode", "city"),
    "street": ("street",),
    "house": ("house",),
    "birth_place": ("birth_place",),
    "gender": ("gender",),
    "occupation": ("occupation",),
}

_PERSONAL = {"birth": ("same", "typo"), "email": ("same", "typo", "local"), "number": ("same", "typo")}


def household(levels: Mapping[str, NDArray[np.str_]]) -> NDArray[np.bool_]:
    """Which pairs share what a household shares, and nothing that is one person's own.

    Surname, street, telephone and town agree together in a family, which the model, for which columns are
    independent, takes for ever more evidence. So where the given names differ, something of the person alone
    (birth date, e-mail, document number) has to agree.
    """
    if "given" not in levels:
        return np.zeros(len(next(iter(levels.values()), np.empty(0))), dtype=np.bool_)
    found = np.asarray(levels["given"] == "other")
    for column, agrees in _PERSONAL.items():
        if column in levels:
            found &= ~np.isin(levels[column], agrees)
    return found


def base_rate(weights: NDArray[np.float64], held: float, n_pairs: float) -> float:
    """The share of all pairs that are true, given each pair's weight under the share held so far.

    The fixed point of the expectation-maximisation step for that share alone: the mean probability of the
    pairs. Pairs that no block looks at are counted as untrue.
    """
    start = np.log2(held / (1 - held))
    now = start
    for _ in range(200):
        share = float(np.sum(probability(weights - start + now))) / n_pairs
        share = min(max(share, 0.5 / n_pairs), 0.9)
        then = float(np.log2(share / (1 - share)))
        if abs(then - now) < 1e-5:
            break
        now = then
    return float(1 / (1 + 2.0**-now))


def probability(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of log2 odds."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(weights, -500, 500))))
