"""The addresses of the console's pages, and which of them one may be sent back to."""

from __future__ import annotations

import re
from urllib.parse import urlencode

HOME = "/"
LOGIN = "/connexion"
FACTOR = "/connexion/facteur"
FACTOR_TOTP = "/connexion/facteur/application"
FACTOR_RECOVERY = "/connexion/facteur/secours"
FACTOR_PASSKEY = "/connexion/facteur/cle"
FACTOR_PASSKEY_OPTIONS = "/connexion/facteur/cle/options"
LOGOUT = "/deconnexion"

INVITATION = "/invitation/{token}"
FIRST_FACTOR = "/premier-facteur"
FIRST_TOTP = "/premier-facteur/application"
FIRST_TOTP_CONFIRMED = "/premier-facteur/application/code"
FIRST_PASSKEY = "/premier-facteur/cle"
FIRST_PASSKEY_OPTIONS = "/premier-facteur/cle/options"

CONFIRM = "/confirmation"
CONFIRM_TOTP = "/confirmation/application"
CONFIRM_RECOVERY = "/confirmation/secours"
CONFIRM_PASSKEY = "/confirmation/cle"
CONFIRM_PASSKEY_OPTIONS = "/confirmation/cle/options"

ACCOUNT = "/compte"
ACCOUNT_PASSWORD = "/compte/mot-de-passe"  # noqa: S105 - an address
ACCOUNT_TOTP = "/compte/application"
ACCOUNT_TOTP_CONFIRMED = "/compte/application/code"
ACCOUNT_PASSKEY = "/compte/cles"
ACCOUNT_PASSKEY_OPTIONS = "/compte/cles/options"
ACCOUNT_PASSKEY_REMOVED = "/compte/cles/{passkey}/retrait"
ACCOUNT_RECOVERY = "/compte/codes-de-secours"
ACCOUNT_SESSION_ENDED = "/compte/sessions/{session}/fin"
ACCOUNT_LANGUAGE = "/compte/langue"
ACCOUNT_OTHERS_ENDED = "/compte/sessions/fin"

WORKPLACE = "/poste"
WORKPLACE_STATE = "/poste/etat"
WORKPLACE_NEWS = "/poste/evenements"
WORKPLACE_PASS = "/poste/jeton"  # noqa: S105 - an address
WORKPLACE_PRESENCE = "/poste/presence"
WORKPLACE_THERE = "/poste/toujours-la"
WORKPLACE_SCRIPT = "/poste/appels/{call}/scenario"
WORKPLACE_DRAFT = "/poste/appels/{call}/brouillon"
WORKPLACE_EMERGENCY = "/poste/appels/{call}/urgence"
WORKPLACE_ACT = "/poste/appels/{call}/{act}"

ADMINISTRATION = "/administration"
ADMINISTRATION_ACCOUNT = "/administration/comptes/{account}"
ADMINISTRATION_ACCOUNT_ACT = "/administration/comptes/{account}/{act}"
ADMINISTRATION_FOLDERS = "/administration/portefeuilles"
ADMINISTRATION_FOLDER = "/administration/portefeuilles/{folder}"
ADMINISTRATION_FOLDER_ACT = "/administration/portefeuilles/{folder}/{act}"
ADMINISTRATION_HEALTH = "/administration/sante"

REVIEW = "/suivi"
REVIEW_PATIENT = "/suivi/patient"
REVIEW_EXPORT = "/suivi/export"
REVIEW_CALL = "/suivi/appels/{call}"
REVIEW_CALL_PAPER = "/suivi/appels/{call}/pdf"
REVIEW_CALL_NOTES = "/suivi/appels/{call}/notes"

MESSAGES = "/messages"
MESSAGES_OF = "/messages/{practice}"
MESSAGE = "/messages/{practice}/{message}"
MESSAGE_SOUND = "/messages/{practice}/{message}/son"
MESSAGE_ANSWER = "/messages/{practice}/{message}/reponse"
MESSAGE_ACT = "/messages/{practice}/{message}/suite/{act}"

PRACTICES = "/cabinets"
PRACTICE = "/cabinets/{practice}"
PRACTICE_HISTORY = "/cabinets/{practice}/historique"
PRACTICE_SETTING = "/cabinets/{practice}/reglages/{setting}"
PRACTICE_WITHDRAWN = "/cabinets/{practice}/reglages/{setting}/retrait"
PRACTICE_PREVIEW = "/cabinets/{practice}/apercu"
PRACTICE_SOUND = "/cabinets/{practice}/ecoute/{sound}"
PRACTITIONERS = "/cabinets/{practice}/praticiens"
PRACTITIONER = "/cabinets/{practice}/praticiens/{practitioner}"

BOARD = "/en-direct"
BOARD_STATE = "/en-direct/etat"
BOARD_WALL = "/en-direct/mur"
BOARD_WALL_STATE = "/en-direct/mur/etat"
BOARD_NEWS = "/en-direct/evenements"

INCIDENTS = "/incidents"
INCIDENT_NEW = "/incidents/nouveau"
INCIDENT = "/incidents/{incident}"
INCIDENT_ENTRIES = "/incidents/{incident}/ecritures"
INCIDENT_HOLDS = "/incidents/{incident}/gels"
INCIDENT_HOLD_LIFTED = "/incidents/{incident}/gels/{hold}/levee"
INCIDENT_NOTICES = "/incidents/{incident}/avis"
INCIDENT_PRACTICE = "/incidents/{incident}/cabinets/{practice}"
INCIDENT_NOTICE = "/incidents/{incident}/cabinets/{practice}/remise"
INCIDENT_LETTER = "/incidents/{incident}/cabinets/{practice}/avis"
INCIDENT_INFORMED = "/incidents/{incident}/cabinets/{practice}/informe"
INCIDENT_TEXT = "/incidents/{incident}/registre.txt"
INCIDENT_PAPER = "/incidents/{incident}/registre.pdf"

#: What a practice is told of incidents that concern it.
NOTICES = "/avis"
NOTICE = "/avis/{practice}/{incident}"
NOTICE_READ = "/avis/{practice}/{incident}/lecture"

GLASS = "/bris-de-glace"
GLASS_ONE = "/bris-de-glace/{glass}"
GLASS_TOPIC = "/bris-de-glace/{glass}/rubrique"
GLASS_REVIEW = "/bris-de-glace/{glass}/relecture"

EXTRACTS = "/extraits"
EXTRACT_NEW = "/extraits/nouveau"
EXTRACT = "/extraits/{extract}"
EXTRACT_RELEASE = "/extraits/{extract}/remise"
EXTRACT_DECLINE = "/extraits/{extract}/refus"

SCENARIOS = "/scenarios"
SCENARIO = "/scenarios/{digest}"
SCENARIO_PICTURE = "/scenarios/{digest}/image.svg"

LOCKS = "/blocages"
LOCK_READ = "/blocages/{release}/motif"
LOCK_CONFIRMED = "/blocages/{release}/confirmation"

#: Differences with the carrier's list of calls.
CARRIER_LIST = "/ecarts"

#: The sealed ledger.
LEDGERS = "/registre"
LEDGER = "/registre/{log}"
LEDGER_SEARCH = "/registre/{log}/recherche"
LEDGER_RECORD = "/registre/{log}/inscriptions/{record}"
LEDGER_DEPOSITS = "/registre/{log}/depots"

STATIC = "/static/{name}"

#: The name of what says where one was.
RETURN = "suite"
LONGEST_RETURN = 300

# Segments that are not empty, so that no « // » can begin a host; nothing that a browser reads as a slash or ends a
# header with. RFC 3986 §4.2 calls what begins with « // » a reference to another host.
_OWN = re.compile(r"/(?:[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*)?(?:\?[A-Za-z0-9._~=&%-]*)?")
#: One does not come back to where one signs in or out, nor to what is only fetched.
_NO_RETURN = (LOGIN, LOGOUT, CONFIRM, FIRST_FACTOR, "/invitation", "/static", WORKPLACE_STATE, WORKPLACE_NEWS)
#: Of the live board: what is only fetched.
_NO_RETURN_EITHER = (BOARD_STATE, BOARD_WALL_STATE, BOARD_NEWS)


def safe_return(asked: str | None) -> str:
    """A path of the console's own to go on to: as asked, or the first page (an open redirect otherwise).

    Arguments:
        asked: what a query or a form said; whoever made the link may have written it.
    """
    if asked is None or len(asked) > LONGEST_RETURN or _OWN.fullmatch(asked) is None:
        return HOME
    path = asked.partition("?")[0]
    return HOME if any(path == no or path.startswith(no + "/") for no in _NO_RETURN + _NO_RETURN_EITHER) else asked


def with_return(path: str, back: str, **more: str) -> str:
    """``path``, with where to go on to after it."""
    query = {**({} if back == HOME else {RETURN: back}), **more}
    return f"{path}?{urlencode(query)}" if query else path
