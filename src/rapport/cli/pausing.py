"""`rapport pause` and `rapport resume`: stop everything that leaves, and go on."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores

BY = "command line"


@click.command("pause")
@click.option("--why", default="", help="Shown above every page until it goes on.")
@output.as_json
def pause_command(why: str, json_: bool) -> None:
    """Let nothing leave from now on, on any channel; what is planned waits.

    Log-in links of colleagues still leave.
    """
    stores.set_up()
    from rapport.messaging import services

    stopped = services.pause_all(BY, why)
    if json_:
        output.emit(
            {"since": stopped.pause.since, "by": stopped.pause.by, "n_in_flight": stopped.n_in_flight}
        )
        return
    print(f"Everything is paused since {stopped.pause.since:%Y-%m-%d %H:%M} UTC, by {stopped.pause.by}.")
    if stopped.n_in_flight:
        print(f"{stopped.n_in_flight:,} messages had been handed over a moment before and may still arrive.")
    print("`rapport resume` lets everything leave again.")


@click.command("resume")
@output.as_json
def resume_command(json_: bool) -> None:
    """Let everything that waits leave, once each."""
    stores.set_up()
    from rapport.messaging import selectors, services

    outdated = selectors.n_outdated()
    ended = services.resume_all(BY)
    if json_:
        output.emit({"ended": ended, "waiting": selectors.n_waiting(), "outdated": outdated})
    elif ended is None:
        print("Nothing was paused.")
    else:
        print(
            f"It goes on: {selectors.n_waiting():,} messages wait, paused since {ended.since:%Y-%m-%d %H:%M} UTC."
        )
        if outdated:
            print(f"{outdated:,} of them are past their time and will not leave.")
