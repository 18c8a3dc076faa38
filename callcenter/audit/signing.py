"""The keys that sign the heads of logs, and how one is changed for another.

One Ed25519 key signs for every log, under the name of each: so every log has a verifier's key of its own. While it is
being changed for another, both sign (``docs/ledger-format.md``). Their file: ``audit.sealing_key``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callcenter.audit.verify import (
    EMPTY_ROOT,
    Checkpoint,
    Malformed,
    Rotation,
    Unproven,
    VerifierKey,
    signature_line,
    signatures_of,
    signers_of,
)
from callcenter.kernel.errors import Conflict, IntegrityError
from callcenter.kernel.randomness import Random

SEED_BYTES = 32  # RFC 8032 §5.1.5


def _fresh(random: Random) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(random.token_bytes(SEED_BYTES))


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


class NotOurs(IntegrityError):
    """A signed head is none, is another log's, or was not signed by this key."""


class NewerFile(NotOurs):
    """A signed head is ours, and a later key has signed it too, which is not in this file."""


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The halves that anybody may have, 32 bytes each, of the keys that sign and have signed.

    Arguments:
        signing: those that sign, the one that has done so for longer first; none: another process seals.
        former: those before, and one that lay beside a stolen key.
        stolen: somebody else has the first one, which is being changed for the second.
    """

    signing: tuple[bytes, ...] = ()
    former: tuple[bytes, ...] = ()
    stolen: bool = False

    def all(self, origin: str) -> list[VerifierKey]:
        """Those by which anybody checks heads of that log, whenever they were signed."""
        return [VerifierKey(origin, one) for one in (*self.signing, *self.former)]


@dataclass(frozen=True, slots=True)
class SealingKey:
    """Signs heads of logs, and knows its own signatures again.

    Arguments:
        private: the key.
        following: the next one, while it is changed for that.
        stolen: the change is because somebody else has ``private``.
        voided: the next key of a change that was under way when the theft was found out: it lay in the same file, and
            another one is ``following`` now.
        good: by log, the last head that nobody but the log has signed, where the key was stolen; of none where a log
            is not named.
        sizes: by log, its records when the elected sealer had the next key: no head beyond is signed without it. A log
            that is not named came later. ``None``: nobody has looked yet, or nothing was stolen.
        former: public halves of those before it, 32 bytes each, oldest first.
        ends: by log, what each of those has signed for the case that it is stolen one day: that it counts for the
            records that there were when it was put away, and no more. What a record would say of that.
    """

    private: Ed25519PrivateKey = field(repr=False)
    following: Ed25519PrivateKey | None = field(default=None, repr=False)
    stolen: bool = field(default=False, repr=False)
    voided: Ed25519PrivateKey | None = field(default=None, repr=False)
    good: Mapping[str, Checkpoint] = field(default_factory=dict, repr=False, hash=False)
    sizes: Mapping[str, int] | None = field(default=None, repr=False, hash=False)
    former: tuple[bytes, ...] = field(default=(), repr=False)
    ends: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def fresh(cls, random: Random) -> SealingKey:
        """A new one."""
        return cls(_fresh(random))

    @property
    def public(self) -> bytes:
        """The half that anybody may have, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def verifier_key(self, origin: str) -> VerifierKey:
        """By which anybody checks the heads of that log."""
        return VerifierKey.of(origin, self.private)

    def next_key(self, origin: str) -> VerifierKey | None:
        """By which anybody checks them from now on; ``None``: the key is not being changed."""
        return None if self.following is None else VerifierKey.of(origin, self.following)

    def keys(self, origin: str) -> list[VerifierKey]:
        """The keys that sign for that log now, the one that has done so for longer first."""
        return [VerifierKey.of(origin, one) for one in self._signing()]

    def every_key(self, origin: str) -> list[VerifierKey]:
        """Those, and whichever have signed for it before."""
        return self.public_halves().all(origin)

    def public_halves(self) -> PublicKeys:
        """Of every key here, and of those before."""
        known = self.former if self.voided is None else (*self.former, _public(self.voided))
        return PublicKeys(tuple(map(_public, self._signing())), known, self.stolen)

    def sign(self, head: Checkpoint) -> str:
        """The signed note of a head (C2SP signed-note)."""
        lines = [signature_line(head.origin, one, head.text()) for one in self._signing()]
        return f"{head.text()}\n{''.join(lines)}"

    def open(self, note: str, origin: str) -> Checkpoint:
        """The head that ``note`` signs.

        Raises:
            NotOurs: no key that signs now has signed it, or also one that came later and is not here; or it is not of
                that log.
        """
        try:
            text, signed = signatures_of(note, self.keys(origin))
            head = Checkpoint.parse(text)
            others = signers_of(note) - {(one.name, one.key_id) for one in self.every_key(origin)}
        except (Malformed, Unproven) as error:
            raise NotOurs(str(error)) from error
        if head.origin != origin:
            raise NotOurs("it is the head of another log")
        if others:  # with this one alone the log would be gone on with for nobody who has the next
            raise NewerFile("a key that is not in the sealer's file has signed it too: there is a newer file")
        is_bounded = self.stolen and self.sizes is not None and self.next_key(origin) not in {one.key for one in signed}
        if is_bounded and head.size > (self.sizes or {}).get(origin, 0):
            raise NotOurs("the key that was stolen has signed it without the next one, which signs everything by now")
        return head

    def under_way(self, origin: str) -> dict[Rotation, dict[str, Any]]:
        """The changes of that log's key that are to be on record, and what the record of each says.

        A change during which the theft is found out leaves two keys behind, and both are said to be stolen.

        Raises:
            Conflict: there is none.
        """
        following = self.next_key(origin)
        if following is None:
            raise Conflict("the sealer's key is not being changed")
        good = self.good.get(origin, Checkpoint(origin, 0, EMPTY_ROOT)) if self.stolen else None
        told = {}
        for private in (self.private,) if self.voided is None else (self.private, self.voided):
            rotation = Rotation(VerifierKey.of(origin, private), following, good)
            told[rotation] = rotation.members(private)
        return told

    def changes(self, rotation: Rotation) -> bool:
        """Whether this change of a log's key is one that is under way here, with this cause and this last good head; or
        the planned one before a theft, which may still wait for its seal; or one that a key was put away with."""
        origin = rotation.former.name
        if rotation in self.put_away(origin):
            return True
        if self.following is None:
            return False
        planned = None if self.voided is None else VerifierKey.of(origin, self.voided)
        if planned is not None and rotation == Rotation(self.verifier_key(origin), planned):
            return True
        return rotation in self.under_way(origin)

    def names_one_that_is_missing(self, rotation: Rotation) -> bool:
        """Whether the key that seals has signed a change to one that is not here: there is a newer file, or a thief.
        Once it is known to be stolen, its change is here, and any other is the thief's."""
        origin = rotation.former.name
        if self.stolen and rotation.former == self.verifier_key(origin):
            return False
        return rotation.former in self.keys(origin) and not self.changes(rotation)

    def changing(self, random: Random, good: Mapping[str, Checkpoint] | None = None) -> SealingKey:
        """With a next key: the one that it has already, or a new one. One that lay beside a stolen key is as stolen,
        and is replaced.

        Arguments:
            good: by log, where the key was stolen, the last good head; once said, it stays. ``None``: it was not, as
                far as is known.
        """
        if self.stolen or (self.following is not None and good is None):
            return self
        fresh = _fresh(random)
        if good is None:
            return replace(self, following=fresh)
        return replace(self, following=fresh, voided=self.following, stolen=True, good=dict(good))

    def put_away(self, origin: str) -> dict[Rotation, Mapping[str, Any]]:
        """What is to be on record of that log if a key that was put away turns out to be stolen, and what the record
        says: only that key could sign it, before it was gone."""
        return {Rotation.parse(one, origin): one for one in self.ends.get(origin, ())}

    def changed(self, heads: Mapping[str, Checkpoint] | None = None) -> SealingKey:
        """The next key alone; of this one nothing is left but its public half, and what it signs now for the case that
        it is stolen later.

        Arguments:
            heads: by log, the last one that both have signed. Of a stolen key all is said already.

        Raises:
            Conflict: there is none.
        """
        if self.following is None:
            raise Conflict("the sealer's key is not being changed")
        gone = (self.private,) if self.voided is None else (self.private, self.voided)
        ends = dict(self.ends)
        for origin, head in ({} if self.stolen else heads or {}).items():
            end = Rotation(self.verifier_key(origin), VerifierKey.of(origin, self.following), head)
            ends[origin] = (*ends.get(origin, ()), end.members(self.private))
        return SealingKey(self.following, former=(*self.former, *map(_public, gone)), ends=ends)

    def goes_on_from(self, before: SealingKey) -> bool:
        """Whether what ``before`` has signed is known to this one, so that it may seal in its place."""
        return {*before.signed()} <= {*self.signed(), *self.former}

    def signed(self) -> list[bytes]:
        """Public halves of the keys here that may have signed a head."""
        return [_public(one) for one in (self.private, self.following, self.voided) if one is not None]

    def _signing(self) -> list[Ed25519PrivateKey]:
        return [self.private] if self.following is None else [self.private, self.following]
