"""Pages from templates. What a template is given is escaped; French stands in the templates, ready for gettext."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
from aiohttp import web

from callcenter.console import paths
from callcenter.console.files import files
from callcenter.console.forms import PROOF

#: In what time staff read.
ZONE = ZoneInfo("Europe/Paris")

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def set_up_templates(application: web.Application) -> None:
    """Make the templates known to ``application``."""
    environment = aiohttp_jinja2.setup(
        application,
        loader=jinja2.PackageLoader("callcenter.console"),
        extensions=["jinja2.ext.i18n"],
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        default_helpers=False,
        filters={"day": day, "moment": moment, "hour": hour},
    )
    environment.install_gettext_translations(gettext.NullTranslations(), newstyle=True)  # type: ignore[attr-defined]  # of the extension
    environment.globals.update(paths=paths, proof_field=PROOF, return_field=paths.RETURN, static=static_address)
    del environment.globals["app"]  # a template needs nothing of it


def static_address(name: str) -> str:
    """Where a file of the pages is fetched; another address when it changes.

    Raises:
        KeyError: there is no such file.
    """
    return f"/static/{name}?{files()[name].tag.strip(chr(34))}"


def page(request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """An answer made from a template."""
    return aiohttp_jinja2.render_template(template, request, values, status=status)


def day(at: datetime) -> str:
    """« 26 novembre 2026 », never broken after the number."""
    local = at.astimezone(ZONE) if isinstance(at, datetime) else at
    number = "1er" if local.day == 1 else str(local.day)
    return f"{number}\u00a0{_MONTHS[local.month - 1]} {local.year}"


def moment(at: datetime) -> str:
    """« 26 novembre 2026 à 10 h 05 », in Paris."""
    local = at.astimezone(ZONE)
    return f"{day(at)} à {local.hour}\u00a0h\u00a0{local.minute:02}"


def hour(at: datetime) -> str:
    """« 10 h 05 », in Paris."""
    local = at.astimezone(ZONE)
    return f"{local.hour}\u00a0h\u00a0{local.minute:02}"
