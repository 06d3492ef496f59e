"""Whether a text promotes: offers, codes, calls to buy, praise of oneself, and what leads people elsewhere. Pure.

In eight languages: English, German, French, Spanish, Italian, Portuguese, Dutch and Polish. Patterns are held
against text in small letters without accents. What is said of an order that somebody has already placed ("your
discount was not applied; we have corrected it") is help, so sentences about an order's own discount are let be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.venues.rules.folding import Folded, plain

_PERCENT = r"(?:\d{1,2}(?:[.,]\d)?\s?(?:%|percent|per cent|prozent|pour cent|por ciento|per cento|por cento|procent)|half|halben?)"


@dataclass(frozen=True, slots=True)
class Promoting:
    """What promotes in a text: its kind (offer, code, call, praise, elsewhere, votes) and the words."""

    kind: str
    words: str


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


_OFFER = _any(
    # English
    rf"{_PERCENT}\s?(?:off|discount|reduction|cheaper|less than)\b", r"\bhalf[- ]price\b", r"\bmoney off\b",
    rf"\bsave (?:up to |an? extra |over )?(?:{_PERCENT}|[$€£]\s?\d+|\d+\s?(?:€|\$|£|eur|euros?|usd|dollars|pounds|bucks))",
    r"\bfree (?:shipping|delivery|postage|gift|trial|sample)s?\b", r"\b(?:special|limited|exclusive|intro(?:ductory)?|launch|black friday|holiday) (?:time )?(?:offer|deal|price|discount)s?\b",
    r"\b(?:buy one,? get (?:one|1)|bogo|two for one|2 for 1|3 for 2)\b", r"\b(?:now |currently )?on sale\b(?! in)", r"\b(?:spring|summer|winter|autumn|clearance|flash|big|our|weekend) sale\b",
    r"\b(?:great|best|amazing|unbeatable|hot|crazy|good) (?:deal|offer|price)s?\b", r"\b(?:only|just|from) (?:[$€£]\s?\d+(?:[.,]\d+)?|\d+(?:[.,]\d+)?\s?(?:€|\$|£|eur|euros|usd|dollars|pounds|bucks))(?= (?:right )?now| today| this| until| in our| at our| from us| with us| (?:this|for a) |[!])",
    r"\b(?:a|our|your|exclusive|little|small|welcome) (?:discount|voucher|coupon)s?\b(?! (?:was|is|has|had|did|does|could|should|on your order|that|code (?:was|is|did|does|not)|(?:did|does)n'?t))",
    r"\blowest prices?\b", r"\bprice (?:match|drop|cut)\b", r"\bcash ?back\b", r"\bno[- ]obligation\b", r"\bmoney[- ]back guarantee\b", r"\bwhile (?:stocks?|supplies) lasts?\b",
    # German
    rf"{_PERCENT}\s?(?:rabatt|nachlass|gunstiger|billiger|reduziert|auf alles|sparen|skonto)\b", r"\b(?:sonder|fruhlings|sommer|winter|herbst|jubilaums|tages|top)-?(?:angebot|aktion|rabatt)\w*\b",
    r"\bim angebot\b", r"\b(?:versandkostenfrei|gratis ?versand|kostenloser versand|schnappchen|spar(?:preis|angebot|aktion)|rabattaktion|ausverkauf|preisknaller|tiefstpreis\w*|bestpreis\w*|willkommensrabatt)\b",
    r"\b(?:einen?|unseren?|deinen|ihren|euren|kleinen?) (?:rabatt|preisnachlass|gutschein|schnappchen)\b(?! (?:wurde|war|ist|nicht))", r"\bnur (?:heute|diese woche|noch (?:heute|bis|wenige|kurze))\b", r"\bspar(?:e|st|t|en sie) (?:jetzt |heute )?(?:bis zu )?(?:\d|€)",
    r"\b(?:fur|ab) (?:nur|schlappe|gerade mal) \d+(?:[.,]\d+)?\s?(?:€|eur|euro)",
    # French
    rf"{_PERCENT}\s?(?:de )?(?:reduction|remise|rabais|offerts?|moins cher)\b", r"(?:^|\s)-\s?\d{1,2}\s?%", r"\b(?:offre (?:speciale|exclusive|limitee|du moment)|en promo(?:tion)?|en soldes?|bon plan|vente flash|code avantage)\b",
    r"\b(?:livraison|frais de port) (?:offerte?s?|gratuite?s?)\b", r"\b(?:une?|notre|votre|petite?) (?:remise|reduction|ristourne|rabais)\b(?! (?:n'|a |est|etait))", r"\bprix (?:casses?|imbattables?|cadeau|mini)\b", r"\bprofitez\b", r"\bprofite\b(?! (?:de ce message|bien))", r"\b(?:seulement|a partir de) \d+(?:[.,]\d+)?\s?(?:€|euros?) (?:chez nous|en ce moment|aujourd)",
    # Spanish
    rf"{_PERCENT}\s?(?:de )?(?:descuento|dto|rebaja)\b", r"\b(?:oferta (?:especial|limitada|exclusiva|del dia)|en oferta|de oferta|rebajas|rebajad[oa]s?|chollo|ganga|liquidacion|2x1|3x2)\b", r"\b(?:envio|gastos de envio|portes) (?:gratis|gratuitos?)\b",
    r"\b(?:un|nuestro|pequeno|tu) (?:descuento|cupon|vale)\b(?! (?:no|se|fue|era|ya|que))", r"\b(?:aprovecha(?:d|te|en)?|aproveche)\b(?! (?:para|que))", r"\bahorra(?:s|ras|d)? (?:hasta |un )?\d", r"\bsolo por \d+(?:[.,]\d+)?\s?(?:€|euros?)", r"\bmejores? precios?\b",
    # Italian
    rf"{_PERCENT}\s?(?:di )?(?:sconto|ribasso)\b", rf"\bsconto (?:del )?{_PERCENT}", r"\b(?:offerta (?:speciale|limitata|lampo|esclusiva)|in offerta|in promozione|in saldo|saldi|sottocosto)\b", r"\b(?:spedizione|consegna) (?:gratuita|gratis|omaggio)\b",
    r"\b(?:uno|nostro|piccolo|tuo) (?:sconto|buono|coupon)\b(?! (?:non|e |era|che))", r"\bapprofitta(?:te|ne|tene)?\b", r"\brisparmi(?:a|ate|erai)? (?:fino a |il )?\d", r"\b(?:miglior prezzo|prezzi? imbattibil[ei])\b", r"\ba soli \d+",
    # Portuguese
    rf"{_PERCENT}\s?(?:de )?desconto\b", r"\b(?:oferta (?:especial|relampago|exclusiva)|em promocao|em oferta|em saldos?|liquidacao|pechincha|queima de estoque)\b", r"\b(?:frete|envio|portes) (?:gratis|gratuitos?)\b",
    r"\b(?:um|nosso|pequeno|teu|seu) (?:desconto|cupom|cupao|vale)\b(?! (?:nao|foi|era|que))", r"\baproveit(?:e|a|em)\b", r"\b(?:economize|poupe|poupa) (?:ate )?\d", r"\b(?:melhor(?:es)? precos?|por apenas \d+|a partir de apenas)\b",
    # Dutch
    rf"{_PERCENT}\s?(?:korting|goedkoper)\b", r"\b(?:aanbieding(?:en)?|actieprijs|uitverkoop|koopje|kortingsactie|in de sale|gratis (?:verzending|bezorging|levering))\b", r"\b(?:een|onze|jouw) (?:korting|kortingsbon)\b(?! (?:is|was|niet))", r"\bbespaar (?:tot |nu )?\d",
    # Polish
    rf"{_PERCENT}\s?(?:znizki|rabatu|taniej)\b", r"\b(?:promocj[aei]\w*|wyprzedaz\w*|okazj[aei]\b|w promocji|darmow[aey] (?:dostaw\w+|wysylk\w+)|gratisy?)\b", r"\b(?:rabat|znizk[aei])\b(?! (?:nie|zostal|byl))", r"\boszczedz(?:asz)? (?:do )?\d", r"\bnajlepsz\w+ cen\w+\b",
)  # fmt: skip
_CODE_WORD = (
    r"(?:promo(?:tion(?:al)?)?|discount|coupon|voucher|referral|rabatt|gutschein|aktions|promotion|reduction|avantage"
    r"|remise|descuento|promocional|sconto|promozionale|desconto|korting\w*|rabatow\w+|znizkow\w+|affiliate|gift)"
)
_CODE = _any(
    rf"\b{_CODE_WORD}[- ]?code?\b(?! (?:was|is|did|does|not|has|expired|on your))", rf"\b(?:code|kod|codigo|codice) {_CODE_WORD}\b(?! (?:n'|ne |no |non |nao ))",
    r"\b(?:coupon|voucher|gutschein(?:code)?|rabattcode|cupom|cupao|cupon|kortingscode|buono sconto|kupon)s?\b ?[:=]? ?[\"'*]?[a-z]*\d+[a-z0-9]*\b",
    r"\b(?:gutscheincode|rabattcode|kortingscode|kod rabatowy|aktionscode)\b(?! (?:wurde|war|ist|hat|nicht|is|was))",
    r"\bqr[- ]code for (?:a )?discount\b",
)  # fmt: skip
# A code is told by its letters too, so this one is held against the text in its own case.
_CODE_SEEN = re.compile(
    r"\b(?:[Uu]se|[Uu]sing|[Ee]nter|[Aa]pply|[Tt]ype|[Ww]ith|[Mm]it|[Aa]vec|[Cc]on|[Cc]om|[Mm]et|[Uu]tilisez|[Uu]sa|[Uu]sen?|[Ii]nserisci"
    r"|[Gg]ebruik|[Uu]zyj|[Uu]żyj|[Mm]ention|[Qq]uote|[Nn]utze?|[Gg]ebt?|[Uu]sando|[Zz] )\s?(?:the |our |my |dem |den |le |el |il |o |de |kod(?:em|u)? |code? |c[oó]digo |codice )*"
    r"(?:code |c[oó]digo |codice |kod(?:em|u)? |word |\W)?[\"'“„*`(]?(?P<code>[A-Z]{3,}[A-Z]*\d{1,4}|(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z]{2})[A-Z0-9]{5,})\b"
)
_CODE_CASE = re.compile(
    r"\b(?:[Cc]ode|CODE|[Cc][oó]digo|[Cc]odice|[Kk]od)\s?:?\s?[\"'“„*`]?(?P<code>[A-Z][A-Z0-9]{3,})\b(?=.{0,60}(?:checkout|%|off|kasse|bestell|panier|cart|carrello|carrinho|basket|cesta|koszyk|korting|save|rabatt))",
    re.DOTALL,
)
_FAULT_CODE = re.compile(r"^(?:[PBCU]\d{4}|E\d{1,3}|[A-Z]\d{2,3})$")

_US = r"(?:us|our|ours|we)"
_CALL = _any(
    # English
    r"\b(?:buy|order|shop|purchase|get yours|book|reserve|pre-?order|grab|snag|snap)(?: \w+){0,3} (?:now|today|here|online|right away|while)\b(?! (?:and|but|that) (?:it|they) (?:has|have|did))",
    r"\b(?:buy|order|get|grab|purchase|find|pick)(?: \w+){0,4} (?:from|at|in|on|with|via|through) (?:us|our)\b", r"\bshop (?:now|with us|our|at our|online)\b", r"\b(?:get|grab|order|claim|secure|reserve) yours\b", r"\bgrab (?:one|a|an|some|it|them)\b",
    r"\b(?:don't|do not|dont) miss\b", r"\bhurry\b", r"\bact (?:now|fast)\b", r"\blast chance\b", r"\blimited[- ](?:time|edition|stock)\b", r"\bbefore (?:they're|it's|they are) gone\b",
    r"\b(?:check(?:ing)? out|visit|browse|see|explore|discover|have a look at|take a look at|come (?:by|to)|swing by|stop by|pop (?:in|into|over) ?(?:to)?|head (?:over )?to|drop by|look at)\W+(?:us at|(?:out )?(?:our|my)(?: \w+){0,2} (?:shop|store|site|web ?site|range|catalog(?:ue)?|products?|collection|page|line|offers?|selection|deals?|services?|profile|channel|newsletter|app|pro\w*|kits?))\b",
    r"\bcheck (?:us|me) out\b", r"\b(?:sign|signing) up (?:for|to|now|today|here|with)\b", r"\bsubscribe\b(?! button)", r"\bjoin our\b", r"\bdownload our\b", r"\b(?:try|test) (?:our|ours)\b", r"\bstart (?:your|a) (?:free )?trial\b", r"\bbook (?:a|your) (?:free )?(?:demo|call|consultation)\b",
    r"\b(?:we|our shop|our store|we also|we do) (?:sell|stock|offer|carry|supply|ship)(?: \w+){0,4} (?:for (?:only|just)|at (?:a )?(?:great|good|low|best|fair|unbeatable)|starting|from [$€£\d]|worldwide|all kinds|everything)\b",
    r"\b(?:available|sold|in stock|on offer) (?:now |exclusively |only )?(?:at|in|from|through) (?:us|our)\b", r"\bwe(?:'d| would) love (?:to have you|your business)\b", r"\b(?:switch|upgrade|come over|move) to (?:us|our|ours)\b", r"\bwhy not (?:try|go with|get|treat)\b(?= (?:our|ours|us|one of ours|yourself))",
    r"\b(?:you (?:should|could|might want to|need to|really need|may like)|i'd (?:suggest|recommend)|i recommend|we recommend|consider|have you (?:tried|considered|looked at)|give|go for|go with) (?:\w+ ){0,2}(?:our|ours|my)\b(?! (?:guide|manual|instructions|help|support|advice|how-?to|repair|size|faq|notice|status|return|tracking|terms|policy|steps|notes|word|apolog|colleague|customer (?:care|service)))",
    # German
    r"\b(?:jetzt|heute|gleich|hier|sofort|schnell)(?: \w+){0,2} (?:kaufen|bestellen|zugreifen|sichern|shoppen|buchen|zuschlagen|testen|anmelden|abonnieren)\b", r"\b(?:kauf(?:t|en sie)?|bestell(?:e|t|en sie)?|hol(?:t|e|en sie)?|sicher(?:e|t|n sie)?) (?:\w+ ){0,4}(?:bei uns|in unserem|auf unserer|jetzt|heute noch|gleich hier)\b",
    r"\b(?:schau(?:t|en sie)?|besuch(?:e|t|en sie)?|stober(?:e|t|n sie)?|entdeck(?:e|t|en sie)?|guck(?:t|en sie)?|komm(?:t|en sie)?)(?: \w+){0,5} (?:unser\w*|meine[mnr]?|bei uns|in unserem|auf unserer)(?: \w+)? ?(?:shop|laden|onlineshop|seite|webseite|website|sortiment|produkte?|angebot\w*|katalog|profil|kanal|newsletter|vorbei|rein|um)\b",
    r"\b(?:bei uns|in unserem (?:shop|laden|onlineshop|sortiment|geschaft)|auf unserer (?:seite|webseite|website)) (?:gibt'?s|gibt es|bekommst du|bekommen sie|findest du|finden sie|findet ihr|erhaltlich|kaufen|bestellen|kriegst du|erhalten sie)\b", r"\b(?:gibt'?s|gibt es|bekommst du|bekommen sie|findest du|finden sie|findet ihr|kriegst du|erhaltst du|erhalten sie|hol(?:e|st)? (?:es |ihn |sie )?dir)(?: \w+){0,4} (?:bei uns|in unserem (?:shop|laden|onlineshop|sortiment)|auf unserer (?:seite|website|webseite))\b",
    r"\b(?:greif zu|greift zu|zugreifen|schlag zu|jetzt zuschlagen|nicht verpassen|solange (?:der )?vorrat reicht|letzte chance|nur fur kurze zeit|abonnier\w*|meld(?:e|et) (?:dich|euch) (?:zum|fur den|jetzt)|newsletter anmelden|probier(?:e|t|en sie)? (?:unser\w*|mal unser\w*))\b", r"\bich empfehle (?:dir|ihnen|euch)? ?(?:unser\w*)\b", r"\bwir (?:verkaufen|fuhren|bieten) (?:\w+ ){0,4}(?:ab|fur nur|zum (?:kleinen|besten|fairen) preis|gunstig)\b",
    # French
    r"\b(?:achete[zr]?|commande[zr]?|reserve[zr]?|craque[zr]?)(?: \w+){0,4} (?:maintenant|aujourd'hui|chez nous|sur notre|dans notre|ici|en ligne|vite)\b", r"\b(?:visite[zr]?|decouvre[zr]?|decouvrir|consulte[zr]?|passe[zr]?|venez|viens|va voir|allez voir|jete[zr] un oeil|rendez-vous)(?: \w+){0,3} (?:sur |dans |a |par |au )?(?:notre|nos|mon|mes)(?: \w+)? ?(?:boutique|magasin|site|gamme|produits?|catalogue|collection|page|offres?|profil|chaine)\b",
    r"\b(?:ne (?:ratez|manquez|rate|manque) pas|depechez-vous|depeche-toi|derniere chance|dans la limite des stocks|inscrivez-vous|inscris-toi|abonnez-vous|abonne-toi|telechargez notre|essayez (?:notre|nos)|essaie (?:notre|nos))\b", r"\b(?:disponibles?|en vente|en stock)(?: \w+){0,2} (?:chez nous|dans notre|sur notre)\b", r"\bchez nous,? (?:vous (?:trouver\w*|avez)|tu (?:trouv\w*|as)|c'est (?:moins cher|seulement))\b", r"\b(?:vous|tu) (?:trouvere?z|trouveras|pouvez|peux)(?: (?:le|la|les|l'))?\s?(?:acheter|commander|trouver)?(?: \w+){0,3} (?:chez nous|sur notre site|dans notre (?:boutique|magasin)|sur notre boutique)\b", r"\b(?:je (?:vous|te) (?:recommande|conseille)|nous vous (?:recommandons|conseillons)) (?:notre|nos)\b(?! (?:guide|notice|mode|page d'aide))",
    # Spanish
    r"\b(?:compra(?:d|lo|la|los|las|te)?|compre(?:lo|la|los|las)?|pide(?:lo|la|los|las)?|pida(?:lo|la|los|las)?|reserva(?:lo|la)?|encarga(?:lo|la)?|consigue(?:lo|la)?)(?: \w+){0,4} (?:ya|ahora|hoy|aqui|en nuestra|con nosotros|online|en linea)\b", r"\b(?:visita(?:d|nos)?|visite(?:nos)?|descubre|descubra|mira|mire|echa un vistazo a|pasate|pase|pasa|conoce)(?: \w+){0,2} (?:por |a )?(?:nuestr[oa]s?|mi)(?: \w+)? ?(?:tienda|web|pagina|sitio|catalogo|productos?|gama|perfil|canal|ofertas?|coleccion)\b",
    r"\b(?:no te lo pierdas|no se lo pierda|no te (?:la|los|las) pierdas|date prisa|ultimas unidades|ultima oportunidad|suscribete|suscribase|registrate|descarga nuestra|prueba (?:nuestr[oa]s?))\b", r"\b(?:en nuestra (?:tienda|web|pagina)|con nosotros) (?:lo |la |los |las )?(?:tienes|tiene|encontraras|encontrara|puedes|puede|hay|tenemos)\b", r"\b(?:lo |la |los |las )?(?:tienes|tenemos|encontraras|puedes (?:comprar|encontrar|pedir)\w*|disponibles?|a la venta)(?: \w+){0,4} en nuestra (?:tienda|web|pagina)\b", r"\b(?:te|le|os) (?:recomiendo|recomendamos) nuestr[oa]s?\b(?! (?:guia|manual|pagina de ayuda))",
    # Italian
    r"\b(?:acquista(?:te|lo|la|li)?|compra(?:te|lo|la|li)?|ordina(?:te|lo|la|li)?|prenota(?:te|lo|la)?)(?: \w+){0,4} (?:ora|adesso|subito|oggi|qui|da noi|nel nostro|sul nostro|online)\b", r"\b(?:visita(?:te|ci)?|scopri(?:te)?|guarda(?:te)?|dai un'occhiata a(?:l|lla|i)?|passa(?:te)? (?:d)?a(?:l|lla)?|vieni|venite)(?: \w+){0,2} (?:nel |sul |dal |al )?(?:nostr[oaie]|mio)(?: \w+)? ?(?:negozio|sito|shop|catalogo|prodotti|gamma|pagina|profilo|offerte|canale)\b",
    r"\b(?:non perdere|non perdetevi|non farti scappare|affrettati|ultima occasione|ultimi pezzi|iscriviti|iscrivetevi|abbonati|scarica la nostra|prova (?:il nostro|la nostra|i nostri|le nostre))\b", r"\b(?:disponibil[ei]|in vendita|lo trovi|li trovi|la trovi|le trovi|puoi (?:acquistar|comprar|trovar|ordinar)\w*)(?: \w+){0,3} (?:da noi|nel nostro (?:negozio|shop|sito)|sul nostro (?:sito|shop|negozio))\b", r"\bda noi (?:trovi|trovate|costa|puoi)\b", r"\b(?:ti|vi|le) (?:consiglio|consigliamo) (?:il nostro|la nostra|i nostri|le nostre)\b(?! guid)",
    # Portuguese
    r"\b(?:compr[ae](?:m|-[oa]s?)?|peca|pede|encomend[ae]|reserv[ae]|garanta|adquira)(?: \w+){0,4} (?:ja|agora|hoje|aqui|connosco|conosco|na nossa|no nosso|online)\b", r"\b(?:visit[ae](?:-nos)?|descubra|descobre|conheca|confir[ae]|veja|ve|passe|passa|de uma olhada|acess[ae])(?: \w+){0,2} (?:n?[ao]s? |pel[ao] )?(?:noss[oa]s?|meu)(?: \w+)? ?(?:loja|site|pagina|catalogo|produtos?|linha|perfil|canal|ofertas?)\b",
    r"\b(?:nao perca|nao percam|nao percas|corra|ultimas unidades|ultima chance|inscrev[ae](?:-se|-te)?|subscrev[ae]|assine (?:a nossa|nossa)|baixe nosso|experimente (?:o nosso|a nossa|os nossos|nosso|nossa))\b", r"\b(?:disponive(?:l|is)|a venda|temos|encontra|encontras|pode (?:comprar|encontrar|encomendar)|podes (?:comprar|encontrar))(?: \w+){0,4} (?:na nossa loja|no nosso site|na nossa pagina|connosco|conosco)\b", r"\b(?:recomendo|recomendamos|aconselho)(?:-lhe|-te)? (?:o nosso|a nossa|os nossos|as nossas|nosso|nossa)\b(?! (?:guia|manual))",
    # Dutch
    r"\b(?:koop|bestel|shop|scoor|reserveer|haal)(?: \w+){0,4} (?:nu|vandaag|hier|online|bij ons|in onze|via onze|snel)\b", r"\b(?:bekijk|bezoek|ontdek|kijk(?: eens)? (?:op|in|bij)|neem een kijkje (?:op|in|bij))(?: \w+){0,2} (?:onze?|mijn)(?: \w+)? ?(?:winkel|webshop|shop|site|website|assortiment|producten?|aanbod|pagina|profiel|kanaal)\b", r"\b(?:mis (?:het|dit|hem) niet|op is op|laatste kans|zolang de voorraad strekt|schrijf je (?:nu )?in|meld je aan voor onze|abonneer je|probeer onze?)\b", r"\b(?:te koop|verkrijgbaar|te vinden|te krijgen|kun je|vind je|koop je) (?:\w+ ){0,4}(?:bij ons|in onze (?:winkel|webshop)|op onze (?:site|website))\b", r"\b(?:wij|we) verkopen (?:\w+ ){0,4}(?:vanaf|voor maar|voor slechts)\b",
    # Polish
    r"\b(?:kup|kupcie|zamow|zamowcie|zarezerwuj)(?: \w+){0,4} (?:teraz|juz|dzis|dzisiaj|tutaj|u nas|w naszym|online)\b", r"\b(?:odwiedz(?:cie)?|sprawdz(?:cie)?|zobacz(?:cie)?|zajrzyj(?:cie)?|poznaj)(?: \w+){0,2} (?:do |na )?nasz\w*(?: \w+)? ?(?:sklep\w*|stron\w*|ofert\w*|produkt\w*|katalog\w*|profil\w*|kanal\w*|asortyment\w*)\b", r"\b(?:nie przegap|ostatnia szansa|ostatnie sztuki|do wyczerpania zapasow|zapisz sie|subskrybuj|wyprobuj nasz\w*|pospiesz sie)\b", r"\b(?:dostepn\w+|kupisz|znajdziesz|zamowisz|w sprzedazy) (?:\w+ ){0,4}(?:u nas|w naszym sklepie|na naszej stronie)\b", r"\bpolecam(?:y)? (?:\w+ )?nasz\w*\b(?! (?:poradnik|instrukcj))",
)  # fmt: skip
_PRAISE = _any(
    r"\b(?:our|ours|we)\b[^.!?\n]{0,50}\b(?:the best|number one|no\. ?1|#1|unbeatable|world[- ]class|award[- ]winning|best[- ]in[- ]class|industry[- ]leading|second to none|market leader|leading (?:brand|supplier|provider|maker)|unmatched|superior|top[- ]quality|premium[- ]quality|highest quality|game[- ]changer|revolutionary|cheapest|most trusted)\b",
    r"\b(?:best|finest|number one|#1|no\. ?1|leading|cheapest)(?: \w+){0,4} (?:on the market|in the business|around|money can buy|you can (?:buy|get)|out there|in town|in (?:the country|germany|europe|the world))\b(?=[^?]*(?:[.!\n]|$))", r"\byou(?:'ll| will) (?:love|not regret|never look back|thank (?:me|us))\b", r"\byou won'?t (?:regret|be disappointed|find (?:better|anything better|cheaper))\b", r"\bnever look(?:ed)? back\b", r"\bthousands of (?:happy|satisfied) customers\b", r"\bnothing (?:beats|comes close to)\b", r"\b(?:can'?t|cannot) recommend (?:\w+ ){1,4}(?:enough|highly enough)\b", r"\bhands down the best\b", r"\bby far the best\b", r"\blife[- ]?saver\b(?= .{0,40}\bour\b)",
    r"\b(?:unser\w*|wir)\b[^.!?\n]{0,50}\b(?:die besten?|das beste|der beste|marktfuhrer|nummer (?:1|eins)|unschlagbar\w*|preisgekront\w*|einzigartig\w*|erstklassig\w*|premiumqualitat|spitzenqualitat|testsieger|revolutionar\w*)\b", r"\b(?:die besten|das beste|der beste|die beste|testsieger)(?: \w+){0,3} (?:auf dem markt|am markt|weit und breit|in deutschland|uberhaupt)\b", r"\bwirst (?:du )?(?:es )?(?:nicht bereuen|begeistert sein|es lieben)\b", r"\bwerden (?:sie )?(?:begeistert sein|es nicht bereuen|es lieben)\b", r"\btausende (?:zufriedener?|glucklicher?) kunden\b",
    r"\b(?:notre|nos|nous)\b[^.!?\n]{0,50}\b(?:les? meilleure?s?|la meilleure|numero 1|numero un|imbattables?|incontournables?|primees?|haut de gamme|de qualite superieure|leader)\b", r"\b(?:meilleure?s?)(?: \w+){0,3} (?:du marche|sur le marche|de france)\b", r"\b(?:vous|tu) (?:allez|vas) (?:l')?adorer\b", r"\b(?:vous ne le regretterez pas|tu ne le regretteras pas|des milliers de clients satisfaits)\b",
    r"\b(?:nuestr[oa]s?|somos|nosotros)\b[^.!?\n]{0,50}\b(?:los? mejore?s?|la mejor|las mejores|numero uno|numero 1|imbatibles?|lideres?|de primera calidad|inigualables?)\b", r"\b(?:mejor(?:es)?)(?: \w+){0,3} (?:del mercado|de espana)\b", r"\bte (?:va|van) a encantar\b", r"\bno te arrepentiras\b", r"\bmiles de clientes satisfechos\b",
    r"\b(?:nostr[oaie]|siamo|noi)\b[^.!?\n]{0,50}\b(?:i miglior[ie]|il migliore?|la migliore?|le migliori|numero uno|imbattibil[ei]|leader|di prima qualita|premiat[oaie])\b", r"\b(?:miglior[ei]?)(?: \w+){0,3} (?:sul mercato|del mercato|in italia)\b", r"\b(?:te ne innamorerai|lo adorerai|non te ne pentirai|migliaia di clienti soddisfatti)\b",
    r"\b(?:noss[oa]s?|somos)\b[^.!?\n]{0,50}\b(?:os? melhor(?:es)?|a melhor|as melhores|numero um|numero 1|imbative(?:l|is)|lideres?|de primeira qualidade)\b", r"\b(?:melhor(?:es)?)(?: \w+){0,3} (?:do mercado|de portugal|do brasil)\b", r"\bvai adorar\b", r"\bnao se vai arrepender\b", r"\bnao vai se arrepender\b", r"\bmilhares de clientes satisfeitos\b",
    r"\b(?:onze?|wij)\b[^.!?\n]{0,50}\b(?:de beste|het beste|nummer (?:1|een)|onverslaanbaar|marktleider|topkwaliteit|bekroonde?)\b", r"\b(?:beste)(?: \w+){0,3} (?:op de markt|van nederland)\b", r"\b(?:je zult er geen spijt van krijgen|duizenden tevreden klanten|geen spijt van)\b",
    r"\bnasz\w*\b[^.!?\n]{0,50}\b(?:najleps\w+|numer jeden|niezawodn\w+|bezkonkurencyjn\w+|najwyzszej jakosci)\b", r"\bnajlepsz\w+(?: \w+){0,3} na rynku\b", r"\bnie pozalujesz\b", r"\btysiace zadowolonych klientow\b",
)  # fmt: skip
_ELSEWHERE = _any(
    r"\b(?:dm|pm|inbox|message|text|whatsapp|ping|mail|e-?mail|call|ring|phone)\W{0,2} (?:us|me)\b", r"\b(?:send|drop|shoot|slide)(?: \w+){0,3} (?:a |an )?(?:dm|pm|private message|direct message|inbox|message|e-?mail|line|text)\b(?! (?:was|is|from))", r"\b(?:in(?:to)?|via|by|through|over) (?:our |my |the |a )?(?:dms?|pms?|inbox|private message|direct message|private chat|whatsapp|telegram)\b", r"\bdms? (?:are |is )?open\b", r"\bcontact (?:us|me|our)\b", r"\breach (?:out to )?(?:us|me) (?:at|on|via|by|through|privately|directly)\b", r"\breach out(?: to us| privately| directly)\b", r"\bget in touch\b", r"\bwrite (?:to )?us (?:at|privately|an?)\b", r"\blink in (?:the |our |my )?(?:bio|profile|description|comments?)\b", r"\b(?:see|check) (?:our|my) (?:bio|profile)\b", r"\blet'?s (?:take this|talk|move this|continue)(?: \w+){0,2} (?:private|privately|offline|dms?)\b", r"\bcall (?:our|the) (?:hotline|sales|team|shop)\b", r"\bhit us up\b", r"\bmessage (?:us|me)\b", r"\bgive us a (?:call|ring|shout)\b",
    r"\b(?:schreib(?:e|t|en sie)?|schick(?:e|t|en sie)?|send(?:e|et|en sie)?)(?: \w+){0,3} (?:pn|dm|direktnachricht|privatnachricht|private nachricht|nachricht|e-?mail|mail|whatsapp)\b", r"\b(?:per|als) (?:pn|dm|direktnachricht|whatsapp|privatnachricht)\b", r"\bschreib(?:t|en sie)? uns\b", r"\b(?:ruf(?:t|e|en sie)? (?:uns|mich) (?:doch |einfach |gern\w* )?an|rufen sie uns|kontaktier\w* (?:sie )?(?:uns|mich)|meld(?:e|et)? (?:dich|euch) (?:gern\w* |einfach |doch |privat |direkt )*(?:bei uns|per|privat)|melden sie sich (?:gern\w* |bitte )?bei uns|link (?:im|in der|in unserem|in der) (?:profil|bio))\b", r"\bpn an (?:uns|mich)\b",
    r"\b(?:envoye[zr]?|envoie|ecrive[zr]|ecris|contacte[zr]?|appele[zr]|appelle)(?:\W(?:nous|moi))\b", r"\b(?:en|par) (?:mp|dm|message prive|prive|whatsapp)\b", r"\bmp(?:ez|e)?[- ](?:nous|moi)\b", r"\b(?:nous|me) (?:contacter|ecrire|appeler|joindre) (?:au|par|en|a)\b", r"\blien (?:en|dans (?:la|notre|ma)) (?:bio|profil|description)\b", r"\bn'hesitez pas a nous (?:contacter|ecrire|appeler)\b",
    r"\b(?:manda|mande|envia|envie|escribe|escriba|contacta|contacte|llama|llame|mandad|escribid)(?:nos|me)\b", r"\bpor (?:dm|md|privado|mensaje privado|mensaje directo|whatsapp|interno|inbox)\b", r"\b(?:enlace|link) en (?:la |nuestra |mi |el )?(?:bio|perfil|descripcion)\b", r"\b(?:ponte|pongase) en contacto\b",
    r"\b(?:manda|mandate|invia|inviate|scrivi|scrivete|contatta|contattate|chiama|chiamate)(?:ci|mi|teci|temi)\b", r"\bin (?:dm|privato|pvt|direct)\b", r"\b(?:via|su|per) (?:whatsapp|messaggio privato|telegram)\b", r"\blink in (?:bio|profilo|descrizione)\b", r"\bmettiti in contatto\b", r"\bmessaggio privato\b",
    r"\b(?:mand[ae]|envi[ae]|escrev[ae]|contact[ae]|lig[ae]|cham[ae])-?(?:nos|me)\b", r"\b(?:chama|manda|envia|envie|mande|fale)(?: \w+){0,3} (?:dm|direct|inbox|privado|pv|mp|whatsapp|zap|mensagem)\b", r"\b(?:por|no|na|via) (?:dm|direct|privado|mensagem privada|mp|inbox|whatsapp|pv)\b", r"\blink n[ao] (?:bio|perfil|descricao)\b", r"\bentre? em contacto? connosco\b", r"\bfale conosco\b", r"\bentre em contato\b",
    r"\b(?:stuur|mail|bel|app|contacteer|dm|pb)(?: (?:even|gerust|dan))? ?(?:ons|mij|me)\b", r"\bstuur(?: \w+){0,3} (?:dm|pb|prive ?bericht|bericht|mailtje|mail)\b", r"\b(?:via|per|in) (?:een )?(?:dm|pb|prive ?bericht|whatsapp|de dm'?s)\b", r"\blink in (?:onze |de )?(?:bio|profiel)\b", r"\bneem (?:dan |even |gerust )?contact (?:met ons )?op\b",
    r"\b(?:napisz(?:cie)?|zadzwon(?:cie)?|odezwij sie)(?: \w+){0,2} (?:do nas|do mnie|na priv|w wiadomosci|na pw)\b", r"\bna (?:priv|pw|privie|whatsappie)\b", r"\bskontaktuj (?:sie )?z nami\b", r"\bskontaktuj sie\b", r"\blink w (?:bio|opisie|profilu)\b", r"\bwiadomosc(?:i)? prywatn\w+\b",
)  # fmt: skip
_VOTES = _any(
    r"\bup-?vot(?:e|es|ing)\b(?! (?:button|count))", r"\b(?:please|pls|don't forget to|remember to|and|hit|smash) (?:like|share|retweet|repost|boost|follow|favou?rite|rate)\b(?! (?:the|these|those|this step|along))", r"\bfollow (?:us|me|our|@)", r"\b(?:like|share|retweet|repost|boost) (?:and|&|\+) (?:like|share|retweet|repost|follow|subscribe|comment)\b", r"\b(?:leave|write|give|drop|post)(?: \w+){0,3} (?:review|rating|stars?|thumbs up|like)s?\b(?! (?:was|is|that))", r"\b(?:five|5)[- ]?stars?\b(?= .{0,30}\b(?:us|review|rating|please)\b)", r"\brate us\b", r"\b(?:tell|tag) (?:your|a|all) friends?\b", r"\bspread the word\b", r"\baccept (?:this|my|our) answer\b", r"\bmark (?:this|it) as (?:accepted|solution|best)\b",
    r"\b(?:folg(?:e|t|en sie)? uns|folg(?:e|t) mir|likt? (?:und|uns|den)|lasst? (?:\w+ ){0,3}(?:like|daumen|bewertung|abo|sterne)\b|teil(?:e|t) (?:den|diesen|das|dies\w*|gern\w*) (?:beitrag|post)|bewert(?:e|et|en sie) uns|(?:hinterlass(?:e|t|en sie)?|schreib\w*)(?: \w+){0,4} (?:bewertung|rezension))",
    r"\b(?:suivez|suis)[- ](?:nous|moi)\b", r"\b(?:likez|partagez|aimez et partagez|likez et partagez|retweetez)\b", r"\blaisse[zr]?(?:[- ]nous)?(?: \w+){0,2} (?:avis|etoiles?|like|pouce)\b", r"\bnotez-nous\b",
    r"\b(?:sigue(?:nos|me)|siga(?:nos)|seguidnos|dale (?:a )?(?:like|me gusta)|dadle like|comparte (?:y|este|esta|la)|retuitea)\b", r"\bdej[ae](?:nos|d)?(?: \w+){0,3} (?:resena|opinion|valoracion|estrellas?|like)\b", r"\bvalora(?:nos|d nos)\b",
    r"\b(?:seguici|seguiteci|seguimi|metti (?:un )?(?:mi piace|like)|mettete (?:mi piace|like)|condividi (?:e|il|questo)|condividete)\b", r"\blascia(?:ci|teci|te)?(?: \w+){0,3} (?:recensione|stelle|like|voto)\b",
    r"\b(?:sig[ae]-nos|sig[ae] (?:a gente|nosso|nossa|o nosso|a nossa)|siga-me|curt[ae] (?:e|a|o|nossa)|compartilh[ae]|partilh[ae] (?:e|este|esta))\b", r"\bdeix[ae](?:-nos)?(?: \w+){0,3} (?:avaliacao|review|estrelas?|like|comentario|critica)\b", r"\bavalie-nos\b",
    r"\b(?:volg ons|like en deel|deel (?:dit|deze)|laat (?:\w+ ){0,3}(?:review|beoordeling|recensie|like|sterren)(?: achter)?|beoordeel ons|geef ons(?: \w+){0,2} (?:sterren|review|like))\b",
    r"\b(?:obserwuj(?:cie)? nas|polub(?:cie)?|udostepnij(?:cie)?|zostaw(?:cie)?(?: \w+){0,3} (?:opini\w+|recenzj\w+|gwiazdk\w+|lajk\w*)|ocen(?:cie)? nas|lajkuj(?:cie)?|daj(?:cie)? lajka)\b",
)  # fmt: skip
# What concerns an order that was placed, or says that something is not offered: no promotion.
_SERVICE = re.compile(
    r"\b(?:applied|refund\w*|credited|corrected|your (?:order|invoice|refund|return|parcel|receipt)|was charged|reimburs\w*|expired"
    r"|no longer|isn'?t (?:on|available)|not (?:on sale|available|valid)|ended|we do(?:n't| not) (?:offer|have|sell)"
    r"|erstatt\w*|gutgeschrieben|ihre[r]? (?:bestellung|rechnung)|deine[r]? (?:bestellung|rechnung)|abgezogen|nicht mehr|abgelaufen|verrechnet"
    r"|rembours\w*|votre (?:commande|facture)|ta commande|applique\w*|n'est plus|n'etait pas|expire\b"
    r"|reembols\w*|su pedido|tu pedido|aplicad\w*|ya no|caducad\w*"
    r"|rimbors\w*|tuo ordine|suo ordine|applicat\w*|non e piu|scadut\w*"
    r"|reembols\w*|sua encomenda|seu pedido|tua encomenda|aplicad\w*|ja nao|expirou"
    r"|terugbetaa\w*|je bestelling|uw bestelling|verrekend|toegepast|niet meer|verlopen"
    r"|zwrot\w*|zwroc\w*|twoje zamowienie|zamowieni[ua]|naliczon\w*|wygasl\w*)\b"
)
_INVITES = re.compile(
    r"\b(?:buy|order now|shop|get yours|next order|next purchase|on top|new (?:order|customer)|today only|checkout|at the till"
    r"|nachste[nr]? (?:bestellung|einkauf)|jetzt|kasse|prochain\w* (?:commande|achat)|proximo pedido|proxima compra|prossimo (?:ordine|acquisto)"
    r"|proxima (?:encomenda|compra)|proximo pedido|volgende bestelling|kolejn\w+ zamowieni\w*|nastepn\w+ zamowieni\w*)\b"
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:\.(?=\d)[^.!?\n]*)*[.!?]*")

_KINDS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("code", _CODE),
    ("offer", _OFFER),
    ("call", _CALL),
    ("praise", _PRAISE),
    ("elsewhere", _ELSEWHERE),
    ("votes", _VOTES),
)


def promoting(text: Folded, names: Sequence[str] = ()) -> list[Promoting]:
    """Everything in a text that promotes or leads elsewhere, the first words of each kind; `names` are the firm's."""
    found: dict[str, Promoting] = {}
    for one in _codes(text.seen):
        found.setdefault("code", Promoting("code", one))
    for reading in text.readings:
        for kind, pattern in _KINDS:
            if kind not in found and (m := _outside_service(reading, pattern, kind)):
                found[kind] = Promoting(kind, m)
        if "praise" not in found and (words := _praise_by_name(reading, names)):
            found["praise"] = Promoting("praise", words)
    return list(found.values())


def _outside_service(text: str, pattern: re.Pattern[str], kind: str) -> str:
    """The first words of a kind that are not said of an order already placed."""
    for m in pattern.finditer(text):
        if kind in {"offer", "code"}:
            sentence = _sentence_at(text, m.start())
            if _SERVICE.search(sentence) and not _INVITES.search(sentence):
                continue
        return m.group().strip()
    return ""


def _sentence_at(text: str, place: int) -> str:
    return next((s.group() for s in _SENTENCE.finditer(text) if s.start() <= place < s.end()), text)


def _codes(seen: str) -> list[str]:
    found = []
    for pattern in (_CODE_SEEN, _CODE_CASE):
        for m in pattern.finditer(seen):
            around = seen[max(0, m.start() - 40) : m.end() + 40].casefold()
            technical = re.search(
                r"fault|error|fehler|erreur|panne|obd|dtc|part n|teile|modell?|size|e-?nummer|errore|erro\b|fout|blad|version|firmware|order n|ticket",
                around,
            )
            if not _FAULT_CODE.match(m["code"]) and not technical:
                found.append(m.group().strip())
    return found


_GOODS = r"(?:the |a |an |some |die |der |das |den |ein |eine |einen |le |la |les |un |une |el |los |las |una |il |i |lo |o |os |as |de |het |een )?"


def _praise_by_name(text: str, names: Sequence[str]) -> str:
    """Praise of the firm in the third person, and advice to go to it: marketing in the guise of help."""
    for name in names:
        said = re.escape(plain(name)).replace(r"\ ", r"\W{0,2}")
        if len(name) < 3:
            continue
        by_name = _any(
            rf"\b(?:go with|go for|switch(?:ed)? to|choose|chose|try|recommend(?:ing)?|get yourself|get|grab|you want|you need|swear by|love|trust|can'?t beat|look at|check out|try out|stick with|moved to|upgrade to|buy|order|pick up|have a look at|search for|google|look up|come to|head to|over at|hop over to) {_GOODS}{said}\b(?! (?:support|help|manual|guide|order|returns?|team to help|account))",
            rf"\b{said}\b(?: \w+){{0,4}} (?:is|are|was|were|'s|makes?|has|have|offers?|sells?|do) (?:simply |just |really |by far |honestly |hands down |truly )?(?:the )?(?:best|amazing|awesome|great|brilliant|fantastic|perfect|excellent|superb|unbeatable|better|cheaper|superior|way better|much better|a game|life|worth every|top|number one|incredible|outstanding)\b",
            rf"\b(?:thanks to|since i (?:switched to|got|bought)|my|mine is|bought|ordered|got) {_GOODS}{said}\b[^.!?\n]{{0,60}}\b(?:love|best|never|perfect|amazing|great|fixed|solved|changed|flawless|years|happy|recommend)",
            rf"\b(?:empfehle|empfehlen|nimm|nehmt|nehmen sie|kauf\w*|hol dir|probier\w*|schau\w*(?: \w+){{0,2}}(?: bei| auf)?|wechsel\w* zu|geh\w* zu|bei) {_GOODS}{said}\b[^.!?\n]{{0,50}}\b(?:kaufen|bestellen|gunstig\w*|besser|beste\w*|top|super|holen|nehmen|probieren|rein|vorbei|an|lohnt|zufrieden|!)",
            rf"\b(?:empfehle|empfehlen|empfehlung fur|nimm|hol dir|kauf dir|greif zu) {_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:ist|sind|hat|haben|macht) (?:einfach |wirklich |mit abstand |echt )?(?:die |das |der )?(?:beste\w*|top|super|genial|perfekt|unschlagbar\w*|klasse|spitze|besser|gunstiger)\b",
            rf"\b(?:choisi\w*|prene[zs]|prends|essaye[zr]?|essaie|recommande|conseille|achete[zr]?|optez pour|passe[zr]? (?:a|chez)|alle[zr] (?:voir )?chez|va chez) (?:vivement )?{_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:est|sont|propose|fait) (?:vraiment |tout simplement |de loin )?(?:les? |la )?(?:meilleure?s?|top|geniale?s?|parfaite?s?|imbattables?|super|mieux)\b",
            rf"\b(?:elige|elija|prueba|pruebe|recomiendo|compra|compre|ve a|vete a|cambiate a|pasate a|usa) {_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:es|son|tiene|tienen|hace) (?:sin duda |realmente |simplemente )?(?:el |la |los |las )?(?:mejor(?:es)?|genial(?:es)?|perfect[oa]s?|increibles?|imbatibles?|lo mejor)\b",
            rf"\b(?:scegli|prova|provate|consiglio|compra|prendi|vai da|passa a) {_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:e|sono|fa|ha) (?:davvero |semplicemente |di gran lunga )?(?:il |la |i |le )?(?:miglior[ei]?|top|fantastic\w*|perfett\w*|imbattibil\w*|ottim\w*)\b",
            rf"\b(?:escolh[ae]|experiment[ae]|recomendo|compr[ae]|va a|mude para|use|usa) {_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:e|sao|tem|faz) (?:realmente |simplesmente |de longe )?(?:o |a |os |as )?(?:melhor(?:es)?|otim\w*|perfeit\w*|incrive\w*|imbativ\w*|top)\b",
            rf"\b(?:kies|probeer|neem|koop|ga naar|stap over (?:op|naar)|raad) {_GOODS}{said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:is|zijn|heeft) (?:gewoon |echt |veruit )?(?:de |het )?(?:beste|top|perfect|geweldig|super|onverslaanbaar)\b",
            rf"\b(?:wybierz|sprobuj|polecam|kup|kupcie|przejdz na) {said}\b", rf"\b{said}\b(?: \w+){{0,3}} (?:jest|sa|ma) (?:po prostu |naprawde |zdecydowanie )?(?:najleps\w+|swietn\w+|doskonal\w+|super|genialn\w+|rewelacyjn\w+)\b",
        )  # fmt: skip
        if m := by_name.search(text):
            return m.group().strip()
    return ""
