"""Secrets at rest: sealed with one key, which is made once and read by its owner alone."""

from __future__ import annotations

import dataclasses
import multiprocessing
import stat
from pathlib import Path

import pytest

from rapport.kit import secret
from rapport.kit.errors import Invalid


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose key is in its own file."""
    monkeypatch.delenv("RAPPORT_SECRET_KEY", raising=False)
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _key_once_all_are_ready(barrier: object, answers: object) -> None:
    barrier.wait(30)  # type: ignore[attr-defined]
    answers.put(secret.master_key())  # type: ignore[attr-defined]


def test_sealed_text_opens_again_and_hides_itself(folder: Path) -> None:
    sealed = secret.seal("the shop's key, ключ")
    assert secret.unseal(sealed) == "the shop's key, ключ"
    assert "shop" not in sealed
    assert sealed != secret.seal("the shop's key, ключ"), "equal secrets must not look equal"


def test_another_installations_key_does_not_open_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = secret.seal("quiet")
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another installation")
    with pytest.raises(Invalid, match="cannot be read with this installation's key") as refused:
        secret.unseal(sealed)
    assert "backup" in refused.value.hint


def test_a_changed_byte_does_not_open(folder: Path) -> None:
    sealed = secret.seal("quiet")
    changed = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]
    with pytest.raises(Invalid):
        secret.unseal(changed)


def test_the_key_file_is_its_owners_alone_and_stays_the_same(folder: Path) -> None:
    key = secret.master_key()
    file = folder / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret.master_key() == key == bytes.fromhex(file.read_text())
    assert [f.name for f in folder.iterdir()] == ["secret.key"], "no temporary file is left behind"


def test_processes_that_start_at_once_agree_on_one_key(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    racers = [
        context.Process(target=_key_once_all_are_ready, args=(barrier, answers), daemon=True)
        for _ in range(4)
    ]
    for racer in racers:
        racer.start()
    keys = {answers.get(timeout=60) for _ in racers}
    for racer in racers:
        racer.join(30)
        assert racer.exitcode == 0
    assert keys == {secret.master_key()}


def test_a_damaged_key_file_is_said_in_words(folder: Path) -> None:
    secret.master_key()
    (folder / "secret.key").write_text("abcd")
    with pytest.raises(Invalid, match="does not hold a 32-byte key"):
        secret.master_key()


def test_purposes_do_not_share_a_key(folder: Path) -> None:
    assert secret.derived_key("django") != secret.derived_key("erased")
    assert secret.keyed_hash("erased", "ana@example.org") == secret.keyed_hash("erased", "ana@example.org")
    assert secret.keyed_hash("erased", "ana@example.org") != secret.keyed_hash("other", "ana@example.org")


@dataclasses.dataclass(frozen=True)
class Account:
    """A configuration with a secret."""

    host: str = ""
    key: str = dataclasses.field(default="", metadata={"secret": True})


def test_a_configuration_is_kept_with_its_secrets_sealed(folder: Path) -> None:
    plain, sealed = secret.parted(Account("example.org", "grue"))
    assert plain == {"host": "example.org"}
    assert "grue" not in sealed
    assert secret.joined(Account, plain, sealed) == Account("example.org", "grue")
    assert secret.joined(Account, {**plain, "port": 25}, "") == Account("example.org"), "no such setting now"


@dataclasses.dataclass(frozen=True)
class Place:
    """Two servers, and secrets of every kind."""

    url: str = ""
    smtp_host: str = ""
    key: str = dataclasses.field(default="", metadata={"secret": True, "label": "Key"})
    spare: str = dataclasses.field(
        default="", metadata={"secret": True, "label": "Spare key", "optional": True}
    )
    signing: str = dataclasses.field(default="", metadata={"secret": True, "made": True})


KEPT = {"url": "https://a.example/feed", "smtp_host": "", "key": "k", "spare": "s", "signing": "g"}


def test_secrets_stay_while_they_go_to_the_same_server() -> None:
    given = {"url": "https://A.example/other?page=1"}
    assert secret.changed(Place, KEPT, given) == (KEPT | given, [])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"url": "http://a.example/feed"},
        {"url": "https://a.example:8443/feed"},
        {"url": "https://a.example@b.example/feed"},
        {"smtp_host": "b.example"},
    ],
)
def test_secrets_that_were_kept_for_a_server_go_to_no_other(elsewhere: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="Key: what is kept was given for another server"):
        secret.changed(Place, KEPT, elsewhere)
    values, left = secret.changed(Place, KEPT, elsewhere | {"key": "k"})
    assert values == {"url": KEPT["url"], "smtp_host": "", "key": "k", "signing": "g"} | elsewhere
    assert left == ["Spare key"]
