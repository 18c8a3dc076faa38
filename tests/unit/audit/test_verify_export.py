"""What the verifier finds in an export: nothing in one that is whole, and each thing that is done to one.

The logs are written apart from the verifier (``log_by_hand``). What is done to them here is done to the file; the same
done to the database, by its owner, is ``tests/attack``.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callcenter.audit import verify
from callcenter.audit.verify import (
    COSIGNATURE,
    MOST_FINDINGS,
    MOST_KEYS,
    MOST_OF_A_LINE,
    Checkpoint,
    Report,
    Verdict,
    VerifierKey,
    What,
    body_value,
    open_note,
    verify_export,
)
from tests.unit.audit.log_by_hand import (
    NEW,
    OLD,
    ORIGIN,
    THIEF,
    WITNESS,
    LogByHand,
    checkpoint,
    cosignature,
    five_calls,
    head,
    head_text,
    rotation,
    secret,
    signature,
    vkey,
    written,
)
from tests.unit.audit.merkle_by_hand import tree_hash

THIRD = secret(5)
KEY = VerifierKey.parse(vkey(OLD))
LAST = five_calls().notes[-1][1]
HALF = five_calls().notes[1][1]


def verified(lines: Iterable[bytes], since: str | None = None, *more: str) -> Report:
    """The report on an export, for somebody who trusts the log's first key, and ``more``."""
    report = verify_export(lines, [KEY, *map(VerifierKey.parse, more)], since)
    text = "\n".join(report.lines())
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    mild = (What.NOT_OURS, What.NO_KEY, What.NO_SIGNATURE, What.NOT_HELD, What.STOLEN)
    worst = [one.what in mild for one in report.findings]
    assert report.verdict is (Verdict.INTACT if not worst else Verdict.UNCHECKED if all(worst) else Verdict.TAMPERED)
    return report


def found(lines: Iterable[bytes], since: str | None = None, *more: str) -> list[What]:
    """Which findings there are, each kind once, in order."""
    return list(dict.fromkeys(one.what for one in verified(lines, since, *more).findings))


def place_of(lines: list[bytes], index: int) -> int:
    """The place of the line of a record among ``lines``."""
    return [at for at, line in enumerate(lines) if at and not line.startswith(b'{"checkpoint"')][index]


def edited(line: bytes, **changes: Any) -> bytes:
    """A line whose JSON has been changed, written as ours is."""
    return written({**json.loads(line), **changes}) + b"\n"


# What is whole.


@pytest.mark.parametrize("last", [False, True])
def test_a_log_that_is_whole_is_intact(last: bool) -> None:
    report = verified(five_calls().lines(last=last))
    assert report.findings == ()
    assert (report.origin, report.records, report.streams) == (ORIGIN, 20, 5)
    assert (report.checkpoints, report.covered, report.since) == (4, 20, None)
    assert report.keep == LAST


def test_a_log_of_nothing_is_intact_if_its_key_says_so() -> None:
    nothing = LogByHand()
    nothing.sign()
    lines = [head(ORIGIN, 0), checkpoint(nothing.notes[0][1])]
    assert verified(lines).verdict is Verdict.INTACT
    assert found(lines[:1]) == [What.NO_SIGNATURE]
    assert verified(lines[:1]).verdict is Verdict.UNCHECKED


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("size", [0, 1, 5, 7, 10, 19, 20])
def test_a_log_continues_each_of_its_checkpoints(size: int, last: bool) -> None:
    """Those of which only the last one in an hour is kept, too."""
    held = LogByHand()
    held.bodies = five_calls().bodies[:size]
    report = verified(five_calls().lines(last=last), held.sign())
    assert (report.verdict, report.since) == (Verdict.INTACT, size)
    assert any(f"the log continues the checkpoint that you hold, of {size} records" in line for line in report.lines())


def test_a_stream_goes_on_after_the_call_has_ended() -> None:
    log = LogByHand()
    stream = log.stream()
    for event in ("call.started", "call.ended", "webhook.late"):
        log.add(stream, event)
    log.sign()
    assert verified(log.lines()).verdict is Verdict.INTACT


def test_the_checkpoint_that_is_to_be_kept_holds_what_was_checked() -> None:
    log = five_calls()
    text = log.text()
    unknown, seen = signature(text, THIEF, "somebody"), cosignature(text, WITNESS, "cabinet", 1_795_000_000)
    log.notes[-1] = (20, LAST + unknown + seen)
    report = verified(log.lines(), None, vkey(WITNESS, "cabinet", COSIGNATURE))
    assert report.keep == LAST + seen
    assert report.cosigned == (("cabinet", 20, 1_795_000_000),)
    assert "  cosigned by cabinet at 20 records, 2026-11-18T11:06:40Z" in list(report.lines())
    assert open_note(report.keep, [KEY]) == (text, (ORIGIN,))


def test_a_cosigner_without_a_time_is_told_too() -> None:
    log = five_calls()
    log.notes[0] = (5, log.notes[0][1] + signature(log.text(5), WITNESS, "cabinet"))
    assert verified(log.lines(), None, vkey(WITNESS, "cabinet")).cosigned == (("cabinet", 5, None),)


def test_a_cosigner_alone_is_not_the_log() -> None:
    log = five_calls()
    log.notes[-1] = (20, f"{log.text()}\n{cosignature(log.text(), WITNESS, 'cabinet', 5)}")
    trust = vkey(WITNESS, "cabinet", COSIGNATURE)
    assert found(log.lines(), None, trust) == [What.SIGNATURE, What.UNSIGNED]
    # nor is one who goes by the name of the log, with a key for cosigning
    log.notes[-1] = (20, f"{log.text()}\n{cosignature(log.text(), WITNESS, ORIGIN, 5)}")
    assert found(log.lines(), None, vkey(WITNESS, ORIGIN, COSIGNATURE)) == [What.SIGNATURE, What.UNSIGNED]


def test_anchors_are_counted_and_said_to_be_compared_elsewhere() -> None:
    log = five_calls()
    log.anchors = [{"kind": "file", "size": 20}, {"kind": "s3", "size": 15}]
    report = verified(log.lines())
    assert (report.verdict, report.anchors) == (Verdict.INTACT, 2)


# What is done to a log by whoever owns the database, as it shows in the file.


def test_a_body_that_is_changed() -> None:
    lines = five_calls().lines()
    lines[place_of(lines, 6)] = edited(lines[place_of(lines, 6)], step="autre")
    report = verified(lines)
    assert [one.what for one in report.findings] == [What.ROOT, What.CHAIN]
    assert "among the indices 5 to 9" in report.findings[0].text
    # The next record of its stream names the leaf that it had; where both stand is told.
    chain = report.findings[1]
    assert (chain.index, chain.line) == (11, place_of(lines, 11) + 1)
    assert chain.record == json.loads(lines[place_of(lines, 11)])["id"]
    assert "the record at index 6 stands" in chain.text
    assert report.more == 2  # the later checkpoints


@pytest.mark.parametrize("index", range(20))
def test_a_body_that_is_changed_anywhere(index: int) -> None:
    lines = five_calls().lines()
    at = place_of(lines, index)
    lines[at] = edited(lines[at], step="autre")
    assert found(lines) == ([What.ROOT, What.CHAIN] if index < 15 else [What.ROOT])


def test_a_body_that_is_changed_with_every_leaf_after_it() -> None:
    remade = five_calls(instead={6: "autre"})
    remade.notes = five_calls().notes
    assert found(remade.lines()) == [What.ROOT]


@pytest.mark.parametrize("size", [20, 19])
def test_a_record_that_is_deleted(size: int) -> None:
    lines = five_calls().lines()
    del lines[place_of(lines, 6)]
    lines[0] = head(ORIGIN, size)
    kinds = found(lines)
    assert {What.STREAM, What.PLACE} <= set(kinds)
    assert (What.COUNT in kinds) is (size == 20)


def test_a_call_that_is_deleted_with_its_rows_of_the_log() -> None:
    whole = five_calls()
    cut = LogByHand(notes=whole.notes)
    cut.bodies = [body for index, body in enumerate(whole.bodies) if index % 5 != 2]
    assert set(found(cut.lines(last=True))) == {What.ROOT, What.PLACE, What.UNSIGNED}


def test_records_that_are_swapped() -> None:
    lines = five_calls().lines()
    for other, kinds in ((7, [What.ROOT]), (11, [What.STREAM, What.ROOT])):
        one, two = place_of(lines, 6), place_of(lines, other)
        swapped = [*lines]
        swapped[one], swapped[two] = lines[two], lines[one]
        assert set(kinds) <= set(found(swapped)), other


def test_a_record_that_is_put_in() -> None:
    forged = five_calls()
    notes, forged.notes = forged.notes, []
    forged.add()
    forged.notes = notes
    assert found(forged.lines()) == [What.UNSIGNED]
    lines = five_calls().lines()
    lines.insert(place_of(lines, 6), forged.lines()[-1])
    assert found(lines) == [What.ROOT, What.COUNT, What.UNSIGNED]


def test_a_record_of_another_log_that_is_put_in() -> None:
    log = five_calls()
    log.origin = "callcenter/house"
    log.add()
    log.origin = ORIGIN
    log.sign()
    report = verified(log.lines())
    assert [one.what for one in report.findings] == [What.LOG]
    assert report.findings[0].index == 20


def test_a_body_that_is_removed_without_an_erasure() -> None:
    log = five_calls()
    log.gone = {3, 4, 5, 19}
    report = verified(log.lines())
    assert [(one.what, one.index) for one in report.findings] == [(What.ERASED, 3), (What.ERASED, 19)]
    assert report.findings[0].text.startswith("3 bodies are missing")


def test_a_lawful_erasure_is_told_and_nothing_is_wrong() -> None:
    log = five_calls()
    first = log.erase(0, 1, 2, 7)
    log.erase(11, 12, by=[[11, 12]])
    log.sign()
    report = verified(log.lines(), LAST)
    assert (report.verdict, report.erased, report.since) == (Verdict.INTACT, 6, 20)
    assert [(one.index, one.bodies) for one in report.erasures] == [(first, 4), (first + 1, 2)]
    text = "\n".join(report.lines())
    assert "6 bodies are erased with cause" in text
    assert f"4 by record {report.erasures[0].record} at index 20, of 2026-11-26T09:00:20.000000Z" in text


CLAIRE = "cabinet.example/claire"


def ordered(log: LogByHand, *indices: int, shown: tuple[int, ...] | None = None, **other: Any) -> int:
    """An erasure that Claire has ordered.

    Arguments:
        shown: whose leaves she has signed; ``None``: of the same records.
        other: what the record says otherwise than the order.
    """
    ranges = [[one, one] for one in indices]
    leaves = (hashlib.sha256(b"\0" + log.bodies[one]).digest() for one in shown or indices)
    pairs = b"".join(one.to_bytes(8, "big") + leaf for one, leaf in zip(indices, leaves, strict=True))
    lines = ("callcenter-erasure/v1", ORIGIN, "article_17", "no disclosures", hashlib.sha256(pairs).hexdigest())
    text = "".join(f"{line}\n" for line in lines)
    order = f"{text}\n{cosignature(text, WITNESS, CLAIRE, 1_800_000_000)}"
    log.gone |= set(indices)
    said = {"cause": "request", "reason": "article_17", "disclosures": False, "erases": ranges}
    return log.add(None, "erasure", **{**said, "order": order, **other})


def test_an_erasure_says_its_cause_and_who_has_ordered_it() -> None:
    log = five_calls()
    log.gone |= {0}
    log.add(None, "erasure", erases=[[0, 0]], cause="retention")
    ordered(log, 3, 7)
    log.sign()
    believed = verified(log.lines(), None, vkey(WITNESS, CLAIRE, 4))
    assert [(one.cause, one.ordered_by) for one in believed.erasures] == [("retention", ""), ("request", CLAIRE)]
    text = "\n".join(believed.lines())
    assert "their time was over" in text
    assert f"it was ordered by {CLAIRE}" in text
    alone = verified(log.lines())
    assert (alone.verdict, alone.erasures[1].ordered_by) == (Verdict.INTACT, "")
    assert "by a key that was not given to trust" in "\n".join(alone.lines())


@pytest.mark.parametrize(
    "other",
    [
        {"erases": [[3, 8]]},
        {"reason": "court_order"},
        {"disclosures": True},
        {"reason": "article_17\nno disclosures"},
        {"reason": None},
        {"reason": ["article_17"]},
        {"order": None},
        {"order": "an order\n\nof nobody\n"},
    ],
)
def test_an_order_to_erase_something_else_is_a_finding(other: dict[str, Any]) -> None:
    log = five_calls()
    ordered(log, 3, 8, **other)
    log.sign()
    report = verified(log.lines(), None, vkey(WITNESS, CLAIRE, 4))
    assert [one.what for one in report.findings] == [What.ERASURE]


def test_an_order_is_of_these_records_as_whoever_signed_was_shown_them() -> None:
    log = five_calls()
    ordered(log, 3, 7, shown=(3, 8))
    log.sign()
    report = verified(log.lines(), None, vkey(WITNESS, CLAIRE, 4))
    assert [(one.what, "something else" in one.text) for one in report.findings] == [(What.ERASURE, True)]


def test_every_order_is_checked_also_behind_what_is_told_and_before_its_bodies_are_gone() -> None:
    log = five_calls()
    for at in [log.add() for _ in range(MOST_FINDINGS)]:
        log.erase(at)
    ordered(log, 3, reason="court_order")
    ordered(log, 4, reason="court_order")
    log.gone.discard(4)
    log.sign()
    report = verified(log.lines(), None, vkey(WITNESS, CLAIRE, 4))
    assert len(report.erasures) == MOST_FINDINGS
    assert [one.what for one in report.findings] == [What.ERASURE] * 2


def test_an_order_for_more_than_anybody_orders_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_ORDERED", 2)
    log = five_calls()
    ordered(log, 3, 7)
    log.sign()
    assert found(log.lines(), None, vkey(WITNESS, CLAIRE, 4)) == []
    ordered(log, 4, 5, 8)
    log.sign()
    assert found(log.lines(), None, vkey(WITNESS, CLAIRE, 4)) == [What.ERASURE]


def test_a_reason_that_is_a_nest_of_lists_is_a_finding_and_no_crash() -> None:
    """Such as can just be read; in a thread of its own, how deep that is does not depend on who calls."""

    def verdict(depth: int) -> Verdict:
        log = five_calls()
        ordered(log, 3, reason="NEST")
        log.bodies[-1] = log.bodies[-1].replace(b'"NEST"', b"[" * depth + b"]" * depth)
        log.sign()
        return verify_export(log.lines(), [KEY, VerifierKey.parse(vkey(WITNESS, CLAIRE, 4))]).verdict

    with ThreadPoolExecutor(1) as alone:
        assert set(alone.map(verdict, range(950, 1_000))) == {Verdict.TAMPERED}


def test_p4_how_deep_a_line_is_read_does_not_depend_on_its_reader() -> None:
    """Otherwise what one has sealed, another would find changed. Brackets in a text are none."""

    def read(bodies: list[bytes]) -> list[bool]:
        return [body_value(body) is not None for body in bodies]

    def deeper(by: int, bodies: list[bytes]) -> list[bool]:
        return deeper(by - 1, bodies) if by else read(bodies)

    lists = [b'{"a":' + b"[" * deep + b"]" * deep + b"}" for deep in (30, 31, 32, 500, 800)]
    objects = [b'{"a":' * deep + b"1" + b"}" * deep for deep in (31, 32, 33, 500, 800)]
    many = [b'{"a":[' + b"[1,2]," * 5_000 + b"[{}]]}", b'{"a":"' + b"[{" * 500 + b'"}']
    for bodies in (lists, objects):
        for by in (0, 300):
            assert deeper(by, bodies) == [True, True, False, False, False]
    assert read(many) == [True, True]


def test_an_erasure_on_record_before_its_bodies_are_gone_is_none_yet() -> None:
    log = five_calls()
    log.erase(0, 1, 2, 7)
    log.gone = {1}
    log.sign()
    report = verified(log.lines())
    assert (report.verdict, report.erased) == (Verdict.INTACT, 1)


def test_an_erasure_explains_what_it_names_and_what_stands_before_it() -> None:
    log = five_calls()
    log.erase(3, 4, by=[[3, 3]])
    log.sign()
    assert found(log.lines()) == [What.ERASED]
    log = five_calls()
    log.add(None, "erasure", erases=[[20, 21]])
    log.add()
    log.gone = {21}
    log.sign()
    assert found(log.lines()) == [What.ERASURE, What.ERASED]


def test_an_erasure_that_is_erased_explains_nothing() -> None:
    log = five_calls()
    at = log.erase(3)
    log.erase(at)
    log.sign()
    assert [(one.what, one.index) for one in verified(log.lines()).findings] == [(What.ERASED, 3)]


@pytest.mark.parametrize(
    "ranges",
    [
        None,
        "all",
        3,
        {},
        [3],
        [[3]],
        [[3, 3, 3]],
        [["3", "3"]],
        [[3.0, 3]],
        [[True, 3]],
        [[-1, 3]],
        [[4, 3]],
        [[3, 20]],
        [[3, 2**70]],
        [[3, 3], [3, 3]],
        [[4, 4], [3, 3]],
        [None],
    ],
)
def test_an_erasure_of_what_cannot_be_named_so_is_a_finding(ranges: Any) -> None:
    log = five_calls()
    log.add(None, "erasure", erases=ranges)
    log.sign()
    assert found(log.lines()) in ([What.ERASURE], [What.LINE])  # a fraction is read by nobody


def test_an_event_that_is_none_erases_nothing() -> None:
    log = five_calls()
    log.add(None, "erasure.planned", erases=[[3, 3]])
    log.gone = {3}
    log.sign()
    assert found(log.lines()) == [What.ERASED]


def test_what_stands_for_an_erased_record_keeps_its_place_in_its_stream() -> None:
    log = five_calls()
    log.erase(6)
    log.sign()
    lines = log.lines()
    at = place_of(lines, 6)
    assert verified(lines).verdict is Verdict.INTACT
    other = json.loads(lines[place_of(lines, 7)])["stream"]
    for change, kinds in (
        ({"seq": 2}, {What.STREAM}),
        ({"seq": True}, {What.LINE}),
        ({"seq": -1}, {What.LINE}),
        ({"stream": other}, {What.STREAM}),
        ({"stream": "x"}, {What.LINE}),
        ({"leaf": "00" * 32}, {What.CHAIN, What.ROOT}),
        ({"leaf": "00" * 31}, {What.LINE}),
        ({"leaf": None}, {What.LINE}),
        ({"erased": "../../etc"}, {What.LINE}),
        ({"erased": 7}, {What.LINE}),
        ({"why": "because"}, {What.LINE}),
    ):
        bad = [*lines]
        bad[at] = edited(lines[at], **change)
        assert kinds <= set(found(bad)), change
        assert verified(bad).erased == (0 if What.LINE in kinds else 1), change


def test_a_checkpoint_that_is_edited() -> None:
    log = five_calls()
    for old, new in ((f"\n{20}\n", "\n19\n"), (ORIGIN, "callcenter/house"), ("— ", "- "), ("\n\n", "\n"), ("=", "")):
        note = LAST.replace(old, new)
        assert note != LAST
        log.notes[-1] = (20, note)
        assert found(log.lines()) == [What.SIGNATURE, What.UNSIGNED], old


@pytest.mark.parametrize("note", [None, 5, [], {}, "", "a\n\n— b c\n", LAST + "x"])
def test_a_checkpoint_that_is_none(note: Any) -> None:
    log = five_calls()
    lines = log.lines()
    lines[-1] = written({"checkpoint": note}) + b"\n"
    assert found(lines) == [What.SIGNATURE, What.UNSIGNED]


def test_a_checkpoint_of_another_log_by_the_same_key() -> None:
    log = five_calls()
    text = head_text("callcenter/house", 20, Checkpoint.parse(LAST.partition("\n\n")[0] + "\n").root)
    log.notes[-1] = (20, f"{text}\n{signature(text, OLD)}")
    assert found(log.lines()) == [What.SIGNATURE, What.UNSIGNED]


def test_checkpoints_that_are_removed_or_moved() -> None:
    log = five_calls()
    notes = log.notes
    log.notes = notes[:2] + notes[3:]
    assert found(log.lines()) == []  # of one hour only the last one is kept
    log.notes = notes[:-1]
    assert found(log.lines()) == [What.UNSIGNED]
    log.notes = []
    assert found(log.lines()) == [What.UNSIGNED]
    log.notes = [notes[0], notes[2], notes[1], notes[3]]
    assert found(log.lines(last=True)) == [What.PLACE]
    lines = five_calls().lines()
    lines.insert(1, lines.pop())
    assert found(lines) == [What.PLACE, What.UNSIGNED]


def test_the_end_that_is_cut_off_shows_to_whoever_holds_the_last_checkpoint() -> None:
    log = five_calls()
    log.bodies, log.notes = log.bodies[:15], log.notes[:3]
    report = verified(log.lines(), LAST)
    assert [(one.what, one.text) for one in report.findings] == [(What.CUT, "checkpoint covers 20, log holds 15")]
    assert report.since is None


def test_the_end_that_is_cut_off_does_not_show_to_whoever_holds_none_or_an_earlier_one() -> None:
    """What no log can show, and why checkpoints are given away: the report says so."""
    log = five_calls()
    log.bodies, log.notes = log.bodies[:15], log.notes[:3]
    assert verified(log.lines(), HALF).verdict is Verdict.INTACT
    report = verified(log.lines())
    assert report.verdict is Verdict.INTACT
    assert any("would not be seen" in line for line in report.lines())


def test_an_end_that_was_cut_off_and_has_grown_again_shows() -> None:
    log = five_calls()
    log.bodies, log.notes = log.bodies[:15], log.notes[:3]
    for _ in range(8):
        log.add()
    log.sign()
    assert found(log.lines(), LAST) == [What.FORK]


def test_a_past_that_is_made_anew_with_the_stolen_key_shows_to_whoever_holds_a_checkpoint_of_it() -> None:
    remade = five_calls(instead={6: "autre"})
    assert found(remade.lines(), HALF) == [What.FORK]
    assert found(remade.lines(last=True), HALF) == [What.FORK]
    assert found(remade.lines(), LAST) == [What.FORK]


def test_a_past_that_is_made_anew_does_not_show_to_whoever_holds_nothing_of_it() -> None:
    remade = five_calls(instead={6: "autre"})
    assert found(remade.lines()) == []
    assert found(remade.lines(), five_calls().notes[0][1]) == []  # of the five records before the change


def test_a_past_that_is_made_anew_with_another_key() -> None:
    assert found(five_calls(THIEF).lines()) == [What.SIGNATURE, What.UNSIGNED]
    # A key of another log does not speak for this one, whoever trusts both.
    both = vkey(THIEF, "callcenter/house")
    assert found(five_calls(THIEF).lines(), None, both) == [What.SIGNATURE, What.UNSIGNED]


def test_two_checkpoints_of_one_size_with_two_roots() -> None:
    log = five_calls()
    log.notes.append(five_calls(instead={6: "autre"}).notes[-1])
    report = verified(log.lines())
    assert [one.what for one in report.findings] == [What.ROOT]
    assert "one before it, of as many records, has theirs" in report.findings[0].text


def test_a_record_that_is_deleted_before_it_was_sealed_leaves_a_gap() -> None:
    whole, log = five_calls(), LogByHand()
    log.bodies = [body for index, body in enumerate(whole.bodies) if index != 7]
    log.sign()
    report = verified(log.lines())
    assert [(one.what, one.index) for one in report.findings] == [(What.STREAM, 11)]
    log.bodies = whole.bodies[:-1]  # the last one of its stream leaves none: the carrier's list of calls may
    log.notes = []
    log.sign()
    assert found(log.lines()) == []


# Keys.


def rotated(*signers: Any, vouched: bool = True) -> LogByHand:
    """A log whose key changes after 20 records; then 5 more, signed by ``signers``."""
    log = five_calls()
    log.rotate(OLD, NEW)
    if vouched:
        log.sign(OLD, NEW)
    for _ in range(5):
        log.add()
    log.sign(*signers)
    return log


def test_a_new_key_that_the_old_one_vouches_for_is_trusted() -> None:
    log = rotated(NEW)
    for last in (False, True):
        report = verified(log.lines(last=last))
        assert (report.verdict, report.rotated) == (Verdict.INTACT, (vkey(NEW),))
    assert f"  a record adds the key {vkey(NEW)}" in list(report.lines())
    # whoever holds a checkpoint by the new key, and trusts the old one alone
    assert verified(log.lines(), log.notes[-1][1]).since == 26
    # and whoever has both
    assert verify_export(log.lines(), [KEY, VerifierKey.parse(vkey(NEW))]).rotated == ()


def test_both_keys_may_sign_for_a_while() -> None:
    assert found(rotated(OLD, NEW).lines()) == []
    assert found(rotated(OLD).lines()) == []


def test_a_new_key_that_nothing_vouches_for_is_not_trusted() -> None:
    assert found(rotated(NEW, vouched=False).lines()) == [What.SIGNATURE, What.UNSIGNED]
    # not even by a checkpoint of its own, or by one of the old key over less
    log = rotated(NEW, vouched=False)
    log.notes.insert(4, (20, LAST))
    assert found(log.lines()) == [What.SIGNATURE, What.UNSIGNED]


def test_a_record_behind_the_new_key_is_not_needed_to_trust_it() -> None:
    """One checkpoint by the old key, over the record and more, vouches for it as well."""
    assert found(rotated(OLD, vouched=False).lines()) == []


GOOD = {"size": 10, "root": HALF.split("\n")[2]}
NO_KEYS = [None, 5, "", vkey(NEW, "callcenter/house"), vkey(NEW, ORIGIN, COSIGNATURE), vkey(NEW)[:-4], "\ud800"]
HOUSES = rotation(OLD, NEW, origin="callcenter/house")
#: What no key says of the next one: by the members that are other than in a record that says so.
UNSAID: list[dict[str, Any]] = [
    *({name: key} for name in ("vkey", "from") for key in NO_KEYS),
    {"vkey": vkey(THIEF)},
    {"vkey": vkey(OLD)},
    {"from": vkey(THIEF)},
    HOUSES,  # what the same secret has said in another log
    {"signature": HOUSES["signature"]},
    {"signature": rotation(OLD, NEW, by=NEW)["signature"]},
    {"signature": rotation(OLD, NEW, by=THIEF)["signature"]},
    {"signature": LAST.rpartition("\n\n")[2].rstrip("\n")},  # of a checkpoint
    {"signature": None},
    {"signature": ""},
    {"signature": "— a b"},
    {"signature": "\ud800"},
    {"signature": rotation(OLD, NEW)["signature"] + "\n"},
    {"signature": f"\n\n{rotation(OLD, NEW)['signature']}"},
    {"cause": None},
    {"cause": "bored"},
    {"cause": "compromised"},  # signed as planned
    {"cause": "compromised", "last_good": GOOD},
    {"last_good": GOOD},
]


@pytest.mark.parametrize("members", UNSAID, ids=range(len(UNSAID)))
def test_a_change_that_the_former_key_has_not_signed_for_this_log_changes_no_key(members: dict[str, Any]) -> None:
    log = five_calls()
    log.rotate(OLD, NEW)
    body = json.dumps({**json.loads(log.bodies[-1]), **members}, sort_keys=True, separators=(",", ":")).encode()
    log.bodies[-1] = body
    log.sign()
    assert found(log.lines()) == [What.ROTATION]
    log.add()
    log.sign(NEW)
    report = verified(log.lines())
    assert {What.ROTATION, What.SIGNATURE, What.UNSIGNED} == {one.what for one in report.findings}
    assert report.rotated == ()


@pytest.mark.parametrize(
    "good",
    [
        None,
        {},
        "10",
        {**GOOD, "size": True},
        {**GOOD, "size": -1},
        {**GOOD, "size": 10**18},
        {**GOOD, "size": 21},
        {**GOOD, "size": 0},
        {**GOOD, "root": "AAAA"},
        {**GOOD, "root": f"{GOOD['root']}\n"},
        {**GOOD, "more": 1},
        {"size": 10},
    ],
)
def test_a_last_good_head_that_is_none(good: Any) -> None:
    """Signed as it stands there, by the key itself."""
    log = five_calls()
    said = rotation(OLD, NEW, (10, b64decode(GOOD["root"])))
    lines = ["callcenter/key-rotation", ORIGIN, vkey(OLD), vkey(NEW), "compromised"]
    if isinstance(good, dict):
        lines += [str(int(good.get("size", 0))), str(good.get("root"))]
    line = signature("".join(f"{one}\n" for one in lines), OLD)
    log.add(None, "key.rotated", **{**said, "last_good": good, "signature": line.removesuffix("\n")})
    log.sign()
    assert found(log.lines()) == [What.ROTATION]


def test_what_the_new_key_signs_alone_before_the_old_one_has_vouched_for_it_stays_unsigned() -> None:
    """Though the old one does so later on: nobody then had a reason to believe it."""
    log = rotated(NEW, vouched=False)
    log.add()
    log.sign(OLD, NEW)
    assert found(log.lines()) == [What.SIGNATURE]


def test_a_change_that_is_told_again_changes_nothing() -> None:
    log = rotated(OLD, NEW)
    for _ in range(MOST_KEYS + 1):
        log.rotate(OLD, NEW)
    log.sign(NEW)
    assert (found(log.lines()), verified(log.lines()).rotated) == ([], (vkey(NEW),))


# Whoever comes later, with the new key.


def looked_at(lines: Iterable[bytes], *trust: Ed25519PrivateKey, since: str | None = None) -> Report:
    report = verify_export(lines, [VerifierKey.parse(vkey(one)) for one in trust], since)
    assert "".join(report.lines()).isascii()
    return report


def kinds(report: Report) -> list[What]:
    return list(dict.fromkeys(one.what for one in report.findings))


@pytest.mark.parametrize("last", [False, True])
def test_whoever_has_the_new_key_alone_checks_what_the_old_one_had_signed(last: bool) -> None:
    log = rotated(NEW)
    report = looked_at(log.lines(last=last), NEW, since=HALF)
    assert (report.verdict, report.checkpoints, report.since) == (Verdict.INTACT, 6, 10)
    assert (report.former, report.rotated) == ((vkey(OLD),), ())
    assert f"  a record names the key before yours, {vkey(OLD)}" in list(report.lines())
    # with another past, and what the old key had signed over that one
    remade = five_calls(instead={6: "autre"})
    assert kinds(looked_at(log.lines(last=last), NEW, since=remade.notes[1][1])) == [What.FORK]
    log.notes[1] = remade.notes[1]
    assert kinds(looked_at(log.lines(last=last), NEW)) == [What.ROOT]
    # and with one that nobody has signed
    for forged in (HALF.replace("mWyw", "mWyx"), five_calls(THIEF).notes[1][1]):
        log.notes[1] = (10, forged)
        assert kinds(looked_at(log.lines(last=last), NEW)) == [What.SIGNATURE]
    text, _, line = HALF.rpartition("\n\n")
    wrong = b64encode(b64decode(line.split(" ")[2])[:-1] + b"\0").decode()
    log.notes[1] = (10, f"{text}\n\n— {ORIGIN} {wrong}\n")
    assert kinds(looked_at(log.lines(last=last), NEW)) == [What.SIGNATURE]


def test_the_new_key_vouches_only_for_what_it_has_signed_itself() -> None:
    log = five_calls()
    log.rotate(OLD, NEW)
    log.sign(OLD)
    assert kinds(looked_at(log.lines(), NEW)) == [What.SIGNATURE, What.ROTATION, What.UNSIGNED]


@pytest.mark.parametrize("pinned", [OLD, NEW, THIRD])
@pytest.mark.parametrize("last", [False, True])
def test_a_key_is_followed_by_another_and_that_by_a_third(pinned: Ed25519PrivateKey, last: bool) -> None:
    log = rotated(NEW)
    log.rotate(NEW, THIRD)
    log.sign(NEW, THIRD)
    log.add()
    log.sign(THIRD)
    report = looked_at(log.lines(last=last), pinned, since=HALF)
    assert (report.verdict, report.checkpoints) == (Verdict.INTACT, 8)
    assert {*report.former, *report.rotated} == {vkey(one) for one in (OLD, NEW, THIRD) if one is not pinned}


def test_signatures_that_wait_for_a_key_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_DEFERRED", 3)
    report = looked_at(rotated(NEW).lines(), NEW)
    assert [(one.what, one.text) for one in report.findings] == [
        (What.SIGNATURE, "the key of this log has not signed it for this log")
    ]
    assert report.checkpoints == 5


# A key that was stolen.


def stolen(good: int = 10) -> LogByHand:
    """A log whose key is stolen, which is noticed after 20 records."""
    log = five_calls()
    log.rotate(OLD, NEW, good)
    log.sign(OLD, NEW)
    log.add()
    log.sign(NEW)
    return log


@pytest.mark.parametrize("last", [False, True])
def test_whoever_has_the_stolen_key_alone_is_told_to_get_another(last: bool) -> None:
    log = stolen()
    report = looked_at(log.lines(last=last), OLD)
    assert (report.verdict, kinds(report), report.rotated) == (Verdict.UNCHECKED, [What.STOLEN], ())
    assert report.findings[0].index == 20
    assert report.stolen == ((vkey(OLD), 10),)
    assert f"  a record says that this key was stolen, and counts for 10 records alone: {vkey(OLD)}" in report.lines()
    # what is wrong with the records shows all the same, and what the key had signed before it was stolen
    lines = log.lines(last=last)
    lines[place_of(lines, 6)] = edited(lines[place_of(lines, 6)], step="autre")
    assert looked_at(lines, OLD).verdict is Verdict.TAMPERED
    log.notes[0] = (5, five_calls(THIEF).notes[0][1])
    assert What.SIGNATURE in kinds(looked_at(log.lines(last=last), OLD))


@pytest.mark.parametrize("pinned", [[NEW], [OLD, NEW]])
@pytest.mark.parametrize("last", [False, True])
def test_whoever_has_the_next_key_goes_on_and_the_stolen_one_counts_to_its_last_good_head(
    pinned: list[Ed25519PrivateKey], last: bool
) -> None:
    log = stolen()
    report = looked_at(log.lines(last=last), *pinned, since=HALF)
    assert (report.verdict, report.since, report.stolen) == (Verdict.INTACT, 10, ((vkey(OLD), 10),))
    remade = five_calls(instead={6: "autre"})
    assert kinds(looked_at(log.lines(last=last), *pinned, since=remade.notes[1][1])) == [What.FORK]
    # Beyond it, what it has signed may be the thief's: nothing follows from that, and it stands for no record.
    assert kinds(looked_at(log.lines(last=last), *pinned, since=remade.notes[-1][1])) == [What.NOT_HELD]
    assert looked_at(log.lines(last=last), *pinned, since=LAST).since == 20
    cut = stolen()
    cut.notes = [*cut.notes[:4], (22, f"{cut.text()}\n{signature(cut.text(), OLD)}")]
    assert What.UNSIGNED in kinds(looked_at(cut.lines(last=last), *pinned))


def test_what_the_thief_has_signed_counts_for_nothing_with_whoever_has_the_next_key() -> None:
    log = stolen()
    log.notes[2] = five_calls(instead={6: "autre"}).notes[2]
    assert kinds(looked_at(log.lines(), NEW)) == []
    log.notes[1] = five_calls(instead={6: "autre"}).notes[1]
    assert kinds(looked_at(log.lines(), NEW)) == [What.ROOT]


def test_a_stolen_key_of_which_nothing_is_good_counts_for_nothing() -> None:
    log = stolen(0)
    assert looked_at(log.lines(), NEW).verdict is Verdict.INTACT
    assert kinds(looked_at(log.lines(), NEW, since=five_calls(instead={6: "autre"}).notes[1][1])) == [What.NOT_HELD]


@pytest.mark.parametrize("pinned", [[OLD], [NEW], [OLD, NEW]])
@pytest.mark.parametrize("last", [False, True])
def test_a_last_good_head_with_another_root_than_the_records_is_found(
    pinned: list[Ed25519PrivateKey], last: bool
) -> None:
    """Signed by the key itself, over a past that is not in this file."""
    log = five_calls()
    other = tree_hash(tuple(five_calls(instead={6: "autre"}).bodies[:10]))
    log.add(None, "key.rotated", **rotation(OLD, NEW, (10, other)))
    log.sign(OLD, NEW)
    report = looked_at(log.lines(last=last), *pinned)
    assert (report.verdict, What.ROTATION in kinds(report)) == (Verdict.TAMPERED, True)


@pytest.mark.parametrize("pinned", [[NEW], [OLD, NEW]])
@pytest.mark.parametrize("number", [2, 3])
def test_what_a_stolen_key_has_signed_since_counts_for_nothing_wherever_it_stands(
    pinned: list[Ed25519PrivateKey], number: int
) -> None:
    """Before the record that says so as behind it; and where it stands, it makes nothing else be out of place."""
    log = stolen()
    size, forged = five_calls(instead={6: "autre"}).notes[number]
    log.notes = [one for one in log.notes if one[0] != size]
    lines, beyond = log.lines(), checkpoint(forged)
    verdicts = {looked_at([*lines[:at], beyond, *lines[at:]], *pinned).verdict for at in range(1, len(lines) + 1)}
    assert verdicts == {Verdict.INTACT}
    log.notes[1] = five_calls(instead={6: "autre"}).notes[1]  # which it had signed before
    assert kinds(looked_at(log.lines(), *pinned)) == [What.ROOT]


@pytest.mark.parametrize("pinned", [[OLD], [NEW], [OLD, NEW]])
def test_a_checkpoint_that_was_moved_behind_a_larger_one_is_found_with_either_key(
    pinned: list[Ed25519PrivateKey],
) -> None:
    lines = rotated(NEW).lines()
    moved = lines.index(checkpoint(HALF))
    behind = [*lines[:moved], *lines[moved + 1 :], lines[moved]]
    assert kinds(looked_at(behind, *pinned)) == [What.PLACE]


@pytest.mark.parametrize("pinned", [OLD, NEW, THIRD])
@pytest.mark.parametrize("first", [0, 1])
def test_two_changes_under_one_head_lead_on_whichever_stands_first(pinned: Ed25519PrivateKey, first: int) -> None:
    log = five_calls()
    for old, new in (((OLD, NEW), (NEW, THIRD)), ((NEW, THIRD), (OLD, NEW)))[first]:
        log.rotate(old, new)
    log.sign(OLD, NEW, THIRD)
    log.add()
    log.sign(THIRD)
    report = looked_at(log.lines(), pinned)
    assert (report.verdict, len(report.former) + len(report.rotated)) == (Verdict.INTACT, 2)
    # by the first key alone, too: it leads to the last one
    log.notes[-2] = (22, f"{log.text(22)}\n{signature(log.text(22), OLD)}")
    assert looked_at(log.lines(), OLD).verdict is Verdict.INTACT


def test_where_the_key_was_stolen_what_it_leads_to_may_change_and_a_strangers_change_is_found() -> None:
    log = stolen()
    log.rotate(NEW, THIRD)
    log.sign(NEW, THIRD)
    assert kinds(looked_at(log.lines(), OLD)) == [What.STOLEN]
    log.rotate(WITNESS, THIEF)
    log.sign(NEW, THIRD)
    assert kinds(looked_at(log.lines(), OLD)) == [What.STOLEN, What.ROTATION]


def by_the_thief() -> LogByHand:
    """The log of whoever has stolen its key: another past, and a change to a key of theirs."""
    log = five_calls(instead={6: "autre"})
    log.rotate(OLD, THIEF)
    log.sign(OLD, THIEF)
    log.add()
    log.sign(THIEF)
    return log


def test_a_change_that_the_thief_writes_shows_to_whoever_has_the_next_key_or_a_checkpoint() -> None:
    log = by_the_thief()
    assert What.SIGNATURE in kinds(looked_at(log.lines(), NEW))
    assert kinds(looked_at(log.lines(), OLD, since=HALF)) == [What.FORK]


def test_a_change_that_the_thief_writes_does_not_show_to_whoever_has_the_stolen_key_and_nothing_else() -> None:
    """What no log can show: to them the thief is the log."""
    assert looked_at(by_the_thief().lines(), OLD).verdict is Verdict.INTACT
    assert looked_at(by_the_thief().lines(), OLD, since=five_calls().notes[0][1]).verdict is Verdict.INTACT


def test_a_key_that_a_stolen_key_has_vouched_for_is_trusted_no_more() -> None:
    """The thief was followed for a while; then the log says since when its key is not its own."""
    log = five_calls()
    log.rotate(OLD, THIEF)
    log.sign(OLD, THIEF)
    log.rotate(OLD, NEW, 10)
    log.sign(OLD, THIEF, NEW)
    log.add()
    for trust in ([OLD], [OLD, NEW]):
        log.notes = log.notes[:6]
        log.sign(THIEF)
        report = looked_at(log.lines(), *trust)
        assert (report.rotated, report.verdict is Verdict.INTACT) == ((), False)
    log.notes = log.notes[:6]
    log.sign(NEW)
    assert looked_at(log.lines(), OLD, NEW).verdict is Verdict.INTACT
    # What was changed before the theft stays changed.
    log = rotated(OLD, NEW)
    log.rotate(OLD, THIRD, 26)
    log.sign(NEW)
    assert kinds(looked_at(log.lines(), OLD)) == [What.STOLEN]
    assert looked_at(log.lines(), OLD).rotated == (vkey(NEW),)


# What is no export, and what cannot be compared.


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"not ours\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"{}\n",
        b'{"callcenter-audit":2,"origin":"%s","size":20}\n',
        b'{"callcenter-audit":true,"origin":"%s","size":20}\n',
        b'{"callcenter-audit":1,"origin":"%s"}\n',
        b'{"callcenter-audit":1,"origin":"%s","size":true}\n',
        b'{"callcenter-audit":1,"origin":"%s","size":-1}\n',
        b'{"callcenter-audit":1,"origin":"%s","size":20.0}\n',
        b'{"callcenter-audit":1,"origin":7,"size":20}\n',
        b'{"callcenter-audit":1,"origin":"%s","size":20,"more":1}\n',
        b'{"callcenter-audit":1,"origin":"%s","size":20,"size":20}\n',
    ],
)
def test_a_file_that_is_none_of_ours_cannot_be_checked(line: bytes) -> None:
    line = line.replace(b"%s", ORIGIN.encode())
    report = verified([line, *five_calls().lines()[1:]])
    assert [one.what for one in report.findings] == [What.NOT_OURS]
    assert next(report.lines()).startswith("could not check: this file")


def test_an_empty_file_cannot_be_checked() -> None:
    assert found([]) == [What.NOT_OURS]


@pytest.mark.parametrize("trust", [[], [vkey(OLD, "callcenter/house")], [vkey(WITNESS, ORIGIN, COSIGNATURE)]])
def test_without_the_key_of_the_log_nothing_can_be_checked(trust: list[str]) -> None:
    report = verify_export(five_calls().lines(), map(VerifierKey.parse, trust))
    assert [one.what for one in report.findings] == [What.NO_KEY]
    assert report.verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("since", "what"),
    [
        ("", What.NOT_HELD),
        ("nothing\n", What.NOT_HELD),
        ("a text\n\n" + LAST.rpartition("\n\n")[2], What.NOT_HELD),
        (five_calls(THIEF).notes[1][1], What.NOT_HELD),  # by another key: nobody is accused because of it
        (five_calls(THIEF, instead={1: "autre"}).notes[1][1], What.NOT_HELD),
        (HALF.replace("\n10\n", "\n11\n"), What.NOT_HELD),
        (HALF.replace(ORIGIN, "callcenter/house"), What.NOT_HELD),
        ("\ud800", What.NOT_HELD),
    ],
)
def test_what_is_held_and_is_no_checkpoint_of_this_log_cannot_be_compared(since: str, what: What) -> None:
    report = verified(five_calls().lines(), since)
    assert [one.what for one in report.findings] == [what]
    assert report.since is None


def test_a_checkpoint_of_another_log_says_of_which() -> None:
    """Whoever keeps several takes the wrong one: nothing is said against either log."""
    house = LogByHand(origin="callcenter/house")
    house.add()
    report = verified(five_calls().lines(), house.sign(), vkey(OLD, "callcenter/house"))
    assert [one.text for one in report.findings] == ["the checkpoint that you hold is of callcenter/house"]
    assert report.verdict is Verdict.UNCHECKED


def test_a_checkpoint_without_the_signature_of_the_log_is_not_compared_with() -> None:
    remade = five_calls(instead={6: "autre"})
    seen = f"{remade.text()}\n{cosignature(remade.text(), WITNESS, 'cabinet', 5)}"
    assert found(five_calls().lines(), seen, vkey(WITNESS, "cabinet", COSIGNATURE)) == [What.NOT_HELD]


def test_what_is_wrong_with_the_file_outweighs_what_cannot_be_compared() -> None:
    lines = five_calls().lines()
    lines[place_of(lines, 19)] = edited(lines[place_of(lines, 19)], step="autre")
    assert found(lines, five_calls(THIEF).notes[1][1]) == [What.ROOT, What.NOT_HELD]


# Lines that are none.


def replaced(index: int, change: Callable[[bytes], bytes]) -> list[bytes]:
    lines = five_calls().lines()
    at = place_of(lines, index)
    lines[at] = change(lines[at])
    return lines


@pytest.mark.parametrize(
    "change",
    [
        lambda line: b"\n",
        lambda line: b"null\n",
        lambda line: b"[]\n",
        lambda line: b"7\n",
        lambda line: b"{" * 100_000 + b"\n",
        lambda line: b'{"a":' * 100_000 + b"\n",
        lambda line: b"[" * 100_000 + b"\n",
        lambda line: b"9" * 100_000 + b"\n",
        lambda line: b'{"v":' + b"9" * 100_000 + b"}\n",
        lambda line: b'{"v":1e999}\n',
        lambda line: b'{"v":NaN}\n',
        lambda line: b" " + line,
        lambda line: line[:-1] + b" \n",
        lambda line: line[:-1] + b"\r\n",
        lambda line: b"\xef\xbb\xbf" + line,
        lambda line: line.replace(b"pas", b"\xff"),
        lambda line: line.replace(b'"v":1', b'"v":1,"v":1'),
        lambda line: line.replace(b'"kind"', b'"id"'),  # the same name twice, further in
        lambda line: line.replace(b'"v":1', b'"v":2'),
        lambda line: line.replace(b'"v":1', b'"v":"1"'),
        lambda line: line.replace(b'"v":1', b'"w":1'),
        lambda line: edited(line, seq="1"),
        lambda line: edited(line, seq=True),
        lambda line: edited(line, seq=-1),
        lambda line: edited(line, seq=None),
        lambda line: edited(line, id="\ud800"),
        lambda line: edited(line, id=[]),
        lambda line: edited(line, prev=int("1" * 64)),
        lambda line: edited(line, prev="00" * 31),
        lambda line: edited(line, stream="\x1b[2J"),
        lambda line: edited(line, event=None),
        lambda line: edited(line, step="x" * MOST_OF_A_LINE),
    ],
)
def test_a_line_that_is_none_is_a_finding(change: Callable[[bytes], bytes]) -> None:
    try:
        lines = replaced(6, change)
    except UnicodeEncodeError:  # what cannot be written raw is written escaped
        lines = replaced(6, lambda line: json.dumps({**json.loads(line), "id": "\ud800"}).encode() + b"\n")
    report = verified(lines)
    assert {What.LINE, What.ROOT} <= {one.what for one in report.findings}
    line = next(one for one in report.findings if one.what is What.LINE)
    assert (line.line, line.index) == (place_of(lines, 6) + 1, 6)


def test_a_number_that_no_record_counts_to_is_a_finding() -> None:
    assert What.LINE in found(replaced(6, lambda line: edited(line, seq=2**53)))
    assert What.STREAM in found(replaced(6, lambda line: edited(line, seq=2**53 - 1)))


def test_what_a_file_says_reaches_no_terminal_as_it_is() -> None:
    log = five_calls()
    log.origin = "\x1b[2J\u202e" + "x" * 9000
    log.add()
    log.origin = ORIGIN
    log.sign()
    (line,) = [one.text for one in verified(log.lines()).findings]
    assert "\\x1b[2J\\u202e" in line
    assert len(line) < 300


def test_a_file_that_ends_within_a_line_is_not_whole() -> None:
    lines = five_calls().lines()
    assert found([*lines[:-1], lines[-1][:-1]]) == [What.COUNT]
    assert What.COUNT in found([*lines[:-1], lines[-1][:-9]])


def test_findings_beyond_a_hundred_are_counted() -> None:
    lines = [head(ORIGIN, 0), *[b"x\n"] * 300]
    report = verified(lines)
    assert len(report.findings) == MOST_FINDINGS
    assert report.more == 300 + 2 - MOST_FINDINGS  # one for each line, the number of records, no signature
    assert list(report.lines())[-1] == f"  and {report.more} more findings"


def test_erasures_beyond_a_hundred_are_counted_together() -> None:
    log = LogByHand()
    for _ in range(MOST_FINDINGS + 1):
        log.add()
    for index in range(MOST_FINDINGS + 1):
        log.erase(index)
    log.sign()
    report = verified(log.lines())
    assert (report.verdict, len(report.erasures), report.erased) == (Verdict.INTACT, MOST_FINDINGS, MOST_FINDINGS + 1)


def test_checkpoints_are_lines_of_any_place_behind_their_records() -> None:
    log = five_calls()
    lines = log.lines()
    moved = [line for line in lines if line != checkpoint(log.notes[0][1])]
    moved.insert(place_of(moved, 8), checkpoint(log.notes[0][1]))
    assert found(moved, LAST) == []


# --- records that the sealer has refused


def a_call_with_a_refusal(said: object = None, following: str | None = None) -> LogByHand:
    """A call whose second record was refused.

    Arguments:
        said: what stands in its place says was refused, instead of its leaf.
        following: which leaf the third record names, instead of that one.
    """
    log, leaf = LogByHand(), "ab" * 32
    stream = log.stream()
    log.add(stream)
    log.add(stream, "record.refused", cause="erasure", refused=leaf if said is None else said)
    log.ends[stream] = (2, following or leaf)
    log.add(stream)
    log.sign()
    return log


def test_behind_a_record_that_was_refused_its_own_leaf_is_named() -> None:
    report = verified(a_call_with_a_refusal().lines())
    assert (report.verdict, report.refused) == (Verdict.INTACT, 1)
    assert "  1 record was refused by the sealer, which has put its own in its place" in report.lines()


def test_whatever_else_is_named_behind_a_record_that_was_refused_is_found() -> None:
    stands = json.loads(a_call_with_a_refusal().lines()[2])
    sealed = hashlib.sha256(b"\x00" + written(stands)).hexdigest()
    for other in (sealed, "00" * 32, stands["prev"]):
        assert found(a_call_with_a_refusal(following=other).lines()) == [What.CHAIN]


@pytest.mark.parametrize("said", ["", "AB" * 32, "ab" * 31, 7, None, ["ab" * 32], "ab" * 32 + "\n"], ids=repr)
def test_a_refusal_that_says_nothing_is_found(said: object) -> None:
    log = a_call_with_a_refusal()
    log.bodies[1] = written(json.loads(log.bodies[1]) | {"refused": said})
    log.notes.clear()
    log.sign()
    assert What.LINE in found(log.lines())


def test_what_was_refused_explains_no_missing_body_and_adds_no_key() -> None:
    """All that an erasure and a change of the key would say may stand in the refusal: it is neither."""
    log = five_calls()
    log.gone.add(3)
    log.add(
        None,
        "record.refused",
        cause="erasure",
        refused="ab" * 32,
        erases=[[3, 3]],
        **{name: value for name, value in rotation(OLD, NEW).items() if name != "cause"},
    )
    log.sign(OLD, NEW)
    report = verified(log.lines())
    assert [one.what for one in report.findings] == [What.ERASED]
    assert report.rotated == ()


# --- a key that was put away is stolen afterwards


def put_away_and_stolen() -> tuple[LogByHand, int]:
    """A log whose key was changed as planned, and then said to be stolen; and how many records it had signed."""
    log = five_calls()
    log.rotate(OLD, NEW)
    log.sign(OLD, NEW)
    ends = len(log.bodies)
    log.add()
    log.sign(NEW)
    log.rotate(OLD, NEW, ends)
    log.add()
    log.sign(NEW)
    return log, ends


def test_a_key_that_is_stolen_after_it_was_put_away_leads_on_and_counts_to_its_end() -> None:
    """With any key of the log; and no head that the thief signs is one of another past."""
    log, ends = put_away_and_stolen()
    text = head_text(ORIGIN, ends + 1, bytes(32))
    theirs = f"{text}\n{signature(text, OLD)}"
    for trust in (OLD, NEW):
        report = verify_export(log.lines(), [VerifierKey.parse(vkey(trust))], HALF)
        assert (report.verdict, report.stolen) == (Verdict.INTACT, ((vkey(OLD), ends),))
        report = verify_export(log.lines(), [VerifierKey.parse(vkey(trust))], theirs)
        assert [one.what for one in report.findings] == [What.NOT_HELD]
    lines = log.lines()
    assert found([*lines, checkpoint(theirs)]) == []  # in the file neither
    assert found(lines, f"{text}\n{signature(text, NEW)}") == [What.FORK]  # what the next one has signed still counts


def test_t95_a_whole_log_by_a_key_that_was_put_away_is_not_found() -> None:
    """Known: what says so stands in the true log. Whoever holds a head, or has the next key, finds it."""
    theirs = five_calls(instead={1: "autre"})
    assert found(theirs.lines()) == []
    _, ends = put_away_and_stolen()
    assert found(theirs.lines(), five_calls().notes[-1][1]) == [What.FORK]
    report = verify_export(theirs.lines(), [VerifierKey.parse(vkey(NEW))])
    assert (report.verdict, ends) == (Verdict.TAMPERED, 21)
