"""Time stamps (RFC 3161): an authority signs that it has seen a digest, and when.

What is asked and what is answered, without a network. An answer is believed once its token is over this digest and this
nonce, is signed by a certificate that may do nothing else than stamp, and that certificate is issued by one of those
that were configured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyasn1.codec.der.decoder import decode  # type: ignore[import-untyped]
from pyasn1.codec.der.encoder import encode  # type: ignore[import-untyped]
from pyasn1.type import univ  # type: ignore[import-untyped]
from pyasn1_modules import rfc3161, rfc5035, rfc5652  # type: ignore[import-untyped]

from callcenter.kernel.errors import IntegrityError

MOST_OF_AN_ANSWER = 65_536  # bytes; a token with its chain has some five thousand
LONGEST_CHAIN = 5
_SHA256 = univ.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_GRANTED = (0, 1)  # RFC 3161 §2.4.2: granted, granted with modifications


class NotStamped(IntegrityError):
    """What an authority has answered is no stamp of what was asked, or nobody vouches for who has signed it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an authority has given.

    Arguments:
        token: DER of the time stamp token, as `openssl ts -verify -token_in` reads it.
        at: when it says that it has seen the digest; aware.
    """

    token: bytes
    at: datetime


def request_of(digest: bytes, nonce: int) -> bytes:
    """What an authority is asked (§2.4.1).

    Arguments:
        digest: SHA-256 of what is stamped.
        nonce: never the same twice: an older answer does not fit.
    """
    request = rfc3161.TimeStampReq()
    request["version"] = 1
    request["messageImprint"]["hashAlgorithm"]["algorithm"] = _SHA256
    request["messageImprint"]["hashedMessage"] = digest
    request["nonce"] = nonce
    request["certReq"] = True
    return bytes(encode(request))


def read_answer(answer: bytes, digest: bytes, nonce: int, issuers: Sequence[x509.Certificate]) -> Stamp:
    """The stamp in an answer (§2.4.2).

    Arguments:
        issuers: certificates of those who vouch for authorities.

    Raises:
        NotStamped: it is none, or not one of this digest, or nobody vouches for it.
    """
    if len(answer) > MOST_OF_AN_ANSWER:
        raise NotStamped("the authority's answer is longer than any is")
    try:
        parts = _whole(answer, univ.SequenceOf(componentType=univ.Any()))
        status = _whole(bytes(parts[0]), rfc3161.PKIStatusInfo())
        if int(status["status"]) not in _GRANTED or len(parts) != 2:
            raise NotStamped(f"the authority does not stamp (status {int(status['status'])})")
        token = bytes(parts[1])
        return Stamp(token, _checked(token, digest, nonce, issuers))
    except NotStamped:
        raise
    except InvalidSignature as error:
        raise NotStamped("the stamp's signature is wrong") from error
    except Exception as error:  # whatever two libraries say of bytes that anybody may have made up
        raise NotStamped(f"the authority's answer cannot be read ({type(error).__name__})") from error


def _checked(token: bytes, digest: bytes, nonce: int, issuers: Sequence[x509.Certificate]) -> datetime:
    """When the token was made, once all of it is checked."""
    content = _whole(token, rfc5652.ContentInfo())
    if content["contentType"] != rfc5652.id_signedData:
        raise NotStamped("the token is not signed")
    signed = _whole(bytes(content["content"]), rfc5652.SignedData())
    told = signed["encapContentInfo"]
    if told["eContentType"] != rfc3161.id_ct_TSTInfo or len(signed["signerInfos"]) != 1:
        raise NotStamped("what is signed is no time stamp, or not by one authority")
    body = bytes(told["eContent"])
    info = _whole(body, rfc3161.TSTInfo())
    imprint = info["messageImprint"]
    if imprint["hashAlgorithm"]["algorithm"] != _SHA256 or bytes(imprint["hashedMessage"]) != digest:
        raise NotStamped("the stamp is over something else")
    if not info["nonce"].isValue or int(info["nonce"]) != nonce:
        raise NotStamped("the stamp answers another request")
    at: datetime = info["genTime"].asDateTime.astimezone(UTC)
    certificates = [x509.load_der_x509_certificate(bytes(encode(one["certificate"]))) for one in signed["certificates"]]
    signer = signed["signerInfos"][0]
    authority = _authority(signer, certificates)
    _check_signature(signer, body, authority)
    _check_purpose(authority)
    _check_chain(authority, certificates, issuers, at)
    return at


def _authority(signer: Any, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate of who has signed: it is named in what is signed too, so that none can be put in its place."""
    serial = int(signer["sid"]["issuerAndSerialNumber"]["serialNumber"])
    named = set(_named(signer))
    for one in certificates:
        if one.serial_number == serial and sha256(_der(one)).digest() in named:
            return one
        if one.serial_number == serial and one.fingerprint(hashes.SHA1()) in named:  # noqa: S303 - RFC 3161 §2.4.2
            return one
    raise NotStamped("the certificate of who has signed is not in the token")


def _named(signer: Any) -> Iterator[bytes]:
    """Digests of the signing certificate: of RFC 5035 (SHA-256), or of the older form (SHA-1)."""
    newer, older = _attribute(signer, rfc5035.id_aa_signingCertificateV2), None
    if newer is None:
        older = _attribute(signer, rfc5035.id_aa_signingCertificate)
    if newer is not None:
        yield bytes(_whole(newer, rfc5035.SigningCertificateV2())["certs"][0]["certHash"])
    elif older is not None:
        yield bytes(_whole(older, rfc5035.SigningCertificate())["certs"][0]["certHash"])


def _check_signature(signer: Any, body: bytes, authority: x509.Certificate) -> None:
    digest = _DIGESTS[str(signer["digestAlgorithm"]["algorithm"])]
    hashed = hashes.Hash(digest)
    hashed.update(body)
    told = _attribute(signer, rfc5652.id_messageDigest)
    kind = _attribute(signer, rfc5652.id_contentType)
    if told is None or bytes(_whole(told, univ.OctetString())) != hashed.finalize():
        raise NotStamped("the stamp was changed after it was signed")
    if kind is None or _whole(kind, univ.ObjectIdentifier()) != rfc3161.id_ct_TSTInfo:
        raise NotStamped("what is signed is no time stamp")
    # RFC 5652 §5.4: signed as a SET OF, not under the tag that it has where it stands.
    attributes = b"\x31" + bytes(encode(signer["signedAttrs"]))[1:]
    signature, key = bytes(signer["signature"]), authority.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, attributes, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, attributes, ec.ECDSA(digest))
    else:
        raise NotStamped("the authority signs by a kind of key that is not known here")


def _check_purpose(authority: x509.Certificate) -> None:
    """§2.3: a key that stamps does nothing else."""
    usage = authority.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise NotStamped("the certificate of who has signed is not for time stamps alone")


def _check_chain(
    authority: x509.Certificate, others: Sequence[x509.Certificate], issuers: Sequence[x509.Certificate], at: datetime
) -> None:
    """That one of ``issuers`` vouches for it, by way of ``others`` if need be; each valid when the stamp was made."""
    one = authority
    for _ in range(LONGEST_CHAIN):
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            break
        if one in issuers or any(_is_issued_by(one, issuer) for issuer in issuers if _is_valid(issuer, at)):
            return
        above = next(
            (other for other in others if other != one and _may_issue(other) and _is_issued_by(one, other)), None
        )
        if above is None:
            break
        one = above
    raise NotStamped("nobody who is trusted vouches for who has signed")


def _is_valid(one: x509.Certificate, at: datetime) -> bool:
    return one.not_valid_before_utc <= at <= one.not_valid_after_utc


def _may_issue(one: x509.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _attribute(signer: Any, kind: Any) -> bytes | None:
    """The one value of a signed attribute."""
    found = [one for one in signer["signedAttrs"] if one["attrType"] == kind]
    return bytes(found[0]["attrValues"][0]) if len(found) == 1 and len(found[0]["attrValues"]) == 1 else None


def _der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


def _whole(data: bytes, kind: Any) -> Any:
    """What ``data`` is, to its end."""
    value, rest = decode(data, asn1Spec=kind)
    if rest:
        raise ValueError("something stands behind it")
    return value
