"""Whether a port can be listened on: said with the process that holds it and what to do."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from rapport.kit import ports
from rapport.kit.errors import Conflict


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_who_holds_a_port_is_named_with_what_to_do(host: str, shown: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as held:
        held.bind((host, 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(Conflict) as refused:
            ports.must_be_free(host, port)
        assert f"{shown}:{port}" in refused.value.message
        assert f"--port {port + 10}" in refused.value.hint
        if sys.platform == "linux":
            assert f"`kill {os.getpid()}`" in refused.value.hint
            assert "python" in refused.value.hint
    ports.must_be_free(host, port)


def test_a_holder_that_cannot_be_seen_is_not_made_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(ports, "PROC", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(Conflict) as refused:
        ports.must_be_free("127.0.0.1", held.getsockname()[1])
    assert refused.value.hint.startswith("Something else listens there")


def test_an_address_of_another_machine_is_not_said_to_be_taken() -> None:
    with pytest.raises(Conflict) as refused:
        ports.must_be_free("192.0.2.1", 8000)
    assert "--host" in refused.value.hint
