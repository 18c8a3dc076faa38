"""The files that pages use: ours, and the carrier's own where it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from aiohttp import hdrs, web

from callcenter.console.carrier_file import NotInstalled, carrier_file
from callcenter.console.troubles import Trouble, Turned

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent.

    Arguments:
        tag: changes with its content.
    """

    body: bytes
    content_type: str
    tag: str


@cache
def files() -> dict[str, File]:
    """The files by name; a name that is not here is not there."""
    paths, carriers = list(FOLDER.iterdir()), carrier_file()
    if not isinstance(carriers, NotInstalled):
        paths.append(carriers)
    read = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in paths if path.suffix in TYPES}
    return {name: File(body, kind, f'"{sha256(body).hexdigest()[:16]}"') for name, (body, kind) in read.items()}


async def file_response(request: web.Request) -> web.Response:
    """A file, or that the browser has it already."""
    file = files().get(request.match_info["name"])
    if file is None:
        raise Turned(Trouble.NOT_FOUND)
    headers = {hdrs.ETAG: file.tag, hdrs.CACHE_CONTROL: "no-cache"}
    if request.headers.get(hdrs.IF_NONE_MATCH) == file.tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, content_type=file.content_type, charset="utf-8", headers=headers)
