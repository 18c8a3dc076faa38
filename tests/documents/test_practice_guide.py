"""``docs/practice-guide.md`` tells a practice what its callers meet: the menu and the commands that there are."""

from __future__ import annotations

import re

import click

from callcenter.cli import main
from callcenter.kernel.documents import read_yaml
from callcenter.practice.changing import LONGEST_PASSING
from callcenter.practice.practice_form import LONGEST_MESSAGE_OF_THE_DAY
from callcenter.settings import PROJECT

GUIDE = (PROJECT / "docs" / "practice-guide.md").read_text(encoding="utf-8")


def test_the_guide_has_every_key_of_the_menu_and_no_other() -> None:
    keys = read_yaml(PROJECT / "flows" / "accueil.yaml").data["steps"]["menu"]["keys"]
    rows = GUIDE.split("| touche | ce que l'appelant obtient |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    assert sorted(row[2] for row in rows) == sorted(keys)


def test_the_commands_of_the_guide_are_there() -> None:
    named = re.findall(r"`callcenter ((?:[a-z]+ )+)", GUIDE)
    assert named
    for words in named:
        command: click.Command | None = main
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(click.Context(command), word)
        assert command is not None, words


def test_the_guide_gives_the_bounds_of_the_message_of_the_day() -> None:
    assert (LONGEST_MESSAGE_OF_THE_DAY, LONGEST_PASSING.days) == (300, 14), "then the guide says other words"
    assert "Trois cents caractères au plus, toujours avec une heure de fin, quatorze jours\nau plus" in GUIDE
