"""The pages of the sealed ledger on the room of staff and a database that is sealed for real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from callcenter.app.anchoring import LONGEST
from callcenter.app.by_ledger import StaffLedgers
from callcenter.app.ledger_holders import COSIGNED_EVERY, Holder
from callcenter.audit import agreement
from callcenter.audit.anchors import Anchor, AnchorKind, keep_anchor, latest_head
from callcenter.audit.export import one_moment
from callcenter.audit.ledger import Entry, EventKind, Segment, writing
from callcenter.audit.logs import HOUSE_LOG, fingerprint, origin_of
from callcenter.audit.proof import Proof
from callcenter.audit.proving import prove
from callcenter.audit.signing import SealingKey
from callcenter.audit.verify import Checkpoint
from callcenter.audit.watching import LedgerWatch
from callcenter.console.ledger import LedgerPages
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.randomness import SeededRandom, SystemRandom
from callcenter.staff.values import Role
from callcenter.store.database import Database
from callcenter.store.schema import SEALER
from callcenter.store.sealed import Sealer
from tests.conftest import ROOT, Cluster
from tests.exporting import IVR, unguard
from tests.integration.supervising import Supervised, supervised
from tests.sealing import Behind, InTime, a_key, seal_once

FOLDER, AUTHORITY, CLAIRE = "/mnt/worm", "https://tsa.example", "cabinet.example/claire"
HOLDERS = (Holder(AnchorKind.FILE, FOLDER, LONGEST), Holder(AnchorKind.FILE, "/mnt/vide", LONGEST))


@dataclass(slots=True)
class Watched:
    """Knows what a test says. Implements ``audit.watching.LedgerWatch``.

    Arguments:
        key: in the sealer's file.
    """

    now: LedgerWatch
    key: SealingKey = field(default_factory=a_key)

    async def look(self) -> None:
        pass

    def is_behind(self, practice: UUID) -> bool:
        return self.now.is_behind(practice)

    def is_any_behind(self) -> bool:
        return self.now.is_any_behind()


@dataclass(slots=True)
class Sealed:
    """A house with its sealer.

    Arguments:
        watch: says whether the ledger is behind.
    """

    house: Supervised
    watch: Watched
    url: str
    root: str

    @property
    def clock(self) -> DrivenClock:
        return self.house.console.clock

    @property
    def database(self) -> Database:
        return self.house.console.database

    async def seal(self) -> None:
        assert await seal_once(self.url, a_key(), self.clock) == []

    async def written(self, practice: UUID, count: int = 1) -> list[UUID]:
        """Records of a stream; returns their identifiers."""
        segment = Segment(uuid4(), None)
        for _ in range(count):
            async with self.database.practice(practice) as tx, writing(tx, segment, self.clock, SystemRandom()) as pen:
                await pen.add(Entry(EventKind.CALL_STARTED, IVR, None, {}))
            segment = pen.segment
        query = "SELECT id FROM audit_record WHERE stream = :stream ORDER BY seq"
        async with self.database.practice(practice) as tx:
            return list((await tx.connection.execute(text(query), {"stream": segment.stream})).scalars())

    async def told(self, practice: UUID, event: EventKind) -> list[tuple[str, str | None]]:
        """Who has done such a thing, and to what."""
        query = "SELECT actor, ref FROM audit_record WHERE event = :event ORDER BY at"
        async with self.database.practice(practice) as tx:
            rows = (await tx.connection.execute(text(query), {"event": event.value})).all()
        return [(row.actor, row.ref) for row in rows]

    async def held(
        self, practice: UUID, kind: AnchorKind, place: str, note: str | None = None, size: int | None = None
    ) -> Anchor:
        """The last head goes to somebody else, or another."""
        async with self.database.practice(practice) as tx:
            head = await latest_head(tx)
            assert head is not None
            receipt = b"token" if kind is AnchorKind.TIMESTAMP else None
            anchor = Anchor(kind, place, size or head[0], note or head[1], receipt, self.clock.now())
            assert await keep_anchor(tx, anchor)
        return anchor

    async def meddle(self, *statements: str, **values: object) -> None:
        """Whoever owns the database, with no trigger in the way."""
        root = Database(self.root, pool_size=1)
        async with root.house() as connection:
            await unguard(connection)
            for statement in statements:
                await connection.execute(text(statement), values)
        await root.close()


@pytest.fixture
async def sealed(
    database: Database, database_name: str, cluster: Cluster, sealer: Sealer, clock: DrivenClock
) -> AsyncIterator[Sealed]:
    watch = Watched(InTime())

    def also(room: object) -> dict[str, object]:
        ledgers = StaffLedgers(
            room, database, clock, SeededRandom(61), watch, lambda: watch.key.public_halves(), HOLDERS
        )  # type: ignore[arg-type]
        return {"pages": (LedgerPages(ledgers),)}

    urls = [cluster.server.url(user=role, database=database_name) for role in (SEALER, ROOT)]
    async with supervised(database, sealer, clock, also=also) as house:
        yield Sealed(house, watch, *urls)


async def words_at(sealed: Sealed, path: str) -> str:
    page = await sealed.house.guest.get(path)
    assert page.status == 200, page.words
    return page.words


async def test_how_a_log_stands_is_what_stands_in_the_database(sealed: Sealed) -> None:
    house, practice = sealed.house, sealed.house.practice
    account = await house.staff("premier")
    await house.signed_in(account)
    path = f"/registre/{practice}"
    await sealed.written(practice, 3)
    words = await words_at(sealed, path)
    assert "rien n’est encore scellé" in words
    assert "3 inscriptions, depuis" in words
    assert fingerprint(a_key().verifier_key(origin_of(practice))) in words
    assert "rien encore" in words, "nothing is in the folders that are set"
    await sealed.seal()
    await sealed.held(practice, AnchorKind.FILE, FOLDER)
    await sealed.held(practice, AnchorKind.COSIGNATURE, CLAIRE)
    await sealed.held(practice, AnchorKind.TIMESTAMP, AUTHORITY)
    words = await words_at(sealed, path)
    assert "3 inscriptions, 26 novembre 2026" in words
    assert "rien : à jour" in words
    assert "Tout ce qui est scellé est tenu aussi par quelqu’un d’autre." in words
    assert words.count("tient le dernier") == 2
    assert f"{AUTHORITY} 3 26 novembre 2026 à 10 h 00 plus utilisé" in words
    sealed.clock.advance(60)
    await sealed.written(practice, 2)
    await sealed.seal()
    sealed.clock.advance(LONGEST.total_seconds())
    await house.signed_in(account)
    assert words_of_ages(await words_at(sealed, path)) == {"récent": 2, "trop ancien": 0}
    sealed.clock.advance(1)
    words = await words_at(sealed, path)
    assert words_of_ages(words) == {"récent": 1, "trop ancien": 1}
    assert "n’est tenu que par ce serveur" in words
    sealed.clock.advance((COSIGNED_EVERY - LONGEST).total_seconds())
    await house.signed_in(account)
    words = await words_at(sealed, path)
    assert words_of_ages(words) == {"récent": 0, "trop ancien": 2}
    sealed.watch.now = Behind()
    words = await words_at(sealed, path)
    assert "Rien sur un patient n’est communiqué dans ce cabinet" in words


def words_of_ages(words: str) -> dict[str, int]:
    table = words[words.index("Qui d’autre") : words.index("Un dépôt trop ancien")]
    return {age: table.count(age) for age in ("récent", "trop ancien")}


async def test_p1_a_proof_leaves_with_the_bytes_of_the_command_once_that_is_on_record(sealed: Sealed) -> None:
    house, practice = sealed.house, sealed.house.practice
    account = await house.staff("premier")
    await house.signed_in(account)
    records = await sealed.written(practice, 5)
    await sealed.seal()
    path = f"/registre/{practice}/inscriptions/{records[2]}"
    words = await words_at(sealed, path)
    assert "Prouvée." in words
    assert "2, comptée à partir de 0, sur 5 inscriptions" in words
    assert await sealed.told(practice, EventKind.LEDGER_PROVEN) == [], "to look is no record"
    async with one_moment(sealed.database, practice) as tx:
        as_the_command = (await prove(tx, records[2])).text()
    file = await house.guest.post(path)
    assert (file.status, file.text) == (200, as_the_command)
    proven = Proof.parse(file.text.encode()).check([a_key().verifier_key(origin_of(practice))])
    assert proven.record["id"] == str(records[2])
    assert await sealed.told(practice, EventKind.LEDGER_PROVEN) == [(str(account.id), f"record:{records[2]}")]
    await house.guest.get(path)
    sealed.watch.now = Behind()
    refused = await house.guest.post(path)
    assert (refused.status, "aucune preuve ne sort" in refused.words) == (422, True)
    assert len(await sealed.told(practice, EventKind.LEDGER_PROVEN)) == 1


async def test_p6_what_is_anothers_and_what_there_is_not_are_told_alike_and_the_rest_is_said(sealed: Sealed) -> None:
    house, practice = sealed.house, sealed.house.practice
    await house.signed_in(await house.staff("premier"))
    ours, (theirs,) = await sealed.written(practice, 2), await sealed.written(house.foreign)
    await sealed.seal()
    answers = set()
    for record in (theirs, uuid4()):
        path = f"/registre/{practice}/inscriptions/{record}"
        for page in (await house.guest.get(path), await house.guest.post(path)):
            answers.add((page.status, page.words.replace(str(record), "")))
    assert len(answers) == 1
    assert "Aucune inscription que vous puissiez prouver ici" in next(iter(answers))[1]
    (waiting,) = await sealed.written(practice)
    assert "n’est pas encore scellée" in await words_at(sealed, f"/registre/{practice}/inscriptions/{waiting}")
    await sealed.meddle(
        "DELETE FROM audit_record WHERE id = :id",
        "UPDATE audit_leaf SET leaf = sha256('x') WHERE log_id = :log AND record_id = :id",
        id=ours[0],
        log=practice,
    )
    assert "est effacé" in await words_at(sealed, f"/registre/{practice}/inscriptions/{ours[0]}")
    broken = f"/registre/{practice}/inscriptions/{ours[1]}"
    assert "quelque chose y a été changé" in await words_at(sealed, broken)
    assert "quelque chose y a été changé" in (await house.guest.post(broken)).words
    assert await sealed.told(practice, EventKind.LEDGER_PROVEN) == []


async def test_p5_whoever_does_not_answer_for_a_practice_has_no_log_of_it(sealed: Sealed) -> None:
    house, practice = sealed.house, sealed.house.practice
    (record,) = await sealed.written(practice)
    await sealed.seal()
    await sealed.held(practice, AnchorKind.FILE, FOLDER)
    deposit = {"genre": "file", "lieu": FOLDER, "taille": "1", "piece": "point"}
    state = f"/registre/{practice}"
    doors = (state, f"{state}/inscriptions/{record}", f"{state}/depots")
    people = [
        await house.staff("operatrice", Role.OPERATOR),
        await house.staff("praticien", Role.PRACTITIONER),
        await house.staff("ailleurs", of=house.theirs.organisation),
    ]
    for account in people:
        await house.signed_in(account)
        for path in doors:
            assert (await house.guest.get(path)).status == 404, path
            await house.guest.get("/compte")
            form = f"{state}/recherche" if path == state else path
            assert (await house.guest.post(form, **deposit, reference=str(record))).status == 404, form
    for account in people[:2]:
        await house.signed_in(account)
        assert (await house.guest.get("/registre")).status == 404
    await house.signed_in(people[2])
    listed = await house.guest.get("/registre")
    assert str(practice) not in listed.text
    assert str(house.foreign) in listed.text
    events = (EventKind.LEDGER_PROVEN, EventKind.LEDGER_HEAD_TAKEN)
    assert [await sealed.told(practice, event) for event in events] == [[], []]


async def test_a_key_that_is_changed_is_shown_beside_the_next_and_one_that_was_stolen_is_called_so(
    sealed: Sealed,
) -> None:
    practice = sealed.house.practice
    await sealed.house.signed_in(await sealed.house.staff("premier"))
    changing = a_key().changing(SeededRandom(9))
    stolen = changing.changing(SeededRandom(10), {})
    for key, first in ((changing, "remplacée celle qui a signé jusqu’ici"), (stolen, "volée ne vous fiez à rien")):
        sealed.watch.key = key
        words = await words_at(sealed, f"/registre/{practice}")
        old, following = (fingerprint(one) for one in key.keys(origin_of(practice)))
        assert f"{old} {first}" in words
        assert f"{following} prochaine" in words
    voided = changing.keys(origin_of(practice))[1]
    assert fingerprint(voided) not in words  # it lay beside the stolen one, and signs no more
    sealed.watch.key = stolen.changed()
    words = await words_at(sealed, f"/registre/{practice}")
    assert following in words
    assert not [one for one in (old, "volée", "prochaine") if one in words]


async def test_the_house_s_log_is_for_administrators_and_others_records_are_none_of_theirs(sealed: Sealed) -> None:
    house = sealed.house
    chief = await house.staff("chef", Role.ADMINISTRATOR)
    others = await house.staff("autre", Role.ADMINISTRATOR, of=house.theirs.organisation)
    await sealed.seal()
    query = "SELECT id, stream FROM house_record"
    streams = {row.stream: row.id for row in await house.ours.run(query)}
    await house.signed_in(await house.staff("superviseur"))
    assert (await house.guest.get("/registre/maison")).status == 404
    await house.signed_in(chief)
    assert 'href="/registre/maison"' in (await house.guest.get("/registre")).text
    assert "Registre de la maison" in await words_at(sealed, "/registre/maison")
    own, foreign = (f"/registre/maison/inscriptions/{streams[one.id]}" for one in (chief, others))
    assert "Prouvée." in await words_at(sealed, own)
    assert "Aucune inscription que vous puissiez prouver ici" in await words_at(sealed, foreign)
    await house.guest.get(own)
    file = await house.guest.post(own)
    assert Proof.parse(file.text.encode()).check([a_key().verifier_key(origin_of(HOUSE_LOG))]).record["log"]
    (body,) = [row.body for row in await house.ours.run("SELECT body FROM house_record") if "ledger.proven" in row.body]
    assert f'"actor":{{"id":"{chief.id}","kind":"staff"}}' in body


async def test_p4_what_others_hold_is_compared_with_the_log_as_it_stands_now(
    sealed: Sealed,
) -> None:
    house, practice = sealed.house, sealed.house.practice
    account = await house.staff("premier")
    await house.signed_in(account)
    path = f"/registre/{practice}/depots"
    assert "n’a encore été remis" in await words_at(sealed, path)
    await sealed.written(practice, 3)
    await sealed.seal()
    good = await sealed.held(practice, AnchorKind.TIMESTAMP, AUTHORITY)
    await sealed.held(practice, AnchorKind.FILE, "/mnt/forged", note=good.note.replace("\n3\n", "\n4\n"), size=4)
    await sealed.held(practice, AnchorKind.FILE, "/mnt/another-size", size=2)
    ahead = a_key().sign(Checkpoint(origin_of(practice), 9, b"r" * 32))
    await sealed.held(practice, AnchorKind.FILE, "/mnt/ahead", note=ahead, size=9)
    fork = a_key().sign(Checkpoint(origin_of(practice), 2, b"r" * 32))
    await sealed.held(practice, AnchorKind.FILE, "/mnt/fork", note=fork, size=2)
    words = await words_at(sealed, path)
    assert "4 dépôts ne concordent pas avec le registre" in words
    assert f"Horodatage {AUTHORITY} 3 26 novembre 2026 à 10 h 00 concorde recalculé" in words
    for place, said in (
        ("/mnt/forged 4", "illisible"),
        ("/mnt/another-size 2", "illisible"),
        ("/mnt/ahead 9", "ne concorde pas le registre est plus court"),
        ("/mnt/fork 2", "ne concorde pas le passé"),
    ):
        assert f"{place} 26 novembre 2026 à 10 h 00 {said}" in words
    fields = {"genre": "timestamp", "lieu": AUTHORITY, "taille": "3"}
    assert (await house.guest.post(path, **fields, piece="point")).text == good.note
    assert (await house.guest.post(path, **fields, piece="jeton")).text == "token"
    assert [one for one, _ in await sealed.told(practice, EventKind.LEDGER_HEAD_TAKEN)] == [str(account.id)] * 2
    await house.guest.get(path)
    assert "rien n’est sorti" in (await house.guest.post(path, **{**fields, "lieu": "x"}, piece="point")).words
    assert len(await sealed.told(practice, EventKind.LEDGER_HEAD_TAKEN)) == 2
    # Too long for a page: the head that stands here is compared, and where there is none of that size, nothing.
    async with one_moment(sealed.database, practice) as tx:
        listed, total = await agreement.anchors_on(tx, 0, 20)
        key = [a_key().verifier_key(origin_of(practice))]
        beyond = {one.anchor.place: one.agreement for one in await agreement.compared(tx, listed, key, most=1)}
    assert total == 5
    assert beyond[AUTHORITY] is agreement.Agreement.HEAD
    assert beyond["/mnt/fork"] is agreement.Agreement.UNTRIED
    await sealed.meddle("UPDATE audit_leaf SET leaf = sha256('x') WHERE log_id = :log AND idx = 1", log=practice)
    words = await words_at(sealed, path)
    assert "5 dépôts ne concordent pas" in words
