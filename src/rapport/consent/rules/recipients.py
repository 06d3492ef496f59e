"""What an entry of the register of recipients may say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapport.kit.errors import Invalid

ENDPOINT = "endpoint"  # a service that answers, such as a model
WEBHOOK = "webhook"  # a system that is told
MAIL_HOUSE = "mail_house"  # a firm that prints or sends for us
KINDS = (ENDPOINT, WEBHOOK, MAIL_HOUSE)

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")
FIELDS_MAX = 100


def checked_fields(fields: Iterable[str]) -> list[str]:
    """The names of what may leave, sorted and once each; Invalid where one is no name or there are none."""
    found = sorted({name.strip() for name in fields if name.strip()})
    for name in found:
        if not _FIELD.fullmatch(name):
            raise Invalid(f"{name!r} is not the name of a field", "Write names such as email or postcode.")
    if not found:
        raise Invalid("no field is named", "Name each field that may go there; nothing else will.")
    if len(found) > FIELDS_MAX:
        raise Invalid(f"{len(found)} fields are named", f"Name at most {FIELDS_MAX}, or send less.")
    return found
