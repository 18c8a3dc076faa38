"""What shows that a log continues a head: its text, what it proves, and all that proves nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.audit.continuation import MOST_HASHES, MOST_OF_A_CONTINUATION, Continuation, NotHeld
from callcenter.audit.cosigning import NotSigned, Witness
from callcenter.audit.proof import NoKey
from callcenter.audit.verify import COSIGNATURE, Malformed, Unproven, Unsigned, VerifierKey, signatures_of
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
    secret,
    signature,
    vkey,
)
from tests.unit.audit.merkle_by_hand import proof, tree_hash

TRUST = [VerifierKey.parse(vkey(OLD))]
CLAIRE = Witness("cabinet.example/claire", secret(11))


def head(log: LogByHand, size: int, origin: str = ORIGIN) -> str:
    """What the log's key signs over its first records."""
    said = head_text(origin, size, tree_hash(tuple(log.bodies[:size])))
    return f"{said}\n{signature(said, OLD)}"


def shown(log: LogByHand, first: int, size: int) -> Continuation:
    return Continuation(first, tuple(proof(first, tuple(log.bodies[:size]))) if first else (), head(log, size))


def test_each_head_of_a_log_is_shown_to_continue_each_before_it() -> None:
    log = five_calls()
    for size in range(1, len(log.bodies) + 1):
        for first in range(1, size + 1):
            read = Continuation.parse(shown(log, first, size).text().encode())
            found = read.check(TRUST, head(log, first))
            assert (read.first, found.held.size, found.head.size, found.keep) == (first, first, size, head(log, size))


def test_its_text_is_that_of_the_specification() -> None:
    log = five_calls()
    text = shown(log, 3, 5).text()
    lines = text.split("\n")
    assert lines[0] == "old 3"
    assert lines[1:5] == [b64encode(one).decode() for one in proof(3, tuple(log.bodies[:5]))]
    assert lines[5] == ""
    assert "\n".join(lines[6:]) == head(log, 5)


def other_past() -> LogByHand:
    """As long as the log, with a past that was made anew."""
    log = five_calls()
    log.bodies[1] = log.bodies[1].replace(b"{", b'{"a":1,', 1)
    return log


@pytest.mark.parametrize("first", [2, 7, 16])
def test_a_past_made_anew_continues_no_head_of_the_old_one(first: int) -> None:
    log, forged = five_calls(), other_past()
    for size in (first, first + 1, 20):
        with pytest.raises(Unproven):
            shown(forged, first, size).check(TRUST, head(log, first))
        with pytest.raises(Unproven):
            Continuation(first, shown(log, first, size).hashes, head(forged, size)).check(TRUST, head(log, first))


def test_a_log_that_was_cut_continues_nothing() -> None:
    log = five_calls()
    with pytest.raises(Unproven, match="cannot continue"):
        Continuation(9, (), head(log, 5)).check(TRUST, head(log, 9))


def test_nothing_follows_from_what_is_of_another_log_or_key() -> None:
    log = five_calls()
    good, held = shown(log, 4, 9), head(log, 4)
    with pytest.raises(NoKey):
        good.check([VerifierKey.parse(vkey(OLD, "callcenter/other"))], held)
    with pytest.raises(NoKey):
        good.check([], held)
    with pytest.raises(Unsigned):
        Continuation(4, good.hashes, head(log, 9).replace(signature_of(head(log, 9)), signature_of_thief(log))).check(
            TRUST, held
        )
    for other in (head(log, 5), head(log, 4, "callcenter/other"), "", "of no log\n"):
        with pytest.raises(NotHeld):
            good.check(TRUST, other)
    said = head_text(ORIGIN, 4, tree_hash(tuple(log.bodies[:4])))
    with pytest.raises(NotHeld, match="none of the trusted keys"):
        good.check(TRUST, f"{said}\n{signature(said, THIEF)}")


def signature_of(note: str) -> str:
    return note.rpartition("\n\n")[2]


def signature_of_thief(log: LogByHand) -> str:
    return signature(head_text(ORIGIN, 9, tree_hash(tuple(log.bodies[:9]))), THIEF)


def test_a_cosigners_signature_is_none_of_the_log() -> None:
    log = five_calls()
    said = head_text(ORIGIN, 9, tree_hash(tuple(log.bodies[:9])))
    keys = [*TRUST, VerifierKey.parse(vkey(WITNESS, "witness", COSIGNATURE))]
    note = f"{said}\n" + cosignature(said, WITNESS, "witness", 1)
    with pytest.raises(Unsigned, match="key of the log"):
        Continuation(4, shown(log, 4, 9).hashes, note).check(keys, head(log, 4))


def test_p4_a_former_key_that_was_stolen_continues_nothing_that_the_next_one_has_signed() -> None:
    """Whoever trusts both, since both were given to them while the key was changed, is not led back to the old one."""
    log, forged = five_calls(), five_calls()
    forged.bodies[8] = forged.bodies[8].replace(b"{", b'{"a":1,', 1)
    both = [*TRUST, VerifierKey.parse(vkey(NEW))]
    said = head_text(ORIGIN, 4, tree_hash(tuple(log.bodies[:4])))
    held = f"{said}\n{signature(said, NEW)}"
    with pytest.raises(Unsigned, match="has not signed the later one"):
        shown(forged, 4, 9).check(both, held)
    witness = held + cosignature(said, CLAIRE.private, CLAIRE.name, 1)
    with pytest.raises(Unsigned):
        CLAIRE.cosign_continuation(shown(forged, 4, 9), both, witness, 7)


def test_while_the_key_is_changed_a_head_by_both_leads_from_one_to_the_other() -> None:
    log = five_calls()
    said = {size: head_text(ORIGIN, size, tree_hash(tuple(log.bodies[:size]))) for size in (4, 9, 12)}
    by_both = f"{said[9]}\n{signature(said[9], OLD)}{signature(said[9], NEW)}"
    by_next = f"{said[12]}\n{signature(said[12], NEW)}"
    both = [*TRUST, VerifierKey.parse(vkey(NEW))]
    found = Continuation(4, shown(log, 4, 9).hashes, by_both).check(both, head(log, 4))
    assert Continuation(9, shown(log, 9, 12).hashes, by_next).check(both, found.keep).head.size == 12
    with pytest.raises(Unsigned):  # only an export tells that the one has followed the other
        Continuation(4, shown(log, 4, 12).hashes, by_next).check(both, head(log, 4))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("old 4", "old 04"),
        lambda text: text.replace("old 4", "old -4"),
        lambda text: text.replace("old 4", "OLD 4"),
        lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("=\n", "=\nAAAA\n", 1),
        lambda text: text.replace("=\n", "=\nno base64\n", 1),
        lambda text: text.replace("old 4\n", "old 4\n" + f"{'A' * 43}=\n" * (MOST_HASHES + 1)),
        lambda text: text + "x" * MOST_OF_A_CONTINUATION,
        lambda _: "",
    ],
)
def test_what_is_not_of_its_form_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(Malformed):
        Continuation.parse(change(shown(five_calls(), 4, 9).text()).encode())


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_at_all_make_it_fail_otherwise(above: bytes, below: bytes) -> None:
    with suppress(Malformed, NoKey, NotHeld):
        Continuation.parse(b"old " + above + b"\n\n" + below).check(TRUST, "")


def test_a_witness_signs_what_continues_their_last_head_and_nothing_else() -> None:
    log, forged = five_calls(), other_past()
    said = head_text(ORIGIN, 4, tree_hash(tuple(log.bodies[:4])))
    seen = head(log, 4) + cosignature(said, CLAIRE.private, CLAIRE.name, 1)
    note = CLAIRE.cosign_continuation(shown(log, 4, 9), TRUST, seen, 7)
    assert note.startswith(head(log, 9))
    assert [one.at for one in signatures_of(note, [CLAIRE.key])[1]] == [7]
    for other in (shown(forged, 4, 9), Continuation(4, (), head(log, 9))):
        with pytest.raises(NotSigned):
            CLAIRE.cosign_continuation(other, TRUST, seen, 7)
    with pytest.raises(NotHeld):  # an older one, shown again: nothing follows from it
        CLAIRE.cosign_continuation(shown(log, 5, 9), TRUST, seen, 7)
    with pytest.raises(NotSigned, match="was not signed by"):  # a head that somebody has put in the place of theirs
        CLAIRE.cosign_continuation(shown(log, 4, 9), TRUST, head(log, 4), 7)
