"""The proof of one record: what it is made of, and all that is none."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.audit.proof import FIRST_LINE, MOST_OF_A_PROOF, NoKey, Proof, main
from callcenter.audit.proving import beside, way_of
from callcenter.audit.reading import body_of
from callcenter.audit.verify import Malformed, Unproven, VerifierKey
from tests.unit.audit.log_by_hand import (
    NEW,
    OLD,
    ORIGIN,
    THIEF,
    WITNESS,
    LogByHand,
    cosignature,
    five_calls,
    head_text,
    signature,
    vkey,
)
from tests.unit.audit.merkle_by_hand import path, tree_hash

TRUST = [VerifierKey.parse(vkey(OLD))]


def proof_of(index: int, log: LogByHand, note: str | None = None) -> Proof:
    return Proof(log.bodies[index], index, tuple(path(index, tuple(log.bodies))), note or log.notes[-1][1])


def test_what_stands_beside_the_way_is_what_the_rfc_says() -> None:
    bodies = tuple(bytes([number]) for number in range(70))
    for size in range(1, 70):
        for index in range(size):
            found = [tree_hash(bodies[one.start : one.end]) for one in beside(index, size)]
            assert found == list(path(index, bodies[:size]))


def test_each_record_of_a_log_is_proven_and_read_back() -> None:
    log = five_calls()
    for index, body in enumerate(log.bodies):
        read = Proof.parse(proof_of(index, log).text().encode())
        proven = read.check(TRUST)
        assert (read.body, read.index, proven.head.size) == (body, index, 20)
        assert proven.record == json.loads(body)


def test_its_text_is_that_of_the_specification() -> None:
    log = LogByHand()
    log.add()
    log.add()
    note = log.sign()
    other = sha256(b"\x00" + log.bodies[0]).digest()
    lines = [FIRST_LINE, f"extra {b64encode(log.bodies[1]).decode()}", "index 1", b64encode(other).decode(), "", note]
    assert proof_of(1, log).text() == "\n".join(lines)


def test_who_cosigns_is_named_if_they_are_trusted() -> None:
    log = five_calls()
    note = log.notes[-1][1] + cosignature(log.text(), WITNESS, "cabinet.example/claire", 1_795_000_000)
    witness = VerifierKey.parse(vkey(WITNESS, "cabinet.example/claire", 4))
    assert proof_of(3, log, note).check(TRUST).signers == (ORIGIN,)
    assert proof_of(3, log, note).check([*TRUST, witness]).signers == (ORIGIN, "cabinet.example/claire")
    thiefs = VerifierKey.parse(vkey(THIEF))
    with pytest.raises(Unproven, match="the key of the log has not signed"):
        proof_of(3, log, note).check([thiefs, witness])


def test_what_is_not_in_the_log_is_not_proven() -> None:
    log = five_calls()
    good = proof_of(7, log)
    other = LogByHand(seed=2, origin="callcenter/house")
    other.add()
    mine = LogByHand(seed=3)
    mine.add()
    unproven = {
        "another record": Proof(log.bodies[8], 7, good.beside, good.note),
        "another place": Proof(good.body, 8, good.beside, good.note),
        "beyond the log": Proof(good.body, 20, good.beside, good.note),
        "a way too short": Proof(good.body, 7, good.beside[:-1], good.note),
        "a way too long": Proof(good.body, 7, (*good.beside, good.beside[0]), good.note),
        "an older head": Proof(good.body, 7, good.beside, log.notes[1][1]),
        "a key of somebody else": proof_of(0, mine, mine.sign(THIEF)),
        "a key that comes later": proof_of(0, mine, mine.sign(NEW)),
        "another log's record": proof_of(0, other, house_s(other)),
    }
    for proof in unproven.values():
        with pytest.raises(Unproven):
            proof.check(TRUST)


def house_s(other: LogByHand) -> str:
    """A head by which the log of ``TRUST`` says that it has the records of another log."""
    said = head_text(ORIGIN, len(other.bodies), tree_hash(tuple(other.bodies)))
    return f"{said}\n{signature(said, OLD)}"


def test_without_the_key_of_its_log_nothing_follows_from_a_proof() -> None:
    other = LogByHand(seed=2, origin="callcenter/house")
    other.add()
    note = other.sign(below=cosignature(other.text(), WITNESS, "claire", 1))
    for trust in (TRUST, [VerifierKey.parse(vkey(WITNESS, "claire", 4))], []):
        with pytest.raises(NoKey, match="this is of the log callcenter/house"):
            proof_of(0, other, note).check(trust)


DEEP = b"[" * 100_000


def test_a_record_that_is_nested_deep_is_no_crash() -> None:
    said = head_text(ORIGIN, 1, tree_hash((DEEP,)))
    with pytest.raises(Unproven, match="of another log"):
        Proof.parse(Proof(DEEP, 0, (), f"{said}\n{signature(said, OLD)}").text().encode()).check(TRUST)
    assert body_of(DEEP) == {}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\n\n",
        b"c2sp.org/tlog-proof@v2\nextra YQ==\nindex 0\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 0\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YQ==\nindex 00\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YQ==\nindex -1\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YR==\nindex 0\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YQ\nindex 0\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\nYQ==\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0",
        b"x" * (MOST_OF_A_PROOF + 1),
    ],
)
def test_what_is_no_proof_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        Proof.parse(text)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_whatever_is_put_into_a_proof_it_is_refused_and_never_crashes(junk: bytes, at: int) -> None:
    text = proof_of(7, five_calls()).text().encode()
    changed = text[:at] + junk + text[at + len(junk) + 1 :]
    if changed == text:
        return
    with pytest.raises((Malformed, Unproven, NoKey)):
        Proof.parse(changed).check(TRUST)


def test_the_program_says_what_a_proof_shows_and_exits_by_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, keys, other, foreign = (tmp_path / name for name in ("one.tlog-proof", "keys", "other", "foreign"))
    text = proof_of(3, five_calls()).text()
    one.write_text(text)
    other.write_text(text.replace("index 3", "index 77"))
    keys.write_text(f"# of the practice\n{vkey(OLD)}\n")
    foreign.write_text(vkey(OLD, "callcenter/house"))

    def ran(file: Path, trust: Path) -> tuple[int, str, str]:
        status = main([str(file), "--trust", str(trust)])
        return status, *capsys.readouterr()

    status, said, _ = ran(one, keys)
    assert (status, said.splitlines()[0]) == (0, f"proven: record 3 of 20 of {ORIGIN}")
    assert f"signed by {ORIGIN}" in said
    assert ran(other, keys) == (1, "NOT PROVEN: there is no leaf 77 in a tree of 20\n", "")
    for file, trust in ((one, foreign), (tmp_path / "none", keys), (keys, keys), (one, other)):
        status, _, complaint = ran(file, trust)
        assert (status, complaint.startswith("could not check: ")) == (2, True), (file, trust)


def test_the_way_of_a_proof_ends_at_the_root_and_names_what_stands_beside() -> None:
    log = five_calls()
    for index, body in enumerate(log.bodies):
        proof = proof_of(index, log)
        steps = way_of(proof, 20)
        assert steps[-1].node == tree_hash(tuple(log.bodies))
        covered = {index}
        for one in steps:
            beside_it = set(range(one.stretch.start, one.stretch.end))
            assert one.beside == tree_hash(tuple(log.bodies[one.stretch.start : one.stretch.end]))
            assert one.before is (max(beside_it) < index)
            covered |= beside_it
        assert covered == set(range(20)), body
