"""Drafts that independent writers wrote and judged, each for a firm of its own, and rows for learning from them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rapport.venues.rules import RuleCard, VenueDraft
from rapport.venues.rules.cards import read_hours

FIRM = "Otter Tools"  # whose the drafts of drafts.txt are
FOLDER = Path(__file__).with_name("writers")
FIRMS = {
    "torque_trail": ("Torque & Trail", "torque-trail.example"),
    "pedal_pine": ("Pedal & Pine", "pedalpine.example"),
    "morgentau": ("Morgentau", "morgentau.example"),
    "ledgerly": ("Ledgerly", "ledgerly.example"),
    "casa_brisa": ("Casa Brisa", "casabrisa.example"),
    "nordlicht_brillen": ("Nordlicht Brillen", "nordlicht.example"),
    "verde_vivo": ("Verde Vivo", "verdevivo.example"),
    "beanline": ("Beanline", "beanline.example"),
    "hammer_hazel": ("Hammer & Hazel", "hammerhazel.example"),
    "fibra_sol": ("Fibra Sol", "fibrasol.example"),
    "kardan_direkt": ("Kardan Direkt", "kardan-direkt.example"),
    "aurelie_soins": ("Aurélie Soins", "aurelie-soins.example"),
    "harbour_mutual": ("Harbour Mutual", "harbourmutual.example"),
    "voltaro": ("Voltaro", "voltaro.example"),
    "copperpot": ("Copperpot", "copperpot.example"),
}
PROMOTES = (
    "promotion",
    "discount",
    "call to buy",
    "rabattcode",
    "kaufaufforderung",
    "aktion",
    "voucher",
    "code",
)
_FORMS = {
    "de": ("du", "Sie"),
    "fr": ("tu", "vous"),
    "es": ("tú", "usted"),
    "it": ("tu", "Lei"),
    "pt": ("tu", "você"),
    "nl": ("je", "u"),
    "pl": ("ty", "Pan/Pani"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """One draft with its card, and what its writer says of it."""

    writer: str
    card: RuleCard
    draft: VenueDraft
    is_forbidden: bool
    why: str

    @property
    def promotes(self) -> bool | None:
        """Whether it promotes; None where its writer does not say."""
        if self.is_forbidden:
            return True if any(word in self.why.lower() for word in PROMOTES) else None
        return False if "promotion" in self.card.forbids else None


def written(writer: str) -> Iterator[Written]:
    """The drafts of one writer."""
    firm, domain = FIRMS[writer]
    for line in (FOLDER / f"{writer}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        card, draft = row["card"], row["draft"]
        form = card.get("forms_of_address")
        since, _dash, until = (card.get("hours") or "").partition("-")
        yield Written(
            writer,
            RuleCard(
                venue="bluesky",
                reply_only_when_asked=card["reply_only_when_asked"],
                links=card["links"],
                disclosure_as="none",
                hours=read_hours(f"mon-sun {since}:00-{until}:00") if since else (),
                languages=(card["language"],) if card["language"] else (),
                forms_of_address={k: both[form == "formal"] for k, both in _FORMS.items()} if form else {},
                length_max=card["length_max"],
                forbids=("promotion", "codes") if card.get("no_promotion") else (),
            ),
            VenueDraft(
                text=draft["text"],
                language=draft["language"],
                was_asked=draft["was_asked"],
                at=dt.datetime(2026, 11, 24, draft["hour"], 30, tzinfo=dt.UTC),
                firm=firm,
                own_domains=(domain,),
                own_handles=("".join(c for c in firm.lower() if c.isalnum()),),
            ),
            row["forbidden"],
            row["why"],
        )


def sentences() -> Iterator[tuple[bool, str, str]]:
    """Whether it promotes, the language and the text of each sentence that was written to learn from."""
    for line in (FOLDER / "sentences.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            verdict, language, text = line.split("|", 2)
            yield verdict == "p", language, text


def drafts() -> list[tuple[str, ...]]:
    """The rows of drafts.txt, which tells what each holds."""
    lines = Path(__file__).with_name("drafts.txt").read_text("utf-8").splitlines()
    rows = [tuple(part.strip() for part in line.split("|", 5)) for line in lines if not line.startswith("#")]
    return [row for row in rows if len(row) == 6]


def spelled(text: str) -> str:
    """The text with what is written as a code or a length in its place."""
    text = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text).replace("\\n", "\n")
    return re.sub(r"\{(\D?)(\d+)\}", lambda m: (m[1] or "x") * int(m[2]), text)
