"""From where somebody asks: the peer, or what a proxy of ours says it is."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network

FORWARDED = "X-Forwarded-For"
UNKNOWN = "unknown"


def asking_address(request: web.Request, proxies: Sequence[Network]) -> str:
    """The address that tries are counted by.

    The header is read from its end, where our own proxies write, and only as far as they go: what stands before was
    sent by whoever asks, and may say anything.

    Arguments:
        proxies: the networks of our own proxies.
    """
    address = request.remote or UNKNOWN
    behind = [part.strip() for line in request.headers.getall(FORWARDED, []) for part in line.split(",")]
    while behind and _is_proxy(address, proxies):
        address = behind.pop()
    try:
        return str(ip_address(address))
    except ValueError:
        return UNKNOWN


def _is_proxy(address: str, proxies: Sequence[Network]) -> bool:
    try:
        return any(ip_address(address) in network for network in proxies)
    except ValueError:
        return False
