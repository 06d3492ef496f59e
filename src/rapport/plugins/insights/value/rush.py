"""The first rush: newcomers buy faster for a while, and slow down without leaving.

Families that know only leaving read that slowing down as people gone, and forecast too little for those who are
left (on CDNOW 12 to 16 % in total). Here a person's rate at age t is multiplied by 1 + height * exp(-t / fades),
alike for all; as with the season it is a clock, on which the family holds as it is. Height and fading are found
together with the family's parameters, from when in their lives people bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.value.histories import Floats


@dataclass(frozen=True, slots=True)
class Rush:
    """How much faster newcomers buy, and after how many days two thirds of it are over."""

    height: float = 0.0
    fades_days: float = 1.0

    def age(self, days: Floats) -> Floats:
        """Age on the clock that runs faster at first, in days of a settled customer."""
        aged: Floats = days - self.height * self.fades_days * np.expm1(-days / self.fades_days)
        return aged

    def age_by(self, days: Floats) -> tuple[Floats, Floats]:
        """Derivatives of `age` by the logarithms of height and fading."""
        share = days / self.fades_days
        passed, left = -np.expm1(-share), np.exp(-share)
        scale = self.height * self.fades_days
        return scale * passed, scale * (passed - share * left)

    def log_speed(self, days: Floats) -> tuple[Floats, Floats, Floats]:
        """Logarithm of the clock's speed at an age, and its derivatives by those logarithms."""
        share = days / self.fades_days
        faster = self.height * np.exp(-share)
        part = faster / (1 + faster)
        return np.log1p(faster), part, part * share


NO_RUSH = Rush()
