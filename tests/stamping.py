"""A time stamp authority of the tests, with a key of its own: it answers as RFC 3161 says, or as it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5280, rfc5652

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SHA256, ECDSA_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"


def certified(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: Issuer | None = None,
    *,
    usage: tuple[x509.ObjectIdentifier, ...] | None = None,
    until: timedelta = timedelta(days=900),
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=100))
        .not_valid_after(AT + until)
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
    return builder.sign(key if by is None else by.key, hashes.SHA256())


@dataclass
class Issuer:
    """Vouches for authorities."""

    name: str = "who vouches"
    by: Issuer | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        self.certificate = certified(self.name, self.key, self.by)


@dataclass
class Stamps:
    """An authority.

    Arguments:
        spoil: changes what is stamped before it is signed; ``after``: the answer, when it is.
    """

    issuer: Issuer
    usage: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    until: timedelta = timedelta(days=900)
    with_chain: tuple[x509.Certificate, ...] = ()
    status: int = 0
    spoil: Callable[[Any], None] = lambda _: None
    after: Callable[[bytes], bytes] = lambda answer: answer
    http: int = 200
    asked: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        self.certificate = certified("who stamps", self.key, self.issuer, usage=self.usage, until=self.until)

    def answer(self, request: bytes) -> bytes:
        self.asked += 1
        asked, rest = decode(request, asn1Spec=rfc3161.TimeStampReq())
        assert not rest
        response = rfc3161.TimeStampResp()
        response["status"]["status"] = self.status
        if self.status == 0:
            response["timeStampToken"] = self._token(asked)
        return self.after(bytes(encode(response)))

    def _token(self, asked: Any) -> Any:
        info = rfc3161.TSTInfo()
        info["version"] = 1
        info["policy"] = "1.2.3.4.1"
        info["messageImprint"] = asked["messageImprint"]
        info["serialNumber"] = self.asked
        info["genTime"] = useful.GeneralizedTime.fromDateTime(AT)
        info["nonce"] = int(asked["nonce"])
        self.spoil(info)
        body = bytes(encode(info))
        signed = rfc5652.SignedData()
        signed["version"] = 3
        signed["digestAlgorithms"][0]["algorithm"] = SHA256
        signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
        signed["encapContentInfo"]["eContent"] = body
        for place, one in enumerate((self.certificate, *self.with_chain)):
            parsed, _ = decode(one.public_bytes(Encoding.DER), asn1Spec=rfc5280.Certificate())
            signed["certificates"][place]["certificate"] = parsed
        signer = signed["signerInfos"][0]
        signer["version"] = 1
        parsed = signed["certificates"][0]["certificate"]
        signer["sid"]["issuerAndSerialNumber"]["issuer"] = parsed["tbsCertificate"]["issuer"]
        signer["sid"]["issuerAndSerialNumber"]["serialNumber"] = self.certificate.serial_number
        signer["digestAlgorithm"]["algorithm"] = SHA256
        named = rfc5035.SigningCertificateV2()
        named["certs"][0]["certHash"] = sha256(self.certificate.public_bytes(Encoding.DER)).digest()
        attributes = {
            rfc5652.id_contentType: rfc3161.id_ct_TSTInfo,
            rfc5652.id_messageDigest: univ.OctetString(sha256(body).digest()),
            rfc5035.id_aa_signingCertificateV2: named,
        }
        for place, (kind, value) in enumerate(attributes.items()):
            signer["signedAttrs"][place]["attrType"] = kind
            signer["signedAttrs"][place]["attrValues"][0] = encode(value)
        signer["signatureAlgorithm"]["algorithm"] = ECDSA_SHA256
        whole = b"\x31" + bytes(encode(signer["signedAttrs"]))[1:]
        signer["signature"] = self.key.sign(whole, ec.ECDSA(hashes.SHA256()))
        token = rfc3161.TimeStampToken()
        token["contentType"] = rfc5652.id_signedData
        token["content"] = encode(signed)
        return token

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its address, on this machine."""

        async def stamp(request: web.Request) -> web.Response:
            assert request.content_type == "application/timestamp-query"
            body = self.answer(await request.read())
            return web.Response(body=body, status=self.http, content_type="application/timestamp-reply")

        application = web.Application()
        application.router.add_post("/", stamp)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}/"
        finally:
            await runner.cleanup()
