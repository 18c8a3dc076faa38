"""A patient asks who was told about her: from her call to the paper that her practice hands her."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect
from sqlalchemy import text

from tests.acceptance.on_the_line import calling
from tests.acceptance.stage import Stage
from tests.attack.extracting import words_on
from tests.browser.barriers import ENDS, without_barriers
from tests.browser.test_console_login import first_step, make_staff, second_step
from tests.browser.test_console_pages import looking
from tests.integration.breaking import TILLEULS

RELEASED = (
    "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM audit_record WHERE event = 'extract.released' ORDER BY at"
)


async def prepared(page: Page, stage: Stage) -> None:
    """The supervisor finds her, and says who asks."""
    await first_step(page, stage, "superviseur")
    await second_step(page, stage, "superviseur")
    await page.get_by_role("link", name="Suivi").click()
    await page.get_by_label("Cabinet", exact=True).first.select_option(label="Cabinet des Tilleuls")
    await page.get_by_role("button", name="Chercher").click()
    await page.get_by_text("Rechercher un patient").first.click()
    await page.get_by_label("Date de naissance").fill("1962-03-14")
    await page.get_by_label("Pourquoi").select_option("request")
    await page.get_by_label("Motif").fill("Elle l’a demandé au comptoir")
    await page.get_by_role("button", name="Rechercher, et l’inscrire au registre").click()
    await page.get_by_role("button", name="Préparer un extrait").click()
    await without_barriers(page, "/extraits/nouveau", ENDS)
    await page.get_by_label("Qui demande").select_option("patient")
    await page.get_by_label("Comment l’identité a été contrôlée").select_option("in_person")
    await page.get_by_label("Date de naissance").fill("1962-03-14")
    await page.get_by_label("Nom, de naissance ou utilisé, en entier").fill("Martin")
    await page.get_by_label("Prénom", exact=True).fill("Jeanne")
    await page.get_by_role("button", name="Préparer, et l’inscrire au registre").click()
    await expect(page.get_by_role("alert")).to_contain_text("c’est peut-être quelqu’un d’autre")
    await without_barriers(page, "/extraits", ENDS)
    await page.get_by_label("Nom, de naissance ou utilisé, en entier").fill("Martin Duval")
    await page.get_by_role("button", name="Préparer, et l’inscrire au registre").click()
    await expect(page.get_by_role("heading", name="Ce qui sera remis")).to_be_visible()
    await expect(page.get_by_text("Un praticien du cabinet le lit et le remet.")).to_be_visible()
    await expect(page.get_by_role("button", name="Remettre en PDF")).to_have_count(0)


async def taken(page: Page, button: str) -> bytes:
    async with page.expect_download() as download:
        await page.get_by_role("button", name=button).click()
    path: Path = await (await download.value).path()
    return path.read_bytes()


async def records(stage: Stage) -> list[dict[str, Any]]:
    async with stage.running.database.practice(TILLEULS) as tx:
        return [row.body for row in (await tx.connection.execute(text(RELEASED))).all()]


async def test_p1_a_patient_asks_who_was_told_about_her_and_is_given_a_paper(browser: Browser, stage: Stage) -> None:
    await make_staff(stage)
    async with calling(stage) as line:
        await line.verify()
        await line.press("1")
        call, _ = await line.identity()
    async with looking(browser) as page:
        await prepared(page, stage)
    async with looking(browser) as page:
        await first_step(page, stage, "praticien")
        await second_step(page, stage, "praticien")
        await page.get_by_role("link", name="Extraits").click()
        await without_barriers(page, "/extraits")
        await page.get_by_role("link", name="Lire et décider").click()
        await without_barriers(page, "/extraits/{extract}")
        await expect(page.get_by_text("Jeanne Martin Duval")).to_be_visible()
        await expect(page.get_by_text("Dit au téléphone").first).to_be_visible()
        paper = await taken(page, "Remettre en PDF")
        await expect(page.get_by_role("heading", name="Ce qui a été remis")).to_be_visible()
        await expect(page.get_by_text(sha256(paper).hexdigest())).to_be_visible()
        await expect(page.get_by_role("button", name="Remettre en PDF")).to_have_count(0)
        await without_barriers(page, "/extraits/{extract}")
        await page.get_by_role("link", name="Relire, pour remettre de nouveau").click()
        told = json.loads(await taken(page, "Remettre en JSON"))
    words = words_on(paper)
    for said in (
        "Extrait du registre des communications",
        "Jeanne Martin Duval, date de naissance : 14 mars 1962",
        "en personne, sur présentation d’une pièce d’identité",
        "Dit au téléphone Sur : le fait qu’un rendez-vous est prévu",
        "À qui : vous-même, d’après ce qui a été prouvé.",
        "code reçu par SMS",
        f"référence {call}",
        "Consultations du registre",
        "CNIL, 3 place de Fontenoy",
    ):
        assert said in words, said
    for hidden in ("06 39 98", "+3363998", "Superviseur", "Claire Moreau"):
        assert hidden not in words, hidden
    first, second = await records(stage)
    assert (first["form"], first["digest"]) == ("pdf", sha256(paper).hexdigest())
    assert (second["form"], first["categories"], first["staff"]) == ("json", ["D17"], "unnamed")
    async with stage.running.database.practice(TILLEULS) as tx:
        query = text("SELECT id FROM audit_record WHERE practice_id = :practice")
        known = set(map(str, (await tx.connection.execute(query, {"practice": TILLEULS})).scalars()))
    assert {line["record"] for line in told["lines"]} <= known, "each line of the paper has its record"
    titles = [line["title"] for line in told["lines"]]
    assert "Remise d’un extrait du registre" in titles, "the paper before"
