"""The walls that the linters keep are there: code that would climb one is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUFF = Path(sys.executable).with_name("ruff")

CLIMBS = {
    "words of the gate": "from callcenter.disclosure.exits import words_of\n\nX = words_of\n",
    "a receipt turned into words": "from callcenter.disclosure.exits import release\n\nX = release\n",
    "a receipt of one's own": "from callcenter.disclosure.exits import _GRANTED\n\nX = _GRANTED\n",
    "lines behind glass": "from callcenter.disclosure.exits import lines_of\n\nX = lines_of\n",
    "a receipt turned into lines": "from callcenter.disclosure.exits import uncover\n\nX = uncover\n",
    "a field for a screen": "from callcenter.disclosure.exits import show\n\nX = show\n",
    "the value of a screen": "from callcenter.disclosure.exits import value_of\n\nX = value_of\n",
    "the same for a text": "from callcenter.calls.appointment_texts import released_words\n\nX = released_words\n",
    "an answer before its commit": "from callcenter.calls.values import committed\n\nX = committed\n",
    "a closing note": "from callcenter.calls.script_notes import notes_of\n\nX = notes_of\n",
    "a protected value": "from callcenter.kernel.protected import expose\n\nX = expose\n",
    "a protected value, from behind": "def f(x: object) -> object:\n    return x._value\n",
}


@pytest.mark.parametrize("climb", CLIMBS)
def test_p1_what_climbs_a_wall_is_refused(climb: str) -> None:
    ruff = subprocess.run(
        [RUFF, "check", "--no-cache", "--stdin-filename", "callcenter/practice/climbs.py", "-"],
        cwd=ROOT,
        input=CLIMBS[climb],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ruff.returncode == 1, ruff.stdout + ruff.stderr
    assert "TID251" in ruff.stdout or "SLF001" in ruff.stdout
