"""Takes what was said from the log into conversations: finds on which matter it is, and joins what belongs together.

A batch is taken in slices, each a transaction of its own; a row that is here already is known by its event's
number, so a batch that is given again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import QuerySet

from rapport.conversations.models import Conversation, Message, Node, VoiceDraft
from rapport.conversations.rules import joining, summary, weighing
from rapport.conversations.services import absorbing, answering, summing, telling
from rapport.events import lake
from rapport.events.subscriptions import Batch
from rapport.kit import bulk, ids, query
from rapport.knowledge import services as knowledge
from rapport.listening import selectors as followed
from rapport.listening import services as listening
from rapport.messaging import selectors as deliveries
from rapport.venues.rules import venue_of

SLICE = 200  # rows of one transaction: while it lasts nobody else writes
OURS = ("reply_published", "message_sent")
CHANGING = ("post_edited", "post_deleted")
OWN_KEY = "conversation"  # the namespace of nodes that a source's own number of a matter stands for
NOWHERE = uuid.UUID(int=0)  # the conversation of a post that was deleted before it came
LOW_NPS, LOW_SCORE = 6, 2  # at most this is unhappy: of 0 to 10, and of 1 to 5
TOPIC_BY_AUTHOR = (
    "email",
    "web",
    "phone",
    "direct",
    "",
)  # channels whose unlinked words follow each other in time

NUMBER_CHARS_MAX = 255
IDENTIFIER_CHARS_MAX = 255
_CHARS_MAX = {"channel": 16, "network": 64, "source": 64, "venue": 255, "message": 64}

Key = tuple[str, str]  # network and id of a post


@dataclass(slots=True)
class Heard:
    """One row of the log on its way into a conversation."""

    row: Mapping[str, Any]
    identifier: str
    node: Key
    links: tuple[Key, ...]  # what it answers, and what its network says it began with
    conversation: uuid.UUID | None = None  # ours, where the log names it
    is_followed: bool = False
    topic: str = ""
    message: int = 0

    @property
    def is_out(self) -> bool:
        return self.row["name"] in OURS

    @property
    def author(self) -> tuple[str, str, str] | None:
        """Whose unlinked words on which channel under which heading; None where links say it."""
        if self.links or self.is_out or self.row["channel"] not in TOPIC_BY_AUTHOR:
            return None
        if self.row["name"] == "post_published":
            return None
        return self.row["channel"], self.identifier, self.topic.casefold()


def gather(batch: Batch) -> None:
    """Bring conversations up to a batch of the log."""
    if batch.events.num_rows == 0:
        return
    with lake.scratch() as con:
        con.register("event", batch.events)
        said = query.run(con, query.load("rapport.conversations", "heard")).to_arrow_table().to_pylist()
    rows = [_fitted(row) for row in said]
    known = identifiers_of({row["subject"] for row in rows})
    for at in range(0, len(rows), SLICE):
        telling.tell(_take([r for r in rows[at : at + SLICE] if r["subject"] in known], known))


def identifiers_of(subjects: set[int]) -> dict[int, str]:
    """Who these subjects are; whoever was erased since is not among them."""
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "wanted", pa.table({"subject": pa.array(sorted(subjects), pa.int64())}))
            found = query.run(con, query.load("rapport.conversations", "identifiers")).fetchall()
            return {subject: text[:IDENTIFIER_CHARS_MAX] for subject, text in found}
    finally:
        con.close()


def _fitted(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as every store takes it: one that does not fit must not keep all that come after it from being read."""
    fitted = {k: v.replace("\0", "") if isinstance(v, str) else v for k, v in row.items()}
    fitted |= {name: _number(fitted[name]) for name in ("post_id", "in_reply_to", "thread", "answer_of")}
    fitted["url"] = fitted["url"] if fitted["url"].lower().startswith(("https://", "http://")) else ""
    return fitted | {name: fitted[name][:most] for name, most in _CHARS_MAX.items()}


def _number(given: str) -> str:
    """A network's own number; of one that is longer than any that is meant, the beginning and a digest."""
    if len(given) <= NUMBER_CHARS_MAX:
        return given
    return f"{given[:180]}#{hashlib.blake2b(given.encode(), digest_size=32).hexdigest()}"


def _take(rows: Sequence[Mapping[str, Any]], known: Mapping[int, str]) -> list[telling.Told]:
    said = [row for row in rows if row["name"] not in CHANGING and (row["words"] or row["name"] in OURS)]
    changes = [row for row in rows if row["name"] in CHANGING]
    with transaction.atomic():
        here = set(Message.objects.filter(seq__in=[r["seq"] for r in said]).values_list("seq", flat=True))
        heard = [_heard(row, known[row["subject"]]) for row in said if row["seq"] not in here]
        heard, answered = _sent_by_us(heard)
        _match_followed(heard)
        touched, anew = _place(heard)
        changed = _change(changes)
        return summing.bring_up(touched | answered | changed, asked_anew=anew)


def _heard(row: Mapping[str, Any], identifier: str) -> Heard:
    """Where a row stands among reply links. What has no number on its network is known by its event's."""
    network = row["network"] or _network(row, identifier)
    row = {**row, "network": network}
    node = (network, row["post_id"]) if row["post_id"] else ("event", str(row["seq"]))
    links = [
        (network, row[name])
        for name in ("in_reply_to", "thread")
        if row[name] and row[name] != row["post_id"]
    ]
    ours = None
    if row["given"]:
        ours = _ours(row["given"])
        if ours is None:
            links.append((f"{OWN_KEY}:{row['source']}", row["given"]))
    if row["name"] == "survey_answered" and row["answer_of"]:
        links.append(("survey", row["answer_of"]))
    return Heard(
        row, identifier, node, tuple(dict.fromkeys(links)), ours, topic=joining.topic(row["subject_line"])
    )


def _network(row: Mapping[str, Any], identifier: str) -> str:
    if row["name"] == "survey_answered":
        return "survey"
    if row["channel"] in ("email", "web", "phone", "chat"):
        return str(row["channel"])
    return str(row["venue"].partition(":")[0].partition("/")[0] or identifier.partition(":")[0])


def _ours(given: str) -> uuid.UUID | None:
    try:
        number = uuid.UUID(given)
    except ValueError:
        return None
    return number if Conversation.objects.filter(pk=number).exists() else None


def _sent_by_us(heard: Sequence[Heard]) -> tuple[list[Heard], set[uuid.UUID]]:
    """What we wrote here and the log now says is gone: it gets its event's number, and is not a second message."""
    keys = [h.row["message"] for h in heard if h.is_out and h.row["message"]]
    known = Message.objects.filter(delivery__in=keys) if keys else ()
    written: dict[str, Message] = {m.delivery: m for m in known if m.delivery}
    if set(keys) - set(written):
        written |= _handed_over()
    left, answered = [], set()
    for one in heard:
        mine = written.get(one.row["message"]) or _unnamed(one) if one.is_out else None
        if mine is None:
            left.append(one)
            continue
        if mine.delivery is not None and one.row["message"]:
            mine.delivery = one.row["message"][:64]
        mine.seq, mine.ts, mine.event_name = one.row["seq"], one.row["ts"], one.row["name"]
        mine.post_id, mine.url = one.row["post_id"] or mine.post_id, one.row["url"] or mine.url
        mine.network = one.row["network"] or mine.network
        mine.state = "unknown" if one.row["reason"].startswith("unsure") else "sent"
        mine.save(update_fields=["seq", "ts", "event_name", "post_id", "url", "network", "state", "delivery"])
        if mine.post_id:
            _nodes({(mine.network, mine.post_id): mine.origin})
        answered.add(mine.conversation_id)
    return left, answered


def _handed_over() -> dict[str, Message]:
    """Answers that messaging took and whoever wrote them has not heard of yet, by messaging's name of each."""
    planned = Message.objects.filter(direction=Message.Direction.OUT, state="planned", seq=None)
    by_key = {f"{answering.KEY}{m.id}": m for m in planned.filter(delivery__startswith=answering.KEY)}
    taken = deliveries.deliveries_of(list(by_key)) if by_key else {}
    return {view.id.hex: by_key[key] for key, view in taken.items()}


def _unnamed(one: Heard) -> Message | None:
    """An answer that left although whoever wrote it was killed before they heard its name: by its words."""
    if one.conversation is None:
        return None
    mine = Message.objects.filter(conversation=one.conversation, direction=Message.Direction.OUT, seq=None)
    return mine.filter(text=one.row["words"], state="planned").order_by("id").first()


def _match_followed(heard: Sequence[Heard]) -> None:
    """Which posts are about a brand, product or problem of ours: as the source says, else as our words find."""
    follows = {row.key: row.kind for row in followed.follows() if row.is_on}
    ours = {key for key, kind in follows.items() if kind != "competitor"}
    unsaid = []
    for one in heard:
        if one.row["name"] == "survey_answered":
            one.is_followed = _is_unhappy(one.row)
        elif one.row["name"] == "post_published":
            if one.row["follows"]:
                one.is_followed = bool(set(one.row["follows"]) & ours)
            else:
                unsaid.append(one)
    if not follows:
        # Nobody said what is ours: posts that came all the same were collected about the firm.
        for one in unsaid:
            one.is_followed = True
    elif unsaid:
        found = listening.matched(
            [one.row["words"] for one in unsaid],
            [one.row["language"] for one in unsaid],
            [one.row["venue"] for one in unsaid],
        )
        for one, keys in zip(unsaid, found, strict=True):
            one.is_followed = bool(set(keys) & ours)


def _is_unhappy(row: Mapping[str, Any]) -> bool:
    most = LOW_NPS if "nps" in row["survey"] else LOW_SCORE
    return row["score"] is not None and row["score"] <= most


def _place(heard: Sequence[Heard]) -> tuple[set[uuid.UUID], list[int]]:
    """Put each into its conversation, joining conversations that turn out to be one; gives those touched."""
    if not heard:
        return set(), []
    of_key, gone = _conversations({key for h in heard for key in (h.node, *h.links)})
    parted = _parted(set(of_key.values()))
    pairs = [(h.node, link) for h in heard for link in _usable(h, of_key, parted)]
    following = _following(heard)
    further, _ = _conversations({key for pair in following for key in pair} - set(of_key))
    of_key |= further
    pairs += following
    keys = {h.node for h in heard} | {key for pair in pairs for key in pair}
    sets: joining.Sets[Any] = joining.Sets()
    for key in keys:
        sets.add(key)
        if key in of_key:
            sets.join(key, of_key[key])
    for one, other in pairs:
        sets.join(one, other)
    for h in heard:
        if h.conversation is not None:
            sets.join(h.node, h.conversation)
    groups = sets.groups()
    known = {root: [m for m in members if isinstance(m, uuid.UUID)] for root, members in groups.items()}
    rows = {c.id: c for c in Conversation.objects.filter(id__in=[c for cs in known.values() for c in cs])}
    # What staff merged into another is shown there, so the other is the one that stays.
    opened = {c.hex: rows[c].state not in ("aside", "merged") for c in rows}
    before = shown_in(set(rows))
    stays = joining.survivors({r: [c.hex for c in cs if c in rows] for r, cs in known.items()}, opened)
    home: dict[Any, uuid.UUID] = {}
    begun: list[Conversation] = []
    first = {sets.root(h.node): h for h in reversed(heard)}
    for root in groups:
        if root in stays:
            home[root] = uuid.UUID(stays[root])
            absorbing.absorb(
                rows[home[root]], [rows[c] for c in known[root] if c != home[root] and c in rows]
            )
        elif root in first:
            begun.append(_begin(first[root]))
            home[root] = begun[-1].id
    Conversation.objects.bulk_create(begun, batch_size=500)
    shown = shown_in(set(home.values()))
    joined = {c for root in stays for c in known[root] if c in rows and c != home[root]}
    for root in stays:
        if joined & set(known[root]):
            Message.objects.filter(origin=home[root]).update(conversation=shown[home[root]])
    _nodes({key: home[sets.root(key)] for key in keys if sets.root(key) in home})
    made = Message.objects.bulk_create(
        [_message(h, home[sets.root(h.node)], shown, h.node in gone) for h in heard], batch_size=200
    )
    touched = {m.conversation_id for m in made} | {shown[c] for c in home.values() if c in rows}
    touched |= {before[c] for c in joined}
    return touched, [m.id for m in made if m.direction == Message.Direction.IN]


def _usable(one: Heard, of_key: Mapping[Key, uuid.UUID], parted: set[uuid.UUID]) -> tuple[Key, ...]:
    """The links that count: where staff split a matter, what an answer answers decides, not what it began with."""
    at = [of_key.get(link) for link in one.links]
    if len(one.links) > 1 and at[0] is not None and at[0] != at[1] and {at[0], at[1]} & parted:
        return one.links[:1]
    return one.links


def _parted(among: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these conversations that were split off another, or that another was split off."""
    found = Conversation.objects.exclude(split_from=None)
    off = set(found.filter(id__in=among).values_list("id", flat=True))
    left = found.filter(split_from__in=among).values_list("split_from", flat=True)
    return off | {number for number in left if number is not None}


def _following(heard: Sequence[Heard]) -> list[tuple[Key, Key]]:
    """Unlinked words that follow others of the same person under the same heading within a fortnight."""
    mine = {h.node: h.author for h in heard if h.author is not None}
    if not mine:
        return []
    span = dt.timedelta(days=joining.FOLLOWS_DAYS)
    times = [h.row["ts"] for h in heard if h.author is not None]
    earlier = Message.objects.filter(
        identifier__in={author[1] for author in mine.values()},
        ts__gte=min(times) - span,
        ts__lte=max(times) + span,
        direction=Message.Direction.IN,
        in_reply_to="",
        thread="",
    ).values_list("network", "post_id", "seq", "identifier", "topic", "ts", "conversation__channel")
    follows = [
        joining.Follows(
            (network, post_id) if post_id else ("event", str(seq)),
            (channel, who, topic.casefold()),
            ts.timestamp(),
        )
        for network, post_id, seq, who, topic, ts, channel in earlier
    ]
    follows += [
        joining.Follows(h.node, h.author, h.row["ts"].timestamp()) for h in heard if h.author is not None
    ]
    return [(a, b) for a, b in joining.consecutive(follows) if a in mine or b in mine]  # type: ignore[misc]


def _conversations(keys: Iterable[Key]) -> tuple[dict[Key, uuid.UUID], set[Key]]:
    """The conversation of each post that is known; and those posts that were deleted before they came."""
    found: dict[Key, uuid.UUID] = {}
    gone: set[Key] = set()
    by_network: dict[str, list[str]] = {}
    for network, post_id in keys:
        by_network.setdefault(network, []).append(post_id)
    for network, post_ids in by_network.items():
        for part in bulk.parts(post_ids):
            rows = Node.objects.filter(network=network, post_id__in=part)
            for post_id, conversation, is_gone in rows.values_list("post_id", "conversation", "is_gone"):
                if conversation != NOWHERE:
                    found[(network, post_id)] = conversation
                if is_gone:
                    gone.add((network, post_id))
    return found, gone


def _nodes(of_key: Mapping[Key, uuid.UUID]) -> None:
    bulk.upsert(
        "conversations_node",
        ("network", "post_id", "conversation", "is_gone"),
        [(n, p, bulk.uuid_value(c), False) for (n, p), c in of_key.items()],
        conflict=("network", "post_id"),
        update=("conversation",),
    )


def shown_in(origins: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Where staff shows what belongs to these: in the conversation that each was merged into, or in itself."""
    shown = {}
    merged = Conversation.objects.filter(id__in=origins).values_list("id", "merged_into")
    into = {number: to for number, to in merged if to is not None}
    for origin in origins:
        at = origin
        while at in into:
            at = into[at]
            if at not in into:
                further = Conversation.objects.filter(pk=at).values_list("merged_into", flat=True).first()
                if further is None:
                    break
                into[at] = further
        shown[origin] = at
    return shown


def _begin(one: Heard) -> Conversation:
    return Conversation(
        id=ids.uuid7(),
        channel=_channel(one.row),
        network=one.row["network"],
        source=one.row["source"],
        venue=venue_of(one.row["venue"], one.row["network"]),
        state="aside",
        first_ts=one.row["ts"],
        last_ts=one.row["ts"],
    )


def _channel(row: Mapping[str, Any]) -> str:
    if row["name"] == "survey_answered":
        return "survey"
    return str(
        row["channel"] or ("social" if row["name"] in ("post_published", "reply_published") else "direct")
    )


def _message(one: Heard, origin: uuid.UUID, shown: Mapping[uuid.UUID, uuid.UUID], is_gone: bool) -> Message:
    row = one.row
    text = "" if is_gone else row["words"]
    is_in = not one.is_out
    return Message(
        conversation_id=shown[origin],
        origin=origin,
        seq=row["seq"],
        ts=row["ts"],
        direction=Message.Direction.IN if is_in else Message.Direction.OUT,
        subject=row["subject"],
        identifier=one.identifier,
        author_name=row["author_name"][:255],
        text=text,
        language=row["language"][:16],
        network=row["network"],
        source=row["source"],
        venue=venue_of(row["venue"], row["network"]),
        post_id=row["post_id"],
        in_reply_to=row["in_reply_to"],
        thread=row["thread"],
        url=row["url"][:1000],
        event_name=row["name"],
        topic=one.topic,
        asks_us=row["asks_us"],
        may_open=one.is_followed,
        is_thanks=is_in and summary.is_thanks(text),
        signs=",".join(weighing.signs(text)) if is_in else "",
        stars=row["stars"],
        delivery=row["message"][:64] or None if one.is_out and row["given"] else None,
        state="deleted" if is_gone else ("sent" if one.is_out else _state_in(row)),
    )


def _state_in(row: Mapping[str, Any]) -> str:
    """What a machine wrote by itself asks nothing, or two machines would go on for ever."""
    return summary.AUTOMATIC if row["is_automatic"] else ""


def unquote(messages: set[int]) -> int:
    """Take what was said in these out of drafts to departments, whosever conversation they belong to."""
    n = 0
    for draft in VoiceDraft.objects.all().iterator(chunk_size=500) if messages else ():
        kept = [quote for quote in draft.quotes if quote.get("message") not in messages]
        if len(kept) < len(draft.quotes):
            draft.quotes, draft.title = kept, ""  # the heading may be their beginning
            draft.save(update_fields=["quotes", "title"])
            n += 1
    return n


def unlearn(messages: QuerySet[Message]) -> None:
    """Have what was learnt from these messages forgotten: the questions in their words."""
    seqs = messages.filter(direction=Message.Direction.IN).exclude(seq=None).values_list("seq", flat=True)
    knowledge.forget_texts([seq for seq in seqs if seq is not None])


def _change(rows: Sequence[Mapping[str, Any]]) -> set[uuid.UUID]:
    """Edits and deletions; a deletion that comes before its post is remembered until the post comes."""
    touched: set[uuid.UUID] = set()
    for row in rows:
        if not row["post_id"]:
            continue
        mine = Message.objects.filter(network=row["network"], post_id=row["post_id"])
        if row["name"] == "post_deleted":
            gone = Node.objects.filter(network=row["network"], post_id=row["post_id"])
            if not gone.update(is_gone=True):
                bulk.upsert(
                    "conversations_node",
                    ("network", "post_id", "conversation", "is_gone"),
                    [(row["network"], row["post_id"], bulk.uuid_value(NOWHERE), True)],
                    conflict=("network", "post_id"),
                    update=("is_gone",),
                )
            unquote(set(mine.values_list("id", flat=True)))
            unlearn(mine)
            mine.update(text="", author_name="", state="deleted", signs="", is_help=False, is_complaint=False)
        elif row["words"]:
            unlearn(mine)
            mine.exclude(state="deleted").update(
                text=row["words"],
                state="edited",
                is_thanks=summary.is_thanks(row["words"]),
                signs=",".join(weighing.signs(row["words"])),
            )
        touched |= set(mine.values_list("conversation", flat=True))
    return touched
