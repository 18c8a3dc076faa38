"""What the ledger says, in French; pages put these words into the reader's language. Others are named as they are."""

from __future__ import annotations

import re

from callcenter.reports import codes
from callcenter.reports.values import Area, Outcome

AREAS = {
    Area.CALL: "Appel",
    Area.HEARD: "Entendu",
    Area.TYPED: "Saisi",
    Area.PROOF: "Vérification",
    Area.DISCLOSURE: "Communication",
    Area.ROUTING: "File et poste",
    Area.ACT: "Acte",
    Area.REVIEW: "Consultation",
}

OUTCOMES = {
    Outcome.GRANTED: "Accordée",
    Outcome.REFUSED: "Refusée",
    Outcome.WITHHELD: "Retenue",
    Outcome.VERIFIED: "Identité vérifiée",
    Outcome.FAILED: "Vérification échouée",
    Outcome.MESSAGE: "Message",
    Outcome.APPOINTMENT: "Rendez-vous",
    Outcome.ANSWERED: "Répondu",
    Outcome.ABANDONED: "Abandonné",
    Outcome.PUT_THROUGH: "Mis en relation",
}

#: Why records of the ledger were erased, as the erasure says.
ERASED_FOR = {"retention": "fin de leur durée de conservation", "request": "ordre signé"}
ERASED_FOR_NO_CAUSE = "cause inconnue"

#: Titles of ledger events, and to what they belong.
EVENTS: dict[str, tuple[str, Area]] = {
    "call.started": ("L’appel commence", Area.CALL),
    "call.ended": ("L’appel se termine", Area.CALL),
    "call.put_through": ("Le téléphone du cabinet est appelé", Area.ROUTING),
    "call.not_put_through": ("Le téléphone du cabinet n’est pas appelé", Area.ROUTING),
    "call.came_back": ("Retour du téléphone du cabinet", Area.ROUTING),
    "call.waits": ("L’appelant attend un télésecrétaire", Area.ROUTING),
    "call.waited": ("L’attente se termine", Area.ROUTING),
    "call.disposed": ("L’appel est qualifié", Area.ACT),
    "call.emergency": ("Urgence signalée", Area.ACT),
    "call.held": ("L’effacement de l’appel est suspendu", Area.ACT),
    "call.hold_lifted": ("L’effacement de l’appel reprend", Area.ACT),
    "script.begun": ("Un télésecrétaire prend l’appel avec son guide", Area.ACT),
    "instructions.read": ("Les consignes du cabinet sont lues", Area.ACT),
    "practitioner.changed": ("La fiche d’un praticien change", Area.ACT),
    "message.read": ("Le message est ouvert", Area.REVIEW),
    "message.answered": ("Le message reçoit une réponse", Area.ACT),
    "follow_up.taken": ("Un suivi est pris", Area.ACT),
    "follow_up.given_back": ("Un suivi est rendu", Area.ACT),
    "follow_up.done": ("Un suivi est fait", Area.ACT),
    "incident.declared": ("Un incident est déclaré", Area.ACT),
    "incident.told": ("Le cabinet est informé d’un incident", Area.ACT),
    "incident.notice_made": ("Un avis d’incident est publié pour le cabinet", Area.ACT),
    "incident.notice_read": ("Le cabinet a lu l’avis d’un incident", Area.ACT),
    "glass.broken": ("Un superviseur brise la glace d’un dossier", Area.ACT),
    "glass.read": ("Le motif d’un bris de glace est lu", Area.REVIEW),
    "glass.reviewed": ("Un bris de glace est relu", Area.REVIEW),
    "lock.release_asked": ("La levée d’un blocage est demandée", Area.ACT),
    "lock.reason_read": ("Le motif d’une levée de blocage est lu", Area.REVIEW),
    "lock.released": ("Un blocage est levé", Area.ACT),
    "carrier.differs": ("La liste de l’opérateur téléphonique et la nôtre diffèrent sur un appel", Area.CALL),
    "carrier.settled": ("Un écart avec la liste de l’opérateur téléphonique est expliqué", Area.ACT),
    "webhook.late": ("Demande de l’opérateur téléphonique arrivée trop tard, sans effet", Area.CALL),
    "verification.claimed": ("Une identité est déclarée", Area.PROOF),
    "verification.challenge": ("Un code est demandé", Area.PROOF),
    "verification.refused": ("Plus aucune vérification n’est possible", Area.PROOF),
    "verification.failed": ("La vérification échoue", Area.PROOF),
    "verification.succeeded": ("L’identité est vérifiée", Area.PROOF),
    "verification.code_sent": ("Le code est envoyé", Area.PROOF),
    "verification.code_unconfirmed": ("On ignore si le code est parti", Area.PROOF),
    "verification.code_not_sent": ("Le code n’est pas envoyé", Area.PROOF),
    "disclosure": ("Communication", Area.DISCLOSURE),
    "disclosure.playback": ("Écoute de ce qui a été communiqué", Area.DISCLOSURE),
    "disclosure.redelivered": ("Ce qui a été communiqué est remis une nouvelle fois", Area.DISCLOSURE),
    "disclosure.hidden": ("Ce qui était affiché est masqué avant l’heure", Area.DISCLOSURE),
    "appointment.confirmed": ("Un rendez-vous est confirmé", Area.ACT),
    "appointment.cancelled": ("Un rendez-vous est annulé", Area.ACT),
    "appointment.moved": ("Un rendez-vous est déplacé", Area.ACT),
    "appointment.not_changed": ("Un rendez-vous n’a pas pu être changé", Area.ACT),
    "message.taken": ("Un message est pris", Area.ACT),
    "message.voice_left": ("Un message parlé est laissé", Area.ACT),
    "message.voice_kept": ("Le message parlé est conservé, scellé", Area.ACT),
    "message.voice_lost": ("Le message parlé n’a pas pu être repris", Area.ACT),
    "message.voice_deleted_at_carrier": ("L’opérateur téléphonique a effacé sa copie du message", Area.ACT),
    "message.voice_opened": ("Le message parlé est écouté", Area.REVIEW),
    "message.voice_erased": ("Le message parlé est effacé", Area.ACT),
    "message.handled": ("Le message est traité", Area.ACT),
    "message.erased": ("Le message est effacé, son délai écoulé", Area.ACT),
    "message.acknowledged": ("Le message urgent est confirmé", Area.ACT),
    "notice_address.added": ("Une adresse d’avis est ajoutée", Area.ACT),
    "notice_address.removed": ("Une adresse d’avis est retirée", Area.ACT),
    "settings.changed": ("Les réglages du cabinet changent", Area.ACT),
    "reminder.not_sent": ("Un rappel n’est pas parti", Area.ACT),
    "reminders.chosen": ("Un choix sur les rappels est enregistré", Area.ACT),
    "outreach.asked": ("On demande à joindre le téléphone au dossier", Area.ACT),
    "outreach.not_done": ("Le téléphone au dossier n’est pas joint", Area.ACT),
    "outreach.rings": ("Le téléphone au dossier sonne", Area.ACT),
    "outreach.unconfirmed": ("On ignore si le téléphone au dossier a été joint", Area.ACT),
    "booking.made": ("Un créneau est réservé", Area.ACT),
    "booking.cancelled": ("Une réservation est annulée", Area.ACT),
    "booking.moved": ("Une réservation est déplacée", Area.ACT),
    "booking.not_changed": ("Une réservation n’a pas pu être changée", Area.ACT),
    "booking.handled": ("Une réservation est traitée", Area.ACT),
    "reference.right": ("Une référence est reconnue", Area.PROOF),
    "reference.wrong": ("Une référence n’est pas reconnue", Area.PROOF),
    "review.call_opened": ("Un superviseur ouvre le déroulé de l’appel", Area.REVIEW),
    "review.call_notes_read": ("Un superviseur lit les notes de clôture", Area.REVIEW),
    "review.call_printed": ("Un superviseur tire le déroulé de l’appel en PDF", Area.REVIEW),
    "review.patient_searched": ("Un superviseur recherche un patient", Area.REVIEW),
    "review.patient_followed": ("Un superviseur liste ce qui concerne un patient", Area.REVIEW),
    "review.listed": ("Un superviseur fait une recherche", Area.REVIEW),
    "review.exported": ("Un superviseur exporte une recherche", Area.REVIEW),
    "extract.asked": ("Un extrait du registre est demandé", Area.ACT),
    "extract.read": ("Un extrait du registre est lu avant sa remise", Area.REVIEW),
    "extract.released": ("Un extrait du registre est remis", Area.ACT),
    "extract.declined": ("Un extrait du registre est refusé", Area.ACT),
    "ledger.exported": ("Le registre sort en fichier, pour être vérifié", Area.REVIEW),
    "ledger.proven": ("Une inscription sort avec sa preuve", Area.REVIEW),
    "ledger.cosigned": ("Une contresignature du registre est reçue", Area.ACT),
    "ledger.head_taken": ("Un point de contrôle déposé sort en fichier", Area.REVIEW),
    "erasure": ("Des inscriptions du registre sont effacées", Area.ACT),
    "key.rotated": ("La clé du registre change", Area.ACT),
    "record.refused": ("Une inscription est refusée par le scelleur", Area.ACT),
}

#: Titles of what routing has written down.
ROUTING = {
    "entered": "Entre dans la file",
    "offered": "Proposé à un télésecrétaire",
    "accepted": "Pris par un télésecrétaire",
    "refused": "Refusé par un télésecrétaire",
    "missed": "Non décroché par un télésecrétaire",
    "withdrawn": "La proposition est retirée",
    "connected": "En conversation avec un télésecrétaire",
    "returned": "Rendu à la file",
    "callback": "Demande à être rappelé",
    "unreached": "Rappelé sans réponse",
    "over": "La conversation est finie",
    "left": "Quitte la file",
}

#: What a record's fields are called, in the order in which they are told.
FACTS = {
    "decision": "Décision",
    "categories": "Catégories",
    "reason": "Motif",
    "level": "Niveau prouvé",
    "level_required": "Niveau exigé",
    "factors": "Preuves",
    "evidence": "Preuves",
    "playback": "Écoute",
    "seconds": "Affiché au plus, en secondes",
    "hidden_after": "N’est plus donné après, en secondes",
    "channel": "Canal",
    "control": "Contrôle",
    "purpose": "Finalité",
    "recipient": "Destinataire",
    "step": "Étape",
    "direction": "Sens",
    "arrival": "Arrivée",
    "status": "État",
    "rang": "Suite",
    "place": "Place",
    "ended": "Issue",
    "act": "Acte",
    "as": "En qualité de",
    "answer": "Réponse",
    "by": "Par",
    "kind": "Nature",
    "cause": "Cause",
    "disposition": "Qualification",
    "found": "Trouvés",
    "count": "Nombre",
    "check": "Identité contrôlée",
    "form": "Forme",
    "staff": "Personnel",
    "held_back": "Lignes retenues",
    "digest": "Empreinte",
    "settings": "Version des réglages",
    "policy": "Politique",
    "refs": "Références",
}
#: What is told of what stands beside the ledger.
BESIDE = {
    "event": "Événement",
    "question": "Question",
    "keys": "Touches tapées",
    "spoken": "Secondes parlées",
    "detail": "Détail",
    "waited": "Attente",
    "whom": "Tiers",
}
OTHER = "Autre événement"


def fact(label: str) -> str:
    """What a fact is called."""
    return FACTS.get(label) or BESIDE.get(label) or label


#: Fields that prompts name, as labels in the place of their values.
LABELS = {
    "practice.name": "nom du cabinet",
    "practice.spoken_name": "nom du cabinet",
    "practice.address": "adresse du cabinet",
    "practice.access": "accès au cabinet",
    "practice.opening_hours": "horaires",
    "practice.is_open": "le cabinet est ouvert",
    "practice.next_opening": "prochaine ouverture",
    "practice.closing_conduct": "conduite à tenir",
    "practice.out_of_hours_number": "numéro hors horaires",
    "practice.message_of_the_day": "message du jour",
    "practice.answer_mode": "façon de répondre",
    "practice.agenda": "agenda du cabinet",
    "practice.agenda_link": "adresse de l’agenda",
    "practice.instructions": "consignes du cabinet",
    "call.arrival": "arrivée de l’appel",
    "practice.voice_messages": "messages parlés admis",
    "caller.number_withheld": "numéro masqué",
    "request.practitioners": "praticiens",
    "queue.others": "appelants devant",
    "queue.range": "attente estimée",
    "call.return_code": "code de rappel",
    "appointment.starts_at": "date et heure du rendez-vous",
    "appointment.practitioner": "praticien du rendez-vous",
    "appointment.speciality": "spécialité",
    "appointment.place": "lieu du rendez-vous",
    "offer.key": "touche",
    "offer.practitioner": "praticien proposé",
    "offer.starts_at": "créneau proposé",
    "booking.reference": "référence de réservation",
    "text.number": "numéro du cabinet",
    "text.stop_number": "numéro pour refuser",
    "text.stop_word": "mot pour refuser",
    "code.digits": "code",
    "code.minutes": "minutes de validité",
    "slot.starts_at": "date et heure du créneau",
    "slot.place": "lieu du créneau",
}

WHO = {
    "ivr": "Serveur vocal",
    "job": "Tâche du serveur",
    "staff": "Personnel",
    "operator": "Télésecrétaire",
    "recipient": "Destinataire",
    "command": "Ligne de commande",
    "caller": "Appelant",
    "unknown": "Inconnu",
}

#: Titles of moments that stand beside the ledger.
HEARD, TYPED, SPOKE, SILENT = "L’appelant entend", "L’appelant a tapé", "L’appelant a parlé", "Pas de réponse tapée"
SENT, IN_PRIVATE, ASKED_IN = "Envoyé à une ligne", "Consultation en privé", "Un tiers est appelé"
THIRD_THERE, THIRD_ENDS = "Le tiers est dans la conversation", "La demande au tiers se termine"
THIRDS = {
    "took": "Le tiers a repris l’appel",
    "left": "Le tiers quitte la conversation",
    "missed": "Le tiers n’a pas répondu",
    "failed": "Le tiers n’a pas pu être joint",
}
COLLEAGUE, PRACTITIONER, LINE = "collègue", "praticien", "ligne du cabinet"
BROKEN = "Cette inscription ne correspond plus à ce qui a été écrit"
HIDDEN = "non affiché"

#: Every word of ours that may be put into another language.
OURS = frozenset(
    {
        *(title for title, _ in EVENTS.values()),
        *(word for some in (AREAS, OUTCOMES, ROUTING, FACTS, BESIDE, WHO, THIRDS) for word in some.values()),
        *(word for some in codes.WORDS.values() for word in some.values()),
        *codes.REFERENCES.values(),
        *codes.SETTINGS.values(),
        *(OTHER, HEARD, TYPED, SPOKE, SILENT, SENT, IN_PRIVATE, ASKED_IN, THIRD_THERE, THIRD_ENDS),
        *(COLLEAGUE, PRACTITIONER, LINE, BROKEN, HIDDEN, "Appel"),
    }
)

#: What may stand on a page although no word of ours is known for it: a name of ours, a number that is no telephone and
#: no date, a reference to a row.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z_.+-]{0,60}|[0-9]{1,4}|D[0-9]{2}|"
    r"20[0-9]{2}-[0-9]{1,2}-[0-9]|[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,3}|"  # versions: no day of a date has one digit
    r"(?:[a-z_.]{1,60}:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|setting:[a-z_]{1,60}(?::[0-9]{1,9})?|"
    r"(?:list|agenda|card):[a-z_]{1,40}|[0-9a-f]{64}"  # a digest
)
#: Signs of an identifier.
_IDENTIFIER = 36


def plain(value: object, field: str = "") -> str:
    """A value of a record as it may be shown: in our words, as a bare name, or hidden. Sentences are none of ours.

    Arguments:
        field: in which it stands, by which its word is known (``codes.WORDS``).
    """
    text = str(value)
    if field == "refs":
        return _reference(text)
    known = codes.WORDS.get(field, {}).get(text)
    if known is not None:
        return known
    return text if _PLAIN.fullmatch(text) else HIDDEN


def _reference(text: str) -> str:
    """« créneau (…) »: to what it leads, and which one; what is not known is told by its name."""
    kind, _, which = text.partition(":")
    if not _PLAIN.fullmatch(text):
        return HIDDEN
    if kind == "setting":
        name, _, revision = which.partition(":")
        setting = codes.SETTINGS.get(name, name)
        return f"{setting} ({revision})" if revision else setting
    if kind == "list":
        return codes.WORDS["list"].get(which, which)
    whither = codes.REFERENCES.get(kind)
    if whither is None:
        return text
    return f"{whither} ({which})" if len(which) == _IDENTIFIER else whither
