"""Write the pages of docs/reference that come from the code: events.md, imports.md, measures.md, commands.md and api.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from rapport.events.plan import Property
from rapport.listening.rules.fields import Field

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
GENERATED = "<!-- Written by `make docs`. Change the code, not this page. -->"


def events_page() -> str:
    """The event plan, one section an event."""
    from rapport.events import plan

    lines = [
        GENERATED,
        "# Events",
        "",
        "Every event that Rapport knows by name, from `src/rapport/events/plan.toml`. An event with another"
        " name is kept as it came and listed under Sources, Event plan; a `plan.toml` of the same form in the data"
        " folder adds events of your own or replaces these.",
        "",
        "*Counted* events feed the day counters, by the named property where there is one. *Session* events"
        " make up a person's sessions on a site or in an app. A property marked required must be there, and"
        " one of the wrong type sends the event to quarantine; properties not listed are kept.",
        "",
    ]
    events = sorted(plan.builtin().values(), key=lambda e: e.name)
    lines += ["| Event | Meaning |", "|---|---|"]
    lines += [f"| [`{e.name}`](#{e.name}) | {e.meaning} |" for e in events]
    for event in events:
        lines += ["", f"## {event.name}", "", event.meaning, ""]
        lines += [f"- Recorded by: {', '.join(event.emits)}"]
        if event.aliases:
            lines += [f"- Also understood as: {', '.join(f'`{a}`' for a in event.aliases)}"]
        if event.counted:
            lines += [f"- Counted by day{f' and `{event.counted_by}`' if event.counted_by else ''}"]
        if event.session:
            lines += ["- Belongs to a session"]
        if event.properties:
            lines += ["", "| Property | Type | Notes |", "|---|---|---|"]
            lines += [f"| `{p.name}` | {p.type} | {notes(p)} |" for p in event.properties.values()]
    return "\n".join(lines) + "\n"


def imports_page() -> str:
    """What a column can be, one section a kind of file."""
    from rapport.listening.rules import kinds

    lines = [
        GENERATED,
        "# Fields of imports",
        "",
        "What the columns of each kind of file can be. A column goes by its field's name, or by one of the"
        " other names it usually has; upper case, blanks and hyphens make no difference. Any other column is"
        " said with `--map COLUMN=FIELD`; `--map COLUMN=-` leaves it out. What remains becomes a trait of"
        " people and a property of everything else.",
    ]
    lines += ["", *archives_section()]
    for kind in kinds.KINDS.values():
        lines += ["", f"## {kind.name}", "", f"{kind.meaning[0].upper()}{kind.meaning[1:]}."]
        groups = [
            ", ".join(f"`{f}NAMESPACE`" if f.endswith(":") else f"`{f}`" for f in group)
            for group in kind.one_of
        ]
        lines += [f"\nAt least one of {group} must be there." for group in groups]
        if kind.identifiers:
            lines += ["\n`identifier:NAMESPACE` takes any other identifier, such as `identifier:mastodon`."]
        if kind.fields:
            lines += ["", "| Field | Read as | Also called | Notes |", "|---|---|---|---|"]
            lines += [import_field(f) for f in kind.fields]
    return "\n".join(lines) + "\n"


def archives_section() -> list[str]:
    """The archives of networks that are read as they come."""
    from rapport.kit import registry
    from rapport.listening.contract import KIND, Archived

    offered = [plugin.offers for plugin in registry.plugins(KIND).values()]
    rows = [
        f"| {one.archive.title} | {one.title} | "
        + ("the firm's own limit" if one.terms.keep_days is None else f"{one.terms.keep_days} days")
        + " |"
        for one in offered
        if isinstance(one, Archived)
    ]
    return [
        "## Archives of networks",
        "",
        "Imported as posts, without any mapping, by themselves or in a zip or tar. `--option account=NAME` says whose"
        " archive it is where it does not say so itself, `--option date_order=day` or `month` how its dates are read"
        " where they leave it open, and `--option time_zone=Europe/Berlin` the zone of times without one.",
        "",
        "| Archive | Ids as from | Words of others are kept for |",
        "|---|---|---|",
        *rows,
    ]


def import_field(field: Field) -> str:
    others = ", ".join(f"`{n}`" for n in field.names if n != field.name)
    said = ", ".join(filter(None, ["required" if field.required else "", field.meaning]))
    return f"| `{field.name}` | {field.form} | {others} | {said} |"


def notes(prop: Property) -> str:
    """What a plan says of a property beside its type, in a line."""
    said = [
        "required" if prop.required else "",
        f"in {prop.unit}" if prop.unit else "",
        "personal" if prop.personal else "",
    ]
    return "; ".join(filter(None, [", ".join(filter(None, said)), prop.meaning]))


def commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its full name, groups before what is in them."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, (*path, name))


def command_section(path: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=" ".join(path), max_content_width=100, terminal_width=100)
    return ["", f"## {' '.join(path)}", "", "```text", command.get_help(context).rstrip(), "```"]


def commands_page() -> str:
    """The help of every command, as `--help` prints it."""
    from rapport.cli.main import group

    lines = [
        GENERATED,
        "# Commands",
        "",
        "`make setup` puts the command at `.venv/bin/rapport`. Every command prints for people by default and"
        " one JSON document with `--json`. Exit status 0 means done, 1 refused or found something wrong (and"
        " said why), 2 wrong use. A long command shows its progress on a terminal and none in a pipe.",
    ]
    for path, command in commands(group, ("rapport",)):
        lines += command_section(path, command)
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Every endpoint of the API, from the OpenAPI document that the installation itself gives."""
    from rapport.web.api.urls import DESCRIPTION, api

    document = api.get_openapi_schema(path_prefix="/api/")
    lines = [
        GENERATED,
        "# API",
        "",
        "On the screens' port, under `/api/`. The same as a page to read is at `/api/docs`, and as an OpenAPI"
        " document at `/api/openapi.json`, which clients are made from.",
        "",
        " ".join(DESCRIPTION.strip().split("\n\n")[0].split()),
        "",
        " ".join(DESCRIPTION.strip().split("\n\n")[1].split()),
    ]
    by_tag: dict[str, list[str]] = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            by_tag.setdefault(operation["tags"][0], []).extend(endpoint(path, verb, operation))
    for tag, sections in by_tag.items():
        lines += ["", f"## {tag.capitalize()}", *sections]
    lines += ["", "## Shapes"]
    for name, shape in sorted(document["components"]["schemas"].items()):
        lines += ["", f"### {name} shape", ""]
        if shape.get("description"):
            lines += [shape["description"], ""]
        lines += ["| Field | Type | Notes |", "|---|---|---|"]
        required = set(shape.get("required", ()))
        for field, spec in shape.get("properties", {}).items():
            said = ["required" if field in required else "", spec.get("description", "")]
            lines += [f"| `{field}` | {shape_of(spec)} | {'; '.join(filter(None, said))} |"]
    return "\n".join(lines) + "\n"


def endpoint(path: str, verb: str, operation: dict[str, Any]) -> list[str]:
    """One endpoint: what it does, what it takes, what it answers."""
    lines = ["", f"### {verb.upper()} {path}", "", f"{operation['summary']}", ""]
    lines += [operation.get("description", "").strip()]
    if operation.get("parameters"):
        lines += ["", "| Parameter | In | Type | Notes |", "|---|---|---|---|"]
        for p in operation["parameters"]:
            said = [
                "required" if p.get("required") else "",
                p.get("description") or p["schema"].get("description", ""),
            ]
            lines += [
                f"| `{p['name']}` | {p['in']} | {shape_of(p['schema'])} | {'; '.join(filter(None, said))} |"
            ]
    if "requestBody" in operation:
        lines += ["", f"Takes {shape_of(operation['requestBody']['content']['application/json']['schema'])}."]
    for status, answer in operation["responses"].items():
        if int(status) < 300:
            lines += [
                "",
                f"Answers {status} with {shape_of(answer['content']['application/json']['schema'])}.",
            ]
    return lines


def shape_of(spec: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()}-shape)"
    if "anyOf" in spec:
        return " or ".join(shape_of(one) for one in spec["anyOf"])
    if "enum" in spec or "const" in spec:
        return ", ".join(f"`{value}`" for value in spec.get("enum", [spec.get("const")]))
    if spec.get("type") == "array":
        return f"list of {shape_of(spec['items'])}"
    return " ".join(filter(None, [spec.get("type", "any"), spec.get("format", "")]))


def measures_page() -> str:
    """What can be asked of the figures: every measure, every dimension, and the JSON of a question."""
    from rapport.explore.rules import catalogue, parsing
    from rapport.explore.rules.compiling import SHOWN_LEAST
    from rapport.explore.rules.question import KINDS, document

    lines = [
        GENERATED,
        "# Measures, dimensions, questions",
        "",
        "What *Explore* and `rapport explore ask FILE` can answer. Each measure is defined here once, in"
        " `src/rapport/explore/rules/catalogue.py`, and means the same on every screen.",
        "",
        "Money is counted in minor units of its own currency; amounts in different currencies are never added."
        " Days, weeks (from Monday) and months are those of the firm's time zone, whatever zone the day counters"
        " are kept in.",
        "",
        "## Measures",
        "",
        "| Measure | Unit | Meaning | Formula |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{m.name}` | {m.unit} | {m.meaning} | {m.formula} |" for m in catalogue.MEASURES.values()]
    lines += [
        "",
        "Some ask for more: "
        + "; ".join(
            f"`{m.name}` takes {', '.join(f'`{a}`' for a in m.asks)}"
            for m in catalogue.MEASURES.values()
            if m.asks
        )
        + ".",
    ]
    lines += [
        "",
        "## Dimensions",
        "",
        "A personal dimension reads people under the purpose `analytics`: whoever refuses it is left out, and what"
        f" is about fewer than {SHOWN_LEAST} people is not shown. So is a property that the event plan does not"
        " know, because it may be about a person. That guards against singling somebody out by accident; it is"
        " no anonymisation of figures that leave the firm.",
        "",
        "| Dimension | Meaning | Told apart by it | Personal |",
        "|---|---|---|---|",
    ]
    lines += [dimension_line(d) for d in catalogue.DIMENSIONS.values()]
    lines += [
        "",
        "## Questions",
        "",
        "A question is a JSON object. What it leaves out has the value named below. Something unknown is refused"
        " with its place, such as `$.where[0].dimension`.",
    ]
    for name, kind in KINDS.items():
        lines += ["", f'### `"ask": "{name}"`', "", str(kind.__doc__).strip(), ""]
        lines += ["| Key | Left out |", "|---|---|"]
        written = document(parsing.parse(EXAMPLES[name]))
        for key, field in kind.__dataclass_fields__.items():
            begun = default_of(field)
            lines += [f"| `{key}` | {begun} |"]
        lines += ["", "```json", json.dumps(written, indent=2, ensure_ascii=False), "```"]
    lines += [
        "",
        '`period` is `{"last": 12, "unit": "month"}` (whole units before the present one; with'
        ' `"with_current": true` the running one too), `{"first_day": "2026-01-01", "last_day":'
        ' "2026-03-31"}`, or `{}` for ever. Compared is the stretch of the same length just before.',
        "",
        "A condition names a `dimension` and gives `is` or `is_not` with a list of values (an empty text means not"
        " known), `at_least` or `at_most` with a number.",
    ]
    return "\n".join(lines) + "\n"


EXAMPLES: dict[str, Any] = {
    "figures": {
        "measures": ["revenue", "orders"],
        "by": ["country"],
        "grain": "month",
        "period": {"last": 12, "unit": "month"},
        "where": [{"dimension": "channel", "is": ["shop"]}],
        "compare": True,
    },
    "cohorts": {"ask": "cohorts", "period": {"last": 12, "unit": "month"}},
    "funnel": {
        "ask": "funnel",
        "steps": [
            {"event": "page_viewed", "where": [{"dimension": "page", "is": ["/cart"]}]},
            "order_placed",
        ],
        "within_days": 2,
        "by": "channel",
        "period": {"last": 30, "unit": "day"},
    },
    "paths": {
        "ask": "paths",
        "around": "order_placed",
        "direction": "before",
        "period": {"last": 30, "unit": "day"},
    },
}


def dimension_line(dimension: Any) -> str:
    """A dimension as a row: its name, and the bases that have it."""
    bases = {
        "event": "events",
        "line": "lines of orders",
        "session": "sessions",
        "text": "texts",
        "answer": "answers",
    }
    on = (
        "all"
        if len(dimension.on) == len(bases) or not dimension.on
        else ", ".join(bases[b] for b in dimension.on)
    )
    if dimension.name == "property":
        on = "events, lines of orders"
    name = f"{dimension.name}:NAME" if dimension.is_prefix else dimension.name
    personal = "yes" if dimension.is_personal else "where no plan knows it" if name == "property:NAME" else ""
    return f"| `{name}` | {dimension.meaning} | {on} | {personal} |"


def default_of(field: Any) -> str:
    """What a key means where it is left out."""
    import dataclasses

    if field.default is dataclasses.MISSING:
        return "must be there"
    if dataclasses.is_dataclass(field.default):
        return "ever"
    if field.default in ("", ()):
        return "none"
    return f"`{json.dumps(field.default)}`"


RULES_SHOWN = (
    {"event": "order_placed", "window": {"last_days": 90}, "count": {"op": ">=", "value": 2}},
    {"event": "order_placed", "dimension": "Wipers", "last": {"before_days": 365}},
    {"event": "order_placed", "value_minor": {"op": ">", "value": 50000}, "window": {"since": "2026-01-01"}},
    {"event": "page_viewed", "days": {"op": ">=", "value": 5}, "window": {"last_days": 30}},
    {"event": "page_viewed", "then": {"event": "order_placed", "within_days": 3}},
    {"event": "complaint_raised", "did": False, "window": {"between": ["2026-01-01", "2026-06-30"]}},
    {"trait": "plan", "is": "gold"},
    {"trait": "points", "compare": {"op": "between", "value": [100, 500]}},
    {"trait": "birth_date", "anniversary_next_days": 14},
    {"profile": "country", "in": ["ES", "FR"]},
    {"profile": "first_seen", "when": {"last_days": 30}},
    {"identifier": "email"},
    {"consent": "marketing", "channel": "email"},
    {"score": "churn_risk", "compare": {"op": ">=", "value": 0.7}},
    {"score": "rfm", "in": ["champion", "loyal"]},
    {"annotation": "sentiment", "label": "negative", "count": {"op": ">=", "value": 2}},
    {"segment": "winter-buyers", "member": False},
    {
        "all": [
            {"identifier": "email"},
            {"any": [{"trait": "plan", "is": "gold"}, {"not": {"segment": "new"}}]},
        ]
    },
)


def segment_rules_page() -> str:
    """How a rule is written, with what each example says."""
    from rapport.segments import rules

    lines = [
        GENERATED,
        "# Rules of segments",
        "",
        'A rule is a tree in JSON. `{"all": [...]}` holds where every part holds, `{"any": [...]}` where one'
        ' does, `{"not": ...}` where the part does not. Everything else is a condition on one person.',
        "[segment-rule.schema.json](segment-rule.schema.json) is the JSON Schema; `rapport segments count FILE`"
        " asks a rule of everybody, and names the place in the document where it is not understood.",
        "",
        "| Condition | says |",
        "|---|---|",
        *(f"| `{json.dumps(shown)}` | {rules.sentence(rules.parse(shown))} |" for shown in RULES_SHOWN),
        "",
        "## What holds of every rule",
        "",
        "- Days are days in UTC, as the log counts them. `last_days: 7` is today and the six days before;"
        " `before_days: 7` is everything before those; `next_days: 7` (for dates of a person) is today and the six"
        " days after. Both ends of `between` are in it. Of what people do, the future never counts.",
        "- Who did nothing has done it 0 times, for 0: `count <= 2` holds for them as well.",
        "- What is unknown passes no test but `known: false`; `not` turns the outcome round, so that"
        " `not (points > 3)` also holds for somebody without points.",
        "- `then` asks for an event of the second kind after one of the first: later the same day, or on one of the"
        " `within_days` days after it.",
        "- `contains` and `begins_with` do not mind the case of letters; `is` and `in` do.",
        "- `value_minor` is in minor units (cents) and adds up; refunds are events of their own.",
        "- `segment` asks who was in another segment when that was last refreshed. A segment cannot come to ask about"
        " itself, and one that another asks about cannot be removed or given another key.",
        "- Whoever refuses the purpose that the segment serves is in none.",
    ]
    return "\n".join(lines) + "\n"


def segment_schema() -> str:
    """The JSON Schema of a rule."""
    from rapport.segments import rules

    return json.dumps(rules.schema(), indent=2) + "\n"


PAGES = {
    "events.md": events_page,
    "segment-rules.md": segment_rules_page,
    "segment-rule.schema.json": segment_schema,
    "imports.md": imports_page,
    "commands.md": commands_page,
    "measures.md": measures_page,
    "api.md": api_page,
}


def main() -> int:
    import os
    import tempfile

    import django

    # The command line reads Django's settings; nobody's data folder is touched for a page of help.
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["RAPPORT_HOME"] = scratch
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.web.settings")
        django.setup()
        for name, page in PAGES.items():
            (REFERENCE / name).write_text(page(), encoding="utf-8")
            print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
