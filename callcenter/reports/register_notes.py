"""What stands round the lines of an extract: whose it is, in short, how far it reaches, rights, and how to verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callcenter.reports import register_words as words
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.register_dates import day
from callcenter.reports.register_extract import MOST_LINES, Extract
from callcenter.reports.register_words import Section

BROKEN = (
    "Attention : au moins une inscription ne correspond plus à ce qui a été écrit. Rien n’est masqué ; elle est "
    "signalée à sa place, et le cabinet doit en chercher la cause."
)
BROKEN_LINE = "Cette inscription ne correspond plus à ce qui a été écrit."
CALLS = (
    "Le numéro de l’appelant n’est pas conservé en clair dans le registre, et n’est pas communiqué : il peut être "
    "celui d’une autre personne."
)
#: Days of erasures that are told one by one.
MOST_DAYS = 5
CNIL = "CNIL, 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07, www.cnil.fr"


def facts(extract: Extract) -> Iterator[tuple[str, str]]:
    """The head: names and what is said of each."""
    request, practice = extract.request, extract.practice
    named = request.named
    born = day(named.birth_date, practice.zone)
    yield "Personne concernée", f"{named.first_name} {named.name}, date de naissance : {born}"
    first, last = day(request.first, practice.zone), day(request.last, practice.zone)
    yield "Période", f"le {first}" if first == last else f"du {first} au {last}, jours compris"
    yield "Demandé par", f"{words.ASKS[request.asks]}, le {day(request.asked_at, practice.zone)}"
    yield "Identité contrôlée", words.CHECKS[request.check]
    yield "Remis par", f"{practice.name}, le {day(extract.made_at, practice.zone)}"
    yield "Heures", f"celles du cabinet ({practice.zone.key})"
    yield "Référence", str(request.id)


def in_short(extract: Extract) -> Iterator[str]:
    """What the extract says, in some sentences."""
    if not extract.lines:
        yield (
            "Le registre ne contient aucune inscription sur la personne concernée pour cette période : il ne garde "
            "trace d’aucune communication, d’aucun refus ni d’aucune consultation à son sujet."
        )
        return
    counted = [(len(extract.of(section)), one, several) for section, (one, several) in _COUNTED.items()]
    said = [f"{count}\u00a0{one if count == 1 else several}" for count, one, several in counted if count]
    yield f"Dans cette période, le registre contient {_listed(said)}."
    if not extract.of(Section.TOLD) and not extract.of(Section.DECLARED):
        yield "Rien n’a été communiqué à personne."
    yield (
        "Il note de quel genre d’information il s’agissait, quand et à qui elle a été donnée. Il ne contient pas "
        "l’information elle-même."
    )


_COUNTED = {
    Section.TOLD: ("communication", "communications"),
    Section.DECLARED: ("communication déclarée par le secrétariat", "communications déclarées par le secrétariat"),
    Section.NOT_TOLD: ("demande sans réponse", "demandes sans réponse"),
    Section.PROOF: ("vérification d’identité ou envoi de code", "vérifications d’identité ou envois de code"),
    Section.ACTS: ("autre acte", "autres actes"),
    Section.LOOKS: ("consultation du registre", "consultations du registre"),
}


def _listed(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} et {said[-1]}"


def parts(extract: Extract) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What comes behind the lines: headings and points."""
    yield "Ce que ce registre ne dit pas", tuple(_reach(extract))
    yield "À qui écrire, et vos droits", tuple(_rights(extract))
    yield "Vérifier ce document", tuple(_verifying(extract))


def _reach(extract: Extract) -> Iterator[str]:
    zone, reach = extract.practice.zone, extract.reach
    if reach.begins is None:
        yield "Le registre de ce cabinet est vide : aucun appel n’y a encore été inscrit."
    else:
        yield f"Il commence le {day(reach.begins, zone)} ; il ne sait rien de ce qui s’est passé avant."
    if not extract.whole:
        yield (
            f"Seules les {MOST_LINES} dernières inscriptions sont montrées. Les autres figurent dans un extrait d’une "
            "période plus courte, à demander au cabinet."
        )
    if extract.missing:
        count = extract.missing
        yield (
            f"Dans les échanges dont il est question ici, {count} {'inscription' if count == 1 else 'inscriptions'} "
            f"{'n’existe' if count == 1 else 'n’existent'} plus. Elles ont pu concerner une autre personne."
        )
    if extract.taken:
        yield (
            f"Inscriptions qui manquent sans qu’aucun effacement inscrit ne dise pourquoi : {extract.taken}. Le "
            "cabinet doit en rechercher la raison."
        )
    if reach.erasures:
        days = list(dict.fromkeys(day(at, zone) for at in reach.erasures))
        # By night, what has had its time is erased: a list of all those days would tell nobody anything.
        when = _listed(days) if len(days) <= MOST_DAYS else f"la dernière fois le {days[-1]}"
        yield (
            f"Des inscriptions du registre ont été effacées : {when}. Si elles concernaient la même personne, "
            "elles n’y figurent plus."
        )
    yield (
        "Il ne contient pas ce que le cabinet dit au comptoir, en consultation ou sur ses propres lignes, ni les "
        "messages laissés au cabinet, ni le dossier médical : ils se demandent au cabinet."
    )
    if extract.request.asks is not Asks.PATIENT:
        # On every one of these, whether something is held back or not: it tells nothing.
        yield (
            "Ce qu’une personne mineure a demandé de garder secret (article L. 1111-5 du code de la santé publique) "
            "n’y figure jamais. Cette phrase est la même sur tous les extraits qui ne sont pas remis au patient."
        )
    if extract.staff_named:
        yield "Le cabinet a choisi d’indiquer le nom de son personnel."
    else:
        yield (
            "Le nom des personnes du cabinet et du secrétariat n’y figure pas ; il peut être demandé s’il est "
            "indispensable pour exercer vos droits."
        )


def _rights(extract: Extract) -> Iterator[str]:
    practice = extract.practice
    address = f", {practice.address}" if practice.address else ""
    yield (
        f"Le cabinet répond de ces données : {practice.name}{address}. Écrivez-lui, ou à son délégué à la protection "
        f"des données s’il en a désigné un. {practice.organisation} répond au téléphone pour son compte."
    )
    yield (
        "Vous pouvez demander qu’une donnée inexacte soit rectifiée, la limitation de son usage, ou contester ce que "
        "vous lisez ici. Une inscription du registre n’est pas réécrite : la rectification y est ajoutée."
    )
    yield f"Sans réponse dans un délai d’un mois, ou en désaccord, vous pouvez adresser une réclamation à la {CNIL}."
    if extract.request.check is IdentityCheck.IN_PERSON or extract.request.check is IdentityCheck.LETTER:
        yield "Aucune copie de la pièce d’identité n’est conservée."


def _verifying(extract: Extract) -> Iterator[str]:
    yield (
        "Chaque ligne porte le numéro de son inscription. Le registre est fait pour qu’une modification se voie : sur "
        "demande, le cabinet peut prouver à un tiers qu’une inscription y est bien, et inchangée."
    )
    yield (
        f"La remise de ce document est elle-même inscrite au registre, sous la référence {extract.request.id}, avec "
        "l’empreinte SHA-256 du fichier : le cabinet peut confirmer qu’il l’a bien remis, et tel quel."
    )
    yield f"Empreinte SHA-256 des {len(extract.lines)} inscriptions, dans leur ordre : {extract.digest}"
