"""The ways from every page to the main ones: one list, for all who are signed in.

A page is named here once, with those for whom a way to it is worth showing. It shows as soon as a door of that address
stands. Whoever has no use for a way is not shown it; what they may do at a page is found out there all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from callcenter.console import paths
from callcenter.console.ports import Session
from callcenter.console.words import marked

EVERYBODY: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Place:
    """A main page.

    Arguments:
        path: its address, and the beginning of those of the pages under it.
        label: what the way to it is called, in French; translated where it is shown.
        roles: whom it is for, as the database names roles; ``EVERYBODY`` for all.
        deed: what one does there, in French, as the first page says it; empty for what it does not lead to.
        beside: addresses of pages that it leads to, and that stand elsewhere.
        seldom: one goes there now and then: it stands behind « Plus » for whoever has many ways.
    """

    path: str
    label: str
    roles: frozenset[str] = EVERYBODY
    deed: str = ""
    beside: tuple[str, ...] = ()
    seldom: bool = False


#: Ways beyond which those that are seldom gone stand behind « Plus »: what a screen shows in one row.
MOST_IN_A_ROW: Final = 8

#: In the order in which they are shown.
PLACES: Final = (
    Place(paths.HOME, marked("Accueil")),
    Place(paths.WORKPLACE, marked("Mon poste"), frozenset({"operator", "supervisor"}), marked("Répondre aux appels")),
    Place(
        paths.MESSAGES,
        marked("Messages"),
        frozenset({"operator", "supervisor", "practitioner"}),
        marked("Lire ce qui est adressé, et y donner suite"),
    ),
    Place(
        paths.PRACTICES,
        marked("Cabinets"),
        frozenset({"supervisor", "practitioner", "administrator"}),
        marked("Régler ce qu’entendent les appelants"),
    ),
    Place(paths.REVIEW, marked("Suivi"), frozenset({"supervisor"}), marked("Chercher un appel et le revoir")),
    Place(paths.BOARD, marked("En direct"), frozenset({"supervisor"}), marked("Voir où en est la file")),
    Place(
        paths.GLASS,
        marked("Bris de glace"),
        frozenset({"supervisor", "practitioner"}),
        marked("Ouvrir un dossier en urgence, ou relire"),
    ),
    Place(
        paths.EXTRACTS,
        marked("Extraits"),
        frozenset({"supervisor", "practitioner"}),
        marked("Remettre à un patient l’extrait du registre"),
    ),
    Place(
        paths.NOTICES,
        marked("Avis d’incident"),
        frozenset({"practitioner"}),
        marked("Lire les avis d’incident de mon cabinet"),
        seldom=True,
    ),
    Place(
        paths.LEDGERS,
        marked("Registre scellé"),
        frozenset({"supervisor", "administrator"}),
        marked("Vérifier que le registre est scellé et tenu ailleurs"),
        seldom=True,
    ),
    Place(
        paths.INCIDENTS,
        marked("Incidents"),
        frozenset({"supervisor", "administrator"}),
        marked("Tenir le registre d’un incident"),
        (paths.CARRIER_LIST,),
        seldom=True,
    ),
    Place(paths.INCIDENT_NEW, marked("Déclarer un incident"), frozenset({"supervisor", "administrator"})),
    Place(
        paths.SCENARIOS,
        marked("Scénarios"),
        frozenset({"supervisor", "administrator"}),
        marked("Voir ce que chaque appelant peut entendre"),
        seldom=True,
    ),
    Place(
        paths.ADMINISTRATION,
        marked("Administration"),
        frozenset({"administrator"}),
        marked("Gérer les comptes et les portefeuilles"),
        seldom=True,
    ),
    Place(paths.ACCOUNT, marked("Mon compte"), deed=marked("Changer mes moyens de connexion"), seldom=True),
)

#: Where the work is of whoever has a role: the first that is theirs.
WORK: Final = (
    ("operator", paths.WORKPLACE),
    ("supervisor", paths.WORKPLACE),
    ("practitioner", paths.MESSAGES),
    ("administrator", paths.ADMINISTRATION),
)


def work_of(session: Session) -> str:
    """The page at which somebody's work is; the first page, where they have no role yet."""
    return next((path for role, path in WORK if role in session.roles), paths.HOME)


#: The addresses of an application's doors that can be gone to.
STANDING: Final[web.AppKey[frozenset[str]]] = web.AppKey("standing", frozenset)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a main page.

    Arguments:
        deed: what one does there; empty for what the first page does not lead to.
        current: for ``aria-current``: ``page`` on the page itself, ``true`` on one under it, empty elsewhere.
        behind: it stands behind « Plus ».
    """

    path: str
    label: str
    current: str
    deed: str
    behind: bool = False


def ways(session: Session | None, standing: Collection[str], here: str) -> tuple[Way, ...]:
    """What somebody is shown.

    Arguments:
        session: whose page it is; without one, what is for everybody.
        standing: addresses of pages that there are.
        here: the address of the page.
    """
    roles = frozenset[str]() if session is None else session.roles
    at_home = any(place.path == here for place in PLACES)
    theirs = [place for place in PLACES if place.path in standing and (not place.roles or place.roles & roles)]
    many = len(theirs) > MOST_IN_A_ROW
    return tuple(
        Way(place.path, place.label, _current(place, here, itself=at_home), place.deed, many and place.seldom)
        for place in theirs
    )


def _current(place: Place, here: str, *, itself: bool) -> str:
    """``itself``: ``here`` is one of the main pages, and is under none of the others."""
    if here == place.path or itself:
        return "page" if here == place.path else ""
    under = place.path != paths.HOME and here.startswith(place.path + "/")
    return "true" if under or here in place.beside else ""
