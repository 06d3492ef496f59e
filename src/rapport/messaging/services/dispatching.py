"""Lets planned deliveries leave: one dispatcher a database, many messages in flight, every fate noted.

A channel that is set up has a courier, and so has every source of listening by which something is to be
posted. A pause of everything is looked at in the transaction that marks what leaves, so nothing is handed over
once the pause has been answered for.

A delivery is marked as being sent, durably, before it is handed over, and its fate is noted right after. Both
happen for many in one transaction, so the disk is not what limits. Whoever is killed leaves marked rows
behind; the next dispatcher finds them, and since nobody can know whether the server took them, service
messages are sent again (twice is better than never) and all others are not, and both are said.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import connection, transaction

from rapport.consent import services as consent
from rapport.kit import bulk, clock, home, process, threads
from rapport.kit.errors import Conflict
from rapport.messaging.contract import Context, Limits, Receipt, TransportError
from rapport.messaging.models import Account, Delivery, Reply
from rapport.messaging.rules import trying
from rapport.messaging.services import accounts, clicking, posting, preparing, telling
from rapport.messaging.services.post import Post
from rapport.messaging.services.steps import STAFF
from rapport.pacing import services as pacing

log = logging.getLogger(__name__)

LOCK = "dispatch"
ADVISORY_LOCK = 0x52_61_70_70_6F_72_74_01  # of PostgreSQL: one dispatcher wherever its processes run
IDLE_S = 0.2
GATHER_S = 0.004  # after the first outcome: what comes in the meantime shares its transaction
STANDBY_S = 5.0
FRESH_S = 1.0  # what was looked at longer ago than this is looked at again before it leaves
PREPARED = 4  # times what may be in flight
WAIT_S = 0.05
ANSWER_CHARS_MAX = 1_000
TRANSCRIPT_CHARS_MAX = 20_000
RETRY_S = (1, 2, 5, 15, 60)
LANDING_S = 600.0  # what was handed over before its way was changed is waited for so long
LOST = "Sending ended before the server's answer was noted."
ASKED_AGAIN = "asked_again"  # the network is asked whether it has the post before it is posted once more

_MARK = (
    "UPDATE messaging_delivery SET state = 'sending', sending_at = %s, links = %s"
    " WHERE id = %s AND state = 'planned'"
)
# Whoever was erased while their message was in the air leaves no word of the server's behind either.
_NOTE = (
    "UPDATE messaging_delivery SET state = %s, reason = %s, tries = %s, next_try_at = %s, ended_at = %s,"
    " maybe_twice_at = %s, answer = CASE WHEN identifier = '' THEN '' ELSE %s END,"
    " transcript = CASE WHEN identifier = '' THEN '' ELSE %s END, is_told = %s,"
    " context = CASE WHEN %s THEN context ELSE '{}' END WHERE id = %s AND state = 'sending'"
)


class Courier:
    """Sends what is due on one channel. `turn` does one round, in the thread that owns the rows."""

    def __init__(self, channel: str, context: Context | None = None) -> None:
        # The mark first: what is changed after it shows as changed, and this courier is replaced.
        changed_at = _changed_at(channel)
        config = accounts.config(channel)
        offered = accounts.channel(channel)
        post = Post(offered, config, context or accounts.context())

        def hand_over(prepared: preparing.Prepared) -> None:
            post.submit(prepared.delivery, prepared.message)

        self._begin(channel, changed_at, offered.limits(config), post, hand_over)

    def _begin(
        self,
        channel: str,
        changed_at: dt.datetime | None,
        limits: Limits,
        post: Post | posting.SourcePost,
        hand_over: Callable[[preparing.Prepared], None],
    ) -> None:
        self._hand_over = hand_over
        self.channel, self.changed_at = channel, changed_at
        self._limits, self._post = limits, post
        self._ready: deque[preparing.Prepared] = deque()
        self._flying: dict[uuid.UUID, Delivery] = {}
        self._looked_s = 0.0
        self._failures = 0
        self._not_before_s = 0.0
        self._left: deque[float] = deque()  # when the last minute's messages left, where that is limited
        self._is_well = False
        self._ends_s: float | None = None  # it has retired, and waits so long for what is in flight

    def turn(self, wait_s: float = 0.0) -> bool:
        """Note what came back, mark and hand over what may leave; gives whether anything moved."""
        outcomes = self._post.outcomes(wait_s, GATHER_S)
        chosen = self._chosen()
        if not outcomes and not chosen:
            return False
        landed = [(self._flying.pop(outcome.delivery), outcome.result) for outcome in outcomes]
        self._suppress(landed)
        with transaction.atomic():
            self._note(landed)
            leaving = _mark(chosen)
        for prepared in leaving:
            self._flying[prepared.delivery] = prepared.row
            self._left.append(clock.monotonic_s())
            self._hand_over(prepared)
        self._note_account([outcome.result for outcome in outcomes])
        return True

    @property
    def in_flight(self) -> int:
        return self._post.in_flight

    def retire(self) -> None:
        """Hand over nothing more; what is in flight is still noted, turn by turn, until `is_done`."""
        self._ready.clear()
        self._ends_s = clock.monotonic_s() + LANDING_S

    @property
    def is_done(self) -> bool:
        """Of one that retired: whether everything has landed, or has been waited for long enough."""
        return not self._post.in_flight or clock.monotonic_s() >= (self._ends_s or 0.0)

    def end(self, wait_s: float = 15.0) -> None:
        """Wait for what is in flight, note it, and close the connections; what did not land is noted as unsure."""
        until = clock.monotonic_s() + wait_s
        self.retire()
        while self._post.in_flight and clock.monotonic_s() < until:
            self.turn(WAIT_S)
        if self._flying:
            error = TransportError(LOST, permanent=False, is_unsure=True)
            with transaction.atomic():
                self._note([(row, error) for row in self._flying.values()])
            self._flying.clear()
        self._post.close()

    def _chosen(self) -> list[preparing.Prepared]:
        """What leaves in this turn; looked at within the last second."""
        now = clock.monotonic_s()
        room = min(self._limits.in_flight - self._post.in_flight, self._rate_left(now))
        if room <= 0 or now < self._not_before_s or self._ends_s is not None:
            return []
        if now - self._looked_s > FRESH_S:
            self._ready.clear()
        if not self._ready:
            self._ready.extend(self._due(self._limits.in_flight * PREPARED))
            self._looked_s = clock.monotonic_s()
        return [self._ready.popleft() for _ in range(min(room, len(self._ready)))]

    def _due(self, n: int) -> list[preparing.Prepared]:
        return preparing.due(self.channel, n)

    def _rate_left(self, now_s: float) -> int:
        if not self._limits.per_minute:
            self._left.clear()
            return self._limits.in_flight
        while self._left and now_s - self._left[0] > 60:
            self._left.popleft()
        return self._limits.per_minute - len(self._left)

    def _note(self, ended: Sequence[tuple[Delivery, Receipt | TransportError]]) -> None:
        if ended:
            now = clock.now()
            bulk.execute_many(_NOTE, [_fate(row, result, now) for row, result in ended])
            for row, result in ended:
                if isinstance(result, Receipt) and row.template == preparing.ANSWER:
                    Reply.objects.filter(delivery=row.id).update(post_id=result.post_id, url=result.url)

    def _suppress(self, landed: Sequence[tuple[Delivery, Receipt | TransportError]]) -> None:
        """Before the fate is noted, so that no crash can come between; saying it twice changes nothing."""
        for row, result in landed:
            refused = isinstance(result, TransportError) and result.permanent and result.of_address
            if refused and not row.identifier.startswith(f"{STAFF}:"):
                note = result.answer[:ANSWER_CHARS_MAX]
                consent.suppress(row.identifier, row.channel, "bounced", by="messaging", note=note)

    def _note_account(self, results: Sequence[Receipt | TransportError]) -> None:
        broken = [r for r in results if isinstance(r, TransportError) and r.of_channel]
        if broken:
            self._failures += 1
            self._is_well = False
            self._ready.clear()
            pause = trying.channel_pause_s(self._failures)
            self._not_before_s = clock.monotonic_s() + pause
            accounts.note_trouble(self.channel, broken[-1].answer)
            log.warning(
                "%s: nothing can leave (%s); next try in %s s", self.channel, broken[-1].answer, pause
            )
        elif results:
            self._failures = 0
            if not self._is_well and any(isinstance(r, Receipt) for r in results):
                self._is_well = True
                accounts.note_sent(self.channel)


class SourceCourier(Courier):
    """Posts what is due by one source of listening, which knows what it posted before."""

    def __init__(self, source: str) -> None:
        self.source = source
        view = posting.view(source)
        # One post after the other, as a person would; the network's own rate is kept by listening.
        limits = Limits(in_flight=posting.SIDE_BY_SIDE)
        post = posting.SourcePost(source)

        def hand_over(prepared: preparing.Prepared) -> None:
            post.submit(prepared.delivery, posting.draft(prepared))

        self._begin(f"source:{source}", view.changed_at if view else None, limits, post, hand_over)

    def _due(self, n: int) -> list[preparing.Prepared]:
        if posting.is_open(self.source):
            return preparing.due(self.channel, n, self.source)
        preparing.end_late(self.source)
        return []

    def _suppress(self, landed: Sequence[tuple[Delivery, Receipt | TransportError]]) -> None:
        """A network that refuses a post says nothing of whether its author may be written to."""

    def _note_account(self, results: Sequence[Receipt | TransportError]) -> None:
        broken = [r for r in results if isinstance(r, TransportError) and r.of_channel]
        if broken:
            self._failures += 1
            self._ready.clear()
            self._not_before_s = clock.monotonic_s() + trying.channel_pause_s(self._failures)
        elif results:
            self._failures = 0


def _changed_at(channel: str) -> dt.datetime | None:
    return Account.objects.filter(channel=channel).values_list("changed_at", flat=True).first()


def _fate(row: Delivery, result: Receipt | TransportError, now: dt.datetime) -> tuple[Any, ...]:
    """The columns of _NOTE for what came of a delivery."""
    state: str = Delivery.State.SENT
    reason, next_try_at, twice = "", None, row.maybe_twice_at
    tries = row.tries + 1
    if isinstance(result, TransportError):
        if result.is_unsure:
            state, reason, next_try_at, twice = _unsure(row, now, can_tell=not result.permanent)
        elif result.of_channel:
            state, next_try_at, tries = Delivery.State.PLANNED, now, row.tries
        elif result.permanent:
            state, reason = Delivery.State.FAILED, "bounced" if result.of_address else "refused"
        else:
            next_try_at = trying.next_try(tries, now, row.expires_at)
            state = Delivery.State.PLANNED if next_try_at else Delivery.State.FAILED
            reason = "turned_away" if next_try_at else "gave_up"
    waits = state == Delivery.State.PLANNED
    is_plain = isinstance(result, Receipt) and row.template != "test"
    return (
        state,
        reason,
        tries,
        bulk.time_value(next_try_at),
        None if waits else bulk.time_value(now),
        bulk.time_value(twice),
        result.answer[:ANSWER_CHARS_MAX],
        "" if is_plain else "\n".join(result.transcript)[:TRANSCRIPT_CHARS_MAX],
        waits,
        waits,
        bulk.uuid_value(row.id),
    )


def _unsure(
    row: Delivery, now: dt.datetime, *, can_tell: bool = True
) -> tuple[str, str, dt.datetime | None, dt.datetime | None]:
    """State, reason, next try and mark of a delivery that its receiver may or may not have taken.

    A post is handed over again only where listening can tell whether the network has it already, and a
    message of ours into a window of ours is taken once; neither comes twice.
    """
    again = trying.next_try(row.tries + 1, now, row.expires_at) if row.is_service and can_tell else None
    if again is None:
        return Delivery.State.UNKNOWN, "unsure", None, row.maybe_twice_at
    if row.source or _takes_once(row.channel):
        return Delivery.State.PLANNED, ASKED_AGAIN, again if row.reason == ASKED_AGAIN else now, None
    return Delivery.State.PLANNED, "sent_again", now, now


def _takes_once(channel: str) -> bool:
    ours = accounts.in_house().get(channel)
    return ours is not None and ours.takes_once


def _mark(chosen: Sequence[preparing.Prepared]) -> list[preparing.Prepared]:
    """Mark what leaves; what was erased, withheld or paused in the meantime stays behind."""
    if not chosen:
        return []
    if pacing.pass_gate() is not None:
        chosen = [p for p in chosen if p.row.identifier.startswith(f"{STAFF}:")]
    now = bulk.time_value(clock.now())
    bulk.execute_many(_MARK, [(now, json.dumps(list(p.links)), bulk.uuid_value(p.delivery)) for p in chosen])
    marked = set(
        Delivery.objects.filter(
            id__in=[p.delivery for p in chosen], state=Delivery.State.SENDING
        ).values_list("id", flat=True)
    )
    return [p for p in chosen if p.delivery in marked]


def reconcile() -> tuple[int, int]:
    """Deal with what a dispatcher that died left in flight; gives how many are sent again and how many are not.

    Only the holder of the dispatcher's lock may call it: what is in flight then is nobody's.
    """
    now = clock.now()
    error = TransportError(LOST, permanent=False, is_unsure=True)
    orphans = list(Delivery.objects.filter(state=Delivery.State.SENDING))
    bulk.execute_many(_NOTE, [_fate(row, error, now) for row in orphans])
    again = sum(_unsure(row, now)[0] == Delivery.State.PLANNED for row in orphans)
    if orphans:
        log.warning(
            "%d messages were in flight when sending ended: %d service messages are sent again, the fate of %d"
            " others stays unknown (see Deliveries)",
            len(orphans),
            again,
            len(orphans) - again,
        )
    return again, len(orphans) - again


@contextmanager
def one_per_database() -> Iterator[None]:
    """Hold the dispatcher's lock; Conflict where another process has it."""
    with home.lock(LOCK):
        if connection.vendor != "postgresql":
            if not connection.in_atomic_block:
                with connection.cursor() as cursor:
                    # A mark must outlive a loss of power too, or a message could leave twice.
                    cursor.execute("PRAGMA synchronous=FULL")
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
            taken = cursor.fetchone()
        if not taken or not taken[0]:
            raise Conflict("another machine lets messages leave", "One does; this one stands by.")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def drain(context: Context | None = None, progress: Callable[[int], None] | None = None) -> int:
    """Let everything leave that is due, and tell the log; gives how many fates were noted."""
    n = 0
    with one_per_database():
        reconcile()
        couriers: dict[str, Courier] = {}
        _match(couriers, [], context)
        try:
            for courier in couriers.values():
                while courier.turn(WAIT_S) or courier.in_flight:
                    n += 1
                    if progress:
                        progress(n)
        finally:
            for courier in couriers.values():
                courier.end()
        telling.tell_all()
        clicking.tell_all()
    return n


def dispatch_forever(stop: process.Stop, context: Context | None = None) -> None:
    """Let messages leave until told to stop; trouble is said and tried again."""
    failures = 0
    while not stop:
        try:
            with one_per_database():
                _until_trouble(stop, context)
            failures = 0
        except Conflict:
            stop.wait(STANDBY_S)
        except Exception:
            failures += 1
            pause = RETRY_S[min(failures, len(RETRY_S)) - 1]
            log.exception("sending failed; trying again in %s s, nothing planned is lost", pause)
            connection.close()
            stop.wait(pause)


def _until_trouble(stop: process.Stop, context: Context | None) -> None:
    reconcile()
    couriers: dict[str, Courier] = {}
    leaving: list[Courier] = []  # of ways that were changed or taken away, with something still in flight
    try:
        while not stop:
            _match(couriers, leaving, context)
            moved = False
            for courier in [*couriers.values(), *leaving]:
                moved = courier.turn(WAIT_S if courier.in_flight else 0.0) or moved
            if not moved:
                moved = telling.tell() > 0 or clicking.tell() > 0
            if not moved and not any(courier.in_flight for courier in [*couriers.values(), *leaving]):
                stop.wait(IDLE_S)
    finally:
        for courier in [*couriers.values(), *leaving]:
            courier.end()
        telling.tell_all()


def _match(couriers: dict[str, Courier], leaving: list[Courier], context: Context | None) -> None:
    """Have a courier for every channel as it is set up now, and for every source by which something is to leave.

    One whose way was changed hands over nothing more; nobody waits for what it has in flight.
    """
    for courier in [one for one in leaving if one.is_done]:
        leaving.remove(courier)
        courier.end(0)
    wanted: dict[str, dt.datetime | None] = dict(Account.objects.values_list("channel", "changed_at"))
    wanted |= dict.fromkeys(accounts.in_house())
    sources = posting.waiting_sources()
    wanted |= {f"source:{name}": view.changed_at for name, view in sources.items() if view is not None}
    posting.give_up([name for name, view in sources.items() if view is None])
    for key in list(couriers):
        is_done = key not in wanted and not couriers[key].in_flight
        if is_done or (key in wanted and wanted[key] != couriers[key].changed_at):
            couriers[key].retire()
            leaving.append(couriers.pop(key))
    for key in wanted:
        if key not in couriers:
            kind, _colon, name = key.partition(":")
            couriers[key] = SourceCourier(name) if kind == "source" else Courier(key, context)


def running_beside(stop: process.Stop) -> AbstractContextManager[None]:
    """Let messages leave in a thread until told to stop; what is in flight is waited for."""
    return threads.beside(stop, 20, dispatch=dispatch_forever)
