"""The command `rapport`: every subcommand prints for people, or one JSON document with --json.

Exit status: 0 done, 1 refused or found something wrong (said why), 2 wrong use.
"""

from __future__ import annotations

import os
import sys

import click
from django.db import DatabaseError

from rapport.cli import output
from rapport.kit import process
from rapport.kit.errors import RapportError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.web.settings")

COMMANDS = {
    "init": "rapport.cli.stores",
    "load": "rapport.cli.stores",
    "work": "rapport.cli.stores",
    "jobs": "rapport.cli.stores",
    "live": "rapport.cli.stores",
    "sql": "rapport.cli.stores",
    "doctor": "rapport.cli.doctor",
    "serve": "rapport.cli.serve",
    "web": "rapport.cli.serve",
    "collect": "rapport.cli.serve",
    "listen": "rapport.cli.sources",
    "key": "rapport.cli.keys",
    "login-link": "rapport.cli.keys",
    "import": "rapport.cli.imports",
    "source": "rapport.cli.sources",
    "demo": "rapport.cli.demo",
    "people": "rapport.cli.people",
    "identity": "rapport.cli.identity",
    "segments": "rapport.cli.segments",
    "insights": "rapport.cli.insights",
    "aio": "rapport.cli.aio",
    "explore": "rapport.cli.explore",
    "text": "rapport.cli.text",
    "answer": "rapport.cli.answer",
    "conversations": "rapport.cli.conversations",
    "pause": "rapport.cli.pausing",
    "resume": "rapport.cli.pausing",
    "bench": "rapport.cli.bench",
}


class Lazy(click.Group):
    """Imports a subcommand's module only when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = getattr(__import__(module, fromlist=["_"]), cmd_name.replace("-", "_") + "_command")
        return found if isinstance(found, click.Command) else None


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rapport", prog_name="rapport")
def group() -> None:
    """Rapport: keep customers by conversing with them."""


def main() -> None:
    """Entry point: errors we foresee are two sentences, not a traceback."""
    process.end_with_starter()
    try:
        group.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        output.complain("Stopped.", "Nothing that was already stored is lost.")
        sys.exit(1)
    except RapportError as error:
        output.complain(error.message, error.hint)
        sys.exit(1)
    except DatabaseError as error:
        output.complain(
            f"the operational store cannot answer: {error}", "Run `rapport init`, then try again."
        )
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
