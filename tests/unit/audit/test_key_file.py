"""The sealer's file while its key is changed for another: two keys, then the next one; read anew while it runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.audit.sealer import LogSealer, _rotation_in
from callcenter.audit.sealing_key import (
    KeyFile,
    alone_with,
    content_of,
    create_sealing_key,
    load_sealing_key,
)
from callcenter.audit.signing import NotOurs, SealingKey
from callcenter.audit.verify import EMPTY_ROOT, Checkpoint, Rotation, VerifierKey, signatures_of
from callcenter.kernel.clock import DrivenClock
from callcenter.kernel.errors import ConfigurationError, Conflict
from callcenter.kernel.randomness import SeededRandom
from tests.sealing import HOUSE, Cries, a_key
from tests.unit.audit.log_by_hand import THIEF, rotation

ORIGIN = "callcenter/house"
A_SEED = base64.b64encode(bytes(32)).decode()
HEAD = Checkpoint(ORIGIN, 3, bytes(range(32)))
BEFORE = a_key()
DURING = BEFORE.changing(SeededRandom(9))
AFTER = DURING.changed()
STOLEN = BEFORE.changing(SeededRandom(9), {ORIGIN: HEAD})
#: Put away at that head: what is said if it is stolen one day is kept.
PUT_AWAY = DURING.changed({ORIGIN: HEAD})
#: The theft was found out while the key was being changed.
TWICE = DURING.changing(SeededRandom(10), {ORIGIN: HEAD})


def put(path: Path, key: SealingKey) -> None:
    """As commands do: another file in the place of the one that was there."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(content_of(key))
    fresh.chmod(0o600)
    fresh.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    put(tmp_path / "sealer.key", BEFORE)
    return tmp_path / "sealer.key"


@pytest.mark.parametrize("key", [BEFORE, DURING, AFTER, STOLEN, TWICE, replace(TWICE, sizes={ORIGIN: 7}), PUT_AWAY])
def test_a_file_holds_what_was_written_to_it(path: Path, key: SealingKey) -> None:
    put(path, key)
    found = load_sealing_key(path)
    assert content_of(found) == content_of(key)
    assert found.every_key(ORIGIN) == key.every_key(ORIGIN)
    assert repr(found) == "SealingKey()"


@pytest.mark.parametrize(
    "members",
    [
        {"next": None},
        {"next": "AAAA"},
        {"next": 5},
        {"stolen": True},
        {"next": A_SEED, "stolen": 1},
        {"next": A_SEED, "stolen": True},
        {"next": A_SEED, "stolen": True, "good": {ORIGIN: 3}},
        {"next": A_SEED, "stolen": True, "good": {ORIGIN: {"size": 3, "root": "AAAA"}}},
        {"next": A_SEED, "stolen": True, "good": {}, "sizes": {ORIGIN: "3"}},
        {"next": A_SEED, "stolen": True, "good": {}, "voided": 5},
        {"next": A_SEED, "sizes": {}},
        {"sizes": {}},
        {"ends": 5},
        {"ends": {ORIGIN: {}}},
        {"ends": {ORIGIN: [5]}},
        {"ends": {ORIGIN: [rotation(THIEF, BEFORE.private, origin=ORIGIN)]}},
        {"ends": {ORIGIN: [rotation(THIEF, BEFORE.private, (3, bytes(32)), origin=ORIGIN, by=BEFORE.private)]}},
        {"ends": {"callcenter/elsewhere": [rotation(THIEF, BEFORE.private, (3, bytes(32)), origin=ORIGIN)]}},
        {"former": "x"},
        {"former": [5]},
        {"former": ["AAAA"]},
        {"more": 1},
    ],
)
def test_a_file_with_something_else_in_it_is_none(path: Path, members: dict[str, object]) -> None:
    path.write_text(json.dumps({**json.loads(content_of(BEFORE)), **members}))
    with pytest.raises(ConfigurationError, match="backup"):
        load_sealing_key(path)


def test_both_keys_sign_and_each_verifies_alone() -> None:
    first, following = DURING.keys(ORIGIN)
    note = DURING.sign(HEAD)
    for trust in ([first], [following]):
        text, signed = signatures_of(note, trust)
        assert (text, [one.key for one in signed]) == (HEAD.text(), trust)
    assert BEFORE.keys(ORIGIN) == [first]
    assert AFTER.keys(ORIGIN) == [following]
    assert AFTER.every_key(ORIGIN) == [following, first]


def test_heads_of_either_key_are_gone_on_with_and_those_of_a_key_that_is_put_away_are_not() -> None:
    for key in (BEFORE, DURING):
        assert DURING.open(key.sign(HEAD), ORIGIN) == HEAD
    assert AFTER.open(DURING.sign(HEAD), ORIGIN) == HEAD
    with pytest.raises(NotOurs, match="none of the trusted keys"):
        AFTER.open(BEFORE.sign(HEAD), ORIGIN)


def test_a_head_that_a_later_key_has_signed_too_is_not_gone_on_with_by_an_older_file() -> None:
    """Put back from a backup, or left on another machine: whoever has the next key alone would find nothing signed."""
    for key, again in ((BEFORE, DURING), (AFTER, AFTER.changing(SeededRandom(10)))):
        with pytest.raises(NotOurs, match="there is a newer file"):
            key.open(again.sign(HEAD), ORIGIN)


def test_a_key_that_is_not_being_changed_is_not_put_away() -> None:
    for key in (BEFORE, AFTER):
        with pytest.raises(Conflict):
            key.changed()
        with pytest.raises(Conflict):
            key.under_way(ORIGIN)


def test_begun_again_a_change_is_the_same() -> None:
    for key, again in ((DURING, None), (STOLEN, None), (STOLEN, {}), (TWICE, {})):
        assert key.changing(SeededRandom(11), again) is key
    assert not STOLEN.changed().stolen


def test_p4_a_next_key_that_lay_beside_a_stolen_one_is_stolen_too() -> None:
    """Another one takes its place; both are said to be stolen, by themselves, and heads of the change are ours."""
    old, void = DURING.keys(ORIGIN)
    fresh = TWICE.next_key(ORIGIN)
    assert fresh not in (old, void)
    assert TWICE.keys(ORIGIN) == [old, fresh]
    told = TWICE.under_way(ORIGIN)
    assert [*told] == [Rotation(old, fresh, HEAD), Rotation(void, fresh, HEAD)]
    assert [Rotation.parse(said, ORIGIN) for said in told.values()] == [*told]
    assert TWICE.changes(Rotation(old, void))  # it may wait for its seal still
    assert TWICE.open(DURING.sign(HEAD), ORIGIN) == HEAD
    assert TWICE.goes_on_from(DURING)
    after = TWICE.changed()
    assert (after.keys(ORIGIN), after.every_key(ORIGIN)) == ([fresh], [fresh, old, void])
    assert after.open(TWICE.sign(HEAD), ORIGIN) == HEAD
    with pytest.raises(NotOurs):
        after.open(DURING.sign(HEAD), ORIGIN)


def test_p4_beyond_what_was_there_no_head_by_the_stolen_key_alone_is_gone_on_with() -> None:
    """The thief has the pen too: our sealer would sign their past with the next key."""
    for key in (STOLEN, TWICE):
        assert key.open(BEFORE.sign(HEAD), ORIGIN) == HEAD  # nobody has looked yet whether both sign
        bounded = replace(key, sizes={ORIGIN: 3})
        assert bounded.open(BEFORE.sign(HEAD), ORIGIN) == HEAD
        longer = replace(HEAD, size=4)
        for by in (BEFORE, DURING)[: 1 + (key is TWICE)]:
            with pytest.raises(NotOurs):
                bounded.open(by.sign(longer), ORIGIN)
        assert bounded.open(key.sign(longer), ORIGIN) == longer
        with pytest.raises(NotOurs):  # a log that came later was signed by both from the first
            replace(key, sizes={}).open(BEFORE.sign(HEAD), ORIGIN)


# It is read anew.


def test_a_sealer_that_runs_takes_the_next_key_and_puts_the_old_one_away(path: Path) -> None:
    file = KeyFile.read(path)
    for key in (DURING, AFTER):
        put(path, key)
        assert content_of(file.renewed()) == content_of(key)
        assert file.renewed() is file.renewed()


def _gone(path: Path) -> None:
    path.unlink()


def _open_to_others(path: Path) -> None:
    put(path, DURING)
    path.chmod(0o640)


def _damaged(path: Path) -> None:
    path.write_text("{")


def _strangers(path: Path) -> None:
    path.unlink()
    create_sealing_key(path, SeededRandom(4))


@pytest.mark.parametrize("damage", [_gone, _open_to_others, _damaged, _strangers])
def test_what_cannot_be_used_is_cried_and_changes_nothing(
    path: Path, damage: Callable[[Path], None], clock: DrivenClock
) -> None:
    cries, file = Cries(), KeyFile.read(path)
    sealer = LogSealer(file.key, clock, cries, file=file)
    damage(path)
    for count in (1, 2):  # for as long as it lasts
        sealer._renew_key()
        assert (len(cries.unusable), content_of(sealer.key)) == (count, content_of(BEFORE))
    assert str(path) in cries.unusable[0]
    put(path, DURING)
    sealer._renew_key()
    assert (len(cries.unusable), content_of(sealer.key)) == (2, content_of(DURING))


def test_a_next_key_that_has_signed_is_not_forgotten(path: Path) -> None:
    """An older copy of the file is put back: what the next key has signed would be gone on with by nobody."""
    put(path, DURING)
    file = KeyFile.read(path)
    put(path, BEFORE)
    with pytest.raises(ConfigurationError, match="another sealer's key"):
        file.renewed()


def test_two_commands_do_not_change_it_at_once(path: Path) -> None:
    with alone_with(path), pytest.raises(Conflict), alone_with(path):
        pass
    with alone_with(path):
        pass
    with pytest.raises(ConfigurationError), alone_with(path / "nowhere" / "sealer.key"):
        pass
    assert list(path.parent.iterdir()) == [path]


# Which change it seals.


def test_the_record_of_a_change_says_what_an_auditor_reads_in_the_format() -> None:
    for key, good in ((DURING, None), (STOLEN, HEAD)):
        by_hand = rotation(key.private, key._signing()[1], None if good is None else (3, HEAD.root), origin=ORIGIN)
        assert key.under_way(ORIGIN) == {Rotation(*key.keys(ORIGIN), good): by_hand}
        assert Rotation.parse(by_hand, ORIGIN) == Rotation(*key.keys(ORIGIN), good)


NEXT = DURING._signing()[1]
OWN = rotation(a_key().private, NEXT, origin=ORIGIN)
ELSEWHERE = rotation(a_key().private, NEXT, origin="callcenter/5b1ffb4a-6c0d-4b0a-8f0c-0d8f5c3f2a11")
FORGED: dict[str, dict[str, object]] = {
    "nobody has signed it": {name: value for name, value in OWN.items() if name != "signature"},
    "a stranger has signed it": rotation(a_key().private, NEXT, origin=ORIGIN, by=THIEF),
    "the next key has signed it": rotation(a_key().private, NEXT, origin=ORIGIN, by=NEXT),
    "it is another log's": ELSEWHERE,
    "it was signed in another log": {**OWN, "signature": ELSEWHERE["signature"]},
    "the key itself says so of a stranger's": rotation(a_key().private, THIEF, origin=ORIGIN),
    "the next key says so of a stranger's": rotation(NEXT, THIEF, origin=ORIGIN),
    "a stranger says so of the next key": rotation(THIEF, NEXT, origin=ORIGIN),
    "the thief says that nothing is good": rotation(a_key().private, NEXT, (0, EMPTY_ROOT), origin=ORIGIN),
    "the thief says what is good": rotation(a_key().private, NEXT, (2, HEAD.root), origin=ORIGIN),
    "it goes back": rotation(NEXT, a_key().private, origin=ORIGIN),
}


@pytest.mark.parametrize("members", FORGED.values(), ids=FORGED)
def test_p4_a_change_of_the_key_that_is_not_under_way_is_not_sealed(
    members: dict[str, object], clock: DrivenClock
) -> None:
    for key in (BEFORE, DURING, AFTER, STOLEN, TWICE):
        assert not LogSealer(key, clock, Cries()).changes_key(_told(members))


def _told(members: dict[str, object]) -> Rotation | None:
    return _rotation_in({"event": "key.rotated", **members}, HOUSE)


def test_the_change_that_is_under_way_is_sealed_and_before_and_after_it_is_not(path: Path, clock: DrivenClock) -> None:
    told = _told(OWN)
    assert told is not None
    sealer = LogSealer(BEFORE, clock, Cries(), file=KeyFile.read(path))
    assert not sealer.changes_key(told)
    put(path, DURING)  # which comes first, and may come within a round
    assert sealer.changes_key(told)
    assert content_of(sealer.key) == content_of(DURING)
    assert not LogSealer(AFTER, clock, Cries()).changes_key(told)


def test_p4_of_a_key_that_was_put_away_the_one_change_is_sealed_that_it_was_put_away_with() -> None:
    """Whoever has stolen it since says where it ends otherwise: earlier, so that heads that somebody holds are void; or
    later. Or they say so of the key that signs now."""
    (said,) = PUT_AWAY.put_away(ORIGIN)
    assert (said.former, said.following) == (BEFORE.verifier_key(ORIGIN), PUT_AWAY.verifier_key(ORIGIN))
    assert said.last_good == HEAD
    assert PUT_AWAY.changes(said)
    for other in (
        replace(said, last_good=Checkpoint(ORIGIN, 0, EMPTY_ROOT)),
        replace(said, last_good=Checkpoint(ORIGIN, 4, HEAD.root)),
        replace(said, last_good=None),
        replace(said, following=VerifierKey.of(ORIGIN, THIEF)),
        replace(said, former=said.following, following=VerifierKey.of(ORIGIN, THIEF)),
    ):
        assert not PUT_AWAY.changes(other)
    assert DURING.changed().put_away(ORIGIN) == {}
    assert STOLEN.changed({ORIGIN: HEAD}).put_away(ORIGIN) == {}  # it is on record already
    assert PUT_AWAY.put_away("callcenter/elsewhere") == {}


def test_once_a_key_is_known_to_be_stolen_no_other_change_of_it_stops_a_log() -> None:
    """The thief may have written one: before, it may be of a newer file that is elsewhere, and the log waits for it."""
    theirs = Rotation(BEFORE.verifier_key(ORIGIN), VerifierKey.of(ORIGIN, THIEF))
    assert BEFORE.names_one_that_is_missing(theirs)
    assert DURING.names_one_that_is_missing(theirs)
    assert not STOLEN.names_one_that_is_missing(theirs)
    assert not STOLEN.changes(theirs)
