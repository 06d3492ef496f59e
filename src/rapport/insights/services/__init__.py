"""Verbs of insights: run models, annotate texts, judge a model, adapt one to the firm's own labels."""

from __future__ import annotations

from rapport.insights.services.adapting import adapt
from rapport.insights.services.annotating import annotate_texts
from rapport.insights.services.judging import Asked, backtest
from rapport.insights.services.keeping import parameters_from
from rapport.insights.services.running import Progress, RunSummary, run

__all__ = ["Asked", "Progress", "RunSummary", "adapt", "annotate_texts", "backtest", "parameters_from", "run"]
