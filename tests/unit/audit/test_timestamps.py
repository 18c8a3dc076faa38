"""A time stamp is believed only as an answer to what was asked, by whoever is vouched for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from callcenter.audit.depositories import NotDeposited
from callcenter.audit.stamping import Authority, load_issuers
from callcenter.audit.timestamps import MOST_OF_AN_ANSWER, NotStamped, read_answer, request_of
from callcenter.kernel.errors import ConfigurationError
from callcenter.kernel.randomness import SeededRandom
from tests.stamping import AT, Issuer, Stamps

DIGEST = sha256(b"a head").digest()
ISSUER = Issuer()
NONCE = 2**64 - 7


def asked(stamps: Stamps, issuer: Issuer = ISSUER) -> Any:
    return read_answer(stamps.answer(request_of(DIGEST, NONCE)), DIGEST, NONCE, [issuer.certificate])


def test_a_stamp_says_when_and_its_token_is_kept_as_it_came() -> None:
    kept: list[bytes] = []
    stamps = Stamps(ISSUER, after=lambda answer: kept.append(answer) or answer)  # type: ignore[func-returns-value]
    stamp = asked(stamps)
    assert stamp.at == AT
    assert kept[0].endswith(stamp.token)


def test_who_vouches_may_do_so_by_way_of_others() -> None:
    between = Issuer("between", ISSUER)
    assert asked(Stamps(between, with_chain=(between.certificate,))).at == AT
    with pytest.raises(NotStamped, match="nobody who is trusted"):
        asked(Stamps(between))
    no_issuer = Stamps(ISSUER)
    below = Issuer("below")
    below.certificate, below.key = no_issuer.certificate, no_issuer.key
    with pytest.raises(NotStamped, match="nobody who is trusted"):
        asked(Stamps(below, with_chain=(no_issuer.certificate,)))


@dataclass(frozen=True)
class Wrong:
    stamps: Callable[[], Stamps]
    why: str


def _another_digest(info: Any) -> None:
    info["messageImprint"]["hashedMessage"] = sha256(b"another").digest()


def _another_nonce(info: Any) -> None:
    info["nonce"] = 5


WRONG = {
    "refused": Wrong(lambda: Stamps(ISSUER, status=2), "does not stamp"),
    "another digest": Wrong(lambda: Stamps(ISSUER, spoil=_another_digest), "over something else"),
    "an older answer": Wrong(lambda: Stamps(ISSUER, spoil=_another_nonce), "another request"),
    "a stranger": Wrong(lambda: Stamps(Issuer()), "nobody who is trusted"),
    "run out": Wrong(lambda: Stamps(ISSUER, until=timedelta(days=-1)), "nobody who is trusted"),
    "another purpose": Wrong(lambda: Stamps(ISSUER, usage=(ExtendedKeyUsageOID.SERVER_AUTH,)), "time stamps alone"),
    "more purposes": Wrong(
        lambda: Stamps(ISSUER, usage=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)),
        "time stamps alone",
    ),
    "too long": Wrong(lambda: Stamps(ISSUER, after=lambda one: one + bytes(MOST_OF_AN_ANSWER)), "longer than any"),
    "more behind it": Wrong(lambda: Stamps(ISSUER, after=lambda one: one + b"\0"), "cannot be read"),
    "nothing": Wrong(lambda: Stamps(ISSUER, after=lambda _: b""), "cannot be read"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_stamp_of_this_is_not_believed(wrong: Wrong) -> None:
    with pytest.raises(NotStamped, match=wrong.why):
        asked(wrong.stamps())


GOOD = Stamps(ISSUER).answer(request_of(DIGEST, NONCE))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
def test_a_bit_that_is_turned_is_found_or_changes_nothing_that_was_signed(at: int, bit: int) -> None:
    turned = bytearray(GOOD)
    turned[at] ^= 1 << bit
    try:
        stamp = read_answer(bytes(turned), DIGEST, NONCE, [ISSUER.certificate])
    except NotStamped:
        return
    assert stamp.at == AT


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_whatever_is_answered_is_refused_and_never_crashes(junk: bytes, at: int) -> None:
    with pytest.raises(NotStamped):
        read_answer(GOOD[:at] + junk, DIGEST, NONCE + 1, [ISSUER.certificate])


async def test_an_authority_is_given_a_digest_over_http_and_its_token_is_the_receipt() -> None:
    stamps = Stamps(ISSUER)
    async with stamps.served() as url:
        receipt = await Authority(url, [ISSUER.certificate], SeededRandom(1)).deposit("callcenter/house", 7, "a head")
        assert DIGEST in receipt
        stamps.http = 503
        with pytest.raises(NotDeposited, match="status 503"):
            await Authority(url, [ISSUER.certificate], SeededRandom(1)).deposit("callcenter/house", 7, "a head")
        stamps.http = 200
        with pytest.raises(NotDeposited, match="nobody who is trusted"):
            await Authority(url, [Issuer().certificate], SeededRandom(1)).deposit("callcenter/house", 7, "a head")
        stamps.after = lambda one: one + bytes(MOST_OF_AN_ANSWER)
        with pytest.raises(NotDeposited, match="more than a stamp"):
            await Authority(url, [ISSUER.certificate], SeededRandom(1)).deposit("callcenter/house", 7, "a head")
    with pytest.raises(NotDeposited, match="does not answer"):
        await Authority(url, [ISSUER.certificate], SeededRandom(1)).deposit("callcenter/house", 7, "a head")


def test_who_vouches_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "issuers.pem"
    file.write_bytes(ISSUER.certificate.public_bytes(Encoding.PEM))
    assert load_issuers(file) == [ISSUER.certificate]
    for content in (b"", b"nothing"):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match="no certificates"):
            load_issuers(file)
    with pytest.raises(ConfigurationError, match="no certificates"):
        load_issuers(tmp_path / "nowhere")
