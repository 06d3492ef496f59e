"""What the shop follows: its name, its rivals' names, and the words of two problems that it could solve."""

from __future__ import annotations

from rapport.demo import world
from rapport.listening import services

BY = "demo"

# Title, and words as people of the market write them, by key.
PROBLEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "late-parcels": (
        "Late parcels",
        (
            "still waiting", "never arrived", "late", "days late", "zu spät", "verspätet", "warte immer noch",
            "en retard", "toujours rien", "llega tarde", "sigo esperando", "con retraso", "늦게", "배송이 늦",
        ),
    ),
    "parts-that-do-not-fit": (
        "Parts that do not fit",
        (
            "doesn't fit", "does not fit", "didn't fit", "wrong part", "passt nicht", "falsches Teil",
            "ne va pas", "pas compatible", "no encaja", "no vale para", "안 맞", "맞지 않",
        ),
    ),
}  # fmt: skip


def follow() -> list[str]:
    """Follow them; safe to repeat. Gives the keys."""
    shop = world.world().shop
    rivals = zip(shop["rivals"], shop["rivals_ko"], strict=True)
    made = [services.follow(shop["name"].lower(), "brand", [shop["name"]], title=shop["name"], by=BY)]
    for name, korean in rivals:
        made.append(services.follow(name.lower(), "competitor", [name, korean], title=name, by=BY))
    for key, (title, words) in PROBLEMS.items():
        made.append(services.follow(key, "problem", words, title=title, by=BY))
    return [rule.key for rule in made]
