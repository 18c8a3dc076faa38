"""Every reader of records passes over those that the sealer has refused, or says here why not: complete by the source.

The bytes of a refused record stay in the table of records, and say whatever a forger liked. Whoever reads that table
asks ``not_refused``, or reads what is sealed instead; in the product, and in the functions of the database.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import text

import callcenter
from callcenter.store.database import Database

#: A statement that reads the tables of records; or their name alone, from which one is put together.
READS = re.compile(r"\b(?:FROM|JOIN)\s+(?:audit|house)_record\b|^(?:audit|house)_record$", re.MULTILINE)
#: What of the product knows of refused records.
KNOWS = {"STANDS", "HOUSE_STANDS", "stands", "WHOLE", "INSTEAD", "HOUSE_INSTEAD", "audit_refused"}
#: Calls of SQLAlchemy by which records are read; their columns go by these names.
QUERIES, COLUMNS = {"select", "exists"}, {"audit_record", "_r"}

WAITS = "reads what is not sealed yet: nothing of it is refused"
CHAIN = "reads where a stream ends, and not what is said: what follows names the refused record's own leaf"
BY_LEAF = "believes a record only by the leaf that stands in the log, which a refused one has not"
SEALED = "is of what is sealed there: that something was refused is proven, too"

#: Of the product, by file and definition.
EXEMPT: Mapping[str, str] = {
    "audit/erasing.py:_WAITS": WAITS,
    "audit/erasing.py:_WAITING": WAITS,
    "audit/sealer.py:_PRACTICE_WAITS": WAITS,
    "audit/sealer.py:_HOUSE_WAITS": WAITS,
    "audit/gaps.py:_GONE": BY_LEAF,
    "audit/key_changes.py:_CHANGES": BY_LEAF,
    "audit/letting_go.py:_NAMED": BY_LEAF,
    "audit/letting_go.py:_ERASURES": BY_LEAF,
    "audit/proving.py:_HERE": SEALED,
    "audit/proving.py:_WRITTEN": SEALED,
    "audit/proving.py:_OF_CALL": SEALED,
    "staff/records.py:_THEIRS": f"says who may have the proof of a record, which {SEALED}",
}
#: Of the database.
EXEMPT_FUNCTIONS: Mapping[str, str] = {
    "house_stream_end": CHAIN,
    "ledger_holds": "keeps a record for an incident; who forges one that is not refused keeps as much",
}


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", one) for name, one in _definitions(ast.Module(node.body, [])))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield ast.unparse(target), node


def _words(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def _names(node: ast.AST) -> set[str]:
    called = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return called | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def readers() -> Iterator[tuple[str, bool]]:
    """Where the product reads records, and whether it knows there of those that are refused."""
    root = Path(callcenter.__file__).parent
    for file in sorted(root.rglob("*.py")):
        source = file.read_text("utf-8")
        if not re.search("(audit|house)_record", source) or file.name.endswith("tables.py"):
            continue
        for name, node in _definitions(ast.parse(source)):
            words, names = "\n".join(_words(node)), _names(node)
            if READS.search(words) or (names & QUERIES and names & COLUMNS):
                yield f"{file.relative_to(root)}:{name}", bool(KNOWS & names or "audit_refused" in words)


def test_p4_every_reader_of_records_knows_of_those_that_were_refused() -> None:
    found = dict(readers())
    unaware = {where for where, knows in found.items() if not knows}
    assert unaware <= EXEMPT.keys(), "ask callcenter.audit.not_refused, or say why not"
    assert EXEMPT.keys() <= found.keys(), "what is excused is there no more"
    assert len(found) - len(unaware) > 10, "the source is no longer read as it is written"


async def test_p4_every_function_of_the_database_that_reads_records_knows_of_those_that_were_refused(
    database: Database,
) -> None:
    async with database.house() as connection:
        rows = (await connection.execute(text("SELECT proname, prosrc FROM pg_proc"))).all()
    found = {row.proname: "audit_refused" in row.prosrc for row in rows if READS.search(row.prosrc)}
    assert {name for name, knows in found.items() if not knows} == set(EXEMPT_FUNCTIONS)
    assert {"ledger_overdue", "erase_sealed", "ledger_in_force"} <= found.keys()
