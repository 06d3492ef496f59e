"""Where a list goes on, written into an address and read back."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from rapport.kit.errors import Invalid
from rapport.web.components import places

AT = dt.datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=dt.UTC)
LAST = uuid.UUID(int=7)


def test_a_place_is_read_as_it_was_written() -> None:
    assert places.read(places.write(AT, LAST)) == (AT, LAST)
    assert places.read("") is None


@pytest.mark.parametrize("text", ["x", "1", f"x.{LAST}", "1.x", f"99999999999999999999.{LAST}"])
def test_what_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="damaged"):
        places.read(text)
