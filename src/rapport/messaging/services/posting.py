"""Posts by a source of listening, in threads of their own: the network is slow, and mail should not wait for it."""

from __future__ import annotations

import contextlib
import queue
import uuid
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from django.db import close_old_connections, connection

from rapport.kit import clock
from rapport.kit.errors import Denied, Invalid, NotFound, RapportError
from rapport.listening import selectors as listening
from rapport.listening import services as networks
from rapport.listening.contract import Draft, Failed
from rapport.listening.services import album
from rapport.listening.services.posting import IsOff
from rapport.messaging.contract import Receipt, TransportError
from rapport.messaging.models import Delivery, Reply
from rapport.messaging.services import fetched
from rapport.messaging.services.post import Outcome
from rapport.messaging.services.preparing import Prepared
from rapport.messaging.services.replying import FIRM
from rapport.pacing import selectors as pacing

SIDE_BY_SIDE = 2


def view(source: str) -> listening.SourceRow | None:
    """The source of that name; None where there is none any more."""
    try:
        return listening.source(source)
    except NotFound:
        return None


def is_open(source: str) -> bool:
    """Whether anything can be posted by it now: what is planned for one that is off waits."""
    found = view(source)
    return found is not None and found.is_on


def waiting_sources() -> dict[str, listening.SourceRow | None]:
    """The sources by which something is to leave, each as it is set up now."""
    names = (
        Delivery.objects.filter(state=Delivery.State.PLANNED)
        .exclude(source="")
        .values_list("source", flat=True)
        .distinct()
    )
    return {name: view(name) for name in names}


def give_up(sources: Sequence[str]) -> None:
    """End what was to leave by sources that are gone."""
    if sources:
        Delivery.objects.filter(source__in=sources, state=Delivery.State.PLANNED).update(
            state=Delivery.State.FAILED,
            reason="no_source",
            next_try_at=None,
            ended_at=clock.now(),
            is_told=False,
        )


def draft(prepared: Prepared) -> Draft:
    """What is posted: the delivery's id is the draft's, so that one handed over twice is known."""
    answer = Reply.objects.get(delivery=prepared.delivery)
    return Draft(
        id=prepared.delivery.hex,
        text=answer.text,
        in_reply_to=answer.in_reply_to,
        thread=answer.thread,
        to="" if prepared.row.identifier.startswith(f"{FIRM}:") else prepared.message.to,
        venue=answer.venue,
        language=prepared.message.language,
        subject_line=answer.subject_line,
        is_private=not answer.is_public,
        media=tuple(
            one.media(fetched.url_of(prepared.delivery, one.digest))
            for one in map(album.Kept.of, answer.pictures)
        ),
    )


class SourcePost:
    """Hands drafts to listening, and gives back what came of them; as `Post` does for channels."""

    def __init__(self, source: str, executor: Executor | None = None) -> None:
        self._source = source
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._executor = executor or ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix=f"post-{source}")
        self.in_flight = 0

    def submit(self, delivery: uuid.UUID, said: Draft) -> None:
        """Let a post travel; its outcome comes later."""
        self.in_flight += 1
        self._executor.submit(self._publish, delivery, said)

    def outcomes(self, wait_s: float, gather_s: float = 0.0) -> list[Outcome]:
        """What has come back, after waiting `wait_s` at most for the first, and `gather_s` for the others."""
        found: list[Outcome] = []
        if not self.in_flight:
            return found
        with contextlib.suppress(queue.Empty):
            found.append(self._outcomes.get(timeout=wait_s) if wait_s else self._outcomes.get_nowait())
            while len(found) < self.in_flight:
                found.append(
                    self._outcomes.get(timeout=gather_s) if gather_s else self._outcomes.get_nowait()
                )
        self.in_flight -= len(found)
        return found

    def close(self) -> None:
        """End the threads; what is still in flight stays without an outcome."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _publish(self, delivery: uuid.UUID, said: Draft) -> None:
        result: Receipt | TransportError
        close_old_connections()
        try:
            receipt = networks.publish(self._source, said, _is_paused)
            result = Receipt(receipt.answer, post_id=receipt.id, url=receipt.url)
        except Failed as error:
            result = _refusal(error)
        except IsOff as error:  # since it was looked at; it waits, as what is planned for such a source does
            result = TransportError(str(error), permanent=False, of_channel=True)
        except (Denied, Invalid, NotFound) as error:  # terms, or a source that cannot post: nothing left
            result = TransportError(str(error), permanent=True)
        except RapportError as error:
            result = TransportError(str(error), permanent=False)
        except Exception as error:  # a fault of the connector's code: it may have been posted
            result = TransportError(
                f"{type(error).__name__}: {error}", permanent=False, of_channel=True, is_unsure=True
            )
        finally:
            if not connection.in_atomic_block:
                connection.close()
        self._outcomes.put(Outcome(delivery, result))


def _is_paused() -> bool:
    """What waits for a network's rate was handed over before everything was paused, and has not left."""
    return pacing.pause_all() is not None


def _refusal(error: Failed) -> TransportError:
    words = f"{error.message}. {error.hint}" if error.hint else error.message
    of_network = error.reason in {"login", "rate"} or (error.reason == "unreachable" and not error.is_unsure)
    return TransportError(
        words,
        permanent=error.is_permanent,
        of_channel=of_network and not error.is_permanent,
        is_unsure=error.is_unsure,
    )
