"""A thousand practices are three commands: a line for each, a summary, and an exit code that says whether all went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import Result

from callcenter.store.schema import APP
from tests.acceptance.test_commands import Run, refused, run
from tests.conftest import Cluster

__all__ = ["run"]  # a fixture


Command = Callable[..., Awaitable[Result]]


@pytest.fixture
def command(run: Run, cluster: Cluster, database_name: str, keys_file: Path) -> Command:
    """A command on a database without any practice."""
    url = cluster.server.url(user=APP, database=database_name, driver="postgresql")
    environment = {"DATABASE_URL": url, "CALLCENTER_KEYS_FILE": str(keys_file)}

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(run, *arguments, **environment)

    return invoke


async def test_practices_are_invented_enrolled_and_imported_and_what_is_refused_shows_in_the_exit_code(
    command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "invented"
    amounts = ("--practices", "3", "--patients", "30", "--appointments", "60")
    told = await command("demo", "generate", *amounts, "--to", str(folder))
    assert told.exit_code == 0
    assert f"callcenter practice enrol {folder}/practices --organisation NAME" in told.stdout
    assert f"callcenter practice import --folder {folder}/files" in told.stdout
    (folder / "practices" / "cabinet-invente-0002.yaml").write_text("slug: cabinet-invente-0002\n")

    enrolled = await command("practice", "enrol", str(folder / "practices"), "--organisation", "Télésecrétariat")
    assert enrolled.exit_code == 1
    assert "3 descriptions: 2 enrolled, 0 changed, 1 refused" in enrolled.stdout
    assert "cabinet-invente-0002.yaml: nothing of it was enrolled" in enrolled.stderr
    assert "cabinet-invente-0003 enrolled: answers at +33353010003" in enrolled.stderr

    imported = await command("practice", "import", "--folder", str(folder / "files"))
    assert imported.exit_code == 1
    assert "2 of 3 practices imported: 20 patients" in imported.stdout
    assert "[3/3] cabinet-invente-0003: 10 patients" in imported.stderr
    assert "there is no practice « cabinet-invente-0002 »" in imported.stderr

    rest = await command("practice", "import", "--folder", str(folder / "files"), "--from", "cabinet-invente-0003")
    assert rest.exit_code == 0
    assert "1 of 1 practices imported" in rest.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("practice", "import"), "write FILE --practice NAME --kind KIND, or --folder FOLDER"),
        (("practice", "import", "x.csv", "--folder", "y"), "name one file, or a folder"),
        (("practice", "import", "--folder", "y", "--dry-run"), "--folder takes --complete and --from alone"),
        (("practice", "enrol", "a", "b", "--organisation", "x", "--no-longer-sensitive", "y"), "give it with one file"),
        (("demo", "generate", "--practices", "10000", "--to", "z"), "write 1 to 9,999 practices"),
        (("demo", "--reset", "generate", "--to", "z"), "--reset goes with no other command"),
    ],
)
def test_what_cannot_go_together_is_told_with_the_mend(run: Run, words: tuple[str, ...], told: str) -> None:
    refused(run(*words), told)
