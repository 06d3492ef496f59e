"""Whom a model may read: a warrant for its purpose, and what follows where somebody refuses it."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pyarrow as pa

from rapport.consent import selectors as consent_selectors
from rapport.consent import services as consent
from rapport.consent.services import Warrant
from rapport.insights.contract import Insight, is_of_texts
from rapport.insights.services import keeping
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.rules.graph import Subjects, as_subjects, is_in
from rapport.people.selectors import rows

BY = "insights"


def warrant(model: Insight) -> Warrant:
    """Leave to read for a model's purpose. Raises NotFound or Denied where the firm has no such purpose."""
    return consent.warrant(model.purpose, by=BY, why=f"model {model.name} {model.version}")


@functools.lru_cache(maxsize=64)
def _of_the_day(name: str, version: str, purpose: str, day: dt.date) -> Warrant:
    del day
    return consent.warrant(purpose, by=BY, why=f"model {name} {version} reads what arrives")


def daily_warrant(model: Insight) -> Warrant | None:
    """Leave to read what arrives, minted once a day and process; None where the firm has the purpose not, or off."""
    if model.purpose not in {p.key for p in consent_selectors.purposes(active_only=True)}:
        return None
    return _of_the_day(model.name, model.version, model.purpose, clock.now().date())


def identity_seen(refused: Subjects) -> pa.Table:
    """Who is whom, without whoever refuses: to the model they do not exist."""
    everybody = people.identity_arrow()
    if refused.size == 0:
        return everybody
    return everybody.filter(pa.array(~is_in(rows.numbers(everybody, "subject"), refused)))


def refused_by(leave: Warrant) -> Subjects:
    """The subjects that a model of people may not read, ascending: those that its warrant does not show, and
    handles on networks whose terms let nothing be derived of one author.
    """
    return np.union1d(rows.numbers(leave.refuses(), "subject"), people_services.under_derivation_ban())


def texts_seen(leave: Warrant, texts: pa.Table) -> pa.Table:
    """The texts (with `subject`) that may be read; those of a thing, which is nobody, are among them."""
    subjects = np.unique(rows.numbers(texts, "subject"))
    known = rows.numbers(people.cores_for(subjects), "subject")
    hidden = known[~is_in(known, np.unique(leave.sees(known)))]
    if hidden.size == 0:
        return texts
    return texts.filter(pa.array(~is_in(rows.numbers(texts, "subject"), hidden)))


def forget_refused(model: Insight, leave: Warrant, unread: Subjects, as_of: dt.datetime) -> None:
    """Drop what a model of people wrote of those whom it may no longer read.

    Of `unread`, whom the run of `as_of` did not see, only what is older goes: somebody who is merely
    probably one person with one of them keeps a score over what is their own.
    """
    _drop(model, unread, before=as_of)
    # Without the networks' terms: a handle that is joined to somebody takes no score from what is their own.
    now_refused = rows.numbers(leave.refuses(), "subject")
    _drop(model, now_refused[~is_in(now_refused, unread)])


def on_refusal(subjects: Subjects) -> None:
    """Somebody has refused something: drop the scores of models that they may no longer be read for."""
    everyone = rows.numbers(people.with_their_cores(as_subjects(subjects)), "subject")
    for model in keeping.insights():
        if not is_of_texts(model):
            seen = consent_selectors.only_allowed(everyone, model.purpose)
            _drop(model, everyone[~is_in(everyone, np.unique(seen))])


def _drop(model: Insight, refused: Subjects, before: dt.datetime | None = None) -> None:
    if refused.size:
        people_services.drop_scores(refused, model.name, before=before)
