"""What whoever has restored a backup is told: what was done, and what no program can know."""

from __future__ import annotations

from callcenter.backup.manifest import Manifest
from callcenter.backup.restoring import Restored


def told(manifest: Manifest, restored: Restored) -> str:
    """What was restored, put aside and erased, and what is to be done by hand."""
    since = f"{manifest.made_at:%Y-%m-%d %H:%M %Z}"
    aside, erased = restored.aside, {what: gone for what, gone in restored.erased.items() if gone}
    jobs = ", ".join(f"{task} {count}" for task, count in aside.jobs.items()) or "none"
    gone = ", ".join(f"{what} {count}" for what, count in erased.items()) or "nothing"
    lines = [
        f"restored as it was at {since}: {manifest.all_rows:,} rows, {len(restored.keys)} key files written",
        f"put aside, and never sent: jobs ({jobs}), {aside.notices} notices, {restored.reminders} reminders",
        f"ended: {aside.sessions} sessions of staff, {aside.invitations} invitations",
        f"erased again, because its time is over: {gone}",
        "",
        f"Whatever was done after {since} is not in this database. Before you serve:",
        "  - import contacts and appointments anew, with --complete: those that were removed are back;",
        "  - erase once more whose erasure was asked for since, as your register says;",
        "  - set once more what practices have set since;",
        "  - lock and close once more the accounts that were (callcenter staff list);",
        "  - change the ledger's key once more, if it was changed since (callcenter audit key rotate --copy FILE);",
        "  - look after those who left a message or booked since: neither is here any more.",
        "Then serve, and only then: callcenter doctor. What the restore has put on record waits for a server to seal "
        "it, and until then doctor finds that the ledger is not sealed in time.",
    ]
    if manifest.heads:
        lines.append(
            "Whoever holds a later checkpoint of the ledger will find the log shorter than it, or, once it has grown "
            "again, another checkpoint of the same size: tell them to keep both. The record installation.restored in "
            "the log of the house says why."
        )
    return "\n".join(lines)
