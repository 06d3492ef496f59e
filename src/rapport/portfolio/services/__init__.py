"""Verbs of the portfolio: change the policy, try it on the past, switch it on and off."""

from __future__ import annotations

from rapport.portfolio.services.changing import change, switch_off, switch_on
from rapport.portfolio.services.simulating import simulate

__all__ = ["change", "simulate", "switch_off", "switch_on"]
