"""The published vectors of the carrier's SDK, and what the check adds to them."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from callcenter.kernel.errors import ConfigurationError
from callcenter.telephony.signature import SignatureCheck, Signed, Unsigned
from tests.unit.telephony.doubles import signed

FIRST = MultiDict(
    [
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
    ]
)
DOCS = MultiDict(
    [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ]
)
REPEATED = MultiDict(
    [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
)
TARGET = "/myapp.php?foo=1&bar=2"
BODY_SHA = "bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


@pytest.mark.parametrize(
    ("base", "target", "form", "signature"),
    [
        ("https://mycompany.com", TARGET, FIRST, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com", TARGET, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        ("http://mycompany.com:1234", TARGET, FIRST, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com", TARGET, FIRST, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com", TARGET, FIRST, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("https://mycompany.com", f"{TARGET}&{BODY_SHA}", MultiDict(), "a9nBmqA0ju/hNViExpshrM61xv4="),
        ("https://example.com", TARGET, DOCS, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    ],
)
def test_published_vectors_are_accepted(base: str, target: str, form: MultiDict[str], signature: str) -> None:
    check = SignatureCheck(base, ["12345"])
    assert check.check(target, form, [signature]) == Signed(0)
    assert check.check(target + "&more=1", form, [signature]) == Unsigned()
    assert check.check(target, form, [signature.swapcase()]) == Unsigned()
    assert SignatureCheck(base, ["12346"]).check(target, form, [signature]) == Unsigned()
    assert SignatureCheck(base.replace("://", "://x"), ["12345"]).check(target, form, [signature]) == Unsigned()


def test_a_changed_added_or_missing_field_is_refused() -> None:
    check = SignatureCheck("https://mycompany.com", ["12345"])
    signature = ["RSOYDt4T1cUTdK1PDd93/VVr8B8="]
    changed, added, missing = FIRST.copy(), FIRST.copy(), FIRST.copy()
    changed["Digits"] = "1235"
    added.add("Digits", "9")
    del missing["Digits"]
    assert [check.check(TARGET, form, signature) for form in (changed, added, missing)] == [Unsigned()] * 3


def test_several_tokens_tell_which_one_signed() -> None:
    check = SignatureCheck("https://mycompany.com", ["new", "12345"])
    assert check.check(TARGET, FIRST, ["RSOYDt4T1cUTdK1PDd93/VVr8B8="]) == Signed(1)


@pytest.mark.parametrize(
    "base",
    [
        "https://user:secret@mycompany.com/",
        "https://mycompany.com#rc=2&rp=5xx",
        "https://mycompany.com:443",
        "HTTPS://mycompany.com",
    ],
)
def test_userinfo_fragment_and_default_port_are_not_part_of_what_is_signed(base: str) -> None:
    assert SignatureCheck(base, ["12345"]).check(TARGET, FIRST, ["RSOYDt4T1cUTdK1PDd93/VVr8B8="]) == Signed(0)


def test_a_prefix_that_a_proxy_strips_is_restored() -> None:
    signature = signed("https://mycompany.com/tel/voice/incoming", [("A", "b")], "12345")
    check = SignatureCheck("https://mycompany.com/tel/", ["12345"])
    assert check.check("/voice/incoming", MultiDict(A="b"), [signature]) == Signed(0)


@pytest.mark.parametrize("base", ["http://[::1]:8080", "http://127.0.0.1:8080"])
def test_addresses_validate_with_their_port(base: str) -> None:
    signature = signed(base + "/a", [("A", "é")], "12345")
    assert SignatureCheck(base, ["12345"]).check("/a", MultiDict(A="é"), [signature]) == Signed(0)


@pytest.mark.parametrize("signatures", [[], ["a", "a"], ["é\udcff"], [""], ["RSOYDt4T1cUTdK1PDd93/VVr8B8=" + "x" * 9]])
def test_no_several_or_unreadable_signatures_are_refused(signatures: list[str]) -> None:
    assert SignatureCheck("https://mycompany.com", ["12345"]).check(TARGET, FIRST, signatures) == Unsigned()


def test_a_form_that_cannot_be_signed_is_refused_not_raised() -> None:
    check = SignatureCheck("https://mycompany.com", ["12345"])
    assert check.check(TARGET, MultiDict(file=object()), ["RSOYDt4T1cUTdK1PDd93/VVr8B8="]) == Unsigned()


@pytest.mark.parametrize(("base", "tokens"), [("https://a.fr", []), ("https://a.fr", ["", "x"]), ("a.fr", ["x"])])
def test_without_a_token_or_a_whole_url_there_is_no_check(base: str, tokens: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        SignatureCheck(base, tokens)
