"""What stands behind the console in its unit tests, in memory, and the console on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from callcenter.console.application import ConsoleDependencies, console_application
from callcenter.console.extracts import ExtractPages
from callcenter.console.flows import FlowPages
from callcenter.console.forms import FormProofs
from callcenter.console.glass import GlassPages
from callcenter.console.inbox import InboxPages
from callcenter.console.ledger import LedgerPages
from callcenter.console.origin import console_origin
from callcenter.console.ports import (
    AccountState,
    Entered,
    Entry,
    Invited,
    NewSecret,
    NotEntered,
    OpenSession,
    Part,
    Passkey,
    PasswordFault,
    Session,
    Stage,
    Training,
    Welcome,
)
from callcenter.console.review import ReviewPages
from callcenter.console.supervision import Supervision
from callcenter.console.words import Language
from callcenter.kernel.errors import Forbidden
from callcenter.kernel.randomness import SeededRandom
from callcenter.store.keys import Keyring
from callcenter.store.sealed import Sealer
from tests.ports import free_port
from tests.unit.console.boards import BoardsDouble
from tests.unit.console.extracts import ExtractsDouble
from tests.unit.console.glasses import GlassDouble
from tests.unit.console.guest import Guest, arriving
from tests.unit.console.inboxes import InboxesDouble
from tests.unit.console.incidents import IncidentNoticesDouble, IncidentsDouble
from tests.unit.console.ledgers import LedgersDouble
from tests.unit.console.locks import LocksDouble
from tests.unit.console.reviews import ReviewsDouble
from tests.unit.console.scenarios import ScenariosDouble
from tests.unit.console.scripts import ScriptDouble
from tests.unit.console.workplaces import WorkplacesDouble

STAFF = UUID("11111111-2222-4333-8444-555555555555")
KEY = UUID("22222222-2222-4333-8444-555555555555")
PASSWORD = "quatre mots sans rapport"
CODE, RECOVERY = "492039", "k7fqh2m9"
INVITATION = "i" * 43
SINCE = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ALICE = Session(
    STAFF, "operatrice1", "Télésecrétaire 1", Stage.PASSWORD, True, confirmed=False, roles=frozenset({"operator"})
)
WELCOME = Welcome(
    "Télésecrétariat de démonstration",
    Training.VALID,
    date(2027, 6, 30),
    None,
    date(2026, 1, 5),
    (Part("Tous les cabinets", ("operator",), True, ("Cabinet des Tilleuls", "Maison de santé du Port"), 2),),
)


@dataclass(slots=True)
class StaffDouble:
    """One account, whose password, code and keys are those above. Implements every port of the console."""

    account: Session = ALICE
    sessions: dict[str, Session] = field(default_factory=dict)
    welcomed: Welcome = WELCOME
    fails: Exception | None = None
    wait: int | None = None
    invitation: str | None = INVITATION
    undertaken: bool = True
    keys: list[Passkey] = field(default_factory=lambda: [Passkey(KEY, "portable gris", SINCE, None)])
    last_factor: bool = False
    changes: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    used: int = 0
    _made: int = 0

    def new(self, **how: Any) -> str:
        """A session that lives."""
        self._made += 1
        token = f"{self._made:032d}"
        self.sessions[token] = replace(self.account, **how)
        return token

    def _reach(self) -> None:
        if self.fails is not None:
            raise self.fails

    def _risen(self, token: str, right: bool, **how: Any) -> Entry:
        if self.wait is not None:
            return NotEntered(self.wait)
        if not right:
            return NotEntered()
        before = self.sessions.pop(token)
        self.account = replace(before, **how)
        return Entered(self.new())

    # --- Entrance

    async def session(self, token: str, *, active: bool = True) -> Session | None:
        self._reach()
        self.used += active
        return self.sessions.get(token)

    async def begin(self, login: str, password: str, address: str) -> Entry:
        self._reach()
        self.addresses.append(address)
        if self.wait is not None or (login, password) != (self.account.login, PASSWORD):
            return NotEntered(self.wait)
        return Entered(self.new(stage=Stage.PASSWORD, confirmed=False))

    async def by_code(self, token: str, code: str) -> Entry:
        return self._risen(token, code == CODE, stage=Stage.FULL)

    async def by_recovery_code(self, token: str, code: str) -> Entry:
        return self._risen(token, code == RECOVERY, stage=Stage.FULL)

    async def passkey_options(self, token: str) -> str:
        return '{"challenge": "AAAA"}'

    async def by_passkey(self, token: str, response: str) -> Entry:
        return self._risen(token, response == "{}", stage=Stage.FULL)

    async def confirm_by_code(self, token: str, code: str) -> Entry:
        return self._risen(token, code == CODE, confirmed=True)

    async def confirm_by_recovery_code(self, token: str, code: str) -> Entry:
        return self._risen(token, code == RECOVERY, confirmed=True)

    async def confirmation_options(self, token: str) -> str:
        return '{"challenge": "BBBB"}'

    async def confirm_by_passkey(self, token: str, response: str) -> Entry:
        return self._risen(token, response == "{}", confirmed=True)

    async def leave(self, token: str) -> None:
        self.sessions.pop(token, None)

    # --- Enrolment

    async def invited(self, token: str) -> Invited | None:
        self._reach()
        found = Invited(self.account.login, self.account.name, self.undertaken)
        return found if token == self.invitation else None

    async def accept(self, token: str, password: str) -> str | PasswordFault | None:
        if token != self.invitation or not self.undertaken:
            return None
        if len(password) < 14:
            return PasswordFault.SHORT
        self.invitation = None
        return self.new(stage=Stage.PASSWORD, enrolled=False)

    async def begin_code(self, token: str) -> NewSecret:
        secret = "JBSWY3DPEHPK3PXP"
        return NewSecret(secret, f"otpauth://totp/callcenter:{self.account.login}?secret={secret}&issuer=callcenter")

    async def confirm_code(self, token: str, code: str) -> str | None:
        entry = self._risen(token, code == CODE, stage=Stage.FULL, enrolled=True)
        return entry.token if isinstance(entry, Entered) else None

    async def new_passkey_options(self, token: str) -> str:
        return '{"challenge": "CCCC"}'

    async def add_passkey(self, token: str, response: str, label: str) -> str | None:
        entry = self._risen(token, response == "{}", stage=Stage.FULL, enrolled=True)
        if not isinstance(entry, Entered):
            return None
        self.keys.append(Passkey(UUID(int=len(self.keys)), label, SINCE, None))
        return entry.token

    async def new_recovery_codes(self, token: str) -> Sequence[str]:
        self.changes.append("recovery codes")
        return [f"aaaa-bbb{number}" for number in range(10)]

    # --- OwnAccount

    async def state(self, token: str) -> AccountState:
        self._may(token, confirmed=False)
        opened = tuple(
            OpenSession(UUID(int=int(one)), SINCE, SINCE, how.stage is Stage.PASSWORD, one == token)
            for one, how in self.sessions.items()
        )
        return AccountState(SINCE, tuple(self.keys), len(self.keys) >= 10, 7, opened)

    async def remove_passkey(self, token: str, passkey: UUID) -> bool:
        self._may(token)
        if self.last_factor:
            return False
        self.keys = [key for key in self.keys if key.id != passkey]
        return True

    async def change_password(self, token: str, old: str, new: str) -> PasswordFault | Entry:
        self._may(token)
        if len(new) < 14:
            return PasswordFault.SHORT
        if old != PASSWORD:
            return NotEntered(self.wait)
        self.changes.append("password")
        return Entered(token)

    async def read_in(self, token: str, language: Language | None) -> None:
        self._may(token, confirmed=False)
        self.sessions[token] = replace(self.sessions[token], language=language)

    async def end_session(self, token: str, session: UUID) -> None:
        self._may(token, confirmed=False)
        self.sessions.pop(f"{session.int:032d}")

    async def end_others(self, token: str) -> None:
        self._may(token, confirmed=False)
        self.sessions = {token: self.sessions[token]}

    def _may(self, token: str, *, confirmed: bool = True) -> None:
        if confirmed and not self.sessions[token].confirmed:
            raise Forbidden

    # --- Reception

    async def welcome(self, token: str) -> Welcome:
        return self.welcomed


@dataclass(slots=True)
class Desk:
    """A console that listens."""

    staff: StaffDouble
    guest: Guest
    failures: list[tuple[str, dict[str, str]]]
    workplaces: WorkplacesDouble
    inboxes: InboxesDouble
    boards: BoardsDouble
    incidents: IncidentsDouble
    script: ScriptDouble
    reviews: ReviewsDouble
    ledgers: LedgersDouble
    notices: IncidentNoticesDouble

    async def signed_in(self, **how: Any) -> str:
        """The guest has a session, without the pages of it. Returns its token."""
        token = self.staff.new(**{"stage": Stage.FULL, **how})
        self.guest.cookies["__Host-callcenter"] = token
        return token


@asynccontextmanager
async def open_desk(
    staff: StaffDouble | None = None, *, url: str | None = None, again: Desk | None = None, **deps: Any
) -> AsyncIterator[Desk]:
    """The console, and a guest before it.

    Arguments:
        url: its public address, by default that at which it listens.
        again: one that was closed: another process takes its place, at the same address.
        deps: others of its dependencies.
    """
    staff, port, failures = staff or StaffDouble(), free_port(), []
    inboxes, boards, incidents = InboxesDouble(), BoardsDouble(), IncidentsDouble()
    workplaces, script, reviews = WorkplacesDouble(), ScriptDouble(), ReviewsDouble()
    ledgers, notices = LedgersDouble(), IncidentNoticesDouble()
    if again is not None:
        staff, port, workplaces, script = again.staff, int(again.guest.origin[-5:]), again.workplaces, again.script
    origin = console_origin(url or f"http://localhost:{port}")
    sealer = Sealer(Keyring("k1", {"k1": b"s" * 32}, b"i" * 32), SeededRandom(3))

    def failed(error: BaseException, **fields: str) -> None:
        failures.append((type(error).__name__, fields))

    given = ConsoleDependencies(
        origin=origin,
        entrance=staff,
        enrolment=staff,
        account=staff,
        reception=staff,
        workplaces=workplaces,
        pages=(
            InboxPages(inboxes),
            ReviewPages(reviews),
            GlassPages(GlassDouble()),
            ExtractPages(ExtractsDouble()),
            FlowPages(ScenariosDouble()),
            LedgerPages(ledgers),
        ),
        script=script,
        bells=workplaces,
        proofs=FormProofs(sealer),
        random=SeededRandom(4),
        failed=failed,
        incident_notices=notices,
        supervision=Supervision(boards, incidents, LocksDouble()),
    )
    runner = web.AppRunner(console_application(replace(given, **deps)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with arriving(f"http://127.0.0.1:{port}", str(origin)) as guest:
            yield Desk(
                staff, guest, failures, workplaces, inboxes, boards, incidents, script, reviews, ledgers, notices
            )
    finally:
        await runner.cleanup()
