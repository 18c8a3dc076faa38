"""The command line. Every command says what to do when it cannot do what was asked.

Exit codes: 0 done, 1 the answer is no (a transcript differs, a flow is refuted, something is unhealthy), 2 could not
run.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import click
import structlog
from click.core import ParameterSource

from callcenter.audit.reading import Record, disclosures, records_of_call
from callcenter.calls.tables import call as call_table
from callcenter.emulator.errors import EmulatorError
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError, ConfigurationError, Problem
from callcenter.kernel.logs import configure_logs
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings, load_settings

_log = structlog.get_logger(__name__)

T = TypeVar("T")

CANNOT_RUN = 2


def _fail(error: BaseException) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(CANNOT_RUN)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run until done. Interrupting ends the work in order."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)


class _Commands(click.Group):
    """Commands whose every failure is a sentence: what is wrong and what to do, never a traceback or a value."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (CallcenterError, EmulatorError) as error:
            _fail(error)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own ways to end
        except Exception as error:
            if structlog.is_configured():  # otherwise it would be written with its values
                _log.debug("command_failed", exc_info=error)
            _fail(CallcenterError(_unexpected(error)))


def _unexpected(error: Exception) -> str:
    """The last resort. The text of an error that nobody expected may hold anything, so it is not shown."""
    frames = extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return (
        f"something unexpected failed: {type(error).__name__} at {place}\n"
        "    mend: `callcenter doctor` looks for what is wrong with the installation; CALLCENTER_LOG__LEVEL=debug "
        "before the command shows the whole way there; if neither helps, please report it"
    )


class Context:
    """What commands share: the settings, read when first needed.

    Arguments:
        config: the configuration file.
        named: it was named by option or variable, and is not merely the demo's by default.
    """

    def __init__(self, config: Path, *, named: bool) -> None:
        self.config = config
        self.named = named
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = load_settings(self.config)
            configure_logs(self._settings.log.form, self._settings.log.level)
        return self._settings


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config/demo.yaml"),
    envvar="CALLCENTER_CONFIG",
    show_default=True,
    help="Configuration file.",
)
@click.version_option(package_name="callcenter")
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """The telephone server of medical practices."""
    context.obj = Context(config, named=context.get_parameter_source("config") is not ParameterSource.DEFAULT)


# --- running


@main.command()
@click.option("--no-jobs", is_flag=True, help="Leave jobs (text messages, upkeep) to another process.")
@click.pass_obj
def serve(context: Context, no_jobs: bool) -> None:
    """Serve calls: webhooks, health and metrics, jobs.

    Which configuration is served must be said, by --config or CALLCENTER_CONFIG; the demo's is never taken silently.
    """
    if not context.named:
        what = "no configuration is named, and a server does not take the demo's by itself"
        mend = "callcenter --config FILE serve, or set CALLCENTER_CONFIG; for the demo, make demo"
        raise ConfigurationError([Problem("--config", 0, what, mend)])
    _run(_serve(context.settings, context.config, jobs=not no_jobs))


async def _serve(settings: Settings, config: Path, *, jobs: bool) -> None:
    from callcenter.app import run_server
    from callcenter.installation import reach_database

    stopped = _stop_signal()
    async with reach_database(settings) as addresses, run_server(settings, addresses, jobs=jobs) as running:
        what = f"{settings.environment.value}, {config}"
        click.echo(f"webhooks {running.webhooks}   private {running.private}   ({what})   Ctrl-C ends")
        await stopped.wait()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


@main.command()
@click.option("--reset", is_flag=True, help="Forget the demo's data and keys, and end.")
@click.pass_obj
def demo(context: Context, reset: bool) -> None:
    """Run everything on this machine: database, server, emulator, people who do not exist."""
    from callcenter.demo import forget_demo, run_demo

    if reset:
        _run(forget_demo(context.settings))
        click.echo("the demo's data and keys are forgotten; make demo begins anew")
    else:
        _run(run_demo(context.settings, click.echo))


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8090, show_default=True, help="Port of the emulator on 127.0.0.1."
)
@click.pass_obj
def emulator(context: Context, port: int) -> None:
    """Run the carrier emulator alone, for a server that runs elsewhere on this machine."""
    from callcenter.demo import run_emulator

    _run(run_emulator(context.settings, port, click.echo))


@main.command()
@click.option("--from", "caller", default="+33639980001", show_default=True, help="Calling number, or « anonymous ».")
@click.option("--to", "called", default="+33465710001", show_default=True, help="Number that is dialled.")
@click.option(
    "--emulator", "base_url", default="http://127.0.0.1:8090", show_default=True, help="Where the emulator is."
)
@click.option("--forwarded-from", help="Line that is dialled instead, and forwarded to that number.")
@click.option("--script", type=click.Path(path_type=Path), help="Run a transcript instead of your own fingers.")
@click.pass_obj
def phone(
    context: Context, caller: str, called: str, base_url: str, forwarded_from: str | None, script: Path | None
) -> None:
    """A telephone in the terminal. With --script: exit 0 as expected, 1 at the first difference, 2 could not run."""
    from callcenter.demo import run_transcript
    from callcenter.emulator.phone import interactive

    if script is None:
        sys.exit(_run(interactive(base_url, caller, called, forwarded_from=forwarded_from)))
    sys.exit(_run(run_transcript(context.settings, script, base_url, click.echo)))


# --- checking


@main.group()
def flows() -> None:
    """Flows: what callers meet."""


@flows.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prompts", type=click.Path(path_type=Path), help="The prompts; by default those of the configuration.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default that of the configuration.")
@click.pass_obj
def flows_check(context: Context, paths: tuple[Path, ...], prompts: Path | None, policy: Path | None) -> None:
    """Prove flows: 0 proven, 1 refuted or refused, 2 could not check."""
    from callcenter.flow.check import check

    chosen = context.settings.flows
    report = check(paths or (chosen.folder,), book_path=prompts or chosen.prompts, policy_path=policy or chosen.policy)
    click.echo(report.text, nl=False)
    sys.exit(report.exit_code)


@main.command()
@click.pass_obj
def doctor(context: Context) -> None:
    """Say what is wrong with this installation, and how to mend it."""
    from callcenter.doctor import examine

    findings = _run(examine(context.settings))
    for finding in findings:
        click.echo(finding.line())
    sys.exit(0 if all(finding.healthy for finding in findings) else 1)


# --- data


@main.group()
def db() -> None:
    """The database."""


@db.command("migrate")
@click.pass_obj
def db_migrate(context: Context) -> None:
    """Make the roles that are missing and bring the schema to this version (database.owner_url)."""
    from callcenter.installation import prepare_database

    click.echo(_run(prepare_database(context.settings)))


@main.group()
def keys() -> None:
    """The keys of sealed fields."""


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path))
def keys_create(path: Path) -> None:
    """Make a key file. Keep a copy apart from the database's backups: without it, sealed fields are lost."""
    from callcenter.store.keys import create_keys

    try:
        create_keys(path, SystemRandom())
    except FileExistsError:
        raise CallcenterError(f"{path} is there already, and keys are never overwritten") from None
    except OSError as error:
        raise CallcenterError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"{path} written; keep a copy of it apart from the database's backups")


@main.group()
def practice() -> None:
    """Practices and what they hold."""


@practice.command("enrol")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--organisation", required=True, help="Who staffs its telephone; enrolled too if it is new.")
@click.option(
    "--no-longer-sensitive",
    "released",
    multiple=True,
    metavar="NAME",
    help="A practitioner on file as sensitive who is no more; may be given several times.",
)
@click.pass_obj
def practice_enrol(context: Context, file: Path, organisation: str, released: tuple[str, ...]) -> None:
    """Enrol a practice from its description in YAML, or change the one of the same short name.

    A practitioner's sensitive mark goes only where --no-longer-sensitive names them: without it, callers are told
    practitioners' names.
    """
    enrolled = _run(_enrol(context.settings, file, organisation, released))
    facts = enrolled.facts
    what = "enrolled" if enrolled.is_new else "changed"
    click.echo(f"{facts.name} {what}: answers at {', '.join(facts.numbers)}, rescue number {facts.rescue_number}")
    click.echo(f"practitioners: {', '.join(enrolled.practitioners)}")
    if enrolled.unnamed:
        click.echo(f"kept, though the file does not name them: {', '.join(enrolled.unnamed)}")
    click.echo("its calls meet this from now on; the documents of last resort follow within a minute")


async def _enrol(settings: Settings, file: Path, organisation: str, released: tuple[str, ...]) -> Any:
    from callcenter.practice.enrolling import enrol

    async with _opened(settings) as (database, _):
        return await enrol(database, file, organisation, SystemRandom(), no_longer_sensitive=released)


@practice.command("list")
@click.pass_obj
def practice_list(context: Context) -> None:
    """The practices that are enrolled, with their numbers."""
    for line in _run(_practice_lines(context.settings)):
        click.echo(line)


async def _practice_lines(settings: Settings) -> list[str]:
    async with _opened(settings) as (database, _):
        practices = await _practices(database, None)
    return [
        f"{facts.slug:<32} {facts.name:<32} {', '.join(facts.numbers)}  (rescue {facts.rescue_number})"
        for facts in practices
    ] or ["no practice is enrolled yet: callcenter practice enrol FILE.yaml --organisation NAME"]


@practice.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--practice", "slug", required=True, help="Short name of the practice.")
@click.option(
    "--kind", required=True, type=click.Choice(["patients", "contacts", "appointments"]), help="What the file holds."
)
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="A column's field; « - » leaves it out.")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.pass_obj
def practice_import(
    context: Context, file: Path, slug: str, kind: str, mapping: tuple[str, ...], dry_run: bool
) -> None:
    """Import patients, contacts or appointments from CSV: everything, or nothing."""
    columns = dict(_column(entry) for entry in mapping)
    report = _run(_import(context.settings, file, slug, kind, columns, dry_run))
    done = "would be" if report.dry_run else "were"
    click.echo(f"{report.rows} rows: {report.added} {done} added, {report.updated} {done} updated")


def _column(entry: str) -> tuple[str, str]:
    column, separator, name = entry.rpartition("=")
    if not separator or not column or not name:
        raise click.BadParameter(f"{entry!r}: write COLUMN=FIELD", param_hint="--map")
    return column, name


async def _import(settings: Settings, file: Path, slug: str, kind: str, columns: dict[str, str], dry_run: bool) -> Any:
    from callcenter.practice.directory import Directory
    from callcenter.practice.importing import ImportKind, import_file

    async with _opened(settings) as (database, sealer):
        async with database.house() as connection:
            facts = await Directory.by_slug(connection, slug)

        def progress(done: int, total: int) -> None:
            click.echo(f"\r{done} / {total}", nl=done == total, err=True)

        return await import_file(
            database,
            sealer,
            facts.id,
            file,
            ImportKind(kind),
            columns,
            dry_run,
            SystemClock(),
            SystemRandom(),
            progress,
        )


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Any, Any]]:
    from callcenter.installation import keys_path, reach_database
    from callcenter.practice.key_fit import check_keys
    from callcenter.store.database import Database
    from callcenter.store.keys import load_keys
    from callcenter.store.sealed import Sealer

    sealer = Sealer(load_keys(keys_path(settings)), SystemRandom())
    async with reach_database(settings) as addresses:
        database = Database(addresses.app, pool_size=2, application="callcenter-cli")
        try:
            await check_keys(database, sealer)
            yield database, sealer
        finally:
            await database.close()


# --- looking


@main.command()
@click.option("--practice", "slug", help="Of one practice; by default of all.")
@click.option("--done", type=click.UUID, metavar="ID", help="This request has been answered: it leaves the list.")
@click.option("--by", metavar="NAME", help="Who has answered it; goes with --done.")
@click.pass_obj
def inbox(context: Context, slug: str | None, done: UUID | None, by: str | None) -> None:
    """Who waits to be called back, each with the identifier that --done takes."""
    if (done is None) != (not (by or "").strip()):
        raise click.UsageError("--done ID and --by NAME go together")
    if done is not None and by is not None:
        click.echo(_run(_handled(context.settings, slug, done, by.strip())))
        return
    for line in _run(_inbox(context.settings, slug)):
        click.echo(line)


async def _inbox(settings: Settings, slug: str | None) -> list[str]:
    from callcenter.practice.inbox import Inbox

    lines = []
    async with _opened(settings) as (database, sealer):
        for facts in await _practices(database, slug):
            async with database.practice(facts.id) as tx:
                waiting = await Inbox(sealer).waiting(tx)
                more = await Inbox(sealer).count_waiting(tx) - len(waiting)
            for message in waiting:
                local = message.created_at.astimezone(facts.timezone)
                reason = _REASONS.get(message.reason, message.reason)
                lines.append(
                    f"{local:%d/%m %H:%M}  {facts.name:<28} {message.number:<14} {reason:<24} {message.id}".rstrip()
                )
            if more > 0:
                lines.append(f"{facts.name} : et {more} de plus")
    return lines or ["personne n'attend d'être rappelé"]


async def _handled(settings: Settings, slug: str | None, message_id: UUID, by: str) -> str:
    from callcenter.practice.inbox import Inbox
    from callcenter.practice.values import Change

    async with _opened(settings) as (database, sealer):
        for facts in await _practices(database, slug):
            async with database.practice(facts.id) as tx:
                change = await Inbox(sealer).handle(tx, message_id, by, SystemClock().now())
            if change is Change.DONE:
                return f"{facts.name} : rappel traité par {by}"
    raise CallcenterError(f"{message_id} does not wait to be called back: `callcenter inbox` shows who does")


_REASONS = {
    "appointment": "rendez-vous",
    "prescription": "ordonnance",
    "administrative": "question administrative",
    "other": "autre demande",
    "unspecified": "motif non précisé",
}


async def _practices(database: Any, slug: str | None) -> list[Any]:
    from sqlalchemy import select

    from callcenter.practice.directory import Directory
    from callcenter.practice.tables import practice as practice_table

    async with database.house() as connection:
        if slug is not None:
            return [await Directory.by_slug(connection, slug)]
        ids = (await connection.execute(select(practice_table.c.id).order_by(practice_table.c.name))).scalars().all()
        return [await Directory.facts(connection, practice_id) for practice_id in ids]


@main.command()
@click.argument("number")
@click.pass_obj
def fallback(context: Context, number: str) -> None:
    """Print the document of last resort of a number that we answer (E.164), as TwiML.

    For a host that does not fall with this machine: the carrier asks it when we do not answer. Print it anew when the
    practice's rescue number changes.
    """
    click.echo(_run(_fallback_document(context.settings, number)))


async def _fallback_document(settings: Settings, number: str) -> str:
    from prometheus_client import CollectorRegistry

    from callcenter.practice.directory import Directory
    from callcenter.telephony.alerts import Alerts
    from callcenter.telephony.callers import Line
    from callcenter.telephony.fallback import RescueEntry, StaticAnswers
    from callcenter.telephony.metrics import Metrics
    from callcenter.telephony.twiml import CarrierVoices

    async with _opened(settings) as (database, _), database.house() as connection:
        served = await Directory.all_numbers(connection)
    if number not in served:
        raise CallcenterError(f"no practice answers at {number}: `callcenter practice list` shows those that do")
    static = StaticAnswers(CarrierVoices.with_french(settings.carrier.voice), Alerts(Metrics(CollectorRegistry())))
    refused = static.refresh([RescueEntry(called, fallback.rescue_number) for called, fallback in served.items()])
    for refusal in refused:
        if refusal.called == number:
            raise CallcenterError(f"the rescue number of {number} cannot be dialled ({refusal.fault}): enrol another")
    return static.answer(Line(called=number)).decode()


@main.group()
def audit() -> None:
    """The ledger: who was told what."""


@audit.command("show")
@click.option("--last", is_flag=True, help="The last call.")
@click.option("--call", "call_id", type=click.UUID, help="A call by its identifier.")
@click.option("--sid", help="A call by the carrier's identifier.")
@click.option("--json", "as_json", is_flag=True, help="The records as they were written, one a line.")
@click.pass_obj
def audit_show(context: Context, last: bool, call_id: UUID | None, sid: str | None, as_json: bool) -> None:
    """Show the records of one call, in the order in which they were written."""
    if [last, call_id is not None, sid is not None].count(True) != 1:
        raise click.UsageError("say which call: --last, --call ID or --sid CA…")
    records = _run(_records(context.settings, call_id, sid))
    if as_json:
        for record in records:
            click.echo(json.dumps(record.body, ensure_ascii=False))
        return
    for record in records:
        click.echo(describe_record(record))
    click.echo(f"{len(records)} records, {len(disclosures(records))} disclosures decided; the chain of the call holds")


async def _records(settings: Settings, call_id: UUID | None, sid: str | None) -> list[Record]:
    from sqlalchemy import select

    query = select(call_table.c.id, call_table.c.practice_id)
    if call_id is not None:
        query = query.where(call_table.c.id == call_id)
    elif sid is not None:
        query = query.where(call_table.c.carrier_sid == sid)
    async with _opened(settings) as (database, _):
        async with database.house() as connection:
            newest = query.order_by(call_table.c.started_at.desc(), call_table.c.id).limit(1)
            row = (await connection.execute(newest)).one_or_none()
        if row is None:
            raise CallcenterError("there is no such call yet: make one with `callcenter phone`")
        async with database.practice(row.practice_id) as tx:
            return await records_of_call(tx, row.id)


def describe_record(record: Record) -> str:
    """One record on one line, for people."""
    body = record.body
    parts = [f"{body['ts'][11:23]}Z", f"{record.seq:>3}", f"{body['event']:<24}"]
    if body.get("decision"):
        parts.append(f"{body['decision']} {'+'.join(body['categories'])} at V{body['level']}")
        parts.append(f"({body['reason']})" if body.get("reason") else f"[{body['step']}]")
    if not body.get("decision"):
        parts += [f"{name} {body[name]}" for name in ("playback", "reason", "status") if body.get(name)]
    if body.get("factors"):
        parts.append("V{} by {}".format(body["level"], ", ".join(body["factors"])))
    return "  ".join(parts)
