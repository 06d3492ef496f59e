"""`rapport segments`: ask a rule of everybody, say why somebody is in or not, and keep members up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rapport.cli import output
from rapport.web import stores

if TYPE_CHECKING:
    from rapport.consent.services import Warrant
    from rapport.segments.rules import Rule
    from rapport.segments.rules.explaining import Line

BY = "command line"
SHOWN = 50
PURPOSE = click.option(
    "--purpose", default="profiling", show_default=True, help="What for; whoever refuses it is left out."
)


@click.group("segments")
def segments_command() -> None:
    """Rules over people. FILE is a rule tree in JSON (- reads it from a pipe), or the key of a segment."""


@segments_command.command("list")
@output.as_json
def list_segments(json_: bool) -> None:
    """The segments there are, and how many are in each."""
    stores.set_up()
    from rapport.segments import rules, selectors

    found = selectors.segments()
    if json_:
        output.emit([_segment(one) for one in found])
        return
    output.table(
        "",
        ["segment", "people", "refreshed", "who"],
        [(s.key, f"{s.n_members:,}", s.refreshed_at, s.error or rules.sentence(s.rule)) for s in found],
        right=(1,),
    )


@segments_command.command("count")
@click.argument("file")
@PURPOSE
@click.option("--reach", default="", help="Also how many each channel reaches for this purpose.")
@output.as_json
def count(file: str, purpose: str, reach: str, json_: bool) -> None:
    """How many people a rule holds for."""
    rule, leave = _asked(file, purpose, json_)
    from rapport.segments import rules, selectors

    size = selectors.size(rule, leave, reach=reach)
    if json_:
        said: dict[str, Any] = {"n": size.n, "n_people": size.n_people, "rule": rules.sentence(rule)}
        output.emit({**said, "reachable": size.reachable} if reach else said)
        return
    click.echo(f"{size.n:,} of {size.n_people:,} people ({size.share:.1%}): {rules.sentence(rule)}.")
    if reach:
        output.table(
            "", ["channel", "reaches"], [(c, f"{n:,}") for c, n in size.reachable.items()], right=(1,)
        )


@segments_command.command("members")
@click.argument("file")
@PURPOSE
@click.option("--limit", type=click.IntRange(1), help=f"At most so many. [default: {SHOWN}; with --json all]")
@click.option("--after", type=int, help="Go on behind this person.")
@output.as_json
def members(file: str, purpose: str, limit: int | None, after: int | None, json_: bool) -> None:
    """The people for whom a rule holds, ascending by number."""
    rule, leave = _asked(file, purpose, json_)
    from rapport.people import selectors as people
    from rapport.segments import selectors

    if json_ and limit is None:
        limit = max(1, selectors.count(rule, leave))
    page = selectors.members(rule, leave, after=after, limit=limit or SHOWN)
    named = selectors.identifiers_of(page.persons)
    if json_:
        found = [{"person": person, "identifiers": named.get(person, [])} for person in page.persons]
        output.emit({"members": found, "after": page.after})
        return
    names = {row.id: row.display_name for row in people.person_rows(page.persons)}
    output.table(
        "",
        ["person", "name", "identifiers"],
        [(p, names.get(p, ""), ", ".join(named.get(p, []))) for p in page.persons],
        right=(0,),
    )
    if page.after is not None:
        click.echo(f"There are more: go on with --after {page.after}.")


@segments_command.command("explain")
@click.argument("file")
@click.argument("ref", metavar="ID")
@PURPOSE
@output.as_json
def explain(file: str, ref: str, purpose: str, json_: bool) -> None:
    """Why a person is in or is not, line by line. ID is a person's number or namespace:value."""
    rule, leave = _asked(file, purpose, json_)
    from rapport.people import selectors as people
    from rapport.segments import selectors

    person = people.person_id(ref)
    why = selectors.explain(rule, person, leave)
    if json_:
        line = _line(why.line) if why.line else None
        output.emit({"person": person, "is_in": why.is_in, "line": line})
        return
    if why.line is None:
        click.echo(
            f"Person {person} is in no segment: they refuse the purpose {purpose!r}, or the firm does not know them."
        )
        return
    click.echo(f"Person {person} is {'in' if why.is_in else 'not in'}:")
    _print(why.line, 0)


@segments_command.command("refresh")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@output.as_json
def refresh(keys: tuple[str, ...], json_: bool) -> None:
    """Work out who is in these segments, or in all, and record who entered and who left."""
    stores.set_up()
    from rapport.segments import services

    with output.progress("refreshing", quiet=json_) as show:
        done = services.refresh(list(keys) or None, lambda what: show(0, None, what))
    if json_:
        output.emit(done)
    else:
        output.table(
            "",
            ["segment", "people", "entered", "left", "seconds", ""],
            [
                (
                    d.key,
                    f"{d.n_members:,}",
                    f"{d.n_entered:,}",
                    f"{d.n_left:,}",
                    f"{d.duration_s:.1f}",
                    d.error,
                )
                for d in done
            ],
            right=(1, 2, 3, 4),
        )
    if any(d.error for d in done):
        raise SystemExit(1)


@segments_command.command("create")
@click.argument("file")
@click.argument("title")
@click.option("--key", default="", help="By which rules and commands name it; made of the title otherwise.")
@PURPOSE
@output.as_json
def create(file: str, title: str, key: str, purpose: str, json_: bool) -> None:
    """Keep a rule as a segment called TITLE."""
    rule, _ = _asked(file, purpose, json_)
    from rapport.segments import services

    made = services.create(title, rule, by=BY, key=key, purpose=purpose)
    if json_:
        output.emit(_segment(made))
    else:
        click.echo(
            f"Made the segment {made.key}. Work out who is in it with: rapport segments refresh {made.key}"
        )


def _asked(file: str, purpose: str, json_: bool) -> tuple[Rule, Warrant]:
    """The rule, and leave to ask it of everybody as they are now."""
    stores.set_up()
    from rapport.segments import rules, selectors, services

    path = Path(file)
    if file == "-":
        rule = rules.parse(sys.stdin.read())
    elif path.is_file():
        rule = rules.parse(path.read_bytes())
    elif any(one.key == file for one in selectors.segments()):
        rule = selectors.segment(file).rule
    else:
        raise click.UsageError(f"there is no file and no segment {file!r}")
    with output.progress("people into columns", quiet=json_) as show:
        services.bring_up_to_date(lambda what: show(0, None, what))
    return rule, services.leave(BY, purpose)


def _segment(one: Any) -> dict[str, Any]:
    from rapport.segments import rules

    fields = ("key", "title", "meaning", "purpose", "n_members", "refreshed_at", "is_stale", "error")
    return {**{name: getattr(one, name) for name in fields}, "rule": rules.to_json(one.rule)}


def _line(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {"at": line.at, "text": line.text, "holds": line.holds}
    if line.below:
        told["below"] = [_line(one) for one in line.below]
    else:
        told["found"] = line.found
    return told


def _print(line: Line, depth: int) -> None:
    found = f"  ({line.found})" if line.found else ""
    click.echo(f"{'  ' * depth}{'yes' if line.holds else 'no ':3} {line.text}{found}")
    for one in line.below:
        _print(one, depth + 1)
