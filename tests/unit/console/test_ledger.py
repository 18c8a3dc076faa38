"""The pages of the sealed ledger: what each state says, what leaves and what does not, and what no address tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.audit.agreement import Agreement
from callcenter.audit.anchors import AnchorKind
from callcenter.calls.call_references import NoCall
from callcenter.console.ledger import counted
from callcenter.console.ledger_ports import LogState, NoRecord, Pace
from tests.unit.console.doubles import Desk, open_desk
from tests.unit.console.ledgers import (
    AUTHORITY,
    CALL,
    CLAIRE,
    FOLDER,
    LINE,
    LISTED,
    NOW,
    PRACTICE,
    PROVED,
    RECORD,
    STATE,
    WAY,
)

SUPERVISOR = frozenset({"supervisor"})
STATE_PATH = f"/registre/{PRACTICE}"
RECORD_PATH = f"{STATE_PATH}/inscriptions/{RECORD}"
DEPOSITS_PATH = f"{STATE_PATH}/depots"


def plain(words: str) -> str:
    return words.replace("\xa0", " ").replace("\u202f", " ")


async def page_of(desk: Desk, path: str) -> str:
    answer = await desk.guest.get(path)
    assert answer.status == 200, path
    return plain(answer.words)


def waiting(pace: Pace, count: int, waits: timedelta | None, *, closed: bool = False) -> LogState:
    return replace(STATE, log=replace(LINE, pace=pace), waiting=count, waits=waits, closed=closed)


@pytest.mark.parametrize(
    ("state", "said", "unsaid"),
    [
        (STATE, ("rien : à jour", "1203 inscriptions, 26 novembre 2026 10:29:20", "sont ouvertes"), ("en retard",)),
        (
            waiting(Pace.SEALING, 3, timedelta(seconds=2)),
            ("À jour, scellement en cours", "3 inscriptions, depuis 2 secondes", "sont ouvertes"),
            ("en retard",),
        ),
        (
            waiting(Pace.LATE, 1, timedelta(minutes=4), closed=True),
            ("En retard", "1 inscription, en retard de 4 minutes", "Rien sur un patient n’est communiqué"),
            ("sont ouvertes",),
        ),
        (
            waiting(Pace.UNKNOWN, 1, None, closed=True),
            ("Retard inconnu", "on ne sait pas depuis quand", "Rien sur un patient n’est communiqué"),
            ("sont ouvertes", "en retard de"),
        ),
        (replace(STATE, waiting=10_000, many=True), ("rien n’est encore scellé",), ()),
        (STATE, ("sont ouvertes",), ("refusée",)),
        (
            replace(STATE, refused=2, refused_at=NOW),
            ("2 inscriptions ont été refusées par le scelleur, la dernière le 26 novembre 2026", "sont ouvertes"),
            (),
        ),
    ],
)
async def test_how_a_log_stands_is_said_in_words(
    state: LogState, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    async with open_desk() as desk:
        desk.ledgers.stated = replace(state, size=0, sealed_at=None) if state.many else state
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, STATE_PATH)
        assert [one for one in said if one not in words] == []
        assert [one for one in unsaid if one in words] == []


async def test_the_key_who_holds_what_and_how_old_it_is_are_said() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, STATE_PATH)
        assert "12345 67890 12345 67890 12345 67890 12345 67890" in words
        assert "callcenter audit key" in words
        assert f"Contresignature {CLAIRE} 800 14 novembre 2026 à 10 h 30 trop ancien 12 jours" in words
        assert f"Dossier {FOLDER} 1200 26 novembre 2026 à 9 h 37 tient le dernier 53 minutes" in words
        assert f"Horodatage {AUTHORITY} 1100 26 novembre 2026 à 0 h 30 récent 10 heures" in words
        assert "n’est tenu que par ce serveur" in words
        assert f"contresignature de {CLAIRE}, 14 novembre 2026" in words
        desk.ledgers.stated = replace(STATE, holdings=(), alone_since=None, keys=(), exported_at=None)
        words = await page_of(desk, STATE_PATH)
        assert "Personne d’autre ne tient ce registre." in words
        assert "La clé est sur le serveur qui scelle" in words
        assert "aucune contresignature" in words


async def test_the_picture_is_drawn_and_its_table_says_the_same() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(STATE_PATH)
        assert 'style="' not in page.text
        svg = page.text[page.text.index("<svg") : page.text.index("</svg>")]
        assert '<path class="bars" d="M' in svg
        assert svg.count('<path class="held" d="M') == len(AnchorKind)
        assert "23 novembre 2026 279 9 11 h 11" in page.words  # its morning is a gap


async def test_the_house_has_a_log_of_its_own_without_callers() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=frozenset({"administrator"}))
        assert 'href="/registre/maison"' in (await desk.guest.get("/registre")).text
        words = await page_of(desk, "/registre/maison")
        assert "Registre de la maison" in words
        assert "Les communications sont ouvertes" not in words
        assert (await desk.guest.get(f"/registre/{UUID(int=0)}")).status == 404
        assert (await desk.guest.get("/registre/nothing")).status == 404


async def test_a_record_is_found_by_its_identifier_or_by_its_call() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(STATE_PATH)
        page = await desk.guest.post(f"{STATE_PATH}/recherche", reference=f" {CALL} ")
        assert page.status == 200
        assert "3 inscriptions de cet appel" in page.words
        assert "heure illisible" in page.words
        assert "Il y en a d’autres" in plain(page.words)
        assert "place 9" in page.words
        assert "pas encore scellée" in page.words
        assert f'href="{RECORD_PATH}"' in page.text
        desk.ledgers.found = RECORD
        assert (await desk.guest.post(f"{STATE_PATH}/recherche", reference=str(RECORD))).location == RECORD_PATH
        desk.ledgers.found = NoCall.SEVERAL
        page = await desk.guest.post(f"{STATE_PATH}/recherche", reference="1e2feb89")
        assert (page.status, "Plusieurs appels commencent ainsi" in page.words) == (422, True)
        desk.ledgers.found = NoCall.UNKNOWN
        page = await desk.guest.post(f"{STATE_PATH}/recherche", reference="x" * 100)
        assert page.status == 422
        assert "Écrivez l’identifiant d’une inscription" in page.words
        assert desk.ledgers.asked[-1] == "x" * 60
        assert (await desk.guest.get(f"{STATE_PATH}/recherche")).location == "/registre"


async def test_the_way_of_a_record_is_a_list_that_ends_at_the_head() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, RECORD_PATH)
        assert "9, comptée à partir de 0, sur 1203 inscriptions" in words
        assert "À droite, l’inscription 8" in words
        assert "À gauche, les inscriptions 0 à 7" in words
        assert "Le chemin, en 3 pas" in words
        assert f"python -m callcenter.audit.proof inscription-{RECORD}.tlog-proof --trust" in words
        assert "que la clé du registre a signé" in words
        assert len(WAY) == 3
        desk.ledgers.came = replace(PROVED, signed=False)
        assert "La signature, non" in await page_of(desk, RECORD_PATH)


async def test_a_proof_leaves_as_a_file_by_a_form_of_ours_alone() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(RECORD_PATH)
        forged = await desk.guest.send(RECORD_PATH, {"preuve": "x"})
        assert (forged.status, desk.ledgers.taken) == (403, [])
        abroad = await desk.guest.send(RECORD_PATH, {"preuve": desk.guest.proof}, of="https://elsewhere.example")
        assert (abroad.status, desk.ledgers.taken) == (403, [])
        file = await desk.guest.post(RECORD_PATH)
        assert (file.status, file.text) == (200, "a proof")
        assert file.headers["Content-Disposition"] == f'attachment; filename="inscription-{RECORD}.tlog-proof"'
        assert file.headers["Cache-Control"] == "no-store"
        assert desk.ledgers.taken == [RECORD]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (NoRecord.UNKNOWN, "Aucune inscription que vous puissiez prouver ici"),
        (NoRecord.NOT_YET, "n’est pas encore scellée"),
        (NoRecord.ERASED, "est effacé"),
        (NoRecord.BROKEN, "quelque chose y a été changé"),
    ],
)
async def test_why_there_is_no_proof_is_said_and_nothing_leaves(why: NoRecord, said: str) -> None:
    async with open_desk() as desk:
        desk.ledgers.came = why
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, RECORD_PATH)
        assert said in words
        assert "Prouvée." not in words
        assert said in (await desk.guest.post(RECORD_PATH)).words
        assert desk.ledgers.taken == []


async def test_p4_while_the_ledger_is_behind_no_proof_leaves_and_its_page_stays() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(RECORD_PATH)
        desk.ledgers.closed = True
        page = await desk.guest.post(RECORD_PATH)
        assert page.status == 422
        assert "aucune preuve ne sort pour l’instant" in page.words
        assert "Le chemin, en 3 pas" in page.words


async def test_what_others_hold_is_listed_with_what_agrees_and_what_to_do_where_it_does_not() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, DEPOSITS_PATH)
        for said in ("recalculé sur les inscriptions", "comparé au point de contrôle gardé ici", "non comparé ici"):
            assert said in words
        for said in ("n’est plus celui-là", "est plus court", "pas un point de contrôle signé"):
            assert said in words
        assert "3 dépôts ne concordent pas avec le registre" in words
        assert "72 heures (BR-02)" in words
        desk.ledgers.held = tuple(one for one in LISTED if not one.agreement.is_wrong)
        assert "concordent pas" not in await page_of(desk, DEPOSITS_PATH)
        desk.ledgers.held = ()
        assert "n’a encore été remis à quelqu’un d’autre" in await page_of(desk, DEPOSITS_PATH)


@pytest.mark.parametrize(("asked", "page"), [("2", 2), ("0", 1), ("-1", 1), ("x", 1), ("%D9%A3", 1), ("99999", 5_000)])
async def test_a_page_of_the_list_is_one_that_there_may_be(asked: str, page: int) -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        assert (await desk.guest.get(f"{DEPOSITS_PATH}?page={asked}")).status == 200
        assert desk.ledgers.asked == [page]


async def test_a_piece_leaves_by_a_form_of_ours_alone_and_what_there_is_not_does_not() -> None:
    receipt = next(one.anchor for one in LISTED if one.agreement is Agreement.HEAD)
    fields = {"genre": receipt.kind.value, "lieu": receipt.place, "taille": str(receipt.size)}
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        await desk.guest.get(DEPOSITS_PATH)
        assert (await desk.guest.send(DEPOSITS_PATH, {**fields, "piece": "jeton", "preuve": "x"})).status == 403
        token = await desk.guest.post(DEPOSITS_PATH, **fields, piece="jeton")
        assert token.headers["Content-Disposition"] == 'attachment; filename="horodatage-1.tsr"'
        note = await desk.guest.post(DEPOSITS_PATH, **fields, piece="point")
        assert note.headers["Content-Disposition"] == 'attachment; filename="point-de-controle-1.txt"'
        assert [one[3] for one in desk.ledgers.taken] == [True, False]  # type: ignore[index]
        gone = await desk.guest.post(DEPOSITS_PATH, **{**fields, "genre": "file"}, piece="jeton")
        assert (gone.status, "rien n’est sorti" in gone.words) == (422, True)
        for wrong in ({"piece": "x"}, {"piece": "point", "taille": "x"}, {"piece": "point", "taille": "9" * 19}):
            assert (await desk.guest.post(DEPOSITS_PATH, **{**fields, **wrong})).status == 400


async def test_the_list_is_searched_by_a_form_and_says_how_each_stands() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        words = await page_of(desk, "/registre")
        assert "2 registres Registre de la maison À jour, scellement en cours Cabinet des Tilleuls À jour" in words
        page = await desk.guest.post("/registre", recherche="  til   leuls ")
        assert desk.ledgers.asked[-1] == "til leuls"
        assert "Tout montrer" in page.words
        desk.ledgers.listed = ()
        assert "Aucun cabinet de vos portefeuilles" in (await desk.guest.post("/registre", recherche="x")).words


async def test_what_is_not_theirs_is_not_there() -> None:
    async with open_desk() as desk:
        desk.ledgers.theirs = False
        await desk.signed_in(roles=SUPERVISOR)
        for path in ("/registre", STATE_PATH, RECORD_PATH, DEPOSITS_PATH):
            assert (await desk.guest.get(path)).status == 404, path
        await desk.guest.get("/compte")
        for path in (RECORD_PATH, f"{STATE_PATH}/recherche"):
            assert (await desk.guest.post(path, reference="x")).status == 404, path


async def test_each_moment_of_a_call_leads_to_its_proof() -> None:
    async with open_desk() as desk:
        await desk.signed_in(roles=SUPERVISOR)
        page = await desk.guest.get(f"/suivi/appels/{CALL}")
        assert f'href="{RECORD_PATH}"' in page.text


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, (0, "seconds")),
        (119, (119, "seconds")),
        (120, (2, "minutes")),
        (7199, (119, "minutes")),
        (7200, (2, "hours")),
        (200_000, (2, "days")),
    ],
)
def test_time_is_counted_in_the_largest_unit_of_which_there_are_two(seconds: int, told: tuple[int, str]) -> None:
    assert counted(timedelta(seconds=seconds)) == told
