"""Pages from templates. What a template is given is escaped; French stands in the templates, others in catalogues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
from aiohttp import web
from jinja2.runtime import Context

from callcenter.console import dates, paths
from callcenter.console.files import files
from callcenter.console.forms import PROOF
from callcenter.console.told import told
from callcenter.console.words import Language, language_of, translations
from callcenter.speech.typography import set_in_french

#: Under which a template finds the language that its reader reads.
LANGUAGE = "language"


def set_up_templates(application: web.Application, ledger_is_behind: Callable[[], bool]) -> None:
    """Make the templates known to ``application``.

    Arguments:
        ledger_is_behind: asked by every page of whoever is signed in.

    Raises:
        PoFileError: a catalogue cannot be read.
    """
    environment = aiohttp_jinja2.setup(
        application,
        loader=jinja2.PackageLoader("callcenter.console"),
        extensions=["jinja2.ext.i18n"],
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        default_helpers=False,
        filters=_FILTERS,
    )
    for language in Language:
        translations(language)  # a catalogue that is broken keeps the console from opening, not a page from its reader
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    environment.globals.update(
        paths=paths,
        proof_field=PROOF,
        return_field=paths.RETURN,
        static=static_address,
        sign=_sign,
        ledger_is_behind=ledger_is_behind,
    )
    environment.filters["told"] = told
    del environment.globals["app"]  # a template needs nothing of it


def static_address(name: str) -> str:
    """Where a file of the pages is fetched; another address when it changes.

    Raises:
        KeyError: there is no such file.
    """
    return f"/static/{name}?{files()[name].tag}"


def page(request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """An answer made from a template, in the language of whoever asks."""
    given = {LANGUAGE: language_of(request), **values}
    return aiohttp_jinja2.render_template(template, request, given, status=status)


# Templates are made once for all languages: what depends on one is found when a page is.


@jinja2.pass_context
def _gettext(context: Context, message: str) -> str:
    return translations(context[LANGUAGE]).gettext(message)


@jinja2.pass_context
def _ngettext(context: Context, one: str, many: str, count: int) -> str:
    return translations(context[LANGUAGE]).ngettext(one, many, count)


@jinja2.pass_context
def _day(context: Context, at: date | datetime) -> str:
    return dates.day(at, context[LANGUAGE])


@jinja2.pass_context
def _moment(context: Context, at: datetime, zone: ZoneInfo = dates.ZONE) -> str:
    return dates.moment(at, context[LANGUAGE], zone)


@jinja2.pass_context
def _hour(context: Context, at: datetime, zone: ZoneInfo = dates.ZONE) -> str:
    return dates.hour(at, context[LANGUAGE], zone)


@jinja2.pass_context
def _sign(context: Context, mark: str) -> str:
    """A mark between two values, such as a colon, with the spaces that its language has before it."""
    return set_in_french(f" {mark}") if context[LANGUAGE] is Language.FRENCH else mark


@jinja2.pass_context
def _quoted(context: Context, text: str) -> str:
    """Words of somebody between the marks of a language."""
    before, behind = ("«\N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}»") if context[LANGUAGE] is Language.FRENCH else "“”"
    return f"{before}{text}{behind}"


_FILTERS: Mapping[str, Callable[..., str]] = {
    "day": _day,
    "moment": _moment,
    "hour": _hour,
    "lasting": dates.lasting,
    "quoted": _quoted,
    "set_in_french": set_in_french,
}
