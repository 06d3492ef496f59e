"""Who is held out, and what of two assignments holds after a merge. Pure."""

from __future__ import annotations

import re

from rapport.kit.errors import Invalid

EXPERIMENT_PATTERN = re.compile(r"^[a-z][a-z0-9_.:-]{0,63}$")
EVERYTHING = "everything"  # the experiment over all marketing: who is held out of it gets none of it
SHARE_MAX = 0.5  # above that, most people would be untreated and the experiment would be a pause
DRAW_BITS = 52  # of the keyed hash: as many as a float holds exactly


def checked_experiment(experiment: str) -> str:
    """The experiment's name, or Invalid."""
    if not EXPERIMENT_PATTERN.match(experiment):
        raise Invalid(
            f"{experiment!r} cannot name an experiment",
            "Use small letters, digits and . _ : - with a letter first, 64 at most.",
        )
    return experiment


def checked_share(share_ratio: float) -> float:
    """The share of people to hold out, or Invalid."""
    if not 0 <= share_ratio <= SHARE_MAX:
        raise Invalid(
            f"a share of {share_ratio:g} cannot be held out", f"Give a ratio from 0 to {SHARE_MAX:g}."
        )
    return share_ratio
