"""The pages, by HTTP: what they say, where they lead, what they turn away."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from callcenter.console.application import doors
from callcenter.console.demonstration import demonstration_of
from callcenter.console.files import FOR_EVER, files
from callcenter.console.headers import HEADERS
from callcenter.console.ports import Overrun, Part, Stage, Training
from callcenter.kernel.errors import Conflict, Unavailable
from callcenter.settings import Environment
from tests.unit.console.doubles import (
    CODE,
    INVITATION,
    KEY,
    PASSWORD,
    RECOVERY,
    WELCOME,
    StaffDouble,
    open_desk,
)
from tests.unit.console.guest import Guest

LOGIN = {"login": "operatrice1", "password": PASSWORD}


async def test_one_signs_in_in_two_steps_and_comes_back_to_the_page_that_one_asked_for() -> None:
    async with open_desk() as desk:
        guest = desk.guest
        sent = await guest.get("/compte")
        assert (sent.status, sent.location) == (303, "/connexion?suite=%2Fcompte")
        page = await guest.follow(sent)
        assert 'name="suite" value="/compte"' in page.text
        half = await guest.post("/connexion", suite="/compte", **LOGIN)
        assert half.location == "/connexion/facteur?suite=%2Fcompte"
        first = dict(guest.cookies)
        assert list(first) == ["__Host-callcenter"]
        await guest.follow(half)
        done = await guest.post("/connexion/facteur/application", code="492 039", suite="/compte")
        assert done.location == "/compte"
        assert guest.cookies != first
        assert "Mon compte" in (await guest.follow(done)).words


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("/connexion/facteur/application", {"code": CODE}, {"code": "000000"}),
        ("/connexion/facteur/secours", {"secours": "K7FQ-h2m9".lower()}, {"secours": "00000000"}),
        ("/connexion/facteur/cle", {"response": "{}"}, {"response": "[]"}),
    ],
)
async def test_each_second_factor_lets_in_and_each_wrong_one_is_told_at_its_field(
    path: str, fields: dict[str, str], wrong: dict[str, str]
) -> None:
    async with open_desk() as desk:
        await desk.signed_in(stage=Stage.PASSWORD)
        page = await desk.guest.get("/connexion/facteur")
        assert all(way in page.words for way in ("Application de codes", "Clé d’accès", "Code de secours"))
        refused = await desk.guest.post(path, **wrong)
        assert refused.status == 422
        assert 'role="alert"' in refused.text
        assert refused.words.startswith("Erreur : ")
        empty = await desk.guest.post(path)
        assert empty.status == 422
        assert "Saisissez" in empty.words or "n’a pas été reconnue" in empty.words
        assert (await desk.guest.post(path, **fields)).status == 303


async def test_an_error_is_tied_to_its_field_and_what_was_typed_stays() -> None:
    async with open_desk() as desk:
        await desk.guest.get("/connexion")
        page = await desk.guest.post("/connexion", login="operatrice1", password="")
        assert '<a href="#password">' in page.text
        field = re.search(r'<input id="password"[^>]*>', page.text)
        assert field is not None
        assert 'aria-invalid="true"' in field[0]
        assert 'aria-describedby="password-erreur"' in field[0]
        assert 'id="password-erreur"' in page.text
        assert 'value="operatrice1"' in page.text
        assert PASSWORD not in page.text
        both = await desk.guest.post("/connexion", login="", password="")
        for words in ("Saisissez votre identifiant.", "Saisissez votre mot de passe."):
            assert both.words.count(words) == 2


@pytest.mark.parametrize(
    "how",
    [
        {"login": "nobody", "password": PASSWORD},
        {"login": "operatrice1", "password": "x"},
        {"login": "o" * 41, "password": "x"},
    ],
)
async def test_one_refusal_says_the_same_whatever_the_cause(how: dict[str, str]) -> None:
    async with open_desk() as desk:
        await desk.guest.get("/connexion")
        page = await desk.guest.post("/connexion", **how)
        assert page.status == 422
        assert "Identifiant ou mot de passe incorrect, ou compte qui ne peut pas se connecter" in page.words


async def test_who_has_tried_too_often_is_told_how_long_to_wait() -> None:
    async with open_desk(StaffDouble(wait=61)) as desk:
        await desk.guest.get("/connexion")
        assert "Réessayez dans 2 min" in (await desk.guest.post("/connexion", **LOGIN)).words


async def test_who_signs_in_anew_ends_the_session_before() -> None:
    async with open_desk() as desk:
        before = await desk.signed_in(stage=Stage.PASSWORD)
        await desk.guest.get("/connexion/facteur")
        await desk.guest.post("/connexion", **LOGIN)
        assert before not in desk.staff.sessions


async def test_who_is_in_already_is_not_asked_again() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        assert (await desk.guest.get("/connexion?suite=/compte")).location == "/compte"
        assert (await desk.guest.get("/connexion/facteur")).location == "/"
        assert (await desk.guest.get("/premier-facteur")).location == "/"


async def test_a_session_that_has_ended_is_told_kindly_and_one_comes_back() -> None:
    async with open_desk() as desk:
        token = await desk.signed_in()
        await desk.guest.get("/compte")
        del desk.staff.sessions[token]
        sent = await desk.guest.get("/compte?fait=session")
        assert sent.location == "/connexion?suite=%2Fcompte%3Ffait%3Dsession&fin=1"
        assert desk.guest.cookies == {}
        page = await desk.guest.follow(sent)
        assert "Votre session a pris fin" in page.words
        assert 'value="/compte?fait=session"' in page.text


async def test_a_form_of_a_session_that_has_ended_leads_to_the_page_it_stood_on() -> None:
    async with open_desk() as desk:
        token = await desk.signed_in(confirmed=True)
        await desk.guest.get("/compte")
        del desk.staff.sessions[token]
        sent = await desk.guest.post("/compte/mot-de-passe", old_password=PASSWORD, new_password="n", again="n")
        assert sent.location == "/connexion?suite=%2Fcompte&fin=1"


async def test_who_follows_a_link_from_elsewhere_is_asked_by_a_page_of_ours_once_more() -> None:
    async with open_desk() as desk:
        page = await desk.guest.get("/compte?fait=session", {"Sec-Fetch-Site": "cross-site"})
        assert page.status == 200
        assert 'content="0; url=/compte?fait=session"' in page.text
        assert (await desk.guest.get("/compte", {"Sec-Fetch-Site": "same-origin"})).status == 303
        await desk.signed_in()
        assert "Mon compte" in (await desk.guest.get("/compte", {"Sec-Fetch-Site": "cross-site"})).words


async def test_one_signs_out_by_a_form_and_by_no_link() -> None:
    async with open_desk() as desk:
        token = await desk.signed_in()
        assert (await desk.guest.get("/deconnexion")).location == "/"
        assert token in desk.staff.sessions
        await desk.guest.get("/")
        gone = await desk.guest.follow(await desk.guest.post("/deconnexion"))
        assert "Votre session est fermée" in gone.words
        assert token not in desk.staff.sessions


async def test_before_the_second_factor_no_page_is_open_but_its_own() -> None:
    async with open_desk() as desk:
        await desk.signed_in(stage=Stage.PASSWORD)
        for path in ("/", "/compte", "/confirmation", "/premier-facteur"):
            assert (await desk.guest.get(path)).location.startswith("/connexion/facteur")


async def test_who_has_no_second_factor_can_only_make_one() -> None:
    async with open_desk() as desk:
        await desk.signed_in(stage=Stage.PASSWORD, enrolled=False)
        for path in ("/", "/compte", "/connexion/facteur", "/confirmation"):
            assert (await desk.guest.get(path)).location == "/premier-facteur"


# --- an invitation


async def test_an_invitation_leads_to_a_password_an_application_and_ten_codes() -> None:
    async with open_desk() as desk:
        guest = desk.guest
        page = await guest.get(f"/invitation/{INVITATION}")
        assert page.words.index("au moins 14 caractères") < page.words.index("Nouveau mot de passe")
        differs = await guest.post(f"/invitation/{INVITATION}", new_password=PASSWORD, again="autre")
        assert "Les deux saisies ne sont pas les mêmes" in differs.words
        weak = await guest.post(f"/invitation/{INVITATION}", new_password="court", again="court")
        assert "trop court" in weak.words
        assert desk.staff.invitation == INVITATION
        page = await guest.follow(await guest.post(f"/invitation/{INVITATION}", new_password=PASSWORD, again=PASSWORD))
        assert "Étape 2 sur 2" in page.words
        secret = await guest.post("/premier-facteur/application")
        assert "JBSW Y3DP EHPK 3PXP" in secret.words
        assert "<svg " in secret.text
        assert "style=" not in secret.text
        wrong = await guest.post("/premier-facteur/application/code", code="000000")
        assert wrong.status == 422
        assert "JBSW" not in wrong.text
        assert "reste valable" in wrong.words
        codes = await guest.post("/premier-facteur/application/code", code=CODE)
        assert len(re.findall(r"aaaa-bbb\d", codes.text)) == 10
        assert (await guest.get("/")).status == 200


async def test_an_invitation_leads_to_a_key_as_well() -> None:
    async with open_desk() as desk:
        guest = desk.guest
        await desk.signed_in(stage=Stage.PASSWORD, enrolled=False)
        await guest.get("/premier-facteur")
        options = await guest.post("/premier-facteur/cle/options")
        assert json.loads(options.text) == {"challenge": "CCCC"}
        nameless = await guest.post("/premier-facteur/cle", response="{}", label=" ")
        assert "Donnez à la clé un nom" in nameless.words
        refused = await guest.post("/premier-facteur/cle", response="[]", label="téléphone")
        assert "n’a pas été reconnue" in refused.words
        codes = await guest.post("/premier-facteur/cle", response="{}", label="téléphone")
        assert "aaaa-bbb9" in codes.text
        assert desk.staff.keys[-1].label == "téléphone"


async def test_who_has_not_undertaken_to_be_silent_is_told_so_before_a_password_is_asked_for() -> None:
    async with open_desk(StaffDouble(undertaken=False)) as desk:
        page = await desk.guest.get(f"/invitation/{INVITATION}")
        assert "engagement de secret n’est pas encore enregistré" in page.words
        assert "new_password" not in page.text
        await desk.guest.get("/connexion")
        await desk.guest.post(f"/invitation/{INVITATION}", new_password=PASSWORD, again=PASSWORD)
        assert desk.staff.sessions == {}


async def test_a_form_is_encoded_in_one_way_and_not_in_another_besides() -> None:
    async with open_desk() as desk:
        host, port = desk.guest.origin.partition("//")[2], int(desk.guest.origin.rpartition(":")[2])
        form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3"
        twice = "Content-Encoding: identity\r\nContent-Encoding: gzip"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /connexion HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{form}\r\n{twice}\r\n\r\n"
        writer.write(head.encode() + b"a=b")
        assert b" 415 " in await reader.readline()
        writer.close()
        assert desk.failures == []


async def test_who_uses_an_invitation_is_in_by_it_alone() -> None:
    """Somebody else was signed in at this browser, and nobody would see their session any more."""
    async with open_desk() as desk:
        before = await desk.signed_in()
        await desk.guest.get(f"/invitation/{INVITATION}")
        gone = await desk.guest.post(f"/invitation/{INVITATION}", new_password=PASSWORD, again=PASSWORD)
        assert gone.location == "/premier-facteur"
        assert before not in desk.staff.sessions


async def test_an_invitation_that_is_used_or_made_up_says_what_to_do() -> None:
    async with open_desk(StaffDouble(invitation=None)) as desk:
        page = await desk.guest.get(f"/invitation/{INVITATION}")
        assert page.status == 410
        assert "demandez une nouvelle invitation" in page.words
        await desk.guest.get("/connexion")
        late = await desk.guest.post(f"/invitation/{INVITATION}", new_password=PASSWORD, again=PASSWORD)
        assert late.status == 410


# --- one's own account

CHANGES = [
    "/compte/mot-de-passe",
    "/compte/application",
    "/compte/application/code",
    "/compte/cles",
    "/compte/cles/options",
    f"/compte/cles/{KEY}/retrait",
    "/compte/codes-de-secours",
]


@pytest.mark.parametrize("path", CHANGES)
async def test_before_any_change_a_second_factor_is_asked_for(path: str) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        page = await desk.guest.get("/compte")
        assert "Confirmer mon identité" in page.words
        assert path not in page.text
        sent = await desk.guest.post(
            path, old_password=PASSWORD, new_password="n", again="n", code=CODE, response="{}", label="a"
        )
        assert sent.location == "/confirmation?suite=%2Fcompte"
        assert desk.staff.changes == []


@pytest.mark.parametrize(
    ("path", "fields"),
    [("application", {"code": CODE}), ("secours", {"secours": RECOVERY}), ("cle", {"response": "{}"})],
)
async def test_each_second_factor_confirms(path: str, fields: dict[str, str]) -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        await desk.guest.get("/confirmation?suite=/compte")
        done = await desk.guest.post(f"/confirmation/{path}", suite="/compte", **fields)
        assert done.location == "/compte"
        assert "Changer de mot de passe" in (await desk.guest.follow(done)).words


async def test_a_password_is_changed_and_each_mistake_told_at_its_field() -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/compte")
        new = {"new_password": "cinq autres mots ici", "again": "cinq autres mots ici"}
        path = "/compte/mot-de-passe"
        assert "#old_password" in (await desk.guest.post(path, **new)).text
        assert "actuel n’est pas le bon" in (await desk.guest.post(path, old_password="x", **new)).words
        desk.staff.wait = 900
        assert "Réessayez dans 15 min" in (await desk.guest.post(path, old_password="x", **new)).words
        desk.staff.wait = None
        assert "#new_password" in (await desk.guest.post(path, old_password=PASSWORD, new_password="n", again="n")).text
        same = await desk.guest.post(path, old_password=PASSWORD, new_password=PASSWORD, again=PASSWORD)
        assert (same.status, same.words.count("choisissez-en un autre")) == (422, 2)
        assert desk.staff.changes == []
        done = await desk.guest.follow(await desk.guest.post(path, old_password=PASSWORD, **new))
        assert "Votre mot de passe est changé" in done.words
        assert desk.staff.changes == ["password"]


async def test_keys_are_added_and_removed_and_the_last_factor_stays() -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        assert "portable gris" in (await desk.guest.get("/compte")).words
        added = await desk.guest.post("/compte/cles", response="{}", label="clé USB")
        assert "« clé USB »" in (await desk.guest.follow(added)).words
        await desk.signed_in(confirmed=True)
        await desk.guest.get("/compte")
        removed = await desk.guest.follow(await desk.guest.post(f"/compte/cles/{KEY}/retrait"))
        assert "portable gris" not in removed.words
        desk.staff.last_factor = True
        kept = await desk.guest.post(f"/compte/cles/{UUID(int=1)}/retrait")
        assert kept.status == 422
        assert "dernier moyen" in kept.words
        assert (await desk.guest.post("/compte/cles/none/retrait")).status == 404


async def test_who_has_as_many_keys_as_one_may_have_is_not_offered_another() -> None:
    async with open_desk() as desk:
        await desk.signed_in(confirmed=True)
        desk.staff.keys *= 10
        page = await desk.guest.get("/compte")
        assert "retirez-en une d’abord" in page.words
        assert "Nom de la clé" not in page.words


async def test_codes_are_made_anew_and_sessions_ended() -> None:
    async with open_desk() as desk:
        ended, other = desk.staff.new(stage=Stage.PASSWORD), desk.staff.new(stage=Stage.FULL)
        own = await desk.signed_in(confirmed=True)
        words = (await desk.guest.get("/compte")).words
        assert "Mettre fin à toutes les autres" in words
        assert "Mot de passe donné, second moyen non" in words
        assert "aaaa-bbb0" in (await desk.guest.post("/compte/codes-de-secours")).text
        await desk.guest.post(f"/compte/sessions/{UUID(int=int(ended))}/fin")
        assert list(desk.staff.sessions) == [other, own]
        done = await desk.guest.follow(await desk.guest.post("/compte/sessions/fin"))
        assert "Mettre fin à toutes les autres" not in done.words


# --- the first page


@pytest.mark.parametrize(
    ("training", "days", "until", "words"),
    [
        (Training.ENDING, 30, date(2026, 12, 26), "Votre formation expire dans 30 jours"),
        (Training.ENDING, 1, date(2026, 11, 27), "Votre formation expire dans 1 jour "),
        (Training.ENDING, 0, date(2026, 11, 26), "Votre formation expire aujourd’hui"),
        (Training.LAPSED, None, date(2026, 11, 25), "Votre formation a expiré le 25 novembre 2026"),
        (Training.LAPSED, None, None, "Votre formation n’est pas enregistrée"),
    ],
)
async def test_training_that_ends_is_told_with_what_it_means(
    training: Training, days: int | None, until: date | None, words: str
) -> None:
    welcomed = replace(WELCOME, training=training, days=days, trained_until=until)
    async with open_desk(StaffDouble(welcomed=welcomed)) as desk:
        await desk.signed_in()
        page = await desk.guest.get("/")
        assert words in page.words
        assert "répondre" in page.words
        assert "prendre des messages" in page.words
        assert ("pas renouvelée" in page.words) is (training is Training.LAPSED and until is not None)


async def test_practices_stand_by_portfolio_and_a_thousand_of_them_are_counted() -> None:
    parts = (Part("Nord", ("operator", "supervisor"), False, ("Cabinet A", "Cabinet B"), 1000),)
    async with open_desk(StaffDouble(welcomed=replace(WELCOME, parts=parts))) as desk:
        await desk.signed_in()
        words = (await desk.guest.get("/")).words
        assert "télésecrétaire, superviseur · 1000 cabinets" in words
        assert "et 998 autres" in words


async def test_who_has_no_practice_is_told_whom_to_ask() -> None:
    async with open_desk(StaffDouble(welcomed=replace(WELCOME, parts=()))) as desk:
        await desk.signed_in()
        assert "Aucun cabinet ne vous est confié" in (await desk.guest.get("/")).words


# --- what goes wrong


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable(), 503), (Overrun(), 503), (Conflict(), 403), (ValueError("Jeanne"), 500)]
)
async def test_what_fails_is_a_page_with_a_reference_that_stands_in_the_log(error: Exception, status: int) -> None:
    async with open_desk(StaffDouble(fails=error)) as desk:
        desk.guest.cookies["__Host-callcenter"] = "t" * 32
        with capture_logs() as logs:
            page = await desk.guest.get("/compte?x=secret")
        assert page.status == status
        assert "Jeanne" not in page.text
        reference = re.search(r"<code>([0-9a-f]{10})</code>", page.text)
        assert reference is not None
        line = next(line for line in logs if line["event"] == "console_request")
        assert line["reference"] == reference[1]
        assert line["route"] == "/compte"
        assert "secret" not in str(logs)
        assert "t" * 32 not in str(logs)
        assert [name for name, _ in desk.failures] == (["ValueError"] if status == 500 else [])


async def test_a_request_is_logged_without_query_cookie_form_or_what_its_path_holds() -> None:
    async with open_desk() as desk:
        with capture_logs() as logs:
            await desk.guest.get(f"/invitation/{INVITATION}?a=query")
            await desk.guest.post(f"/invitation/{INVITATION}", new_password="a password", again="another")
        said = str(logs)
        assert "/invitation/{token}" in said
        for secret in (INVITATION, "query", "a password", *desk.guest.cookies.values()):
            assert secret not in said


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_method_that_nothing_takes_is_turned_away(method: str) -> None:
    async with open_desk() as desk:
        headers = {"Origin": desk.guest.origin, "Sec-Fetch-Site": "same-origin"}
        answer = await desk.guest.ask(method, "/connexion", headers=headers)
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("type_", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
async def test_what_is_no_form_is_turned_away(type_: str) -> None:
    async with open_desk() as desk:
        page = await desk.guest.send("/connexion", LOGIN, {"Content-Type": type_})
        assert page.status == 415
        assert desk.staff.sessions == {}


async def test_a_file_is_fetched_once_and_again_when_it_changes() -> None:
    async with open_desk() as desk:
        page = await desk.guest.get("/connexion")
        address = re.search(r'href="(/static/console\.css\?[0-9a-f]+)"', page.text)
        assert address is not None
        file = await desk.guest.get(address[1])
        assert (file.status, file.headers["Cache-Control"]) == (200, FOR_EVER)
        # Under an address that does not name what it holds, a browser asks again.
        for other in ("/static/console.css", "/static/console.css?" + "0" * 16, address[1] + "0"):
            assert (await desk.guest.get(other)).headers["Cache-Control"] == "no-cache"
        again = await desk.guest.get("/static/console.css", {"If-None-Match": file.headers["ETag"]})
        assert again.status == 304
        assert (await desk.guest.get("/static/..%2f__init__.py")).status == 404


async def test_a_file_is_packed_for_who_unpacks_it_and_a_page_never_is() -> None:
    plain = files()["console.css"].body.decode()
    async with open_desk() as desk:
        await desk.signed_in()
        for accepted, packed in {
            "gzip, br": True,
            "br, gzip;q=1.0": True,
            "identity": False,
            "gzip;q=0": False,
        }.items():
            file = await desk.guest.get("/static/console.css", {"Accept-Encoding": accepted})
            assert file.text == plain  # the client unpacks
            assert (file.headers.get("Content-Encoding") == "gzip") is packed, accepted
            assert file.headers["Vary"] == "Accept-Encoding"
            assert (int(file.headers["Content-Length"]) < len(plain) / 2) is packed
            again = {"Accept-Encoding": accepted, "If-None-Match": file.headers["ETag"]}
            assert (await desk.guest.get("/static/console.css", again)).status == 304
        for path in ("/", "/compte", "/connexion", "/nothing"):
            page = await desk.guest.get(path, {"Accept-Encoding": "gzip, deflate, br"})
            assert "Content-Encoding" not in page.headers, path


async def _every_page(guest: Guest) -> list[tuple[str, dict[str, str]]]:
    paths = ["/", "/compte", "/confirmation", "/connexion", "/invitation/x", "/nothing", "/static/console.css"]
    return [(path, dict((await guest.get(path)).headers)) for path in paths]


async def test_every_answer_bears_the_headers_and_no_page_is_kept() -> None:
    async with open_desk() as desk:
        await desk.signed_in()
        for path, headers in await _every_page(desk.guest):
            assert HEADERS.items() <= headers.items(), path
            assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")
            assert "Strict-Transport-Security" not in headers
    async with open_desk(url="https://console.example.org") as desk:
        assert "Strict-Transport-Security" in (await desk.guest.get("/connexion")).headers


def test_no_template_holds_script_or_style_or_an_unescaped_value() -> None:
    folder = Path("callcenter/console/templates")
    for path in folder.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|\| *safe|autoescape|javascript:", text), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path


async def test_every_door_says_for_whom_it_is_and_every_route_is_a_door() -> None:
    async with open_desk() as desk:
        seen = [(door.method, door.path) for door in doors_of(desk.staff)]
        assert len(seen) == len(set(seen))
        for method, path in seen:
            if path not in ("/connexion", "/deconnexion", "/invitation/{token}"):
                address = path.format(token="x", passkey=KEY, session=KEY, call=KEY, act="decrocher", **OTHERS)
                answer = await (desk.guest.get(address) if method == "GET" else desk.guest.send(address, {}))
                assert (answer.status, answer.location.partition("?")[0]) == (303, "/connexion"), path


#: What else stands in addresses.
OTHERS = {"incident": KEY, "practice": KEY, "hold": KEY, "message": KEY, "release": KEY}

#: The page that has the form, by where the address of a form begins.
FORMS = {
    "/deconnexion": "/",
    "/connexion/facteur/": "/connexion/facteur",
    "/premier-facteur/": "/premier-facteur",
    "/confirmation/": "/confirmation",
    "/compte/": "/compte",
    "/poste/": "/poste",
    "/messages/": "/messages",
    "/incidents/": "/incidents",
    "/blocages/": "/blocages",
}


async def test_whoever_asks_for_the_address_of_a_form_is_led_to_the_page_that_has_it() -> None:
    async with open_desk() as desk:
        doors = doors_of(desk.staff)
        pages = {door.path for door in doors if door.method == "GET"}
        forms = {door.path for door in doors if door.method == "POST"} - pages
        assert len(forms) > 20
        for path in forms:
            (page,) = [page for begins, page in FORMS.items() if path.startswith(begins)]
            assert page in pages
            address = path.format(passkey=KEY, session=KEY, call=KEY, act="decrocher", **OTHERS)
            for method in ("GET", "HEAD"):
                answer = await desk.guest.ask(method, f"{address}?suite=//evil.example")
                assert (answer.status, answer.location) == (303, page), path
        assert desk.staff.used == 0
        assert desk.workplaces.done == []


async def test_a_bookmark_of_a_form_leads_through_signing_in_to_its_page() -> None:
    async with open_desk() as desk:
        login = await desk.guest.follow(await desk.guest.get("/compte/mot-de-passe"))
        assert 'name="suite" value="/compte"' in login.text
        await desk.signed_in()
        shown = await desk.guest.follow(await desk.guest.get("/confirmation/application"))
        assert 'action="/confirmation/application"' in shown.text


def doors_of(staff: StaffDouble) -> list[object]:
    from callcenter.console.application import ConsoleDependencies
    from callcenter.console.streams import Streams
    from callcenter.console.supervision import Supervision

    nothing = [None] * 7
    deps = ConsoleDependencies(None, staff, staff, staff, staff, *nothing, supervision=Supervision(None, None, None))  # type: ignore[arg-type]
    return list(doors(deps, Streams(None, staff, None)))  # type: ignore[arg-type]


async def test_the_demo_says_how_one_signs_in_and_nothing_else_does() -> None:
    shown = demonstration_of(Environment.DEMO)
    assert shown is not None
    async with open_desk(demonstration=shown) as desk:
        words = (await desk.guest.get("/connexion")).words
        assert "callcenter demo code operatrice1" in words
        assert shown.password in words
    assert [demonstration_of(other) for other in Environment if other is not Environment.DEMO] == [None, None]
    async with open_desk() as desk:
        assert "Démonstration" not in (await desk.guest.get("/connexion")).words
