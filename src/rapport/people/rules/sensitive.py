"""What is never inferred of somebody: the special categories of the GDPR (article 9), convictions (article 10),
and what stands for them. Pure.

What people declare of themselves is theirs to declare; it is kept, marked, and not reasoned from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.errors import Denied

# What a name ends with where it says how something was measured.
_MEASURE = re.compile(
    r"(_(score|level|type|probability|ratio|risk|index|estimate|status|segment|group|flag|[0-9]+))+$"
)


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of fact that is not inferred, why, and the words by which names of such traits are known.

    A word stands for every word that begins with it. With `=` at its end it counts only where it is what
    the name is of, and not what something else is like: `predicted_race`, `race_score`, but not `race_bike`.
    """

    name: str
    reason: str
    words: tuple[str, ...]


CATEGORIES = (
    Category(
        "politics",
        "political opinions, article 9",
        ("politic", "party_affiliation", "vote=", "voted_for", "voter", "voting_", "left_wing", "right_wing", "ideolog"),
    ),
    Category(
        "belief",
        "religious or philosophical beliefs, article 9",
        (
            "religi", "faith=", "belief", "church", "mosque", "synagogue", "christian", "catholic", "protestant",
            "muslim", "islam", "jewish", "judais", "hindu", "buddhis", "atheis", "halal", "kosher", "ramadan",
        ),
    ),
    Category(
        "health",
        "health, article 9",
        (
            "health", "illness", "disease", "diagnos", "medical", "medication", "patient", "pregnan", "fertility",
            "disabilit", "disabled", "depress", "addict", "allerg", "diabet", "cancer", "hiv=", "bmi=", "obes",
            "menstrua", "menopaus",
        ),
    ),
    Category(
        "orientation",
        "sex life or sexual orientation, article 9",
        ("sexual", "sex_life", "orientation=", "gay=", "lesbian", "bisexual", "homosexual", "lgbt", "queer", "transgender"),
    ),
    Category(
        "origin",
        "racial or ethnic origin, article 9",
        ("race=", "racial", "ethnic", "skin_colo", "ancestry", "migrant", "migration_background", "caste=", "roma="),
    ),
    Category(
        "union",
        "trade union membership, article 9",
        ("union_member", "trade_union", "labor_union", "labour_union"),
    ),
    Category(
        "body",
        "genetic and biometric data, article 9",
        ("genetic", "genome", "dna=", "biometric", "fingerprint_template", "face_template", "faceprint", "voiceprint"),
    ),
    Category(
        "conviction",
        "criminal convictions and offences, article 10",
        ("criminal", "conviction", "convicted", "offender", "offence", "prison", "arrest"),
    ),
    # What says one of the above to whoever can read it.
    Category(
        "proxy",
        "a proxy: it stands for origin, belief, health or orientation",
        (
            "surname_origin", "name_origin", "accent=", "dialect", "diet=", "dating_", "donation_cause", "donates_to",
            "newspaper_leaning", "vulnerab", "financial_distress", "gambl",
        ),
    ),
)  # fmt: skip


def category_of(name: str) -> Category | None:
    """The category that the name of a trait, score or annotation falls into, if any."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    parts = "_" + re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    noun = _MEASURE.sub("", parts) + "="
    return next((c for c in CATEGORIES if any(f"_{w}" in parts or _ends(noun, w) for w in c.words)), None)


def _ends(noun: str, word: str) -> bool:
    return word.endswith("=") and noun.endswith(f"_{word}")


def refuse(name: str) -> None:
    """Raise Denied where something of this name is not to be inferred."""
    category = category_of(name)
    if category is not None:
        raise Denied(
            f"{name!r} is not inferred of anybody: {category.reason}",
            "Ask the person, and keep what they declare; a model may not work it out.",
        )


def are_sensitive(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """For a column of names, which of them fall into a category; each different name is looked at once."""
    different = pc.unique(names).to_pylist()
    found = [name for name in different if name is not None and category_of(name) is not None]
    return pc.is_in(names, value_set=pa.array(found, pa.string()))
