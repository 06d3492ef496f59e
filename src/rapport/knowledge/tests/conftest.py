"""A small shop's knowledge: enough to be asked about, and to learn from."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import clock
from rapport.knowledge import services

BY = "alice@example.com"
PROBLEMS = {
    "wipers-judder": (
        "Wipers judder on the windscreen",
        "Clean the glass with alcohol and turn the blades round once.",
        (
            "My new wipers judder, what can I do?",
            "The wiper blades jump over the windscreen",
            "wipers rattle and smear",
        ),
    ),
    "oil-which": (
        "Which engine oil",
        "Use 5W-30 with the approval that stands in the handbook.",
        ("Which oil does my car need?", "5W-30 or 5W-40 for 120,000 km?", "what engine oil should I buy"),
    ),
    "brakes-squeal": (
        "Brakes squeal",
        "Check the pads; below 3 mm change them.",
        ("My car squeals when I brake", "brake pads make a noise", "squealing from the front brakes"),
    ),
    "return-part": (
        "Sending a part back",
        "Print the label in your account and drop the parcel off.",
        ("How do I return a part?", "I want to send the filter back", "return label for my order"),
    ),
}


@pytest.fixture
def known(db: None) -> None:  # noqa: ARG001  what it writes into
    for key, (title, solution, wordings) in PROBLEMS.items():
        services.write_entry(
            key,
            services.Written(
                title, {"en": solution}, [("en", w) for w in wordings], state="published", owner=BY,
                options=[
                    services.OptionWritten("Wiper blades 600/450", "Tarnwick", "https://tarnwick.example/w", True, 2490,
                                           "EUR", clock.now() - dt.timedelta(hours=2)),
                    services.OptionWritten("Wiper blades 600/450", "Gearhaven", "", False, 2190, "EUR",
                                           clock.now() - dt.timedelta(days=2)),
                ] if key == "wipers-judder" else (),
            ),
            by=BY,
        )  # fmt: skip
