"""A server's life: up in order, down in the reverse one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from callcenter.app.by_administration import Examine
from callcenter.app.console import open_console
from callcenter.app.distributing import Rounds
from callcenter.app.erasing import rules_of
from callcenter.app.faces import listen_to_both
from callcenter.app.fittings import fitted_out
from callcenter.app.last_resort import refresh_static, refreshing
from callcenter.app.publishing import following
from callcenter.app.sealing import sealing
from callcenter.app.working import working
from callcenter.audit.sealing_key import KeyFile
from callcenter.calls.keypad import Keypad
from callcenter.calls.release import SHORT
from callcenter.calls.shelf import Shelf
from callcenter.calls.talks import Talks
from callcenter.installation import Addresses, sealer_key_path
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.randomness import Random, SystemRandom
from callcenter.notices.jobs import Outreach
from callcenter.settings import Settings
from callcenter.speech.voices import Voice
from callcenter.store.database import Database
from callcenter.store.sealed import Sealer

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Running:
    """A server that runs.

    Arguments:
        webhooks, private: base URLs on which it listens.
        console: how browsers reach the pages of staff.
        addresses: of the database.
        outreach: what it sends by itself.
        keypad: what operators may have their callers type.
        talks: what operators do with the calls that they have.
        rounds: what is done again and again for those who wait.
        flows: that calls begin in, and are in.
    """

    settings: Settings
    addresses: Addresses
    database: Database
    sealer: Sealer
    clock: Clock
    webhooks: str
    private: str
    console: str
    outreach: Outreach
    keypad: Keypad
    talks: Talks
    rounds: Rounds
    flows: Shelf


@asynccontextmanager
async def run_server(
    settings: Settings,
    addresses: Addresses,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    voice: Voice | None = None,
    jobs: bool = True,
    examine: Examine | None = None,
) -> AsyncIterator[Running]:
    """The server: webhooks, pages of staff, private port, job worker. On the way out it drains, then closes.

    Arguments:
        clock, random, voice: in place of the machine's own; tests drive them.
        jobs: whether this process works on jobs, offers waiting calls, and seals the ledger where it can, too.
        examine: looks at the installation, for the page that shows its health.

    Raises:
        DataProblems: a flow, the prompts or the policy cannot be used, or a flow is not proven.
        ConfigurationError: a key file is not there, or is none.
        Unavailable: database, schema or voice are not there.
        WrongLogin: a login at the database is more or less than a member of its role.
        WrongKeys: the key file is not the one that the database was filled with.
    """
    clock, random = clock or SystemClock(), random or SystemRandom()
    async with AsyncExitStack() as stack:
        fittings = await fitted_out(stack, settings, addresses, clock, random, voice)
        house, alerts, static = fittings.house, fittings.alerts, fittings.static
        await refresh_static(house.database, static)
        rounds, file = Rounds(addresses.app, fittings), None
        if jobs:
            await stack.enter_async_context(working(addresses.jobs, settings, fittings))
            await stack.enter_async_context(rounds.going())
            if addresses.sealer is not None:
                file = KeyFile.read(sealer_key_path(settings))
                await stack.enter_async_context(sealing(addresses.sealer, file, clock, alerts, rules_of(settings)))
                await house.ledger.look()
        await stack.enter_async_context(refreshing(house.database, static, alerts))
        await stack.enter_async_context(following(addresses.app, house.database, house.flows, alerts))
        webhooks, private = await listen_to_both(stack, settings, fittings, fittings.voices, static)
        console = await open_console(stack, settings, addresses, fittings, examine, file)
        serves = {"flow": house.flows.entry.name, "release": house.flows.current.release.digest[:SHORT]}
        _log.info("serving", webhooks=webhooks, private=private, console=console, **serves)
        yield Running(
            settings=settings,
            addresses=addresses,
            database=house.database,
            sealer=house.sealer,
            clock=clock,
            webhooks=webhooks,
            private=private,
            console=console,
            outreach=fittings.outreach,
            keypad=fittings.keypad,
            talks=fittings.talks,
            rounds=rounds,
            flows=house.flows,
        )
