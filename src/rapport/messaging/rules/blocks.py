"""Messages are made of typed blocks, so that a service message can be kept free of promotion. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rapport.kit.errors import Invalid

SERVICE = "service"
MESSAGE = "message"

NEUTRAL = ("heading", "text", "button", "code", "facts", "note")
PROMOTIONAL = {
    "offer": "an offer",
    "product": "a product to buy",
    "campaign": "a campaign's content",
}
_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")  # nothing but a name: a text can reach into no value
SLOT = "slot"  # where the blocks stand that the sender hands over


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a message. `text` and `url` may name values of the context as `{name}`.

    text : words; a lazy translation is turned into words when the message is rendered
    url : for a button, an offer or a product, where it leads
    rows : for facts, pairs of a label and a value
    """

    type: str
    text: Any = ""
    url: str = ""
    rows: tuple[tuple[Any, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """What a kind of message says.

    key : its name
    kind : service (its own legal basis; no promotion) or message
    purposes : which purposes it may be sent for; empty for any that is not service
    ttl_s : seconds after which it is not worth sending, or 0
    """

    key: str
    kind: str
    subject_line: Any
    blocks: tuple[Block, ...]
    purposes: tuple[str, ...] = ()
    ttl_s: int = 0
    meaning: Any = ""

    @property
    def is_service(self) -> bool:
        return self.kind == SERVICE


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a template cannot be used: a sentence and what to do."""

    message: str
    hint: str = field(default="")


def refusals(template: Template) -> list[Refusal]:
    """Everything that is wrong with a template; empty where nothing is."""
    found = []
    if template.kind not in {SERVICE, MESSAGE}:
        found.append(Refusal(f"{template.kind!r} is no kind of template", "There are service and message."))
    if not template.blocks:
        found.append(Refusal(f"the template {template.key} has no block", "Write at least one."))
    found += _of_blocks(template.key, template.blocks, is_service=template.is_service)
    return found


def _of_blocks(key: str, blocks: Iterable[Block], *, is_service: bool) -> list[Refusal]:
    found = []
    for block in blocks:
        if is_service and block.type in PROMOTIONAL:
            found.append(
                Refusal(
                    f"the service message {key} holds {PROMOTIONAL[block.type]} (block {block.type!r})",
                    "Service messages go out without consent, so they may not promote anything."
                    " Take the block out, or send it as a message with a purpose that people agreed to.",
                )
            )
        elif is_service and block.type == SLOT:
            found.append(
                Refusal(
                    f"the service message {key} has room for blocks that nobody has checked",
                    "Write its blocks into the template.",
                )
            )
        elif block.type not in (*NEUTRAL, *PROMOTIONAL, SLOT):
            found.append(
                Refusal(
                    f"{block.type!r} is no type of block",
                    f"There are {', '.join((*NEUTRAL, *PROMOTIONAL))}.",
                )
            )
    return found


def checked(template: Template) -> Template:
    """The template, or Invalid with the first thing that is wrong with it."""
    for refusal in refusals(template):
        raise Invalid(refusal.message, refusal.hint)
    return template


def filled(template: Template, context: Mapping[str, Any]) -> tuple[Block, ...]:
    """The template's blocks with those of the context in its slot; what the context brings is checked too."""
    given = tuple(_given(entry) for entry in context.get("blocks") or ())
    if given and not any(block.type == SLOT for block in template.blocks):
        raise Invalid(f"the template {template.key} has no room for blocks", "Leave `blocks` out.")
    for refusal in _of_blocks(template.key, given, is_service=template.is_service):
        raise Invalid(refusal.message, refusal.hint)
    whole: list[Block] = []
    for block in template.blocks:
        whole += given if block.type == SLOT else (block,)
    return tuple(whole)


def _given(entry: Any) -> Block:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
        raise Invalid(f"{entry!r} is no block", "Give an object with `type`, `text` and perhaps `url`.")
    rows = tuple((str(label), str(value)) for label, value in entry.get("rows") or ())
    return Block(entry["type"], str(entry.get("text", "")), str(entry.get("url", "")), rows)


def needs(template: Template) -> set[str]:
    """The names of the context that the template's words ask for."""
    texts = [template.subject_line, *(t for b in template.blocks for t in (b.text, b.url))]
    texts += [value for block in template.blocks for row in block.rows for value in row]
    return {name for text in texts for name in _NAME.findall(str(text))}


def words(text: Any, context: Mapping[str, Any]) -> str:
    """A text with the context's values in the place of `{name}`; Invalid names a value that is missing."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in context:
            raise Invalid(f"the message needs {name!r}, and was not given it", "Put it into the context.")
        return str(context[name])

    return _NAME.sub(value, str(text))
