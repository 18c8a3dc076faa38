"""Whatever the doctor looks at has a French name on the page that shows the health of the installation."""

from __future__ import annotations

import re
from pathlib import Path

from callcenter import console, doctor, doctor_carrier

TEMPLATE = Path(console.__file__).parent / "templates" / "administration_health.html"


def test_every_subject_of_the_doctor_has_a_name_on_the_page() -> None:
    source = Path(doctor.__file__).read_text("utf-8")
    looked_at = set(re.findall(r'(?:_look\(|^ +)"([a-z\x27 ]+)"(?:, |: )lambda: ', source, re.MULTILINE))
    assert len(looked_at) == source.count("lambda: ") - source.count("lambda: asyncio"), "the search finds them all"
    named = re.findall(r'"([^"]+)": _\(', TEMPLATE.read_text("utf-8"))
    assert sorted(named) == sorted(looked_at)


def test_the_page_that_the_doctor_sends_to_is_called_so() -> None:
    named = re.findall("« (.+?) »", Path(doctor_carrier.__file__).read_text("utf-8"))
    assert named
    assert [name for name in named if f"%}}{name}{{%" not in TEMPLATE.read_text("utf-8")] == []
