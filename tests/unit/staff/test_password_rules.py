"""Which passwords are taken (AU-01)."""

from __future__ import annotations

import pytest

from callcenter.staff.password_rules import LONGEST, Weakness, normalised, weakness

KNOWN = ("operatrice1", "Hélène Vasseur-Roche", "Accueil Santé Ouest", "cabinet-des-tilleuls")


@pytest.mark.parametrize(
    "password",
    [
        "Le merle du jardin 7",
        "trois tasses bleues",
        "wK7#pq2!Zr9&",
        "sept petits chiens jaunes et verts",  # a common word among others is nothing to mind
        "ééé tortue brune ùù",
        "зимний вечер долгий",
    ],
)
def test_au_01_what_is_long_and_nobodys_guess_is_taken(password: str) -> None:
    assert weakness(password, KNOWN) is None


@pytest.mark.parametrize(
    "password",
    ["", "court", "treize lettre", "wK7#pq2!Zr9", "abricotvert7z", "            ", "WK7#PQ2!ZR9&X"],
)
def test_au_01_what_is_short_is_not(password: str) -> None:
    assert weakness(password, KNOWN) is Weakness.TOO_SHORT


@pytest.mark.parametrize(
    "password",
    [
        "MotDePasse2026!",
        "azertyuiop123456",
        "Bonjour-Bonjour-1",
        "Operatrice1-2026!",
        "helene.vasseur.2026",
        "HÉLÈNE VASSEUR 75",
        "AccueilSanteOuest1!",
        "cabinet des tilleuls 1",
        "aaaaaaaaaaaaaaaaaaaa",
        "121212121212121212",
        "Telesecretariat75!",
        "Ｍｏｔｄｅｐａｓｓｅ２０２６！",  # full width: the same after NFKC
    ],
)
def test_au_01_what_others_would_guess_is_not(password: str) -> None:
    assert weakness(password, KNOWN) is Weakness.GUESSABLE


def test_what_is_endless_is_not_even_looked_at() -> None:
    assert weakness("x" * (LONGEST + 1), KNOWN) is Weakness.TOO_LONG
    assert weakness("\ufdfa" * 100, KNOWN) is Weakness.TOO_LONG  # 18 characters each once normalised
    assert normalised("a" * LONGEST) == "a" * LONGEST


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    assert normalised("Ete\u0301 a\u0300 la mer") == normalised("Eté à la mer")
