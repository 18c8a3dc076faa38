"""Exports that were flipped, shuffled or made up: a finding wherever a record differs, never a crash, little memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain, repeat
from random import Random
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.audit import verify
from callcenter.audit.verify import (
    COSIGNATURE,
    MOST_KEYS,
    MOST_WRONG,
    Frontier,
    Report,
    Verdict,
    VerifierKey,
    What,
    verify_export,
)
from tests.unit.audit.log_by_hand import (
    NEW,
    OLD,
    ORIGIN,
    WITNESS,
    LogByHand,
    checkpoint,
    five_calls,
    head,
    head_text,
    signature,
    vkey,
    written,
)

KEY = VerifierKey.parse(vkey(OLD))
#: Of whoever comes after the rotation: what the old key has signed waits for the record that names it.
NEXT = VerifierKey.parse(vkey(NEW))
#: Flips of chance, besides one in each column.
FLIPS = 400


def everything() -> LogByHand:
    """A log with records, erased ones, a rotation, and checkpoints by both keys. None has two signatures: of two, one
    whose key is not named right any more is passed over, as that of an unknown key."""
    log = five_calls()
    log.erase(0, 6, 7)
    log.rotate(OLD, NEW)
    log.sign(OLD)
    log.add()
    log.sign(NEW)
    return log


LOG = everything()
LINES = LOG.lines()
LAST = LOG.notes[-1][1]


def look(lines: list[bytes], since: str | None = None, key: VerifierKey = KEY) -> Report:
    report = verify_export(lines, [key], since)
    assert "".join(report.lines()).isascii()
    return report


def flipped(line: bytes, column: int, bit: int) -> bytes:
    return line[:column] + bytes([line[column] ^ 1 << bit]) + line[column + 1 :]


def is_of_an_erased_name(line: int, column: int) -> bool:
    """Whether a byte is of the identifier of a record whose body is gone: no leaf holds it any more."""
    return LINES[line].startswith(b'{"erased":"') and 11 <= column < 11 + 36


def test_the_log_that_is_flipped_is_whole() -> None:
    report = look(LINES)
    assert (report.verdict, report.records, report.erased, len(report.rotated)) == (Verdict.INTACT, 23, 3, 1)
    report = look(LINES, key=NEXT)
    assert (report.verdict, report.checkpoints, len(report.former)) == (Verdict.INTACT, 6, 1)


def test_a_bit_that_is_flipped_in_any_column_is_found() -> None:
    chance = Random(7)
    longest = max(map(len, LINES))
    places = [
        (chance.choice([at for at, line in enumerate(LINES) if column < len(line)]), column)
        for column in range(longest)
    ]
    for _ in range(FLIPS):
        at = chance.randrange(len(LINES))
        places.append((at, chance.randrange(len(LINES[at]))))
    missed = []
    for at, column in places:
        changed = [*LINES]
        changed[at] = flipped(LINES[at], column, chance.randrange(8))
        # Of a file, lines end where a newline stands.
        if look(b"".join(changed).splitlines(keepends=True)).verdict is Verdict.INTACT:
            missed.append((at, column))
    assert [place for place in missed if not is_of_an_erased_name(*place)] == []


@pytest.mark.parametrize("key", [KEY, NEXT], ids=["old", "next"])
@pytest.mark.parametrize("kind", [b'{"callcenter', b'{"actor', b'{"erased', b'{"checkpoint'])
def test_each_byte_of_one_line_of_each_kind_is_found(kind: bytes, key: VerifierKey) -> None:
    at = next(at for at, line in enumerate(LINES) if line.startswith(kind))
    chance = Random(8)
    for column in range(len(LINES[at])):
        changed = [*LINES]
        changed[at] = flipped(LINES[at], column, chance.randrange(8))
        verdict = look(changed, key=key).verdict
        assert verdict is not Verdict.INTACT or is_of_an_erased_name(at, column), column


def test_a_line_that_is_left_out_twice_there_or_elsewhere_is_found() -> None:
    chance, own = Random(9), LOG.notes[-1][1]
    optional = {checkpoint(note) for _, note in LOG.notes[:4]}  # of one hour only the last one is kept
    for at, line in enumerate(LINES):
        without = LINES[:at] + LINES[at + 1 :]
        if line not in optional:
            assert look(without).verdict is not Verdict.INTACT, at
        other = chance.choice([place for place in range(len(LINES)) if abs(place - at) > 1])
        if line.startswith(b'{"checkpoint"') and other > at:
            continue  # it may stand behind more records than it covers
        moved = [*without[:other], line, *without[other:]]
        assert look(moved, own).verdict is not Verdict.INTACT, (at, other)
        if not line.startswith(b'{"checkpoint"'):
            assert look([*LINES[: at + 1], line, *LINES[at + 1 :]]).verdict is not Verdict.INTACT, at


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(LAST),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
OF_AN_ERASURE = ("erases", "cause", "class", "before", "reason", "disclosures", "order", "ts", "id")
PERSON = "cabinet.example/claire"


@given(st.dictionaries(st.sampled_from(OF_AN_ERASURE), ANY), st.sampled_from(["request", "retention"]))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_an_erasure_whose_members_are_anything_is_looked_at_and_never_a_crash(said: Any, cause: str) -> None:
    log = five_calls()
    log.add(None, "erasure", **{"erases": [[3, 3]], "cause": cause, "reason": "article_17", **said})
    log.sign()
    keys = [KEY, VerifierKey.parse(vkey(WITNESS, PERSON, COSIGNATURE))]
    assert "".join(verify_export(log.lines(), keys).lines()).isascii()


NAMES = st.sampled_from(
    ["v", "log", "id", "stream", "seq", "prev", "event", "erases", "vkey", "erased", "leaf", "checkpoint", "anchor"]
)
PLACES = st.integers(0, len(LINES) - 1)


def with_members(line: bytes, members: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(line), **members}).encode("utf-8", "surrogatepass") + b"\n"


def _is_utf8(value: Any) -> bool:
    """Whether it can be written as it stands; what cannot is written escaped elsewhere."""
    try:
        written({"value": value})
    except UnicodeEncodeError:
        return False
    return True


HOSTILE = st.one_of(
    st.binary(max_size=200),
    ANY.map(lambda value: json.dumps(value).encode() + b"\n"),
    st.dictionaries(NAMES, ANY, max_size=4).map(lambda value: json.dumps(value).encode() + b"\n"),
    st.builds(with_members, st.sampled_from(LINES), st.dictionaries(NAMES, ANY, min_size=1, max_size=2)),
    st.sampled_from(LINES),
    ANY.map(lambda value: written({"checkpoint": "x"}) if value is None else checkpoint(LAST)),
    st.builds(
        lambda event, ranges, key: (
            written({**json.loads(LOG.bodies[-1]), "event": event, "erases": ranges, "vkey": key}) + b"\n"
        ),
        st.sampled_from(["erasure", "key.rotated"]),
        st.lists(st.lists(st.integers(-2, 30), max_size=3), max_size=3),
        st.text(max_size=60) | st.just(vkey(NEW)),
    ),
    st.builds(
        lambda members: written({**json.loads(LOG.bodies[-2]), **members}) + b"\n",
        st.dictionaries(st.sampled_from(["from", "vkey", "signature", "cause", "last_good"]), ANY, max_size=3).filter(
            lambda members: all(_is_utf8(one) for one in members.values())
        ),
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(HOSTILE, max_size=6))
def test_lines_that_anybody_made_up_are_told_about_and_never_believed(lines: list[bytes]) -> None:
    assert look(lines).verdict is not Verdict.INTACT
    assert look([LINES[0], *lines]).verdict is not Verdict.INTACT
    assert look([LINES[0], *lines], LAST).verdict is not Verdict.INTACT


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(PLACES, st.sampled_from(["instead", "before"]), HOSTILE), min_size=1, max_size=3))
def test_an_export_is_intact_only_with_every_record_as_it_was(changes: list[tuple[int, str, bytes]]) -> None:
    lines = [*LINES]
    for at, how, line in changes:
        lines[at : at + (how == "instead")] = [line]
    for key in (KEY, NEXT):
        if look(lines, key=key).verdict is Verdict.INTACT:
            assert records(lines) == records(LINES)


def records(lines: list[bytes]) -> list[tuple[str, ...]]:
    """What an export says that a log holds: each record's bytes; of one without a body, its place and its leaf."""
    said = []
    for line in lines[1:]:
        value = json.loads(line)
        if value.keys() == {"erased", "leaf", "seq", "stream"}:
            said.append((value["stream"], str(value["seq"]), value["leaf"]))
        elif len(value) > 1:
            said.append((line.hex(),))
    return said


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100))
def test_whatever_is_held_is_no_crash(since: bytes | str) -> None:
    assert verify_export(LINES, [KEY], since).verdict is Verdict.UNCHECKED


# Memory.


def many(records: int, streams: int, every: int) -> Iterator[bytes]:
    """An export, made while it is read: ``streams`` in turn, a checkpoint after ``every`` records."""
    yield head(ORIGIN, records)
    names, leaves = [str(UUID(int=number + 1)) for number in range(streams)], ["00" * 32] * streams
    tree = Frontier()
    for index in range(records):
        stream = index % streams
        body = written(
            {
                "v": 1,
                "log": ORIGIN,
                "id": str(UUID(int=index)),
                "stream": names[stream],
                "seq": index // streams,
                "prev": leaves[stream],
                "event": "disclosure",
            }
        )
        leaf = sha256(b"\x00" + body).digest()
        leaves[stream] = leaf.hex()
        tree.add(leaf)
        yield body + b"\n"
        if (index + 1) % every == 0:
            text = head_text(ORIGIN, index + 1, tree.root())
            yield checkpoint(f"{text}\n{signature(text, OLD)}")


def peak(records: int, streams: int) -> int:
    """Bytes that verifying takes at most, beyond those of the export itself."""
    lines = list(many(records, streams, 500))
    tracemalloc.start()
    try:
        assert verify_export(lines, [KEY]).verdict is Verdict.INTACT
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_streams_and_by_little_more_than_a_leaf_with_their_records() -> None:
    few, longer, more = peak(500, 50), peak(3_000, 50), peak(3_000, 1_500)
    assert longer - few < 2_500 * 40  # its leaf and a byte for each record, and their room to grow
    assert more - longer < 1_450 * 320


class Counted:
    """Lines, and how many of them were read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines, self.read = lines, 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self.lines:
            self.read += 1
            yield line


def test_a_file_of_newlines_is_not_read_to_its_end() -> None:
    lines = Counted(chain([head(ORIGIN, 10**15)], repeat(b"\n")))
    tracemalloc.start()
    try:
        report = verify_export(lines, [KEY])
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert (report.verdict, report.left_off, lines.read) == (Verdict.TAMPERED, True, MOST_WRONG + 1)
    assert "  what follows was not read: this is no file of ours any more" in report.lines()


def test_records_far_beyond_the_head_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_BEYOND", 3)
    lines = Counted(iter([head(ORIGIN, 5), *LINES[1:]]))
    report = verify_export(lines, [KEY])
    assert (report.verdict, report.left_off, report.records) == (Verdict.TAMPERED, True, 5 + 3 + 1)
    assert lines.read < len(LINES)
    assert not look([head(ORIGIN, 20), *LINES[1:]]).left_off


def test_erasures_that_name_the_same_records_again_and_again_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = five_calls()
    log.erase(3)
    for _ in range(10):
        log.erase(by=[[0, 20]])  # an honest one may name what is gone already
    log.sign()
    assert look(log.lines()).verdict is Verdict.INTACT
    monkeypatch.setattr(verify, "MOST_ERASED_AGAIN", 4)
    report = look(log.lines())
    assert (report.verdict, report.left_off) == (Verdict.TAMPERED, True)
    assert report.records < len(log.bodies)


def test_a_log_names_few_keys() -> None:
    log = five_calls()
    for number in range(MOST_KEYS + 1):
        log.rotate(OLD, Ed25519PrivateKey.from_private_bytes(number.to_bytes(32)))
    log.sign()
    report = look(log.lines())
    assert [finding.what for finding in report.findings] == [What.ROTATION]
    assert len(report.rotated) == MOST_KEYS
