"""That no text becomes markup on a page of the console, which many attacks try."""

from __future__ import annotations

import functools

from aiohttp_jinja2 import setup

from callcenter.console import rendering
from tests.attack.defence import replaced

ESCAPED = replaced(
    "what a template is given is escaped",
    "ASVS 1.2.1",
    rendering.aiohttp_jinja2,
    "setup",
    functools.partial(setup, autoescape=False),
)
