"""The pages of staff, put together and opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from callcenter.app.bells import RoutingBells
from callcenter.app.by_administration import Examine, StaffOffice
from callcenter.app.by_carrier_list import StaffCarrierLists
from callcenter.app.by_extracts import StaffExtracts
from callcenter.app.by_flows import StaffFlows
from callcenter.app.by_glass import StaffGlass
from callcenter.app.by_home import StaffWaiting
from callcenter.app.by_inbox import StaffInboxes
from callcenter.app.by_ledger import StaffLedgers
from callcenter.app.by_practices import StaffPractices
from callcenter.app.by_review import StaffReviews
from callcenter.app.by_script import OperatorsScripts
from callcenter.app.by_staff import StaffAccount, StaffEnrolment, StaffEntrance, StaffReception
from callcenter.app.configured import passes_of, softphone_of
from callcenter.app.faces import listen
from callcenter.app.fittings import Fittings, opened
from callcenter.app.ledger_holders import holders_of
from callcenter.app.sound_addresses import SoundAddresses
from callcenter.app.supervising import incident_notices_of, supervision_of
from callcenter.app.workplaces import StaffWorkplaces
from callcenter.audit.sealing_key import KeyFile
from callcenter.audit.signing import PublicKeys
from callcenter.background import in_background
from callcenter.calls.scripts import Scripts
from callcenter.console.administration import AdministrationPages
from callcenter.console.application import ConsoleDependencies, Pages, console_application
from callcenter.console.carrier_list import CarrierListPages
from callcenter.console.demonstration import demonstration_of
from callcenter.console.extracts import ExtractPages
from callcenter.console.flows import FlowPages
from callcenter.console.forms import FormProofs
from callcenter.console.glass import GlassPages
from callcenter.console.guard import Failed
from callcenter.console.inbox import InboxPages
from callcenter.console.ledger import LedgerPages
from callcenter.console.origin import console_origin
from callcenter.console.practice_pages import practice_pages
from callcenter.console.review import ReviewPages
from callcenter.installation import Addresses, keys_path
from callcenter.routing.waking import Listener
from callcenter.settings import Settings
from callcenter.staff.acts import StaffActs
from callcenter.staff.passkeys import RelyingParty
from callcenter.staff.room import StaffLimits, StaffRoom
from callcenter.store.database import Database
from callcenter.store.keys import load_keys
from callcenter.telephony.alerts import AlertKind, Alerts
from callcenter.telephony.listener import EdgeRunner

#: Connections of their own: pages that are slow, or asked for a thousand times, hold up no caller.
_POOL, _ATTEMPTS = 5, 2


async def open_console(
    stack: AsyncExitStack,
    settings: Settings,
    addresses: Addresses,
    fittings: Fittings,
    examine: Examine | None = None,
    sealer: KeyFile | None = None,
) -> str:
    """Show the pages until ``stack`` is unwound; returns how browsers reach them.

    Arguments:
        examine: looks at the installation, for the page that shows its health.
        sealer: the key that signs the ledger, where this process seals; pages have its public half alone.

    Raises:
        CannotListen: the address is taken, or is not this machine's.
    """
    house, origin = fittings.house, console_origin(settings.console.public_url)
    database = opened(stack, addresses.app, _POOL, "callcenter-console")
    attempts = opened(stack, addresses.app, _ATTEMPTS, "callcenter-console-attempts")
    party = RelyingParty(origin.host, str(origin))
    room = StaffRoom.on(
        database, attempts, house.sealer, house.clock, house.random, party, StaffLimits.of(settings.console)
    )
    stack.callback(room.close)
    listener = Listener(addresses.app)
    bells = RoutingBells(listener, database)
    await stack.enter_async_context(listener.running())
    await stack.enter_async_context(in_background(bells.run()))
    passes = passes_of(settings)
    application = console_application(
        ConsoleDependencies(
            origin=origin,
            entrance=StaffEntrance(room),
            enrolment=StaffEnrolment(room, house.clock),
            account=StaffAccount(room),
            reception=StaffReception(room, database, house.clock),
            waiting=StaffWaiting(room, database, house.sealer, house.clock),
            workplaces=StaffWorkplaces(
                room=room,
                database=database,
                sealer=house.sealer,
                clock=house.clock,
                reservations=house.reservations,
                talks=fittings.talks,
                keypad=fittings.keypad,
                passes=passes,
            ),
            script=OperatorsScripts(
                room=room,
                scripts=Scripts(replace(house, database=database), fittings.keypad),  # pages hold up no caller
                clock=house.clock,
                flows=house.flows,
            ),
            bells=bells,
            softphone=softphone_of(settings),
            proofs=FormProofs(house.sealer),
            random=house.random,
            failed=_told(fittings.alerts),
            proxies=settings.console.proxies,
            demonstration=demonstration_of(settings.environment),
            pages=(
                *_pages(settings, fittings, room, database, attempts, str(origin), examine),
                LedgerPages(
                    StaffLedgers(
                        room, database, house.clock, house.random, house.ledger, _public(sealer), holders_of(settings)
                    )
                ),
            ),
            ledger_is_behind=house.ledger.is_any_behind,
            incident_notices=incident_notices_of(room, database, house.sealer, house.clock, house.random),
            supervision=supervision_of(
                room, database, house.sealer, house.clock, house.random, house.limits, settings.board
            ),
        )
    )
    await listen(stack, EdgeRunner(application), settings.console)
    return str(origin)


def _pages(
    settings: Settings,
    fittings: Fittings,
    room: StaffRoom,
    database: Database,
    attempts: Database,
    origin: str,
    examine: Examine | None,
) -> tuple[Pages, ...]:
    """What is opened besides one's own account and the workplace, each with what stands behind it."""
    house = fittings.house
    sounds = SoundAddresses(house.sealer, fittings.voice)
    practices = StaffPractices(room, database, house.clock, house.random, house.flows, sounds)
    reviews = StaffReviews(room, database, attempts, house.sealer, house.clock, house.random, house.flows, house.ledger)
    glass = StaffGlass(
        room, database, attempts, house.sealer, house.clock, house.random, house.flows.policy, house.ledger
    )
    office = StaffOffice(room, database, house.clock, origin, load_keys(keys_path(settings)), examine)
    return (
        InboxPages(StaffInboxes(room, database, house.sealer, house.clock, house.random, attempts)),
        *practice_pages(practices),
        ReviewPages(reviews),
        ExtractPages(StaffExtracts(reviews)),
        GlassPages(glass),
        FlowPages(StaffFlows(room, house.flows)),
        AdministrationPages(office),
        CarrierListPages(StaffCarrierLists(room, database, house.clock, StaffActs(house.clock, house.random))),
    )


def _public(sealer: KeyFile | None) -> Callable[[], PublicKeys]:
    """The public halves of the keys that sign and have signed, as they are at that moment."""
    return PublicKeys if sealer is None else lambda: sealer.key.public_halves()


def _told(alerts: Alerts) -> Failed:
    """Alerts about a page that raises."""

    def failed(error: BaseException, **fields: str) -> None:
        alerts.failed(AlertKind.CONSOLE_FAILED, error, **fields)

    return failed
