"""Extracts before Jeanne's practice: who prepares, who decides, and what is read of the file that leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from callcenter.app.by_extracts import StaffExtracts
from callcenter.console.extract_ports import Given, NotNow, Wanted
from callcenter.console.review_ports import Matches
from callcenter.reports.extract_rules import Choice, Form
from callcenter.reports.extract_tables import Asks, IdentityCheck
from callcenter.reports.register_extract import Named
from callcenter.staff.values import Role
from tests.attack.reviewing import BORN, DAY, Review, looked_up
from tests.attack.scene import TILLEULS
from tests.sealing import Behind

JEANNE_NAMED = Named("Martin-Duval", "Jeanne", BORN)
WHY = "Elle le demande pour une plainte."


@dataclass(slots=True)
class Extracting:
    """The review, with extracts.

    Arguments:
        doctor: token of a practitioner of the practice.
    """

    review: Review
    extracts: StaffExtracts
    doctor: str

    @classmethod
    async def on(cls, review: Review) -> Extracting:
        (whole,) = [one for _, one, _ in await review.room.portfolios.all() if one.name == "Tout"]
        doctor = await review.staff("doctor", whole, Role.PRACTITIONER, "Docteur Blanc")
        return cls(review, StaffExtracts(review.reviews), doctor)

    async def key(self, born: date = BORN) -> str:
        """By what somebody is prepared for, who was looked up."""
        found = await self.review.reviews.look_up(self.review.ours, looked_up(born=born))
        assert isinstance(found, Matches)
        return found.matches[0].key

    async def wanted(self, **more: object) -> Wanted:
        """What the supervisor sends for Jeanne, who came in person."""
        key = str(more.pop("patient", "")) or await self.key()
        wanted = Wanted(TILLEULS, key, Asks.PATIENT, IdentityCheck.IN_PERSON, "", DAY, DAY, JEANNE_NAMED)
        return replace(wanted, **more)  # type: ignore[arg-type]

    async def prepared(self, **more: object) -> UUID:
        came = await self.extracts.prepare(self.review.ours, await self.wanted(**more))
        assert isinstance(came, UUID), came
        return came

    def behind(self) -> Extracting:
        """The same, while the ledger is not sealed in time."""
        reviews = replace(self.review.reviews, ledger=Behind())
        return replace(self, extracts=replace(self.extracts, reviews=reviews))

    async def given(self, extract: UUID, form: Form = Form.PDF, **more: object) -> Given:
        came = await self.extracts.release(self.doctor, extract, Choice(form, **more))  # type: ignore[arg-type]
        assert not isinstance(came, NotNow), came
        return came


#: What a page shows: the operands of text, and where the next line begins.
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj|(T\*|Td|Tm)")
_OCTAL = re.compile(rb"\\([0-7]{3})|\\(.)", re.DOTALL)


def words_on(paper: bytes) -> str:
    """The words of a PDF of ours as they are read, lines put together."""
    lines: list[str] = [""]
    for shown, moved in _SHOWN.findall(paper):
        if moved:
            lines.append("")
        else:
            one = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]) if found[1] else found[2], shown)
            lines[-1] += one.decode("cp1252")
    return " ".join(" ".join(lines).split())
