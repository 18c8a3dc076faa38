"""The example of the page on the ledger's format: made here, written by hand, and one that a verifier finds intact."""

from __future__ import annotations

from pathlib import Path

from callcenter.audit.verify import Verdict, keys_of, verify_export
from tests.documents.test_documents import fresh
from tests.unit.audit.log_by_hand import OLD, LogByHand, vkey

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ledger-format.md"
BEGIN, END = "<!-- made by make docs: the example -->\n", "<!-- end -->\n"


def example() -> str:
    """A log of four records, one of them erased."""
    log = LogByHand()
    stream = log.stream()
    log.add(stream, "call.started")
    log.sign()
    log.add(stream)
    log.add(stream, "call.ended")
    log.erase(1)
    log.sign()
    export, (_, held) = b"".join(log.lines()).decode(), log.notes[0]
    return (
        f"```\n{vkey(OLD)}\n```\n\nThe file:\n\n```json\n{export}```\n\n"
        f"And a checkpoint that somebody holds since its first record:\n\n```\n{held}```\n"
    )


def test_the_example_of_the_page_is_made() -> None:
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    fresh(PAGE, f"{head}{BEGIN}{example()}{END}{tail}")


def test_the_example_of_the_page_is_what_it_says() -> None:
    _, key, _, export, _, held, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].split("```")
    lines = export.removeprefix("json\n").encode().splitlines(keepends=True)
    report = verify_export(lines, keys_of(key), held.removeprefix("\n"))
    assert (report.verdict, report.records, report.erased, report.since) == (Verdict.INTACT, 4, 1, 1)
