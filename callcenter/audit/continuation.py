"""That a log continues a head that somebody holds, for whoever is to see no record of it.

A text, as logs send it to their witnesses (https://c2sp.org/tlog-witness): the size of the earlier head, the hashes
that lead from it to a later one (RFC 6962 §2.1.2), and that later head, signed. Nothing of any record is in it, and
nothing of changes of the log's key, of which an export tells.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from callcenter.audit.proof import NoKey
from callcenter.audit.verify import (
    HASH_SIZE,
    Checkpoint,
    Malformed,
    Signed,
    Unproven,
    Unsigned,
    VerifierKey,
    check_consistency,
    is_key_of,
    signatures_of,
    unbase64,
)

FIRST_WORD = "old "
MOST_OF_A_CONTINUATION = 1_010_000  # bytes: of a note, a million at most, and 63 hashes
MOST_HASHES = 63
_FIRST = re.compile("old (0|[1-9][0-9]{0,17})")


class NotHeld(Exception):
    """What is held can not be compared with this: nothing follows, neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Continued:
    """What was shown.

    Arguments:
        held: the head that is continued.
        head: the one that continues it.
        signed: signatures on that by trusted keys, cosigners among them.
        keep: its note with these signatures alone, to be held from now on.
    """

    held: Checkpoint
    head: Checkpoint
    signed: tuple[Signed, ...]
    keep: str


@dataclass(frozen=True, slots=True)
class Continuation:
    """That a head has only been added to.

    Arguments:
        first: records under the earlier head.
        hashes: what leads from it to the later one, lowest first; at most 63.
        note: the later head, signed.
    """

    first: int
    hashes: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """As it is written to a file."""
        lines = [f"{FIRST_WORD}{self.first}", *(b64encode(one).decode() for one in self.hashes)]
        return "\n".join(lines) + f"\n\n{self.note}"

    @classmethod
    def parse(cls, text: bytes) -> Continuation:
        """What :meth:`text` has written.

        Raises:
            Malformed: it is nothing of the kind.
        """
        if len(text) > MOST_OF_A_CONTINUATION:
            raise Malformed(f"it has at most {MOST_OF_A_CONTINUATION} bytes")
        try:
            above, gap, note = text.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError:
            raise Malformed("it is UTF-8") from None
        size, *lines = above.split("\n")
        first = _FIRST.fullmatch(size)
        if not gap or first is None or len(lines) > MOST_HASHES:
            raise Malformed(f"it is the size of the earlier head, {MOST_HASHES} hashes at most, and the later head")
        hashes = tuple(unbase64(line) for line in lines)
        if any(len(one) != HASH_SIZE for one in hashes):
            raise Malformed("what leads from one head to the other are hashes of 32 bytes")
        return cls(int(first[1]), hashes, note)

    def check(self, trust: Iterable[VerifierKey], held: str) -> Continued:
        """That the later head continues the one that is held.

        Arguments:
            trust: the key of the log, those that it has had, and those of cosigners who are believed.
            held: the note of the earlier head.

        Raises:
            NoKey: none of ``trust`` is of the log that the later head names.
            NotHeld: what is held is no head of this log that its key has signed, or not the one that this begins from.
            Unsigned: none of the keys that have signed the held head has signed the later one: it was changed since,
                and only an export leads from one key to the next. A former key may have been stolen.
            Malformed: something in it has not the form that it must have.
            Unproven: the log was cut, or has another past, or a signature is wrong.
        """
        keys = list(trust)
        origin = self.note.partition("\n")[0]
        if not any(is_key_of(key, origin) for key in keys):
            raise NoKey(f"this is of the log {ascii(origin[:200])[1:-1]}, of which you trust no key")
        before, its_keys = held_head(held, keys, origin)
        if before.size != self.first:
            raise NotHeld(f"it begins from the head of {self.first} records, and you hold the one of {before.size}")
        text, signed = signatures_of(self.note, keys)
        head = Checkpoint.parse(text)
        if not any(one.key in its_keys for one in signed):
            raise Unsigned("the key of the log that has signed the head that you hold has not signed the later one")
        check_consistency(before.size, head.size, self.hashes, before.root, head.root)
        return Continued(before, head, signed, text + "\n" + "".join(f"{one.line}\n" for one in signed))


def held_head(note: str, trust: Iterable[VerifierKey], origin: str) -> tuple[Checkpoint, frozenset[VerifierKey]]:
    """A head of the log ``origin`` that somebody holds, and the keys of that log that have signed it.

    Raises:
        NotHeld: it is none, or no trusted key of that log has signed it.
    """
    try:
        text, signed = signatures_of(note, trust)
        head = Checkpoint.parse(text)
    except (Malformed, Unproven) as error:
        raise NotHeld(f"the head that is held: {error}") from error
    of_the_log = frozenset(one.key for one in signed if is_key_of(one.key, origin))
    if head.origin != origin or not of_the_log:
        raise NotHeld("the head that is held is not one of this log, signed by its key")
    return head, of_the_log
