"""Public authors: those of whom we know public handles alone. They are held apart from people we know. Pure."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from rapport.events.rules import DEVICE_NAMESPACES, KNOWN_NAMESPACES, normal_identifier
from rapport.kit.errors import Invalid

AUTHOR = "author"
DAYS = 90  # after their last post, unless the firm says otherwise
DAYS_MIN, DAYS_MAX = 1, 730


def handle(network: str, name: str) -> str:
    """The identifier of a name on a network, in its one spelling; Invalid where it is no public handle."""
    network = network.strip().lower()
    name = name.strip()
    if network in KNOWN_NAMESPACES + DEVICE_NAMESPACES:
        raise Invalid(
            f"{network!r} is no public network", "Name the network or site on which it is published."
        )
    if not (2 <= len(network) <= 32 and network.isascii() and network.replace("_", "").isalnum()):
        raise Invalid(
            f"{network!r} is not the name of a network", "Write it in small letters, such as mastodon."
        )
    found = normal_identifier(network, name)
    if not network[0].isalpha() or not 1 <= len(found) - len(network) - 1 <= 255:
        raise Invalid(f"{name!r} is not a name on {network}", "Write it as others see it there.")
    return found


def pseudonyms(ids: pa.Array) -> pa.Array:
    """What authors are called in lists: a number that says nothing of who they are elsewhere."""
    return pc.binary_join_element_wise("Author", ids.cast(pa.string()), " ")
