"""An extract of the register: what each record becomes in words, what is kept from others, and both forms of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from callcenter.audit.about import About, Reach, Told, moment_of
from callcenter.audit.ledger import EventKind
from callcenter.audit.reading import Checked, Record
from callcenter.console.extract_ports import NotNow
from callcenter.disclosure.gate import Reason
from callcenter.identity.evidence import Factor
from callcenter.kernel.labels import Category
from callcenter.reports import register_words as words
from callcenter.reports.extract_rules import Choice, Form, Objection, as_read
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.register_extract import MOST_LINES, Extract, Line, Material, Named, Practice, Request, compose
from callcenter.reports.register_json import as_json
from callcenter.reports.register_paper import on_paper
from callcenter.reports.register_words import READERS, Section
from tests.attack.extracting import words_on

AT = datetime(2026, 11, 26, 23, 30, 5, tzinfo=UTC)
CALL, OTHER_CALL = UUID(int=0xCA11), UUID(int=0xCA12)
STREAM, OTHER_STREAM = UUID(int=0x57EA), UUID(int=0x57EB)
ZONE = ZoneInfo("America/Martinique")
PRACTICE = Practice("Cabinet <b>des Tilleuls</b>", "12 rue des Tilleuls", "Télésecrétariat", ZONE)
REQUEST = Request(
    UUID(int=0xE87),
    Asks.PATIENT,
    IdentityCheck.IN_PERSON,
    Named("Martin-Duval", "Jeanne", date(1962, 3, 14)),
    date(2026, 11, 1),
    date(2026, 11, 30),
    AT,
)
HAS_A_FILE = "le fait que la personne concernée a un dossier au cabinet"
TOLD = {
    **{"event": "disclosure", "decision": "granted", "categories": ["D03"], "level": 2, "channel": "voice"},
    **{"control": "enforced", "prompt": {"key": "x"}, "evidence": ["birth_date+telephone", "sms_code"]},
    **{"recipient": "patient", "purpose": "PATRQT", "actor": {"kind": "ivr", "id": "callcenter"}},
}


def told(
    number: int,
    body: dict[str, Any],
    *,
    call: UUID | None = CALL,
    stream: UUID = STREAM,
    holds: bool = True,
    **more: Any,
) -> Told:
    written = {"ts": (AT + timedelta(seconds=number)).isoformat(), **body}
    return Told(
        Checked(Record(UUID(int=number), number, written), bytes([number % 256]) * 32, holds), call, stream, **more
    )


def refused(number: int, reason: str, **more: Any) -> Told:
    return told(number, {**TOLD, "decision": "refused", "reason": reason}, **more)


def followed(event: str, **content: str) -> Record:
    return Record(UUID(int=99), 99, {"event": event, **content})


def made(*records: Told, request: Request = REQUEST, **more: Any) -> Extract:
    reach = more.pop("reach", Reach(AT - timedelta(days=30)))
    about = About(records, more.pop("missing", {}), more.pop("whole", True), more.pop("taken", {}))
    calls = {CALL: (AT, AT + timedelta(minutes=3)), OTHER_CALL: (AT - timedelta(days=1), None)}
    return compose(request, PRACTICE, AT, Material(about, reach, calls, **more))


def line(one: Told, **more: Any) -> Line:
    (found,) = made(one, **more).lines
    return found


def test_what_was_told_says_of_what_kind_to_whom_by_what_proof_and_how_far_it_was_heard() -> None:
    one = line(told(1, TOLD, followed=(followed("disclosure.playback", playback="interrupted"),)))
    assert one.section is Section.TOLD
    assert one.what == ("la date et l’heure d’un rendez-vous",)
    assert one.whom == "vous-même, d’après ce qui a été prouvé"
    assert one.means == ("date de naissance et téléphone inscrits au dossier", "code reçu par SMS")
    assert one.heard == "interrompu avant la fin"
    assert (one.by, one.call, one.intact) == ("le serveur vocal", 1, True)
    again = (followed("disclosure.playback", playback="full"), followed("disclosure.redelivered"))
    twice = made(told(1, TOLD, followed=again))
    assert (twice.lines[0].heard, twice.lines[0].given) == ("écouté jusqu’au bout", 2)
    assert "écouté jusqu’au bout ; remis 2 fois" in words_on(on_paper(twice))
    assert line(told(1, TOLD)).heard.startswith("on ignore")
    assert line(told(1, {**TOLD, "prompt": None})).heard == "", "a search is not heard"


def test_what_was_declared_is_never_among_what_we_have_enforced() -> None:
    extract = made(told(1, TOLD), told(2, {**TOLD, "control": "declared", "channel": "console"}))
    assert [one.record.int for one in extract.of(Section.TOLD)] == [1]
    assert [one.record.int for one in extract.of(Section.DECLARED)] == [2]
    paper = words_on(on_paper(extract))
    assert paper.index("Ce qui a été communiqué (1)") < paper.index("Ce que le secrétariat a déclaré avoir dit (1)")


@pytest.mark.parametrize(
    ("more", "whom"),
    [
        ({"recipient": "rescue", "channel": "console", "level": 0}, "un service de secours"),
        ({"channel": "sms", "level": 0}, "au téléphone inscrit dans votre dossier"),
        ({"level": 0}, "une personne qui s’est fait connaître comme étant vous, sans l’avoir prouvé"),
    ],
)
def test_to_whom(more: dict[str, Any], whom: str) -> None:
    assert line(told(1, {**TOLD, **more})).whom == whom


def test_a_refusal_is_told_in_two_ways_whatever_the_reason() -> None:
    """One that names another person, such as whoever is called alike, is none of the reader's."""
    said = {reason: line(refused(1, reason.value)) for reason in Reason}
    assert {one.section for one in said.values()} == {Section.NOT_TOLD}
    assert len({one.why for one in said.values()}) == 2
    assert said[Reason.HOMONYM].why == said[Reason.SHARED_CONTACT].why == said[Reason.SENSITIVE].why
    text = as_json(made(*(refused(number, reason.value) for number, reason in enumerate(Reason, 1)))).decode()
    assert "homonym" not in text.lower()


def test_every_category_factor_and_event_about_somebody_has_words() -> None:
    reader = READERS[True]
    for category in Category:
        (said,) = words.categories([category.value], reader)
        assert category.value not in said, category
        assert "{" not in said
    assert "autre preuve" not in {each for factor in Factor for each in words.factors([factor.value])}
    known = [words.categories([Category.RECORD_EXISTS.value], one) for one in READERS.values()]
    assert known == [("le fait que vous avez un dossier au cabinet",), (HAS_A_FILE,)]  # man or woman
    assert words.categories(["D99"], reader) == ("une information de la catégorie D99",)
    # Those that are written with a subject: the rest of the ledger names nobody.
    about = ("verification.succeeded", "verification.code", "appointment.", "reminder", "extract.", "reference.right")
    for kind in EventKind:
        if kind.value.startswith(about) and kind is not EventKind.REMINDERS_CHOSEN:
            assert words.event(kind.value, reader)[1] != "Autre inscription", kind
    assert words.event("something.new", reader) == (Section.ACTS, "Autre inscription"), "it is told all the same"


def test_staff_are_named_only_where_the_practice_has_chosen_it() -> None:
    one = told(1, {"event": "extract.read", "actor": {"kind": "staff", "id": "some-id"}}, call=None)
    assert line(one).by == "une personne du cabinet ou de son secrétariat"
    named = made(one, names={"some-id": "Docteur Blanc"}, staff_named=True)
    assert (named.lines[0].by, named.lines[0].name) == (line(one).by, "Docteur Blanc")
    assert "Le cabinet a choisi d’indiquer le nom" in words_on(on_paper(named))
    assert "Par : Docteur Blanc (une personne du cabinet" in words_on(on_paper(named))
    assert "Le nom des personnes du cabinet et du secrétariat n’y figure pas" in words_on(on_paper(made(one)))


PARENT = replace(REQUEST, asks=Asks.PARENT)


def test_sp_01_what_a_minor_has_asked_to_keep_leaves_no_trace_for_a_parent() -> None:
    """Nor do the call, the code and the looks at it; the paper is that of a register in which there was nothing."""
    visit, challenge = f"appointment.starts_at:{UUID(int=7)}", f"challenge:{UUID(int=6)}"
    secret = (
        told(1, {"event": "verification.succeeded", "refs": [challenge], "factors": ["sms_code"]}),
        told(2, {"event": "verification.code_sent", "refs": [challenge]}, call=None),
        refused(3, "secret_mineur"),
        told(4, {"event": "review.call_opened", "refs": [f"call:{CALL}"]}),
        told(5, {**TOLD, "refs": [visit, "agenda:external"]}),
        told(6, {**TOLD, "channel": "sms", "refs": [visit]}, call=None),
    )
    harmless = told(7, {**TOLD, "refs": [f"appointment.starts_at:{UUID(int=8)}", "agenda:external"]}, call=OTHER_CALL)
    without, among = made(harmless, request=PARENT), made(*secret, harmless, request=PARENT)
    assert among == without
    assert on_paper(among) == on_paper(without)
    assert as_json(among) == as_json(without)
    assert len(made(*secret, harmless).lines) == 7, "nothing is kept from the patient"


def test_whatever_the_rules_have_against_an_extract_has_words_on_the_pages() -> None:
    assert {*map(str, Objection)} < {*map(str, NotNow)}


def test_sp_01_no_number_tells_a_parent_that_something_is_kept_from_them() -> None:
    """Neither that lines are left out, where too few are left for that, nor what is gone from a call that is kept."""
    many = [told(number, TOLD, call=None, stream=UUID(int=number)) for number in range(1, MOST_LINES + 1)]
    kept = [refused(number, "secret_mineur", call=CALL) for number in range(1000, 1020)]
    gone = {STREAM: 3, OTHER_STREAM: 2}
    for lines in (many[20:], many):
        without = made(*lines, request=PARENT, missing={OTHER_STREAM: 2})
        among = made(*lines[:30], *kept, *lines[30:], request=PARENT, missing=gone)
        assert among == without
        assert (among.whole, among.missing, len(among.lines)) == (True, 0, len(lines))
    for fewer in (made(*many[:9], request=PARENT, whole=False), made(*many, *many, request=PARENT)):
        held_back = frozenset({UUID(int=1)} if len(fewer.lines) == MOST_LINES else ())
        assert as_read(fewer, Choice(Form.PDF, held_back=held_back)) is Objection.TOO_LONG
    assert as_read(made(*many, *many), Choice(Form.PDF, held_back=frozenset({UUID(int=1)}))) is None
    assert as_read(made(*many, *many, request=PARENT), Choice(Form.PDF)) is None, "a full paper tells nothing"
    patients = made(*many, *kept, missing=gone)
    assert (patients.whole, patients.missing, len(patients.lines)) == (False, 3, MOST_LINES)
    assert patients.lines[-1].record == UUID(int=1019), "the latest are shown"


@pytest.mark.parametrize("zone", ["America/Martinique", "Pacific/Noumea"])
@pytest.mark.parametrize(
    "written", ["", "x", "0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_record_whose_time_was_tampered_with_stops_no_extract(zone: str, written: str) -> None:
    there = replace(PRACTICE, zone=ZoneInfo(zone))
    extract = replace(made(told(1, {**TOLD, "ts": written}, holds=False)), practice=there)
    assert "1970" in words_on(on_paper(extract))
    (one,) = json.loads(as_json(extract))["lines"]
    assert one["at"].startswith("19")
    assert moment_of(written) is None


def test_sp_01_the_practice_holds_back_what_the_file_does_not_know() -> None:
    minors = refused(1, "minor")
    assert line(minors, request=PARENT).minors
    assert made(minors, request=PARENT, held_back=frozenset({UUID(int=1)})).lines == ()
    assert len(made(minors, held_back=frozenset({UUID(int=1)})).lines) == 1, "from the patient nothing is"
    sentence = "Ce qu’une personne mineure a demandé de garder secret"
    assert sentence in words_on(on_paper(made(request=PARENT)))
    assert sentence not in words_on(on_paper(made()))


def test_whoever_acts_for_the_patient_is_not_addressed_as_them() -> None:
    text = as_json(made(told(1, TOLD), refused(2, "sensitive"), request=PARENT)).decode()
    lines = json.dumps(json.loads(text)["lines"], ensure_ascii=False)
    assert "la personne concernée, d’après ce qui a été prouvé" in lines
    assert "vous" not in lines.replace("rendez-vous", "")


def test_an_empty_register_says_so_plainly() -> None:
    paper = words_on(on_paper(made(reach=Reach(None))))
    assert "Le registre ne contient aucune inscription sur la personne concernée pour cette période" in paper
    assert "Le registre de ce cabinet est vide" in paper
    assert "Vérifier ce document" in paper


def test_how_far_the_register_reaches_is_said() -> None:
    erased = (AT - timedelta(days=2), AT - timedelta(days=2), AT)
    extract = made(told(1, TOLD), missing={STREAM: 2}, whole=False, reach=Reach(AT - timedelta(days=30), erased))
    paper = words_on(on_paper(extract))
    assert "Il commence le 27 octobre 2026 ; il ne sait rien de ce qui s’est passé avant." in paper
    assert "Seules les 500 dernières inscriptions sont montrées" in paper
    assert "2 inscriptions n’existent plus" in paper
    assert "ont été effacées : 24 novembre 2026 et 26 novembre 2026" in paper


def test_what_is_erased_by_night_is_told_by_its_last_day_and_what_was_taken_away_by_itself() -> None:
    nights = tuple(AT - timedelta(days=back) for back in range(40, -1, -1))
    extract = made(told(1, TOLD), missing={STREAM: 3}, taken={STREAM: 1}, reach=Reach(AT - timedelta(days=30), nights))
    paper = words_on(on_paper(extract))
    assert "ont été effacées : la dernière fois le 26 novembre 2026" in paper
    assert "qui manquent sans qu’aucun effacement inscrit ne dise pourquoi : 1" in paper
    assert "sans qu’aucun effacement" not in words_on(on_paper(made(told(1, TOLD), missing={STREAM: 3})))


def test_a_record_that_was_changed_is_pointed_out_and_nothing_hidden() -> None:
    paper = words_on(on_paper(made(told(1, TOLD, holds=False), told(2, TOLD))))
    assert paper.count("Cette inscription ne correspond plus à ce qui a été écrit.") == 1
    assert "Attention : au moins une inscription" in paper


def test_times_are_those_of_the_practice() -> None:
    """Late in the evening of Paris it is the same afternoon over there."""
    paper = words_on(on_paper(made(told(1, TOLD))))
    assert "26 novembre 2026 19:30:06" in paper
    assert "America/Martinique" in paper
    assert json.loads(as_json(made(told(1, TOLD))))["lines"][0]["at"] == "2026-11-26T19:30:06-04:00"


def test_a_paper_is_text_with_its_language_and_title_and_no_markup_of_others() -> None:
    paper = on_paper(made(told(1, TOLD)))
    assert b"/Lang (fr-FR)" in paper
    assert b"/DisplayDocTitle true" in paper
    assert b"/XObject" not in paper
    assert b"/Image" not in paper.replace(b"/ImageB", b"").replace(b"/ImageC", b"").replace(b"/ImageI", b"")
    assert "Cabinet <b>des Tilleuls</b>" in words_on(paper)
    assert paper == on_paper(made(told(1, TOLD))), "the same extract is the same file"


def test_the_json_has_every_line_with_its_record_and_the_digest_of_their_leaves() -> None:
    first, second = told(1, TOLD), told(2, {"event": "review.patient_searched", "purpose": "control"}, call=None)
    read = json.loads(as_json(made(first, second)))
    assert (read["format"], read["version"], read["id"]) == ("callcenter-register-extract", 1, str(REQUEST.id))
    assert [one["record"] for one in read["lines"]] == [str(UUID(int=1)), str(UUID(int=2))]
    assert [one["section"] for one in read["lines"]] == ["told", "looks"]
    assert read["lines"][0]["categories"] == [{"code": "D03", "said": "la date et l’heure d’un rendez-vous"}]
    assert read["records_sha256"] == sha256(bytes([1]) * 32 + bytes([2]) * 32).hexdigest()
    assert read["calls"] == [
        {"number": 1, "id": str(CALL), "started": "2026-11-26T19:30:05-04:00", "ended": "2026-11-26T19:33:05-04:00"}
    ]
    assert read["person"] == {"name": "Martin-Duval", "first_name": "Jeanne", "birth_date": "1962-03-14"}
