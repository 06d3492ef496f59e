"""Forms of address: those that pass for none, and what only looks like one."""

from __future__ import annotations

import pytest

from rapport.venues.rules import addressing


@pytest.mark.parametrize(
    ("language", "text", "form"),
    [
        ("pl", "Twoja paczka wyszła wczoraj, więc jutro powinieneś ją mieć u siebie.", "ty"),
        ("pl", "Jeśli zalewasz ją wrzątkiem, gorzknieje.", "ty"),
        ("pl", "Czy mogłaby Pani podać numer partii?", "Pan/Pani"),
        ("es", "Mira en el cajón de la entrada y coge la llave pequeña.", "tú"),
        ("es", "Ponga la batería al revés, por favor.", "usted"),
        ("pt", "Não te preocupes com a chave partida.", "tu"),
        ("pt", "Quando chegares toca à campainha.", "tu"),
        ("it", "Apri il coperchio prima di pulirlo.", "tu"),
        ("fr", "Divise la motte en quatre et rempote.", "tu"),
        ("fr", "Arrosez moins en hiver.", "vous"),
        ("nl", "Zet hem zelf uit, jullie zien het meteen.", "je"),
        ("de", "Da kannste die Kappe einfach abziehen.", "du"),
        ("de", "Im Zweifel tausche den Filter, miss mal den Spalt.", "du"),
        ("es", "Le aconsejamos que limpie el filtro.", "usted"),
        ("es", "Con eso basta; avíseme si la fuga sigue.", "usted"),
        ("de", "Schraub zuerst die Kappe ab.", "du"),
        ("de", "Hilft das nicht, schick uns ein Foto.", "du"),
    ],
)
def test_a_form_is_seen(language: str, text: str, form: str) -> None:
    assert list(addressing.forms_used(text, language)) == [form]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Auf der Karte heißt der Pass Col du Galibier."),
        ("de", "Du liebe Zeit, das sieht nach einem Transportschaden aus."),
        ("fr", "Le service de livraison s'est tu depuis lundi."),
        ("fr", "Ce qui s'est tu tout l'hiver repart au printemps."),
        ("fr", "Un rendez-vous chez un dermatologue serait utile."),
        ("es", "No hay que moverla mientras tenga botones."),
        ("es", "El té verde amarga con agua hirviendo."),
        ("it", "La nostra chimica controlla ogni lotto."),
        ("pt", "O fusível fica atrás da tampa; abre com uma chave comum."),
        ("nl", "De U-bocht zit verstopt."),
        ("de", "Die Anzeige »dU« heißt, dass der Tank leer ist."),
        ("de", "Die letzte Dichtung musste ersetzt werden."),
        ("de", "Die Feder ist schuld: Sie hat sich ausgehängt."),
        ("de", "Der Start in die Saison: ein Fest am Samstag."),
        ("es", "Su té no ha manchado la mesa."),
        ("pl", "Klawisz po lewej stronie się zacina."),
    ],
)
def test_what_only_looks_like_a_form_is_none(language: str, text: str) -> None:
    assert addressing.forms_used(text, language) == {}
