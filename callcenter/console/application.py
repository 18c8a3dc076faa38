"""The console as one web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import hdrs, web

from callcenter.console import paths
from callcenter.console.addresses import Network
from callcenter.console.demonstration import Demonstration
from callcenter.console.files import file_response
from callcenter.console.first_page import FirstPage
from callcenter.console.forms import LARGEST_FORM, FormProofs
from callcenter.console.guard import Failed, guard
from callcenter.console.home_ports import Waiting
from callcenter.console.incident_notice_ports import IncidentNotices
from callcenter.console.incident_notices import IncidentNoticePages
from callcenter.console.joining import Joining
from callcenter.console.navigation import STANDING
from callcenter.console.origin import ConsoleOrigin
from callcenter.console.own_account import AccountPages
from callcenter.console.ports import Enrolment, Entrance, OwnAccount, Reception
from callcenter.console.rendering import set_up_templates
from callcenter.console.script import ScriptPages
from callcenter.console.script_ports import Script
from callcenter.console.second_factor import SecondFactor, confirming, entering
from callcenter.console.signing_in import SigningIn
from callcenter.console.streams import StreamLimits, Streams
from callcenter.console.supervision import Supervision, clocks_of, supervision_doors
from callcenter.console.visits import Door, Doorkeeper, led_back
from callcenter.console.workplace import WorkplacePages
from callcenter.console.workplace_ports import Bells, Softphone, Workplaces
from callcenter.kernel.randomness import Random


class Pages(Protocol):
    """Pages that belong together."""

    def doors(self) -> list[Door]:
        """Each of them, and for whom it is."""


@dataclass(frozen=True, slots=True)
class ConsoleDependencies:
    """What the console is handed.

    Arguments:
        origin: where browsers reach it.
        entrance, enrolment, account, reception, workplaces, script: what stands behind it.
        bells: tell pages that something is new.
        proofs: makes and checks the proofs of forms.
        failed: told of a page that raises.
        proxies: networks of our own proxies, who say from where somebody asks.
        softphone: by which operators speak in the browser, if there is one.
        streams: how many events' streams there may be, and how long.
        demonstration: told on the page where one signs in; the demo's alone.
        pages: whatever else is opened, each with what stands behind it.
        supervision: what stands behind the pages of supervisors.
        incident_notices: what stands behind what practices are told of incidents.
        waiting: counts what waits, for the first page.
        ledger_is_behind: what is told is not sealed in time, so that nothing is; said on every page of staff.
    """

    origin: ConsoleOrigin
    entrance: Entrance
    enrolment: Enrolment
    account: OwnAccount
    reception: Reception
    workplaces: Workplaces
    script: Script
    bells: Bells
    proofs: FormProofs
    random: Random
    failed: Failed
    proxies: Sequence[Network] = ()
    softphone: Softphone | None = None
    streams: StreamLimits | None = None
    demonstration: Demonstration | None = None
    pages: Sequence[Pages] = ()
    supervision: Supervision | None = None
    incident_notices: IncidentNotices | None = None
    waiting: Waiting | None = None
    ledger_is_behind: Callable[[], bool] = lambda: False


def console_application(deps: ConsoleDependencies) -> web.Application:
    """The application of the console's listener."""
    around = guard(deps.origin, deps.random, deps.failed)
    application = web.Application(middlewares=[around], client_max_size=LARGEST_FORM)
    set_up_templates(application, deps.ledger_is_behind)
    clocks, told = clocks_of(deps.supervision), deps.incident_notices
    unread = None if told is None else told.unread
    keeper = Doorkeeper(deps.entrance, deps.proofs, deps.random, deps.origin, deps.proxies, clocks, unread)
    streams = Streams(deps.origin, deps.entrance, deps.bells, deps.streams, deps.ledger_is_behind)
    application.on_shutdown.append(streams.end)
    opened = doors(deps, streams)
    shown = frozenset(door.path for door in opened if door.method == hdrs.METH_GET)
    application[STANDING] = shown
    for door in opened:
        add = application.router.add_get if door.method == hdrs.METH_GET else application.router.add_post
        add(door.path, keeper.opened(door))
        if door.path not in shown:
            application.router.add_get(door.path, led_back(door.back))
    application.router.add_get(paths.STATIC, file_response)
    return application


def doors(deps: ConsoleDependencies, streams: Streams) -> list[Door]:
    """Every page, and for whom it is."""
    workplace = WorkplacePages(deps.workplaces, deps.script, streams, deps.softphone)
    return [
        *SigningIn(deps.entrance, deps.demonstration).doors(),
        *SecondFactor(entering(deps.entrance)).doors(),
        *SecondFactor(confirming(deps.entrance)).doors(),
        *Joining(deps.enrolment, deps.entrance).doors(),
        *AccountPages(deps.account, deps.enrolment).doors(),
        *FirstPage(deps.reception, deps.waiting).doors(),
        *ScriptPages(deps.script, workplace).doors(),  # before the acts, whose addresses are theirs with any last word
        *workplace.doors(),
        *(door for pages in deps.pages for door in pages.doors()),
        *supervision_doors(deps.supervision, streams),
        *([] if deps.incident_notices is None else IncidentNoticePages(deps.incident_notices).doors()),
    ]
