"""Saying for whom one speaks: the words in each language, where they go, and whether a text has them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport.venues.rules.cards import RuleCard
from rapport.venues.rules.counting import length
from rapport.venues.rules.folding import Folded, folded, plain

DISCLOSURES = {
    "en": "I work for {firm}.",
    "de": "Ich arbeite für {firm}.",
    "fr": "Je travaille pour {firm}.",
    "es": "Trabajo para {firm}.",
    "it": "Lavoro per {firm}.",
    "pt": "Trabalho para {firm}.",
    "nl": "Ik werk voor {firm}.",
    "pl": "Pracuję dla {firm}.",
    "ko": "저는 {firm}에서 일합니다.",
    "ja": "私は{firm}で働いています。",
    "zh": "我在{firm}工作。",
    "ru": "Я работаю в {firm}.",
    "ar": "أعمل لدى {firm}.",
}
SHORT = "({firm})"

# "I work for", "we at", "from the team of": what stands before the firm's name, or after it.
_BEFORE = (
    r"(?:\bi(?:'m| am)?(?: currently| actually)? (?:work(?:ing)?|employed) (?:for|at|with|by|in|on)(?: the)?(?: \w+){0,3}|\bi(?:'m| am) (?:with|from|part of|on the|a member of|on)(?: the)?(?: \w+){0,3}|\bi (?:run|own|represent|founded)"
    r"|\bi(?:'m| am) (?:a |an |the |one of the )?(?:\w+ ){0,3}(?:at|for|of|with|from)(?: the)?|\bwe(?:'re| are)?(?: here)? (?:at|from|with|the team (?:at|of|behind)|are)|\bus at|\bteam (?:at|of|behind)|\bhere(?: is| from)?|\bon behalf of|\bspeaking for|\baffiliated with|\bemployed (?:by|at)"
    r"|\bemployee (?:of|at)|\bstaff (?:of|at|member (?:of|at))|\b\w+ (?:from|at|of) (?:the )?|\bdisclosure:?[^.!?]{0,60}|\bdisclaimer:?[^.!?]{0,60}|\bsupport (?:at|of|for)|\bofficial(?: account of)?"
    r"|\bich (?:arbeite|bin)(?: \w+){0,2} (?:fur|bei|von|vom|aus dem)(?: (?:team|support|der|die|dem|firma|kundendienst)){0,3}|\bich bin (?:mitarbeiter\w*|angestellte\w*)(?: \w+)? (?:von|bei|der)|\bwir (?:von|bei|vom|sind)(?: (?:der|dem|team|firma)){0,2}|\bhier (?:ist|schreibt|spricht)(?: \w+){0,3} (?:von|vom)|\bim (?:namen|auftrag) von|\bmitarbeiter\w* (?:von|bei|der)|\bteam (?:von|bei)|\b\w+ (?:von|vom)(?: team)?"
    r"|\bje (?:travaille|suis(?: \w+){0,3}) (?:pour|chez|de|a)|\bnous (?:sommes|travaillons)(?: \w+)? ?(?:pour|chez|de)?|\bchez|\bl'equipe(?: \w+)?|\bau nom de|\bemployee? (?:de|chez|par)|\b\w+ (?:de|chez)(?: (?:l'equipe|la))?"
    r"|\b(?:trabajo|trabajamos)(?: \w+)? (?:para|en|con|de)|\bsoy(?: \w+){0,4} (?:de|en)|\bsomos(?: \w+){0,3}(?: de)?|\ben nombre de|\bdesde|\bel equipo de|\bemplead[oa] de|\b\w+ de"
    r"|\b(?:lavoro|lavoriamo)(?: \w+)? (?:per|in|da|con|presso)|\bsono(?: \w+){0,4} (?:di|da|in|presso)|\bsiamo(?: \w+){0,3}(?: di)?|\bper conto di|\bil team(?: di)?|\bdipendente di|\b\w+ (?:di|da)"
    r"|\b(?:trabalho|trabalhamos)(?: \w+)? (?:para|n[ao]|em|com)|\bsou(?: \w+){0,4} (?:d[aeo]|n[ao])|\bsomos(?: \w+){0,3}(?: d[aeo])?|\bem nome d[aeo]|\ba equipa?e? d[aeo]|\bfuncionari[oa] d[aeo]|\b\w+ d[aeo]"
    r"|\bik (?:werk|ben)(?: \w+){0,3} (?:voor|bij|van)|\bwij (?:van|bij|zijn)|\bnamens|\bteam van|\bmedewerk\w+ (?:van|bij)|\b\w+ van"
    r"|\b(?:pracuje|pracujemy)(?: \w+)? (?:dla|w|z)|\bjestem(?: \w+){0,3}(?: z| w| dla)?|\bjestesmy(?: \w+){0,2}(?: z)?|\bw imieniu|\bzespol|\bpracowni\w+|\b\w+ z"
    r"|저는|私は|我在|я работаю в|我们是|أعمل لدى|أنا من)"
)  # fmt: skip
# Where the first word may be anything ("Bob from Otter"), so that a name signs; a verb there is no signature.
_AFTER = (
    r"(?:'s)?(?: (?:here|team|support|staff|employee|customer (?:care|service)|official|hier|kundendienst|kundenservice|mitarbeiter\w*|service client|equipe|soporte|atencion al cliente|assistenza|servizio clienti|suporte|equipa|apoio ao cliente|klantenservice|obsluga klienta|zespol))\b"
    r"|에서 일|で働|工作|の(?:者|スタッフ)"
)
_SELF = re.compile(
    r"\b(?:i(?:'m| am) (?:the |a |an |one of the )?(?:developer|maker|founder|owner|author|creator|manufacturer|vendor|seller|employee)|(?:my|our) (?:own )?(?:company|product|shop|firm|employer|team (?:makes|sells|builds))|i made this|we (?:make|build|manufacture|sell) (?:these|this|it|them)|meine?[mr]? (?:firma|eigene\w*|arbeitgeber)|(?:mon|notre) (?:entreprise|employeur)|mi (?:empresa)|nuestra empresa|la mia azienda|la nostra azienda|(?:a )?(?:minha|nossa) empresa|mijn bedrijf|ons bedrijf|moja firma|nasza firma)\b"
)
_DENIED = re.compile(
    r"\b(?:i(?:'m| am)?|we(?:'re| are)?)? ?(?:do not|don'?t|not|never|no longer|am not|ain'?t|isn'?t|didn'?t|neither) (?:actually |even |in any way |personally )?(?:work(?:ed|ing)?|employed|affiliated|associated|paid|sponsored|connected|with|from|an employee|a shill|related|representing)\b(?! (?:on|with the|properly|after|when|if|again|anymore|any more|any longer|yet|correctly|as |like|until|because|well|today|without|out|outside|to )\b)(?! with (?:this|that|the|your|my|some|old|new|all))"
    r"|\b(?:no|zero|without any) (?:affiliation|connection|relation(?:ship)?|ties|association|link) (?:with|to|whatsoever|here)|\bnot affiliated\b|\bunaffiliated\b|\bindependent (?:reviewer|user|customer|opinion|tester)\b|\bnobody (?:is )?pa(?:ys|ying) me\b|\b(?:not|never|isn'?t) (?:a|an) (?:ad|advert(?:isement)?|shill|sponsored|paid)\b"
    r"|\bi used to work\b|\bi (?:once|formerly|previously) worked\b|\bmy (?:friend|brother|sister|cousin|buddy|neighbou?r|wife|husband|mate|dad|mum|mom) (?:works|is|runs|owns)\b|\bi wish i worked\b|\bif i worked\b"
    r"|\b(?:arbeite|bin) (?:ich )?(?:ubrigens |selbst |gar |auch |aber )?(?:nicht|weder|nie)\b[^.!?]{0,20}\b(?:bei|fur|von|angestellt|mitarbeiter)|\bhabe (?:mit \w+(?: \w+)? )?nichts (?:mit \w+(?: \w+)? )?zu tun\b|\b(?:kein\w*|ohne) (?:mitarbeiter\w*|werbung|verbindung zu|angestellte\w*|bezug zu)\b|\b(?:mein|ein) (?:freund|bruder|kumpel|kollege|nachbar) arbeitet\b|\bkeine verbindung\b"
    r"|\bje ne (?:travaille|suis) pas\b|\bj'?ai (?:aucun|pas de) lien|\baucun lien (?:avec|d)|\bsans (?:aucun )?lien avec|\bnon affilie|\bje n'ai aucun|\bmon (?:ami|pote|frere|voisin) (?:travaille|bosse)\b"
    r"|\bno (?:trabajo|tengo (?:nada que ver|relacion|ninguna relacion))\b|\bsin (?:relacion|vinculo|ninguna relacion) con\b|\bno soy (?:de|empleado|parte)\b|\bmi (?:amigo|hermano|primo|vecino) trabaja\b"
    r"|\bnon (?:lavoro|ho (?:nulla|niente) a che fare|sono (?:affiliat|dipendent|un dipendent|di))|\bnessun legame\b|\bil mio amico lavora\b"
    r"|\bnao (?:trabalho|tenho (?:nada a ver|ligacao|qualquer (?:ligacao|relacao)|relacao)|sou (?:funcionari|da|do|afiliad))|\bsem (?:ligacao|vinculo|relacao) (?:com|a)\b|\bmeu amigo trabalha\b"
    r"|\bik werk (?:er )?niet\b|\b(?:geen|niet) (?:verbonden|banden|medewerker|gelieerd)\b|\bheb er niets mee te maken\b"
    r"|\bnie (?:pracuje|jestem (?:pracowni|zwiazan)|mam (?:nic wspolnego|zwiazku|powiazan))"
)  # fmt: skip
_POSED = (
    r"\b(?:as|just|i'?m|i am|only|speaking as)(?: just| only)? (?:a|an)(?: \w+){0,2} (?:customer|buyer|client|fan|user|consumer|shopper|random guy|random person|hobbyist|car owner|private person)\b|\b(?:happy|satisfied|loyal|regular|long-?time|delighted) (?:customer|buyer|client|user)\b(?! (?:is|are|service|means|base))|\bbeen (?:a|their) (?:\w+ )?customer\b"
    r"|\bbin (?:\w+ ){0,3}kunde\b|\bbin kundin\b|\b(?:als|nur ein|nur eine|zufriedene[r]?|begeisterte[r]?|langjahrige[r]?|treue[r]?) (?:\w+ )?kund(?:e|in)\b|\b(?:simple|client|cliente) (?:client|cliente|satisfaite?|content|fidele)\b|\ben tant que client|\bje suis client"
    r"|\bcliente (?:satisfech[oa]|content[oa]|feliz|habitual|fiel|soddisfatt[oa]|felice|affezionat[oa]|satisfeit[oa]|de longa data)\b|\bcomo cliente\b|\bcome cliente\b|\bsoy (?:\w+ )?cliente\b|\bsono (?:\w+ ){0,2}cliente\b|\bsou (?:\w+ )?cliente\b"
    r"|\b(?:tevreden|blije|trouwe|gewone) klant\b|\bals klant\b|\bben (?:\w+ )?klant\b|\b(?:zadowolon\w+|staly|wiern\w+|zwykly) klient\w*\b|\bjako klient\w*\b|\bjestem (?:\w+ )?klient\w*\b"
)  # fmt: skip
_BOUGHT = (
    r"\b(?:i(?:'ve| have)?|we(?:'ve| have)?|my (?:wife|husband|dad|brother|friend|mate|boss)) (?:just |always |recently |also |finally |personally |only |already )?(?:bought|ordered|purchased|got|been using|used|use|been buying|buy|picked up|switched to|tried|installed|owned?|swear by)\b[^.!?\n]{{0,60}}\b{name}\b"
    r"|\bich (?:habe|hab|kaufe|bestelle|nutze|fahre|verwende)\b[^.!?\n]{{0,50}}\b{name}\b[^.!?\n]{{0,50}}\b(?:gekauft|bestellt|zufrieden|begeistert|seit|immer)|\bj'(?:ai|utilise|achete)\b[^.!?\n]{{0,50}}\b{name}\b|\b(?:compre|uso|he comprado|llevo (?:anos|meses)|pedi)\b[^.!?\n]{{0,50}}\b{name}\b|\b(?:ho (?:comprato|preso|ordinato)|uso|compro)\b[^.!?\n]{{0,50}}\b{name}\b|\b(?:comprei|uso|encomendei|compro)\b[^.!?\n]{{0,50}}\b{name}\b|\bik (?:heb|koop|gebruik)\b[^.!?\n]{{0,50}}\b{name}\b|\b(?:kupilem|kupilam|uzywam|zamowilem|zamowilam)\b[^.!?\n]{{0,50}}\b{name}\b"
)  # fmt: skip


def sentence(card: RuleCard, language: str, firm: str) -> str:
    """The words that say for whom one speaks, in the language of the text."""
    spoken = language.lower().partition("-")[0]
    said = card.disclosure.get(spoken) or DISCLOSURES.get(spoken)
    return (said or card.disclosure.get("en") or DISCLOSURES["en"]).format(firm=firm)


def tag(card: RuleCard, firm: str) -> str:
    return card.vendor_tag.format(firm=firm)


def disclosed(card: RuleCard, text: str, language: str, firm: str) -> str:
    """The text with what the venue wants said of its writer, where the venue wants it; as it is where it has it.

    Where the whole sentence does not fit, the firm's name in brackets does; a text that is too long even so
    keeps it, since who speaks may not be left out: its length is then a finding.
    """
    found = text.strip()
    if not firm or not found:
        return found
    read = folded(found)
    if wants_tag(card) and not has_tag(card, read, firm):
        found = f"{tag(card, firm)} {found}"
    if card.disclosure_as == "sentence" and not is_disclosed(card, read, firm):
        longer = f"{found}\n\n{sentence(card, language, firm)}"
        shorter = f"{found} {SHORT.format(firm=firm)}"
        fits = not card.length_max or length(longer, card.length_as) <= card.length_max
        found = longer if fits else shorter
    return found


def wants_tag(card: RuleCard) -> bool:
    return card.must_tag_vendor or card.disclosure_as == "tag"


def has_tag(card: RuleCard, text: Folded, firm: str) -> bool:
    """Whether the vendor's tag stands first."""
    return text.plain.lstrip().startswith(plain(tag(card, firm)))


def is_disclosed(card: RuleCard, text: Folded, firm: str, names: Sequence[str] = ()) -> bool:
    """Whether the text says for whom its writer speaks; a denial is none."""
    low = re.sub(r"\s+", " ", text.plain)
    if is_denied(text):
        return False
    for said in (*card.disclosure.values(), *DISCLOSURES.values(), SHORT, card.vendor_tag):
        if firm and plain(said.format(firm=firm)).rstrip(".。") in low:
            return True
    for name in (firm, *names):
        if len(name) < 2:
            continue
        named = re.escape(plain(name))
        if any(
            not _is_doubtful(m, low) for m in re.finditer(rf"(?P<before>{_BEFORE})\W{{0,3}}{named}\b", low)
        ):
            return True
        if re.search(rf"(?:^|[.!?\n(\[-]\s*){named}{_AFTER}", low):
            return True
        if re.search(
            rf"[-~(\[]\s?(?:\w+,? ?(?:from |@ ?|at |, )?)?{named}(?: (?:team|support|staff))?\W{{0,2}}$", low
        ):
            return True
        if _SELF.search(low) and re.search(rf"\b{named}\b", low):
            return True
    return False


# Verbs and prepositions before a name that are no signature: "order from Otter", "recommend the people at Otter".
_NO_SIGNATURE = re.compile(
    r"\b(?:order\w*|buy|bought|get|got|one|ones|it|them|that|this|those|these|kit|blades?|parts?|stuff|set|people|guys|folks|things?|products?|pair|quality|tools?|site|shop|store|page|offer|deal|heard|mine|something|available|great|back|refund|tire|cable|prices?|gekauft|bestellt|kauf\w*|produkte?|teile?|leute|sachen|angebot\w*|shop|seite|das|die|der|eins|achete\w*|commande\w*|produits?|ceux|celui|celle|site|boutique|gens|prix|compr\w+|productos?|los|las|lo|tienda|web|gente|precios?|prodotti|quelli|quello|negozio|sito|gente|prezzi|produtos?|loja|pessoal|precos?|gekocht|producten|spullen|winkel|mensen|kupi\w+|produkty?|sklep\w*|ludzie) (?:from|at|of|von|vom|de|chez|di|da|do|van|z)(?: the)? ?$"
)


def _is_doubtful(m: re.Match[str], text: str) -> bool:
    return bool(_NO_SIGNATURE.search(m["before"])) or (
        # "one from Otter", said in the middle of a sentence by nobody in particular
        bool(
            re.fullmatch(r"\w+ (?:from|at|of|von|vom|de|chez|di|da|do|d[aeo]|van|z)(?: the)? ?", m["before"])
        )
        and not re.search(
            r"(?:^|[.!?\n,(-]\s*|\b(?:hi|hello|hey|hallo|bonjour|hola|ciao|ola|czesc|this is|it'?s|ich bin|je suis|soy|sono|sou|ik ben|jestem|here|hier)\W+)$",
            text[: m.start()],
        )
    )


def is_denied(text: Folded) -> str:
    """The words that deny any tie to the firm, or pretend that there is none; empty where there are none."""
    for reading in text.readings:
        if m := _DENIED.search(reading):
            return m.group().strip()
    return ""


def is_posed(text: Folded, names: Sequence[str] = ()) -> str:
    """The words by which the writer passes for a customer."""
    for reading in text.readings:
        if m := re.search(_POSED, reading):
            return m.group().strip()
        for name in names:
            if len(name) > 2 and (m := re.search(_BOUGHT.format(name=re.escape(plain(name))), reading)):
                return m.group().strip()
    return ""
