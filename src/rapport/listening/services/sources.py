"""How networks are set up here: the connector, its configuration, sealed secrets, and whether it is on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from rapport.kit import clock, home, registry, secret
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.listening.contract import KIND, Connector, Differs, Makes, Reads, Terms
from rapport.listening.models import Kept, Posted, Source
from rapport.listening.services import gaps

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
DAYS_BACK_MAX = 365
# Values that say which place is read, and as whom: in another one a cursor means nothing, or something else.
PLACES = frozenset(
    {
        "server", "host", "url", "site", "network", "account", "location", "handle", "login_name", "username",
        "api_username", "channel", "package", "app_id", "place", "number", "organization",
    }
)  # fmt: skip


def connector(name: str) -> Connector:
    """The connector of that name, or NotFound naming those there are."""
    offered: Connector = registry.plugin(KIND, name).offers
    return offered


def row(name: str) -> Source:
    """One source, or NotFound."""
    found = Source.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"there is no source called {name}", "`rapport source list` shows those there are.")
    return found


def config_of(source: Source) -> Any:
    """The configuration of a source with its secrets."""
    return secret.joined(connector(source.connector).config, source.config, source.sealed)


def plain_of(source: Source) -> Any:
    """The configuration of a source without its secrets, which nobody needs who only asks what it is."""
    return secret.joined(connector(source.connector).config, source.config, "")


def address(name: str) -> str:
    """Where the source of that name is called from outside."""
    return f"{home.public_url()}/hooks/{name}/"


def completed(offered: Connector, config: Any) -> Any:
    """A configuration with what its connector makes itself."""
    return dataclasses.replace(config, **offered.made(config)) if isinstance(offered, Makes) else config


def terms_of(offered: Connector, config: Any) -> Terms:
    """The terms under which a source with this configuration reads."""
    return offered.terms_of(config) if isinstance(offered, Differs) else offered.terms


def network_of(offered: Connector, config: Any) -> str:
    """The network that a source with this configuration reads."""
    return offered.network_of(config) if isinstance(offered, Differs) else offered.network


def add_source(
    name: str,
    connector_name: str,
    values: Mapping[str, Any],
    *,
    by: str = "",
    keep_days: int | None = None,
    asks_approval: bool = True,
    days_back: int = 7,
    is_on: bool = True,
) -> str:
    """Set up a network under a name; gives the name. It is read from the next round on.

    Raises Invalid for values that cannot work, Conflict where the name is taken. Nobody outside is asked.
    """
    name = name.strip().lower()
    if not NAME_PATTERN.fullmatch(name):
        raise Invalid(f"{name!r} cannot name a source", "Use small letters, digits and hyphens.")
    if Source.objects.filter(name=name).exists():
        raise Conflict(f"there is a source called {name} already", "Choose another name, or change that one.")
    offered = connector(connector_name)
    given, _left = _chosen(offered, values, {})
    chosen = completed(offered, given)
    offered.check(chosen)
    _check_limits(keep_days, days_back)
    plain, sealed = secret.parted(chosen)
    Source.objects.create(
        name=name,
        connector=connector_name,
        network=network_of(offered, chosen),
        config=plain,
        sealed=sealed,
        state=Source.State.ON if is_on else Source.State.OFF,
        keep_days=keep_days,
        asks_approval=asks_approval,
        days_back=days_back,
        changed_by=by,
        seen_at=None if isinstance(offered, Reads) else clock.now(),
    )
    return name


def change_source(
    name: str,
    values: Mapping[str, Any],
    *,
    by: str = "",
    keep_days: int | None = None,
    asks_approval: bool | None = None,
    days_back: int | None = None,
) -> list[str]:
    """Change how a source is set up; a secret that is left out, or empty, stays. Gives what is kept no longer.

    What was kept for one server is sent to no other: Invalid where it is needed there and not given again.

    Whoever changes it means it to work: one that was stopped for its log-in is tried again. One that is to read
    another place begins there anew; what comes twice is known by its id.
    """
    with transaction.atomic():
        source = row(name)
        offered = connector(source.connector)
        kind = connector(source.connector).config
        before = dataclasses.asdict(secret.as_far_as_known(kind, source.config, source.sealed))
        given, left = _chosen(offered, values, before)
        chosen = completed(offered, given)
        offered.check(chosen)
        _check_limits(keep_days, source.days_back if days_back is None else days_back)
        source.config, source.sealed = secret.parted(chosen)
        if any(before[key] != value for key, value in source.config.items() if key in PLACES):
            source.cursor = ""
        source.network = network_of(offered, chosen)
        source.keep_days = keep_days
        if asks_approval is not None:
            source.asks_approval = asks_approval
        if days_back is not None:
            source.days_back = days_back
        if source.state == Source.State.NEEDS_LOGIN:
            source.state = Source.State.ON
        source.next_at = None
        source.failures = 0
        source.changed_at, source.changed_by = clock.now(), by
        source.save()
    return left


def switch_on(name: str, *, by: str = "") -> None:
    """Read a source again, from where its reading ended."""
    source = row(name)
    changed = {"state": Source.State.ON, "next_at": None, "failures": 0, "changed_at": clock.now()}
    Source.objects.filter(name=source.name).update(**changed, changed_by=by)


def switch_off(name: str, *, by: str = "") -> None:
    """Read a source no more; what is missed from now on is a gap."""
    source = row(name)
    now = clock.now()
    with transaction.atomic():
        changed = {"state": Source.State.OFF, "changed_at": now, "changed_by": by, "next_at": None}
        Source.objects.filter(name=source.name).update(
            **changed, trouble="", trouble_hint="", trouble_since=None
        )
        if source.seen_at is not None:
            gaps.open_gap(source.name, now, "stopped", "It was switched off.")


def switch(name: str, is_on: bool, *, by: str = "") -> None:
    """Switch a source on or off."""
    (switch_on if is_on else switch_off)(name, by=by)


def remove_source(name: str) -> None:
    """Take away a source of which nothing ever came, such as one that was set up by mistake.

    Raises Conflict for any other: its words go by its terms, and they are its own.
    """
    with home.lock(f"source-{name}"), transaction.atomic():
        source = row(name)
        has_left = Posted.objects.filter(source=name).exists() or Kept.objects.filter(source=name).exists()
        if source.n_said or has_left:
            raise Conflict(
                f"the source {name} has brought or posted something, which goes by its terms",
                "Switch it off: then it is read no more.",
            )
        gaps.forget(name)
        source.delete()


def read_anew(name: str) -> None:
    """Forget how far a source was read; what is read again has the same ids and comes in once."""
    Source.objects.filter(name=row(name).name).update(cursor="", next_at=None)


def _chosen(
    offered: Connector, values: Mapping[str, Any], before: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    fields = {field.name: field for field in dataclasses.fields(offered.config)}
    if unknown := set(values) - set(fields):
        raise Invalid(
            f"{offered.title} has no setting {sorted(unknown)[0]!r}", f"It has {', '.join(sorted(fields))}."
        )
    given = {
        key: value
        for key, value in values.items()
        if not (fields[key].metadata.get("secret") and value == "" and key in before)
    }
    chosen, left = secret.changed(offered.config, before, given)
    return offered.config(**chosen), left


def _check_limits(keep_days: int | None, days_back: int) -> None:
    if keep_days is not None and not 1 <= keep_days <= 3_650:
        raise Invalid(f"words cannot be kept for {keep_days} days", "Give from 1 to 3,650 days, or none.")
    if not 0 <= days_back <= DAYS_BACK_MAX:
        raise Invalid(
            f"the first reading cannot go back {days_back} days", f"Give from 0 to {DAYS_BACK_MAX}."
        )


def terms_of_row(source: Source) -> Terms | None:
    """The terms of a source; None where its plug-in was taken away."""
    try:
        return terms_of(connector(source.connector), plain_of(source))
    except NotFound:
        return None


def keep_days(source: Source) -> int | None:
    """For how many days words of this source may be kept: the network's terms, or the firm's own if shorter."""
    terms = terms_of_row(source)
    limits = [days for days in (terms.keep_days if terms else None, source.keep_days) if days is not None]
    return min(limits) if limits else None


def keep_since(source: Source) -> dt.datetime | None:
    """What is older is not kept; None: all is."""
    days = keep_days(source)
    return None if days is None else clock.now() - dt.timedelta(days=days)
