"""Which prover has proven: a digest of all that decides, so that nobody need remember to raise a number."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module, metadata
from pathlib import Path

#: Packages whose sources decide what a flow is and whether it is proven: reading, meaning, proof, policy, labels.
DECIDING = ("callcenter.flow", "callcenter.disclosure", "callcenter.kernel")
#: What reads files, checks their form on the way, and takes prompts apart.
READERS = ("pyyaml", "pydantic", "jinja2")


@cache
def prover_version() -> str:
    """SHA-256 (hexadecimal) of the sources of ``DECIDING`` and the versions of ``READERS``.

    A change that cannot alter a verdict makes another version too: a proof is repeated then, which costs little.
    """
    digest = hashlib.sha256()
    for package in DECIDING:
        for place in import_module(package).__path__:
            sources = sorted(Path(place).rglob("*.py"))
            if not sources:
                raise FileNotFoundError(
                    f"{package} is installed without its sources: no prover can be told from others"
                )
            for source in sources:
                digest.update(f"{package}/{source.relative_to(place).as_posix()}\0".encode())
                digest.update(hashlib.sha256(source.read_bytes()).digest())
    for reader in READERS:
        digest.update(f"{reader} {metadata.version(reader)}\0".encode())
    return digest.hexdigest()
