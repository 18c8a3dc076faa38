"""The carrier's published vectors, and the URL that is signed."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from callcenter.emulator.signature import sign, signed_url

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
)
REPEATED = (
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
)


@pytest.mark.parametrize(
    ("url", "parameters", "signature"),
    [
        (URL, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", CALL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", CALL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:80/myapp.php?foo=1&bar=2", CALL, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (
            URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
            (),
            "a9nBmqA0ju/hNViExpshrM61xv4=",
        ),
        (
            "https://example.com/myapp.php?foo=1&bar=2",
            (("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675310"), ("Digits", "1234"),
             ("From", "+14158675310"), ("To", "+18005551212")),
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        ),
    ],
)  # fmt: skip
def test_published_vectors(url: str, parameters: tuple[tuple[str, str], ...], signature: str) -> None:
    assert sign("12345", url, parameters) == signature


def test_accents_and_empty_values_agree_with_the_sdk() -> None:
    fields = {"FromCity": "", "Body": "élève à 8 h, 50 €"}
    assert sign("12345", URL, fields.items()) == RequestValidator("12345").compute_signature(URL, fields)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://u:p@h.fr:8443/a?b=%2B#rc=2", "https://h.fr/a?b=%2B"),
        ("http://u:p@h.fr:8080/a#rc=2", "http://h.fr:8080/a"),
        ("http://h.fr/a/", "http://h.fr/a/"),
        ("https://[::1]:8443/a", "https://[::1]/a"),
    ],
)
def test_signed_url_of_voice(url: str, signed: str) -> None:
    assert signed_url(url) == signed


def test_messages_keep_the_https_port() -> None:
    assert signed_url("https://u:p@h.fr:8443/a#x", keeps_https_port=True) == "https://h.fr:8443/a"
