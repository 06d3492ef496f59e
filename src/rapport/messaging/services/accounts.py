"""How channels are set up here: configuration, sealed secrets, and what troubles them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rapport.kit import clock, registry, secret
from rapport.kit.errors import Invalid, NotFound
from rapport.messaging.contract import KIND, Channel, Context, Finding, Record
from rapport.messaging.models import Account
from rapport.messaging.services import dns

TROUBLE_CHARS_MAX = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class InHouse:
    """A channel that a domain of ours offers: nothing to set up, always there.

    takes_once : a message handed over a second time with the same id is not taken twice
    """

    offered: Channel
    takes_once: bool


_in_house: dict[str, InHouse] = {}


def register_channel(offered: Channel, *, takes_once: bool = False) -> None:
    """Offer a channel of our own, such as the chat on the firm's site; called when the app is ready."""
    known = _in_house.setdefault(offered.name, InHouse(offered, takes_once))
    if known.offered is not offered:
        raise Invalid(f"two channels are called {offered.name!r}", "Rename one of them.")


def in_house() -> Mapping[str, InHouse]:
    """Channels of our own by name."""
    return dict(_in_house)


def channel(name: str) -> Channel:
    """The channel of that name, or NotFound naming those there are."""
    if name in _in_house:
        return _in_house[name].offered
    offered: Channel = registry.plugin(KIND, name).offers
    return offered


def namespace(name: str) -> str | None:
    """The namespace of a channel's addresses; None where the channel is not set up here."""
    try:
        found = channel(name)
    except NotFound:
        return None
    is_there = name in _in_house or Account.objects.filter(channel=name).exists()
    return found.namespace if is_there else None


def is_ready(name: str = "email") -> bool:
    """Whether a channel is set up, so that something can be sent by it."""
    return namespace(name) is not None


def context(texts_of: Callable[[str], Sequence[str]] | None = None) -> Context:
    """What a channel may know: the clock, and the domain name system unless told otherwise."""
    return Context(now=clock.now, texts_of=texts_of or dns.texts_of)


def config(name: str) -> Any:
    """A channel's configuration with its secrets, or NotFound where it was not set up."""
    if name in _in_house:
        return _in_house[name].offered.config()
    row = Account.objects.filter(channel=name).first()
    if row is None:
        raise NotFound(f"the channel {name} is not set up", "Set it up on its page.")
    return read(row)


def read(row: Account) -> Any:
    """The configuration that an account row holds."""
    return secret.joined(channel(row.channel).config, row.config, row.sealed)


def set_up(name: str, values: Mapping[str, Any], postal_address: str) -> Any:
    """Keep how a channel is set up; a secret that is left out stays. Gives the configuration.

    Raises Invalid where it cannot work, as far as can be seen without asking anybody outside; and where another
    server is named without the secret for it.
    """
    offered = channel(name)
    if not postal_address.strip():
        raise Invalid("there is no postal address", "The law wants it below every message; write the firm's.")
    row = Account.objects.filter(channel=name).first()
    held = secret.as_far_as_known(offered.config, row.config, row.sealed) if row else None
    before = dataclasses.asdict(held) if held else {}
    known = {field.name for field in dataclasses.fields(offered.config)}
    if unknown := set(values) - known:
        raise Invalid(f"{name} has no setting {sorted(unknown)[0]!r}", f"It has {', '.join(sorted(known))}.")
    changed, _left = secret.changed(offered.config, before, values)
    chosen = offered.config(**changed)
    offered.check(chosen)
    _keep(name, chosen, postal_address.strip())
    return chosen


def make_keys(name: str) -> Any:
    """Let a channel make new keys for itself and keep them; gives the configuration."""
    row = Account.objects.filter(channel=name).first()
    if row is None:
        raise NotFound(f"the channel {name} is not set up", "Set it up first.")
    chosen = dataclasses.replace(read(row), **channel(name).keys(read(row)))
    _keep(name, chosen, row.postal_address)
    return chosen


def remove(name: str) -> None:
    """Forget how a channel was set up; nothing leaves by it any more."""
    Account.objects.filter(channel=name).delete()


def records(name: str) -> Sequence[Record]:
    """What the firm has to publish so that receivers trust the channel."""
    return channel(name).records(config(name))


def findings(name: str, texts_of: Callable[[str], Sequence[str]] | None = None) -> Sequence[Finding]:
    """Whether what has to be published is."""
    return channel(name).findings(config(name), context(texts_of))


def note_trouble(name: str, answer: str) -> None:
    """Note that nothing can leave by a channel, in the words of whoever refused."""
    row = Account.objects.filter(channel=name)
    row.update(trouble=answer[:TROUBLE_CHARS_MAX])
    row.filter(trouble_since__isnull=True).update(trouble_since=clock.now())


def note_sent(name: str) -> None:
    """Note that a channel took a message just now."""
    Account.objects.filter(channel=name).update(trouble="", trouble_since=None, sent_at=clock.now())


def _keep(name: str, chosen: Any, postal_address: str) -> None:
    plain, sealed = secret.parted(chosen)
    Account.objects.update_or_create(
        channel=name,
        defaults={
            "config": plain,
            "sealed": sealed,
            "postal_address": postal_address,
            "changed_at": clock.now(),
            "trouble": "",
            "trouble_since": None,
        },
    )
