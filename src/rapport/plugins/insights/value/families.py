"""The families there are, by name; the first is taken where nothing can be compared."""

from __future__ import annotations

from rapport.plugins.insights.value.beta_geometric import BG_NBD, MBG_NBD
from rapport.plugins.insights.value.fitting import Family
from rapport.plugins.insights.value.pareto_nbd import PARETO_NBD

FAMILIES: dict[str, Family] = {f.name: f for f in (BG_NBD, MBG_NBD, PARETO_NBD)}
