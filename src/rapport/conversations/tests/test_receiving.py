"""What our replies did: the interval covers the truth, hostile places silence us, others do not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from rapport.conversations import selectors, services
from rapport.conversations.models import Conversation, Message
from rapport.conversations.rules import receiving
from rapport.conversations.rules.receiving import Case
from rapport.conversations.services import answering
from rapport.kit import clock, ids
from rapport.kit.errors import Denied
from rapport.venues import services as venues

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
WHYS = ("asked_us", "help", "complaint")


def invented(
    rng: np.random.Generator, n: int, effect: float, *, picks_angry: bool = True
) -> tuple[list[Case], list[Case]]:
    """Conversations with a known effect; we answer angry ones more often, and anger cools by itself."""
    answered: list[Case] = []
    alone: list[Case] = []
    for _ in range(n):
        before = float(np.clip(rng.normal(-0.4, 0.35), -1, 1))
        is_ours = rng.random() < (0.3 + 0.4 * (before < -0.4) * picks_angry)
        after = 0.5 * before + rng.normal(0, 0.3) + (effect if is_ours else 0.0)
        said = None if rng.random() < 0.25 else after
        case = Case(str(rng.choice(WHYS)), before, said, is_blocked=bool(rng.random() < 0.02))
        (answered if is_ours else alone).append(case)
    return answered, alone


@pytest.mark.parametrize("effect", [-0.3, 0.0, 0.25])
def test_the_interval_covers_the_truth(effect: float) -> None:
    rng = np.random.default_rng(11)
    covered, widths = 0, []
    for _ in range(150):
        found = receiving.received(*invented(rng, 160, effect)).stance
        assert found is not None
        covered += found.low <= effect <= found.high
        widths.append(found.high - found.low)
    # 95 % of 150 are 142; fewer than 135 would come once in two hundred times by chance.
    assert covered >= 135
    assert np.mean(widths) < 0.4


def test_a_plain_before_and_after_would_have_been_fooled() -> None:
    rng = np.random.default_rng(3)
    found = receiving.received(*invented(rng, 4_000, 0.0))
    assert found.stance is not None
    assert found.stance_after is not None
    assert found.stance_before is not None
    assert found.stance_after - found.stance_before > 0.15  # anger cooled, with us or without
    assert found.stance.low < 0 < found.stance.high


def test_little_is_not_called_harm() -> None:
    few = [Case("help", -0.5, -0.9)] * 5 + [Case("help", -0.5, -0.95)] * 5
    alone = [Case("help", -0.5, 0.1), Case("help", -0.5, 0.2)] * 5
    found = receiving.received(few, alone)
    assert found.stance is not None
    assert found.stance.high < 0
    assert not found.does_harm
    assert receiving.received(few * 2, alone).does_harm
    assert receiving.received([], alone).stance is None
    assert receiving.Received.from_json(found.as_json()) == found


def test_in_a_hostile_venue_replies_stop_on_their_own_and_go_on_where_they_help(
    home: object, db: None
) -> None:
    effects = {"x:hostile": -0.35, "x:kind": 0.3}
    rng = np.random.default_rng(5)
    answers: dict[str, list[int]] = {venue: [] for venue in effects}
    with clock.frozen(NOW):
        for week in range(6):
            for venue, effect in effects.items():
                answers[venue].append(_week(rng, venue, effect, week))
            services.reckon_reception()
    assert answers["x:kind"][-1] > 0
    assert answers["x:hostile"][0] > 0
    assert answers["x:hostile"][-1] == 0
    silent, kind = selectors.reception()
    assert (silent.name, silent.is_silent, kind.is_silent) == ("x:hostile", True, False)
    for row in (silent, kind):
        assert row.figures.stance is not None
        assert row.figures.stance.low <= effects[row.name] <= row.figures.stance.high
    for venue in effects:  # whatever leaves by another way than an inbox's answer is held there too
        assert any(f.code == "silent" for f in venues.check(venue, "Hello").forbidden) == (
            venue == silent.name
        )
    services.lift_silence("x:hostile")
    assert not any(f.code == "silent" for f in venues.check("x:hostile", "Hello").forbidden)
    view = selectors.reception_of("x:hostile")
    assert view is not None
    assert not view.is_silent


def _week(rng: np.random.Generator, venue: str, effect: float, week: int) -> int:
    """Forty people ask; we try to answer half of them. Gives how many answers left."""
    n, heads, said = 0, [], []
    for _ in range(40):
        at = NOW - dt.timedelta(days=60 - 7 * week, minutes=int(rng.integers(0, 5_000)))
        before = float(np.clip(rng.normal(-0.3, 0.3), -1, 1))
        one = Conversation(
            id=ids.uuid7(), channel="social", network="x", source="x", venue=venue, state="open", why="asked_us",
            first_ts=at, last_ts=at, is_public=True, n_messages=1, sentiment="negative",
        )  # fmt: skip
        heads.append(one)
        said.append(_said(one, at, "in", before, "asked_us"))
    Conversation.objects.bulk_create(heads)
    Message.objects.bulk_create(said)
    more = []
    for k, (one, asked) in enumerate(zip(heads, said, strict=True)):
        is_answered = False
        if k % 2:
            try:
                answering.refuse_silent(one, asked)  # what answering asks first
            except Denied:
                pass
            else:
                is_answered = True
                n += 1
                more.append(_said(one, asked.ts + dt.timedelta(hours=1), "out", None, ""))
        after = 0.6 * (asked.stance or 0.0) + rng.normal(0, 0.2) + (effect if is_answered else 0.0)
        more.append(_said(one, asked.ts + dt.timedelta(hours=4), "in", float(after), ""))
    Message.objects.bulk_create(more)
    return n


def _said(one: Conversation, at: dt.datetime, direction: str, stance: float | None, why: str) -> Message:
    return Message(
        conversation=one, origin=one.id, ts=at, direction=direction, text="x", stance=stance, why=why, network="x",
        venue=one.venue, event_name="post_published" if direction == "in" else "reply_published",
        identifier="x:ana", state="sent" if direction == "out" else "",
    )  # fmt: skip
