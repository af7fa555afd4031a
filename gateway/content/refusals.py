"""A no to contact on a network or by a private way, which is what the policy asks for and must not be held [TIP-F1].

`I don't accept friend requests`, `we don't use WhatsApp with clients`, `pas sur Messenger`: the words are those of an
invitation, with a no before them. A sentence that says no to one way and offers another is no refusal. Patterns over
folded text, each with a bound, English and Canadian French; the list `refusal` of the context words adds single terms.
Called by `gateway.content.closer` and the recognizer of social contact.
"""

from __future__ import annotations

import re

_PLACE = (
    r"(?:facebook|fb|messenger|instagram|insta|whatsapp|snap(?:chat)?|linkedin|twitter|tik ?tok|discord|telegram|"
    r"signal|skype|reddit|twitch|social (?:media|networks?|networking(?: sites?)?)|reseaux sociaux|medias sociaux)"
)
_PLACES = rf"{_PLACE}(?:(?:\W+(?:or|and|nor|ou|et|ni)|,)\W+(?:\w+\W+){{0,2}}?{_PLACE}){{0,4}}"
_NO = (
    r"\b(?<!why )(?:can'?t|cannot|can not|won'?t|will not|don'?t|do not|doesn'?t|does not|(?:a|')?m not|"
    r"(?:are|'re|is) not|aren'?t|isn'?t|not able to|unable to|not allowed to|not permitted to|never|"
    r"no need to|rather not|decline[ds]?|"
    r"turn(?:ed)? down|sa(?:y|id) no to|must (?:decline|refuse))"
)  # fmt: skip
# What stands between the no and what it is about; words that make an invitation of it (`don't hesitate to`) do not.
_STEPS = (
    r"(?:\sbe)?(?:\s(?!hesitate\b|forget\b|wait\b|mind\b|worry\b|tell\b|check\b|know\b|hear\b|see\b|get\b|but\b|and\b|"
    r"so\b|if\b|you\b|just\b|because\b|afraid\b|shy\b|scared\b)[\w']+){0,4}?"
)
# The network that the act is about, in the same breath.
_WHERE = rf"(?:(?:\s[\w']+){{0,5}}?\s{_PLACES})?"
# These are about contact by themselves; those of talk only with a network, `there`, or the people it is with.
_ACT = (
    r"(?:(?:accept|add|follow|unfollow|remove|friend|connect|join|tag|invitations?|invites?|requests?)\w*\b"
    r"|(?:in|on|part of)\s(?:the|your|that|a|any)\s(?:[\w']+\s){0,2}?(?:groups?|chats?|threads?|servers?)\b)"
)
_TALK = (
    r"(?:use|using|text|texting|messag\w+|answer\w*|repl(?:y|ies)|respond\w*|chat\w*|communicat\w+|talk\w*|write|meet\w*)"
    rf"\b(?:\s[\w']+){{0,3}}?\s(?:{_PLACES}|there|clients?|that way)"
)
_BY = r"(?:on|by|via|through|over|use|using|in|my|to)\W+"
_ASKED = rf"(?:{_PLACES}|(?:groups?|chats?|invit\w+|requests?)\b)(?:\s(?:groups?|chats?)\b)?"
_AGAINST = r"\bagainst\s(?:[\w']+\s){0,3}?(?:rules?|policy|policies|code)"
_OTHERS = r"(?:co-?workers?|colleagues?|family|friends|relatives)"
_UNANSWERED = (
    r"(?:declin\w+|refus\w+|ignor\w+|said no|say no|delet\w+|unanswered"
    r"|(?:turn(?:ed|ing)?|le(?:ft|ave|aving)) (?:it|them|that|this|those))"
)
_ENGLISH = (
    rf"{_NO}{_STEPS}\s(?:{_ACT}{_WHERE}|{_TALK}|(?:on|by|via|through|over)\s(?:\w+\s)?{_PLACES})",
    rf"\bha(?:ve|d|s) to (?:remove|unfollow|unfriend|decline|refuse)\b{_WHERE}",
    rf"\b(?:no|not|nor|never|rather than|instead of)\W+(?:{_BY}){{0,2}}{_PLACES}",
    r"\b(?:my accounts? (?:is|are) private|(?:number|phone|line|way|channel) (?:that )?we (?:have )?agreed)\b",
    rf"\b(?:take|remove|delete|drop|leave) me (?:off|from|out of)\b{_WHERE}",
    r"\b(?:unfriend|unfollow|unadd|block) me\b",
    rf"\b(?:pass on|sit out|stay (?:out of|off)|keep (?:out of|off)|opt out of)\s(?:[\w']+\s){{0,3}}?{_ASKED}",
    rf"{_AGAINST}\b{_WHERE}",
    rf"{_PLACES}[^.,;!?]{{0,40}}?\b(?:{_AGAINST}|off[- ]limits|not allowed)\b",
    rf"\bonly\s(?:connect|accept|add|follow|friend|use)\w*\b[^.;!?]{{0,50}}?\b{_OTHERS}\b",
    rf"\b(?:rather|prefer)\b[^.;!?]{{0,60}}?\bthan\b[^.;!?]{{0,30}}?(?:{_PLACES}|\bdms?\b)",
    # What was asked, and what became of it.
    rf"\b(?:requests?|invit\w+|follows?)\b[^.;!?]{{0,70}}?\b{_UNANSWERED}\b",
    # An account that is for other people.
    rf"\b(?:keep|kept|use|save)\s(?:[\w']+\s){{0,5}}?for\s(?:my\s|the\s|old\s|close\s){{0,2}}{_OTHERS}\b",
)
_CONTACT = (
    r"(?:(?:accept|ajout|suivre|suis|repond|communiqu|utilis|rejoin|text|abonn|amitie|amis?\b|invitation|reseaux)\w*"
    rf"|{_PLACE})"
)
_OU = rf"(?:[^.,;!?]{{0,24}}?{_PLACES})?"
_NE = r"\b(?:n'|ne\W)(?!\W*(?:\w+\W+)?(?:hesit|oubli|gen|inquiet))"
_PAS = r"\b(?:pas|plus|jamais)\b"
_VERB_PAS = r"\b(?:peux|peut|veux|dois|vais|fais|parle|reponds|utilise|accepte|ajoute|prends|jase)\W+pas\b"
_FRENCH = (
    rf"{_NE}[^.,;!?]{{0,30}}?{_CONTACT}[^.,;!?]{{0,12}}?{_PAS}{_OU}",
    rf"{_NE}[^.,;!?]{{0,24}}?{_PAS}[^.,;!?]{{0,30}}?{_CONTACT}{_OU}",
    rf"{_VERB_PAS}[^.,;!?]{{0,30}}?{_CONTACT}{_OU}",
    rf"\bpas (?:de|sur|par|via)\W+(?:\w+\W+)?{_PLACES}",
    rf"\bplutot que (?:sur |par )?{_PLACES}",
    r"\bdo(?:is|it|ivent|ons) (?:la |le |les |vous |te )?(?:refuser|decliner)\b",
    r"\b(?:enleve|retire|efface|supprime|bloque)\w*[- ]moi\b[^.;!?]{0,30}",
    rf"\b(?:n'|ne |j'|je )(?:y )?(?:repond|accept|ajout|sui[st])\w*\b[^.;!?]{{0,12}}?\b(?:personne|aucun\w*)\b{_OU}",
    r"\b(?:demandes?|invitations?)\b[^.;!?]{0,50}?\b(?:sans reponse|refus\w+|declin\w+|ignor\w+|de cote)\b",
    r"\b(?:garde|reserve|utilise)\w*\b[^.;!?]{0,40}?\bpour (?:ma|mes|la|les) (?:famille|proches|amis|vie privee)\b",
)
# `Your LinkedIn message reached me, but please write here.`
_ELSEWHERE = (
    rf"\b(?:your|you|votre|ton|tu|vous)\b[^.;!?]{{0,40}}?{_PLACE}[^.;!?]{{0,60}}?\b(?:please|merci|svp|s'il)\b"
    r"[^.;!?]{0,40}?\b(?:here|this address|office|front desk|reception|ici|bureau|accueil)\b"
)
_REFUSES = re.compile("|".join((*_ENGLISH, *_FRENCH)))
_SENDS_ELSEWHERE = re.compile(_ELSEWHERE)
_NETWORK = re.compile(_PLACE)
_INVITES = re.compile(
    r"\b(?:add|follow|friend|message|text|dm|ping|find|snap|join|look|hit|catch|get) (?:me|us|my|up)\b"
    r"|\bhang(?:ing)? out\b|\baccepted (?:it|you|your|them)\b|\baccept you\b|\bai accepte\b"
    r"|\bmy (?:own |personal |private )?"
    r"(?:insta\w*|snap\w*|handle|facebook|fb|whatsapp|cell\w*|number|profile|username|email|e-mail)\b"
    r"|(?<![\w.])@[a-z0-9_.]{3,}|\bm'ajouter|\bme (?:suivre|texter|trouver)\b"
    r"|\b(?:ajoute|texte|sui[sv]|trouve|cherche|rejoin|abonne)\w*[- ](?:moi|nous)\b"
    r"|\bmon (?:insta\w*|snap\w*|facebook|profil|compte|cell\w*|numero)\b"
)


def refuses_contact(folded: str) -> bool:
    """True if a folded sentence says no to contact by a network or a private way, and offers no other."""
    spans = [found.span() for pattern in (_REFUSES, _SENDS_ELSEWHERE) for found in pattern.finditer(folded)]
    if not spans or _NETWORK.search(folded, max(stop for _, stop in spans)):
        return False
    return all(any(start <= found.start() < stop for start, stop in spans) for found in _INVITES.finditer(folded))
