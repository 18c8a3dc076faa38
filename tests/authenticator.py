"""A key for passkeys, in software: makes itself known to a page and signs what it is asked (WebAuthn Level 2, §6)."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

_PRESENT, _VERIFIED, _WITH_KEY = 0x01, 0x04, 0x40


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass(slots=True)
class Key:
    """One credential.

    Arguments:
        id: of the credential.
        count: signatures so far; a key that does not count stays at 0.
    """

    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    origin: str = "http://localhost:8081"
    host: str = "localhost"
    count: int = 0
    counts: bool = True
    secret: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str) -> str:
        """What ``navigator.credentials.create`` answers to these options."""
        numbers = self.secret.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = self._data(_PRESENT | _VERIFIED | _WITH_KEY) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data + encode_cbor(key)})
        client = self._client("webauthn.create", json.loads(options)["challenge"])
        return self._answer({"clientDataJSON": _b64(client), "attestationObject": _b64(attestation)})

    def get(self, options: str, *, user: bytes | None = None) -> str:
        """What ``navigator.credentials.get`` answers to these options, whether they name this key or not."""
        self.count += self.counts
        client, data = self._client("webauthn.get", json.loads(options)["challenge"]), self._data(_PRESENT | _VERIFIED)
        signature = self.secret.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {"clientDataJSON": _b64(client), "authenticatorData": _b64(data), "signature": _b64(signature)}
        return self._answer({**answer, **({} if user is None else {"userHandle": _b64(user)})})

    def _data(self, flags: int) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": _b64(self.id), "rawId": _b64(self.id), "type": "public-key", "response": response})
