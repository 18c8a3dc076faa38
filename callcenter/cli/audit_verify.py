"""``callcenter audit verify``: what a file shows, in words for whoever has to act on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from callcenter.audit import verify
from callcenter.audit.continuation import FIRST_WORD, MOST_OF_A_CONTINUATION, Continuation, NotHeld
from callcenter.audit.logs import fingerprint as fingerprint
from callcenter.audit.proof import FIRST_LINE, MOST_OF_A_PROOF, NoKey, Proof
from callcenter.audit.verify import Malformed, Report, Unproven, Unsigned, Verdict, VerifierKey, keys_named
from callcenter.kernel.errors import CallcenterError

#: What to do, by what a file turned out to be.
TO_DO = {
    Verdict.INTACT: (
        "Keep the last checkpoint (--keep FILE) where whoever keeps the database cannot reach it, and give it with "
        "--since the next time."
    ),
    Verdict.TAMPERED: (
        "Keep this file and your checkpoint as they are. Have the database set apart as it stands, and its backups "
        "kept; ask for a second export, so that damage on the way is ruled out. If it says the same, somebody has "
        "changed what is on record: that is for the practice, its data protection officer and, where persons are at "
        "risk, the CNIL (72 hours)."
    ),
    Verdict.UNCHECKED: (
        "Nothing follows from this, neither good nor bad. Correct what is named above: the right file, the key of this "
        "very log, a checkpoint of it."
    ),
}

#: What to do with an intact log whose last checkpoint was kept.
HELD = (
    "Put {file} where whoever keeps the database cannot reach it, beside those that you hold already, and give it with "
    "--since the next time."
)

#: What to do where a head is by another key than the one before it.
CHANGED = (
    "Where the key of the log was changed, only an export of the whole log leads from one to the next: verify one, or "
    "sign one, and go on from its last head"
)

#: What comes before all that, where nothing in a file is by the key that is trusted, and all by another one.
WHOSE_KEY = (
    "First see whether your key is the one that this log had when the file was made: with whoever gave it to you, and "
    "not with whoever gave you the file. A file of before a change of the key is checked with the key of then. If it "
    "is the right one: "
)

trust_option = click.option(
    "--trust",
    "trusted",
    multiple=True,
    required=True,
    metavar="KEY|FILE",
    help="The log's key, as « callcenter audit key » shows it, or a file of keys, one a line; cosigners' too.",
)


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@trust_option
@click.option("--since", type=click.Path(path_type=Path, dir_okay=False), help="A checkpoint that you hold.")
@click.option("--keep", type=click.Path(path_type=Path, dir_okay=False), help="Write the last checkpoint there.")
def audit_verify(file: Path, trusted: tuple[str, ...], since: Path | None, keep: Path | None) -> None:
    """Verify FILE: the export of a log, the proof of one record, or what continues a head; no database is needed.

    Exit 0: intact. 1: tampered with, and what, where, what it means, what to do. 2: could not be checked.

    --since and --keep go with the export of a log, and with what continues a head, which wants --since. Take the key
    and the checkpoint from somebody else than the file: from your own papers.
    """
    try:
        keys = keys_named(trusted)
        with file.open("rb") as opened:
            is_proof = opened.read(len(FIRST_LINE)) == FIRST_LINE.encode()
        if is_proof and (since is not None or keep is not None):
            raise Malformed("this is the proof of one record, and --since and --keep go with the export of a log")
        if is_proof:
            sys.exit(_proof(file, keys))
        shown = continuation_in(file)
        if shown is not None:
            sys.exit(_continuation(shown, keys, since, keep))
        report = verify.verify_file(file, keys, since, keep)
    except (OSError, Malformed) as error:
        raise CallcenterError(f"could not check: {verify.why_not(error)}") from error
    for line in words_of(report, keys, keep):
        click.echo(line)
    sys.exit(report.verdict)


def words_of(report: Report, keys: list[VerifierKey], kept: Path | None) -> Iterator[str]:
    """A report, by which keys it stands, and what to do.

    Arguments:
        kept: where the last checkpoint was written, if it was.
    """
    yield from report.lines()
    for key in keys:
        yield f"  trusted: {key.name}, fingerprint {fingerprint(key)}"
    stolen = {key for key, _ in report.stolen}
    for one in report.rotated:
        if one in stolen:  # nobody is to trust it, though a record names it as the next one
            continue
        yield f"  the next key, fingerprint {fingerprint(VerifierKey.parse(one))}: compare it, and trust it from now on"
    to_do = TO_DO[report.verdict]
    if report.verdict is Verdict.INTACT and kept is not None:
        to_do = HELD.format(file=kept)
    if report.strange:
        to_do = WHOSE_KEY + to_do[0].lower() + to_do[1:]
    yield click.wrap_text(f"To do: {to_do}", 100, subsequent_indent="  ")


def _proof(file: Path, keys: list[VerifierKey]) -> Verdict:
    with file.open("rb") as opened:
        text = opened.read(MOST_OF_A_PROOF + 1)
    try:
        proof = Proof.parse(text)
    except Malformed as error:
        raise CallcenterError(f"could not check: {error}") from error
    try:
        proven = proof.check(keys)
    except NoKey as error:
        raise CallcenterError(f"could not check: {error}: get it from somebody else than this file") from error
    except Unsigned as error:
        raise CallcenterError(
            f"could not check: {error}. Where the key of the log was changed since you got yours, an export of the "
            "whole log leads from one to the next (`callcenter audit verify` names it); then give that one too"
        ) from error
    except (Malformed, Unproven) as error:
        click.echo(f"NOT PROVEN: {error}")
        click.echo("To do: ask for the proof anew, and for an export of the whole log, which shows more.")
        return Verdict.TAMPERED
    click.echo(f"proven: record {proof.index} of {proven.head.size} of {proven.head.origin}")
    click.echo(f"  signed by {', '.join(ascii(name)[1:-1] for name in proven.signers)}")
    click.echo(f"  {ascii(proof.body.decode(errors='replace'))[1:-1]}")
    return Verdict.INTACT


def continuation_in(file: Path) -> Continuation | None:
    """What a file shows of one head and the next; ``None``: it is another kind of file.

    Raises:
        Malformed: it is damaged.
        OSError: it is not to be read.
    """
    with file.open("rb") as opened:
        text = opened.read(MOST_OF_A_CONTINUATION + 1)
    return Continuation.parse(text) if text.startswith(FIRST_WORD.encode()) else None


def _continuation(shown: Continuation, keys: list[VerifierKey], since: Path | None, keep: Path | None) -> Verdict:
    if since is None:
        raise Malformed("this shows that a log continues a head: give the one that you hold with --since")
    try:
        found = shown.check(keys, _note(since))
    except (NoKey, NotHeld) as error:
        raise CallcenterError(f"could not check: {error}") from error
    except Unsigned as error:
        raise CallcenterError(f"could not check: {error}. {CHANGED}") from error
    except (Malformed, Unproven) as error:
        click.echo(f"TAMPERED: {error}")
        click.echo(click.wrap_text(f"To do: {TO_DO[Verdict.TAMPERED]}", 100, subsequent_indent="  "))
        return Verdict.TAMPERED
    click.echo(f"continued: the log {found.head.origin} holds the {found.held.size} records that you hold the head of")
    click.echo(f"  and {found.head.size - found.held.size} more; what they say is not in this file")
    for one in found.signed:
        click.echo(f"  signed by {ascii(one.key.name)[1:-1]}, fingerprint {fingerprint(one.key)}")
    if keep is not None:
        verify.keep_note(keep, found.keep)
        click.echo(click.wrap_text(f"To do: {HELD.format(file=keep)}", 100, subsequent_indent="  "))
    return Verdict.INTACT


def one_key(trusted: str) -> VerifierKey:
    """A key, and no second one, given as it is written or by a file.

    Raises:
        Malformed: it is none, or there are several.
        OSError: the file is not to be read.
    """
    keys = keys_named((trusted,))
    if len(keys) != 1:
        raise Malformed(f"one key is wanted here, and {len(keys)} are given")
    return keys[0]


def _note(path: Path) -> str:
    """A note out of a file that has perhaps been in a letter or an editor, which end lines in their own way."""
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Malformed(f"{path} is no checkpoint") from None
