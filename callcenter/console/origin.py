"""Where the console is reached: one origin, which is all that a browser may call it by (DNS rebinding), and what a
passkey belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from callcenter.kernel.errors import ConfigurationError, Problem

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ConsoleOrigin:
    """A scheme, a host and a port (RFC 6454 §4).

    Arguments:
        scheme: ``http`` or ``https``.
        host: in lower case; IPv6 in brackets.
        port: the port that is reached.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As a browser writes it in ``Origin``: a default port is left out (RFC 6454 §6.2)."""
        return f"{self.scheme}://{self._named}"

    @property
    def _named(self) -> str:
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def encrypted(self) -> bool:
        """Whether browsers come by TLS."""
        return self.scheme == "https"

    def is_host(self, header: str) -> bool:
        """Whether a request's ``Host`` names this origin and nothing else."""
        return header.lower() in {self._named, f"{self.host}:{self.port}"}


def console_origin(url: str) -> ConsoleOrigin:
    """Read the configured address.

    Arguments:
        url: ``https://host[:port]``; no path, because the session's cookie is the whole host's (``__Host-``).

    Raises:
        ConfigurationError: it is no such address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username if host else ""
    if not host or parts.scheme not in _DEFAULT_PORTS or extra:
        what = "« console.public_url » is not the address of a whole host"
        raise ConfigurationError([Problem("configuration", 0, what, "write https://HOST, with a port if there is one")])
    written = f"[{host}]" if ":" in host else host
    return ConsoleOrigin(parts.scheme, written, _DEFAULT_PORTS[parts.scheme] if port is None else port)
