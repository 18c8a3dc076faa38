"""A release: the texts of flows that are published at once, known by their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.kernel.documents import DISK, Texts
from callcenter.kernel.errors import DataProblems, IntegrityError, Problem

#: Folders of the texts in a release, whatever those were called where they were read.
FLOWS, PROMPTS = "flows", "prompts"
#: Of all texts together; those that are shipped have 60 kB.
MOST_BYTES = 4 * 1024 * 1024
#: First characters of a digest, by which people are told of it.
SHORT = 12


@dataclass(frozen=True, slots=True)
class Release:
    """What is published at once.

    Arguments:
        entry: name of the flow that an incoming call begins in.
        prompts: which of the texts are the prompts; their translations lie beside it.
        texts: by path, below ``flows/`` and ``prompts/``.
    """

    entry: str
    prompts: str
    texts: Mapping[str, str]

    @property
    def content(self) -> str:
        """All of it as one text: the same release has the same one."""
        whole = {"entry": self.entry, "prompts": self.prompts, "texts": dict(self.texts)}
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of its content."""
        return digest_of(self.content)

    @classmethod
    def kept(cls, content: str, digest: str) -> Release:
        """The release of this content.

        Raises:
            IntegrityError: it is not what was published under ``digest``.
        """
        if not fits(content, digest):
            raise IntegrityError(f"the texts of the release {digest[:SHORT]} are not those that were published")
        try:
            whole = json.loads(content)
            texts = {str(path): str(text) for path, text in whole["texts"].items()}
            return cls(str(whole["entry"]), str(whole["prompts"]), texts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(f"the release {digest[:SHORT]} is none that callcenter has written") from error


def digest_of(content: str) -> str:
    """By which a release is known."""
    return hashlib.sha256(content.encode()).hexdigest()


def fits(content: str, digest: str) -> bool:
    """Whether this is what was published under ``digest``."""
    return digest_of(content) == digest


@dataclass(frozen=True, slots=True)
class Gathered:
    """Reads from ``source``, and keeps what was read. Implements ``kernel.documents.Texts``."""

    source: Texts = DISK
    texts: dict[str, str] = field(default_factory=dict)

    def read(self, file: str) -> str:
        self.texts[file] = self.source.read(file)
        return self.texts[file]

    def holds(self, file: str) -> bool:
        return self.source.holds(file)

    def listed(self, folder: str) -> list[str]:
        return self.source.listed(folder)


def released(entry: str, folder: Path, flows: Gathered, prompts: Path, spoken: Gathered) -> Release:
    """What was read of a folder and of the prompts, as a release.

    Arguments:
        flows: read from ``folder``.
        spoken: read from beside ``prompts``.

    Raises:
        DataProblems: it is too much.
    """
    texts = {f"{FLOWS}/{Path(file).relative_to(folder).as_posix()}": text for file, text in flows.texts.items()}
    texts |= {f"{PROMPTS}/{Path(file).name}": text for file, text in spoken.texts.items()}
    if sum(len(text.encode()) for text in texts.values()) > MOST_BYTES:
        what = f"flows and prompts have more than {MOST_BYTES // 1024 // 1024} MiB together"
        raise DataProblems([Problem(str(folder), 0, what, "leave out what is not needed")])
    return Release(entry, f"{PROMPTS}/{prompts.name}", texts)
