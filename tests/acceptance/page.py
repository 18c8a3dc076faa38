"""docs/going-live.md as somebody follows it: its commands, its SQL and its table of keys, in their order."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: A fenced block, or the table of the keys to edit.
_PART = re.compile(
    r"^```(?P<language>sh|sql)\n(?P<code>[\s\S]*?)^```$|^\| key \| write \|\n\|[-|]+\|\n(?P<rows>(?:\|.*\n)+)",
    re.MULTILINE,
)
_KEY = re.compile(r"^\| `([a-z_.]+)` \|", re.MULTILINE)
_COMMENT = re.compile(r"\s+#.*$")


@dataclass(frozen=True)
class Part:
    """One thing that the page tells its reader to do.

    Arguments:
        kind: a line of a shell, a statement for the database's administrator, or keys to edit in the configuration.
        text: the line or the statement; for keys, one a line.
    """

    kind: Literal["sh", "sql", "edit"]
    text: str


def parts(page: Path) -> Iterator[Part]:
    for found in _PART.finditer(page.read_text(encoding="utf-8")):
        if found["rows"] is not None:
            yield Part("edit", "\n".join(_KEY.findall(found["rows"])))
        elif found["language"] == "sql":
            yield from (Part("sql", line.strip()) for line in found["code"].split(";") if line.strip())
        else:
            lines = (_COMMENT.sub("", line) for line in found["code"].splitlines())
            yield from (Part("sh", line) for line in lines if line)


@dataclass
class Shell:
    """A terminal in which the page is followed: what is exported stays.

    Arguments:
        folder: in which it runs.
        environment: at first.
        written: what stands on the page, by pattern, and what its reader would write instead.
    """

    folder: Path
    environment: dict[str, str]
    written: Mapping[str, str]

    def line(self, text: str) -> str:
        """A line of the page as its reader types it."""
        for pattern, instead in self.written.items():
            text = re.sub(pattern, lambda found, instead=instead: found.expand(instead), text)
        assert "…" not in text, f"the page leaves something open that nobody has filled in: {text}"
        return text

    def run(self, text: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Type a line of the page, with ``more`` set for it alone."""
        read, write = os.pipe()
        with os.fdopen(read, "rb") as exported:
            try:
                done = subprocess.run(
                    ["/bin/bash", "-c", f"{self.line(text)}\ndone=$?\nenv -0 >&{write}\nexit $done"],
                    cwd=self.folder,
                    env={**self.environment, **more},
                    pass_fds=[write],
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
            finally:
                os.close(write)
            after = dict(entry.split("=", 1) for entry in exported.read().decode().split("\0") if entry)
        self.environment = {name: value for name, value in after.items() if name not in more}
        return done
