"""One's own account: by what one signs in, where one is signed in, another password. Before anything is changed, a
second factor is asked for once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from callcenter.console import paths
from callcenter.console.joining import in_fours, new_password_problems, passkey_label, picture_of
from callcenter.console.paths import with_return
from callcenter.console.ports import Enrolment, Entered, NotEntered, OwnAccount, PasswordFault
from callcenter.console.signing_in import problem_of
from callcenter.console.troubles import Trouble, Turned
from callcenter.console.visits import Door, For, Problem, Visit
from callcenter.console.words import Language

_ADDRESSES = {
    "begin_code": paths.ACCOUNT_TOTP,
    "code": paths.ACCOUNT_TOTP_CONFIRMED,
    "passkey": paths.ACCOUNT_PASSKEY,
    "options": paths.ACCOUNT_PASSKEY_OPTIONS,
}
#: What has been done, as the page is told by its own address.
DONE = frozenset({"password", "application", "passkey", "removed", "session", "sessions", "language"})
LANGUAGE = "langue"

Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


class AccountPages:
    """The pages of one's own account."""

    def __init__(self, account: OwnAccount, enrolment: Enrolment) -> None:
        self._account = account
        self._enrolment = enrolment

    def doors(self) -> list[Door]:
        changes = {
            paths.ACCOUNT_PASSWORD: self._password,
            paths.ACCOUNT_TOTP: self._secret,
            paths.ACCOUNT_TOTP_CONFIRMED: self._code,
            paths.ACCOUNT_PASSKEY_OPTIONS: self._options,
            paths.ACCOUNT_PASSKEY: self._passkey,
            paths.ACCOUNT_PASSKEY_REMOVED: self._passkey_removed,
            paths.ACCOUNT_RECOVERY: self._recovery_codes,
        }
        return [
            Door("GET", paths.ACCOUNT, For.STAFF, self._page),
            *(
                Door("POST", path, For.STAFF, _confirmed(handler), back=paths.ACCOUNT)
                for path, handler in changes.items()
            ),
            # Whoever finds a session that is not theirs ends it at once.
            Door("POST", paths.ACCOUNT_OTHERS_ENDED, For.STAFF, self._others_ended, back=paths.ACCOUNT),
            Door("POST", paths.ACCOUNT_LANGUAGE, For.STAFF, self._language, back=paths.ACCOUNT),
            Door("POST", paths.ACCOUNT_SESSION_ENDED, For.STAFF, self._session_ended, back=paths.ACCOUNT),
        ]

    async def _page(self, visit: Visit) -> web.StreamResponse:
        return await self._shown(visit)

    async def _shown(self, visit: Visit, *problems: Problem) -> web.Response:
        state = await self._account.state(visit.own_token)
        done = visit.request.query.get("fait")
        return visit.show(
            "account.html",
            problems,
            state=state,
            addresses=_ADDRESSES,
            confirm=with_return(paths.CONFIRM, paths.ACCOUNT),
            done=done if done in DONE and not problems else None,
            languages=tuple(Language),
            language_field=LANGUAGE,
        )

    def _done(self, visit: Visit, what: str, token: str | None = None) -> web.Response:
        return visit.go(f"{paths.ACCOUNT}?fait={what}", token=token)

    # --- the password

    async def _password(self, visit: Visit) -> web.StreamResponse:
        problems = new_password_problems(visit.fields)
        if not visit.fields.get("old_password"):
            problems.insert(0, Problem("missing", "old_password"))
        elif not problems and visit.fields["old_password"] == visit.fields["new_password"]:
            problems.append(Problem("same", "new_password"))
        if problems:
            return await self._shown(visit, *problems)
        changed = await self._account.change_password(
            visit.own_token, visit.fields["old_password"], visit.fields["new_password"]
        )
        match changed:
            case PasswordFault():
                return await self._shown(visit, Problem(changed.value, "new_password"))
            case NotEntered():
                return await self._shown(visit, problem_of(changed, "old_password", "old_password"))
            case Entered():
                return self._done(visit, "password", changed.token)

    # --- second factors

    async def _secret(self, visit: Visit) -> web.StreamResponse:
        secret = await self._enrolment.begin_code(visit.own_token)
        picture = picture_of(secret.uri)
        return visit.show("application.html", addresses=_ADDRESSES, secret=in_fours(secret.secret), picture=picture)

    async def _code(self, visit: Visit) -> web.StreamResponse:
        code = "".join(visit.fields.get("code", "").split())
        token = await self._enrolment.confirm_code(visit.own_token, code) if 0 < len(code) <= 10 else None
        if token is None:
            problem = Problem("code" if code else "missing", "code")
            return visit.show("application.html", [problem], addresses=_ADDRESSES, secret=None, picture=None)
        return self._done(visit, "application", token)

    async def _options(self, visit: Visit) -> web.StreamResponse:
        options = await self._enrolment.new_passkey_options(visit.own_token)
        return web.Response(text=options, content_type="application/json")

    async def _passkey(self, visit: Visit) -> web.StreamResponse:
        label, problems = passkey_label(visit.fields)
        if problems:
            return await self._shown(visit, *problems)
        token = await self._enrolment.add_passkey(visit.own_token, visit.fields["response"], label)
        if token is None:
            return await self._shown(visit, Problem("passkey", "cle"))
        return self._done(visit, "passkey", token)

    async def _passkey_removed(self, visit: Visit) -> web.StreamResponse:
        if not await self._account.remove_passkey(visit.own_token, visit.path_id("passkey")):
            return await self._shown(visit, Problem("last_factor"))
        return self._done(visit, "removed")

    async def _recovery_codes(self, visit: Visit) -> web.StreamResponse:
        codes = await self._enrolment.new_recovery_codes(visit.own_token)
        return visit.show("recovery_codes.html", codes=codes, going_on=paths.ACCOUNT)

    # --- the language

    async def _language(self, visit: Visit) -> web.StreamResponse:
        wanted = visit.fields.get(LANGUAGE, "")
        if wanted and wanted not in set(Language):
            raise Turned(Trouble.UNREADABLE)
        await self._account.read_in(visit.own_token, Language(wanted) if wanted else None)
        return self._done(visit, "language")

    # --- sessions

    async def _session_ended(self, visit: Visit) -> web.StreamResponse:
        await self._account.end_session(visit.own_token, visit.path_id("session"))
        return self._done(visit, "session")

    async def _others_ended(self, visit: Visit) -> web.StreamResponse:
        await self._account.end_others(visit.own_token)
        return self._done(visit, "sessions")


def _confirmed(handler: Handler) -> Handler:
    """The handler, once a second factor has been given lately; before it, the page that asks for one."""

    async def after_confirmation(visit: Visit) -> web.StreamResponse:
        if not visit.own_session.confirmed:
            return visit.go(with_return(paths.CONFIRM, paths.ACCOUNT))
        return await handler(visit)

    return after_confirmation
