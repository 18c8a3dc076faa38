"""What a setting may say: kinds of values, each refused with its mend."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PROJECT = Path(__file__).resolve().parents[2]


class Section(BaseModel):
    """Settings that belong together; a key that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Port = Annotated[int, Field(ge=0, le=65535)]


def wrong(what: str, mend: str) -> PydanticCustomError:
    """A refusal of ours: what is wrong, and what to do."""
    return PydanticCustomError("setting", "{what}", {"what": what, "mend": mend})


def _anchored(path: Path) -> Path:
    """A relative path is meant from the project's folder, wherever a command is run."""
    return path if Path.cwd() == PROJECT else PROJECT / path


ProjectPath = Annotated[Path, AfterValidator(_anchored)]


def _postgresql(url: SecretStr) -> SecretStr:
    try:
        fits = make_url(url.get_secret_value()).get_backend_name() in ("postgresql", "postgres")
    except (ArgumentError, ValueError):
        fits = False
    if not fits:
        raise wrong("is not the address of a PostgreSQL", "write postgresql://LOGIN:PASSWORD@HOST/DATABASE")
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql)]


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine itself, so that nothing but an emulator or a proxy can be there."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _web_address(url: str) -> str:
    """``url`` without a final slash, if a carrier can call it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise wrong("is not an address of the web", "write https://HOST, with a port or a path if there is one")
    if "_" in host:
        raise wrong("has an underscore in its host name, which the carrier refuses", "rename the host")
    return url.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]

#: A name must have a letter; one that begins as a messaging service does would be taken for one.
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|MG[0-9a-f]{32}|(?!MG)(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


def _sender(sender: str) -> str:
    if not _SENDER.fullmatch(sender):
        raise wrong("is no sender of messages", "write +33…, a name of at most 11 letters and digits, or MG…")
    return sender


Sender = Annotated[str, AfterValidator(_sender)]

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def _mail_address(address: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(address):
        raise wrong("is no mail address", "write NAME@HOST, such as telephone@example.org")
    return address


MailAddress = Annotated[str, AfterValidator(_mail_address)]
