"""`rapport doctor`: what is broken, since when, what to do."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores

MARKS = {"ok": "ok  ", "warn": "look", "bad": "BAD "}


@click.command("doctor")
@output.as_json
def doctor_command(json_: bool) -> None:
    """Check the stores, the processes and what waits; status 1 where something is wrong."""
    stores.set_up()
    from rapport.web import health

    checks = health.checks()
    if json_:
        output.emit({"healthy": all(c.state != "bad" for c in checks), "checks": checks})
    else:
        for check in checks:
            print(f"{MARKS[check.state]}  {check.name}: {check.message}")
            if check.hint and check.state != "ok":
                print(f"      {check.hint}")
    if any(c.state == "bad" for c in checks):
        raise SystemExit(1)
