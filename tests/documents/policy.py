"""``docs/disclosure-policy.md``: who may be told what, from the policy that the gate decides by."""

from __future__ import annotations

from pathlib import Path

from callcenter.disclosure.policy import load_policy
from callcenter.kernel.documents import read_yaml

HEAD = """# Who may be told what

Made by `make docs` from `config/disclosure-policy.yaml`, version {version}: the matrix that the gate decides by and the
proof of the flows is made against. Its version and its SHA-256 stand in every disclosure record. A file that opens what
the law closes on the telephone (D10, D11, D13, D17 to D20), or D01 to D06 to somebody who is not verified, is not
loaded. To save a life a supervisor may open what stands under *emergency*, at practices that allow it (D01 to D04 and
D15 at most).

Level: V0 unknown · V1 identified (birth date and telephone on file: opens nothing) · V2 verified (V1 and a code sent to
a telephone on file) · V3 strongly verified · **never**. SMS: *open* to anybody; *push*, only unasked and to a contact
on file; *never*.

Whatever the level, nothing is said about a patient who is under 18, deceased, a homonym, of doubtful or fictitious
identity or of restricted contact, nor about any appointment of a patient who has one to come with a sensitive
practitioner; where a practice has a sensitive practitioner, no practitioner's name is said at all, so that silence
tells nothing. Flags only lower.

Emergency: where a life is in danger and nobody can be verified, a supervisor may open these one by one, if the practice
has that switched on (« bris de glace », [decision 53](decisions/0053-glass-is-broken-on-record-and-reviewed.md)). What
is withheld above is withheld then too, and a file that opens more than D01 to D04 and D15 so is not loaded.
"""


def policy_page(path: Path) -> str:
    """The page, in Markdown."""
    policy, document = load_policy(path), read_yaml(path)
    rows = [_row(code, row) for code, row in document.data["categories"].items()]
    head = HEAD.format(version=policy.version)
    return "\n".join(
        [
            head,
            "| code | catégorie | téléphone | opérateur | SMS | urgence | note |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(code: str, row: dict[str, object]) -> str:
    levels, sms = (_level(row["voice"]), _level(row["console"])), f"*{row['sms']}*"
    cells = (code, row["name"], *levels, sms, "*open*" if row.get("emergency") else "", row.get("note", ""))
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _level(value: object) -> str:
    return f"V{value}" if isinstance(value, int) else "**never**"
