"""``callcenter audit cosign``: a practice's or a supervisor's own signature under what they have seen of a log."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callcenter.audit import verify
from callcenter.audit.anchors import accept_cosignature
from callcenter.audit.continuation import NotHeld
from callcenter.audit.cosigning import NotSigned, Witness, create_witness, head_of, load_witness
from callcenter.audit.logs import origin_of
from callcenter.audit.proof import NoKey
from callcenter.audit.sealing_key import load_sealing_key
from callcenter.audit.verify import Malformed, Unsigned, VerifierKey, keys_named
from callcenter.cli.audit_logs import log_argument, log_called
from callcenter.cli.audit_verify import CHANGED, continuation_in, fingerprint, one_key
from callcenter.cli.context import Context, by_option, run
from callcenter.cli.whole_file import whole_file
from callcenter.installation import open_data, sealer_key_path
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.errors import CallcenterError
from callcenter.kernel.randomness import SystemRandom
from callcenter.settings import Settings
from callcenter.staff.ledger_acts import LedgerActs

_file = click.Path(path_type=Path, dir_okay=False)


@click.group("cosign")
def audit_cosign() -> None:
    """Sign heads of a log with a key of one's own: whoever keeps what they have seen is the one to notice a change."""


@audit_cosign.command("new-key")
@click.argument("key", type=_file)
@click.option("--name", required=True, help="Under which the signature stands, such as cabinet.example/claire.")
def cosign_new_key(key: Path, name: str) -> None:
    """Make a cosigner's key in the file KEY, and show what is to be trusted of it. It stays with who signs."""
    _show(create_witness(key, name, SystemRandom()))


def _show(witness: Witness) -> None:
    click.echo(str(witness.key))
    click.echo(f"# fingerprint, to be read aloud: {fingerprint(witness.key)}")


@audit_cosign.command("sign")
@click.argument("file", type=_file)
@click.option("--key", required=True, type=_file, help="Your key.")
@click.option("--trust", required=True, metavar="KEY|FILE", help="The log's key, as « callcenter audit key » shows it.")
@click.option("--last", required=True, type=_file, help="What you have signed last; written anew.")
@click.option("--first", is_flag=True, help="You have signed none of this log yet: nothing is compared.")
def cosign_sign(file: Path, key: Path, trust: str, last: Path, first: bool) -> None:
    """Verify FILE from what you have signed last, then sign its last head; no database is needed.

    FILE is the export of the log, or what « callcenter audit continuation » has written from what you have signed last:
    that has no record in it, and tells of no change of the log's key. The signed head goes to --last, to be kept and to
    be sent back (« audit cosign submit »). Exit 1: nothing is signed, since the log was changed: a fork, or shorter
    than what you have signed.
    """
    witness = load_witness(key)
    if first == last.exists():
        raise CallcenterError(
            f"{last} is there: you have signed before, so leave --first away"
            if first
            else f"{last} is not there: it holds what you have signed last; say --first if that is nothing"
        )
    try:
        trusted = keys_named((trust,))
        seen = None if first else last.read_text("utf-8")
        at = int(SystemClock().now().timestamp())
        shown = continuation_in(file)
        if shown is None:
            with file.open("rb") as opened:
                note = witness.cosign(verify.lines_of(opened), trusted, seen, at)
        elif seen is None:
            raise Malformed("this shows that a head continues another, which you have not signed: take an export first")
        else:
            note = witness.cosign_continuation(shown, trusted, seen, at)
    except NotSigned as refused:
        click.echo(str(refused))
        for line in refused.report.lines() if refused.report is not None else ():
            click.echo(line)
        sys.exit(1)
    except (OSError, ValueError, Malformed, NoKey, NotHeld) as error:
        raise CallcenterError(f"could not sign: {error}") from error
    except Unsigned as error:
        raise CallcenterError(f"could not sign: {error}. {CHANGED}") from error
    with whole_file(last, replace=not first) as opened:
        opened.write(note.encode())
    head = head_of(note)
    click.echo(f"signed: {head.origin}, {head.size} records; {last} is to be kept, and a copy of it to be sent back")


@audit_cosign.command("submit")
@log_argument
@click.argument("signed", type=_file)
@click.option("--trust", required=True, metavar="KEY|FILE", help="The cosigner's key, got from them.")
@by_option
@click.pass_obj
def cosign_submit(context: Context, log: str, signed: Path, trust: str, by: str) -> None:
    """Keep the head in the file SIGNED, which a cosigner has sent back: it stands in the next export."""
    try:
        cosigner = one_key(trust)
        note = signed.read_text("utf-8")
    except (OSError, ValueError, Malformed) as error:
        raise CallcenterError(f"could not be kept: {error}") from error
    size = run(_submit(context.settings, log, note, cosigner, by))
    click.echo(f"kept: {cosigner.name} has signed the head of {size} records")


async def _submit(settings: Settings, called: str, note: str, cosigner: VerifierKey, by: str) -> int:
    clock = SystemClock()
    signing = load_sealing_key(sealer_key_path(settings))
    async with open_data(settings) as data:
        async with data.database.house() as connection:
            log = await log_called(connection, called)
        async with data.database.practice(log) as tx:
            own = signing.every_key(origin_of(log))
            size = await accept_cosignature(tx, note, cosigner, own, clock.now())
        await LedgerActs(data.database, clock, SystemRandom(), by).cosigned(log, size, cosigner.name)
    return size
