"""Signed notes and checkpoints: the vectors of their specifications, and what is none."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.audit.verify import (
    COSIGNATURE,
    MOST_OF_A_NOTE,
    MOST_SIGNATURES,
    Checkpoint,
    Malformed,
    Unproven,
    VerifierKey,
    cosignature_line,
    open_note,
    signature_line,
    signatures_of,
)

# The example of https://c2sp.org/signed-note and of the package that notes come from.
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_SIGNS = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
ENOCH_SIGNS = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NOTE = f"{TEXT}\n{PETER_SIGNS}"
PETER, ENOCH = VerifierKey.parse(PETER_KEY), VerifierKey.parse(ENOCH_KEY)
SECRET = Ed25519PrivateKey.from_private_bytes(b64decode(PETER_SECRET)[1:])
ORIGIN = "callcenter/01234567-89ab-cdef-0123-456789abcdef"


def test_the_examples_key_is_read_and_written() -> None:
    assert (PETER.name, PETER.key_id.hex(), str(PETER)) == ("PeterNeumann", "c74f20a3", PETER_KEY)
    assert VerifierKey.of("PeterNeumann", SECRET) == PETER


def test_the_examples_note_opens_and_is_signed_again_to_the_letter() -> None:
    assert open_note(NOTE, [PETER]) == (TEXT, ("PeterNeumann",))
    assert open_note(NOTE.encode(), [PETER]) == (TEXT, ("PeterNeumann",))
    assert signature_line("PeterNeumann", SECRET, TEXT) == PETER_SIGNS


def test_signatures_by_others_are_passed_over() -> None:
    both = NOTE + ENOCH_SIGNS
    assert open_note(both, [PETER])[1] == ("PeterNeumann",)
    assert open_note(both, [ENOCH])[1] == ("EnochRoot",)
    assert open_note(both, [ENOCH, PETER])[1] == ("PeterNeumann", "EnochRoot")
    assert open_note(both + both.rpartition("\n\n")[2], [PETER])[1] == ("PeterNeumann",)  # twice is once


def test_a_key_of_the_same_name_is_another_key() -> None:
    other = VerifierKey.of("PeterNeumann", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(Unproven, match="none of the trusted keys"):
        open_note(NOTE, [other])
    with pytest.raises(Unproven, match="none of the trusted keys"):
        open_note(NOTE, [])


def test_a_wrong_signature_in_the_name_of_a_trusted_key_spoils_the_note() -> None:
    for bad in (
        NOTE.replace("don't", "do"),
        NOTE.replace("ZJkuBS9UG", "ZJkuBS9UH"),
        NOTE.replace("SffcvI", "SffcABCDvI"),
    ):
        with pytest.raises(Unproven, match="the signature by PeterNeumann"):
            open_note(bad, [PETER])
    with pytest.raises(Unproven, match="the signature by PeterNeumann"):
        open_note(NOTE.replace("ZJkuBS9UG", "ZJkuBS9UH") + ENOCH_SIGNS, [ENOCH, PETER])


def test_a_part_of_a_key_and_a_key_with_another_letter_are_none() -> None:
    length = len(PETER_KEY)
    parts = {PETER_KEY[start:end] for start in range(length) for end in range(start + 1, length + 1)}
    changed = {PETER_KEY[:at] + chr(ord(PETER_KEY[at]) + 1) + PETER_KEY[at + 1 :] for at in range(length)}
    for text in (parts | changed) - {PETER_KEY}:
        with pytest.raises(Malformed):
            VerifierKey.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PETER_KEY + "\n",
        " " + PETER_KEY,
        PETER_KEY.replace("c74f20a3", "C74F20A3"),
        PETER_KEY.replace("PeterNeumann", "Peter Neumann"),
        PETER_KEY.replace("PeterNeumann", ""),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, its own identifier
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another algorithm, its own identifier
        "PeterNeumann+c74f20a3+====",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u2003b", "a\x01", "\ud800"])
def test_nobody_signs_under_a_name_that_cannot_be_read_back(name: str) -> None:
    with pytest.raises(Malformed):
        signature_line(name, SECRET, TEXT)


@pytest.mark.parametrize("text", ["", "no newline", "a\rb\n", "a\tb\n", "\x00\n", "\ud800\n"])
def test_a_text_that_is_none_is_not_signed(text: str) -> None:
    with pytest.raises(Malformed):
        signature_line("name", SECRET, text)
    with pytest.raises(Malformed):
        cosignature_line("name", SECRET, text, 0)


SPACED = PETER_SIGNS.replace("PeterNeumann", "Peter Neumann")


@pytest.mark.parametrize(
    "note",
    [
        b"",
        TEXT,
        TEXT + "\n",
        TEXT + PETER_SIGNS,  # no empty line
        NOTE[:-1],  # the last line is not ended
        NOTE + "\n",
        NOTE + "one more line\n",
        "\x01" + NOTE,
        NOTE.replace("\n", "\r\n"),
        b"\xff" + NOTE.encode(),
        "\ud800" + NOTE,
        f"{TEXT}\n{SPACED}",
        f"{TEXT}\n{PETER_SIGNS.replace('PeterNeumann', 'Peter+Neumann')}",
        f"{TEXT}\n{PETER_SIGNS.replace('—', '-')}",
        f"{TEXT}\n{PETER_SIGNS.replace('x08go', 'x08g!')}",
        f"{TEXT}\n{PETER_SIGNS.replace('=', '')}",
        f"{TEXT}\n{PETER_SIGNS.replace('AM=', 'AN=')}",  # bits that say nothing
        f"{TEXT}\n— PeterNeumann x08gow==\n",  # an identifier alone
        f"{TEXT}\n— PeterNeumann\n",
        f"{TEXT}\n" + PETER_SIGNS * (MOST_SIGNATURES + 1),
        "a" * MOST_OF_A_NOTE + NOTE,
    ],
)
def test_what_is_no_note_is_refused(note: bytes | str) -> None:
    with pytest.raises(Malformed):
        open_note(note, [PETER])


def test_a_text_may_have_empty_lines_and_a_note_a_hundred_signatures() -> None:
    text = "one\n\nthree\n"
    note = f"{text}\n{ENOCH_SIGNS * (MOST_SIGNATURES - 1)}{signature_line('PeterNeumann', SECRET, text)}"
    assert open_note(note, [PETER]) == (text, ("PeterNeumann",))


@settings(max_examples=60)
@given(st.one_of(st.binary(), st.text(), st.text(alphabet="— \n+=abc/").map(lambda text: f"a\n\n— {text}")))
def test_anything_else_is_refused_in_order(note: bytes | str) -> None:
    with pytest.raises((Malformed, Unproven)):
        open_note(note, [PETER])


def test_a_cosignature_names_its_time_and_is_no_signature() -> None:
    key = VerifierKey.of("witness", SECRET, COSIGNATURE)
    assert VerifierKey.parse(str(key)) == key
    line = cosignature_line("witness", SECRET, TEXT, 1_679_315_147)
    text, (signed,) = signatures_of(f"{TEXT}\n{PETER_SIGNS}{line}", [key])
    assert (text, signed.key, signed.at, signed.line + "\n") == (TEXT, key, 1_679_315_147, line)
    # What is signed is what tlog-cosignature writes: two lines before the text.
    raw = b64decode(line.split(" ")[2])
    assert raw[:4] == key.key_id
    assert raw[4:12] == (1_679_315_147).to_bytes(8, "big")
    SECRET.public_key().verify(raw[12:], f"cosignature/v1\ntime 1679315147\n{TEXT}".encode())
    with pytest.raises(Unproven):  # the same bytes, as if the key were one that signs texts
        open_note(f"{TEXT}\n{line}", [VerifierKey.of("witness", SECRET)])


def test_another_time_spoils_a_cosignature() -> None:
    key = VerifierKey.of("witness", SECRET, COSIGNATURE)
    raw = b64decode(cosignature_line("witness", SECRET, TEXT, 5).split(" ")[2])
    for forged in (raw[:11] + b"\x06" + raw[12:], raw[:10], raw + b"\x00"):
        with pytest.raises(Unproven, match="the signature by witness"):
            open_note(f"{TEXT}\n— witness {b64encode(forged).decode()}\n", [key])


def test_the_example_of_a_checkpoint_is_read_and_written() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size, len(checkpoint.root)) == ("example.com/behind-the-sofa", 20852163, 32)
    assert checkpoint.text() == text
    assert Checkpoint.parse(text + "an extension\n") == checkpoint
    assert Checkpoint.parse(Checkpoint(ORIGIN, 0, bytes(32)).text()).size == 0


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"{ORIGIN}\n01\n{ROOT}\n",
        f"{ORIGIN}\n00\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n+1\n{ROOT}\n",
        f"{ORIGIN}\n 1\n{ROOT}\n",
        f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n1.0\n{ROOT}\n",
        f"{ORIGIN}\n\u0661\n{ROOT}\n",  # a digit, and not one of ASCII
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\n1\n{b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n1\n{b64encode(bytes(33)).decode()}\n",
        f"{ORIGIN}\n1\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n1\n{ROOT}\n\n",
        f"{ORIGIN}\n1\n{ROOT}\n\nan extension\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VerifierKey("name", bytes(31)),
        lambda: VerifierKey("name", bytes(33)),
        lambda: VerifierKey("name", bytes(32), 2),
    ],
)
def test_a_key_of_another_size_or_kind_is_none(make: Callable[[], Any]) -> None:
    with pytest.raises(Malformed, match="32 bytes"):
        make()
