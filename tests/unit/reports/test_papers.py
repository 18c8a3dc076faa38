"""What stands on papers besides their words: numbered pages, a foot within the text, what a file says of itself."""

from __future__ import annotations

import re
from dataclasses import replace

from callcenter.reports.feet import _cut
from callcenter.reports.paper import Edition
from callcenter.reports.paper import on_paper as call_on_paper
from callcenter.reports.register_notes import in_short
from callcenter.reports.register_paper import on_paper
from callcenter.reports.values import Words
from tests.attack.extracting import words_on
from tests.unit.console.extracts import MADE
from tests.unit.console.reviews import BEGAN, TIMELINE

NAME = "Cabinet du docteur Martin et de la Maison de santé pluriprofessionnelle du Port et des environs de Brest"
PAPER = on_paper(replace(MADE, lines=MADE.lines * 12, practice=replace(MADE.practice, name=NAME)))


def test_every_page_says_which_it_is_of_how_many() -> None:
    numbered = re.findall(rb"page (\d+) sur (\d+)", PAPER)
    assert [int(at) for at, _ in numbered] == list(range(1, len(numbered) + 1))
    assert {int(all_) for _, all_ in numbered} == {len(numbered)}
    assert len(numbered) > 2


def test_a_foot_is_as_wide_as_the_text_and_runs_into_no_number() -> None:
    sides = {float(side) for side in re.findall(rb"1 0 0 1 ([\d.]+) [\d.]+ Tm \(Extrait 0", PAPER)}
    assert len(sides) == 1
    assert "…" in words_on(PAPER)
    assert (_cut("court", 100.0), _cut("un pied trop long", 30.0)) == ("court", "un pie…")


def test_a_file_says_what_it_is_and_names_nobody() -> None:
    said = PAPER.split(b"/Author", 1)[1].split(b">>", 1)[0]
    assert b"/Title (Extrait du registre des communications)" in said
    assert b"/Lang (fr-FR)" in PAPER
    for name in (b"Martin", b"Cabinet", b"Jeanne"):
        assert name not in said


def test_a_number_is_not_parted_from_what_it_counts() -> None:
    assert "1\u00a0communication," in next(iter(in_short(MADE)))


def test_a_call_on_paper_is_set_as_french_is_and_what_was_said_in_another_language_is_not() -> None:
    asked = " ".join(f"{'a' * letters} ? : » !" for letters in range(1, 60))
    heard = (Words("menu", f"C'est « {asked} »"), Words("menu", "It's time", "en"))
    moments = (replace(TIMELINE.moments[0], words=heard),)
    paper = call_on_paper(replace(TIMELINE, moments=moments), Edition("Claire", BEGAN, "Cabinet"))
    lines = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", paper)
    assert len(lines) > 20
    # As a PDF writes WinAnsi: 222 is the apostrophe, 253 and 273 are the guillemets.
    assert [line for line in lines if re.match(rb"[?!:]|\\273", line) or re.search(rb"\\253$", line)] == []
    assert rb"\253 C\222est" in paper
    assert rb"(\253 It's time \273)" in paper
