"""Our mailings as the log sees them: sent, opened, clicked, asked to stop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rapport.demo.buying import Sends, Trade
from rapport.demo.draw import Ints, stream, take, where
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, text_member


def record(
    rows: Rows, p: People, ids: Identifiers, lived: Trade, seeds: tuple[int, ...]
) -> tuple[Ints, Ints, Ints]:
    """Touchpoints of the mailings; gives person, mailing and second of each click."""
    rng = stream("mailing", *seeds, int(p.number[0]))
    s = lived.sends
    n = len(s)
    push = p.has_app[s.person] & (rng.random(n) < 0.25)
    gone = s.at_s > lived.end_s[s.person]
    opened = rng.random(n) < np.where(s.caused, 0.95, p.opens[s.person] * np.where(gone, 0.25, 1.0))
    clicked = opened & (rng.random(n) < np.where(s.caused, 0.75, 0.13))
    opened_at = s.at_s + 60 + rng.exponential(4 * 3600, n).clip(0, 6 * 86_400).astype(np.int64)
    clicked_at = opened_at + rng.integers(4, 90, n)
    stopped_at = opened_at + rng.integers(5, 60, n)
    _add(rows, "s", "message_sent", s, s.at_s, np.flatnonzero(s.person >= 0), ids, push)
    _add(rows, "o", "message_opened", s, opened_at, np.flatnonzero(opened), ids, push)
    _add(rows, "c", "message_clicked", s, clicked_at, np.flatnonzero(clicked), ids, push)
    _add(rows, "u", "message_unsubscribed", s, stopped_at, np.flatnonzero(s.unsubscribes), ids, push)
    _withdraw(rows, s, stopped_at, np.flatnonzero(s.unsubscribes), ids)
    return s.person[clicked], s.mailing[clicked], clicked_at[clicked]


def _withdraw(rows: Rows, s: Sends, at_s: Ints, at: Ints, ids: Identifiers) -> None:
    """Who asks a mailing to stop takes back their consent by that click."""
    campaign = text_member("shown", take(rows.when.mailings.keys, s.mailing[at]))
    told = {"purpose": "marketing", "channel": "email", "how": "one_click"}
    members = [text_member(key, np.full(len(at), value)) for key, value in told.items()]
    rows.add(
        "uw", "consent_withdrawn", at_s[at] + 1, ids.email.take(pa.array(s.person[at])),
        properties=json_object(*members, campaign),
    )  # fmt: skip


def _add(
    rows: Rows, kind: str, name: str, s: Sends, at_s: Ints, at: Ints, ids: Identifiers, push: np.ndarray
) -> None:
    who = pa.array(s.person[at])
    rows.add(
        kind, name, at_s[at], where(push[at], ids.customer.take(who), ids.email.take(who)),
        channel=where(push[at], "push", "email"),
        properties=json_object(text_member("campaign", take(rows.when.mailings.keys, s.mailing[at]))),
    )  # fmt: skip
