"""The files that pages use: ours, and the carrier's own where it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from gzip import compress
from hashlib import sha256
from pathlib import Path

from aiohttp import hdrs, web

from callcenter.console.carrier_file import NotInstalled, carrier_file
from callcenter.console.troubles import Trouble, Turned

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


#: A file that is asked for by the tag in its address never changes there.
FOR_EVER = "max-age=31536000, immutable"
#: The coding that files are packed in. Pages are not: beside what somebody has typed they hold the proofs of forms, and
#: how well a packed answer packs tells what stands in it twice (BREACH).
PACKED = "gzip"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent.

    Arguments:
        packed: the same in fewer bytes.
        tag: changes with its content.
    """

    body: bytes
    packed: bytes
    content_type: str
    tag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> File:
        return cls(body, compress(body, 9, mtime=0), content_type, sha256(body).hexdigest()[:16])


@cache
def files() -> dict[str, File]:
    """The files by name; a name that is not here is not there."""
    paths, carriers = list(FOLDER.iterdir()), carrier_file()
    if not isinstance(carriers, NotInstalled):
        paths.append(carriers)
    return {path.name: File.of(path.read_bytes(), TYPES[path.suffix]) for path in paths if path.suffix in TYPES}


async def file_response(request: web.Request) -> web.Response:
    """A file, or that the browser has it already."""
    file = files().get(request.match_info["name"])
    if file is None:
        raise Turned(Trouble.NOT_FOUND)
    packed = _takes_packed(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
    tag = f'"{file.tag}{"-packed" if packed else ""}"'
    kept = FOR_EVER if request.query_string == file.tag else "no-cache"
    headers = {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: kept, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if request.headers.get(hdrs.IF_NONE_MATCH) == tag:
        return web.Response(status=304, headers=headers)
    if packed:
        headers[hdrs.CONTENT_ENCODING] = PACKED
    body = file.packed if packed else file.body
    return web.Response(body=body, content_type=file.content_type, charset="utf-8", headers=headers)


def _takes_packed(accepted: str) -> bool:
    """Whether a browser unpacks: it names the coding, and does not rule it out by a weight (RFC 9110 §12.5.3)."""
    return any(
        part.replace(" ", "").lower() in (PACKED, f"{PACKED};q=1", f"{PACKED};q=1.0") for part in accepted.split(",")
    )
