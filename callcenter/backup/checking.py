"""Whether a backup is whole, opens, and holds the keys of its own database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.backup.folders import check_files, manifest_of
from callcenter.backup.locks import Opener, WrongOpener
from callcenter.backup.manifest import DATABASE, Manifest, NotABackup
from callcenter.backup.programs import fed, for_reading
from callcenter.backup.sealed_files import KEY_BYTES, opened_chunks
from callcenter.kernel.errors import Forbidden, IntegrityError
from callcenter.store.keys import Keyring, keys_in

#: The one key file without which a backup is of no use.
_KEYS = "keys.json"
_READ_BYTES = 1024 * 1024
#: A key file has a few hundred bytes.
_LARGEST_KEYS = 1024 * 1024


class OtherKeys(IntegrityError):
    """The keys in this backup are not those that its database was filled with: take another backup."""


class NotOpened(Forbidden):
    """This backup is locked: name its recovery key, or type its passphrase."""


class NotLocked(WrongOpener):
    """This backup is in clear, and nobody has said that it would be: somebody else may have put it there."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup whose files are as they were written, and whose key is known.

    Arguments:
        key: of the backup; ``None`` where nothing is sealed.
    """

    folder: Path
    manifest: Manifest
    key: bytes | None

    def content(self, name: str) -> Iterator[bytes]:
        """What a file of it holds, in pieces.

        Raises:
            SealedFileDamaged: it does not open.
        """
        with (self.folder / self.manifest.stored_as(name)).open("rb") as file:
            if self.key is None:
                yield from iter(lambda: file.read(_READ_BYTES), b"")
            else:
                yield from opened_chunks(file, self.key, name)

    def key_files(self) -> Mapping[str, bytes]:
        """The key files in it, by name."""
        return {name: b"".join(self.content(name)) for name in self.manifest.keys}

    def keyring(self) -> Keyring:
        """The keys of sealed fields, as a server would read them.

        Raises:
            OtherKeys: they are not the database's.
        """
        content = self.key_files().get(_KEYS, b"")
        keyring = keys_in(content.decode(errors="replace"), self.folder / _KEYS)
        if dict(keyring.marks()) != dict(self.manifest.key_marks):
            raise OtherKeys
        return keyring


def open_backup(folder: Path, opener: Opener | None, *, in_clear: bool = False) -> Backup:
    """Look at a backup: its files are as they were written, its manifest too, and its key opens.

    What a manifest says of its own lock is not believed: it may stand in the place of one that was locked (T86).

    Arguments:
        in_clear: one that is not locked is expected.

    Raises:
        NotLocked: it is in clear, and there is something to open it with, or nobody has said that it would be.
        NotABackup: it is none, or not a whole one.
        SealedFileDamaged: a file is not as it was written.
        NotOpened: it is locked, and there is nothing to open it with.
        WrongOpener: it was locked with something else.
        ManifestChanged: its manifest is not as it was written.
    """
    manifest = manifest_of(folder)
    needed = {manifest.stored_as(name) for name in (DATABASE, *manifest.keys)}
    if _KEYS not in manifest.keys or set(manifest.files) != needed:
        raise NotABackup(f"{folder} lacks the database or its keys: take another backup")
    if any(manifest.files[manifest.stored_as(name)].size > _LARGEST_KEYS for name in manifest.keys):
        raise NotABackup(f"{folder} has a key file that is too large to be one")
    check_files(folder, manifest)
    if manifest.in_clear:
        require_expected(opener, in_clear)
        return Backup(folder, manifest, None)
    if opener is None:
        raise NotOpened
    key = opener.open(manifest.lock)
    if len(key) != KEY_BYTES:
        raise WrongOpener
    manifest.check_mark(key)
    return Backup(folder, manifest, key)


def require_expected(opener: Opener | None, in_clear: bool) -> None:
    """Refuse what is in clear unless that is what somebody has asked for.

    Raises:
        NotLocked: nobody has.
    """
    if opener is not None or not in_clear:
        raise NotLocked(
            "this backup is not locked: whoever could write on the medium may have put it there. If it was made in "
            "clear, say so with --in-clear and nothing to open it with; else take another backup"
        )


async def read_through(backup: Backup, say: Callable[[str], None]) -> None:
    """Open every key and read the whole dump as a restore would, without a database.

    Raises:
        OtherKeys: the keys are not the database's.
        SealedFileDamaged: a file does not open.
        ProgramFailed: the dump is none that can be restored.
    """
    backup.keyring()
    program = for_reading(backup.manifest.dump_by)
    read = 0

    def content() -> Iterator[bytes]:
        nonlocal read
        for piece in backup.content(DATABASE):
            read += len(piece)
            say(f"database: {read // 1024:,} KiB read")
            yield piece

    await fed(program, ["--file=/dev/null"], None, content(), lambda _: None)


def summary(manifest: Manifest) -> str:
    """A backup in a few lines, for whoever looks at it."""
    locked = {"passphrase": "locked with a passphrase", "recovery": "locked with a recovery key"}
    lock = locked.get(str(manifest.lock.get("kind")), "NOT LOCKED: whoever has this folder has everything")
    lines = [
        f"made {manifest.made_at:%Y-%m-%d %H:%M:%S %Z} by callcenter {manifest.version}, schema {manifest.revision}",
        f"{manifest.all_rows:,} rows in {len(manifest.rows)} tables; for PostgreSQL {manifest.oldest_server} or newer",
        f"keys: {', '.join(manifest.keys)}; {lock}",
    ]
    if manifest.heads:
        lines.append(
            f"last checkpoints of {len(manifest.heads)} logs, {sum(one.size for one in manifest.heads):,} records"
        )
    return "\n".join(lines)
