"""The foot of every page of a paper: what it is, on the left, and « page 1 sur 3 », as wide as the text above it."""

from __future__ import annotations

from typing import Any, Final

from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

#: The frame of a page keeps so many points on each side between its margin and its text.
_INSET: Final = 6
_FONT, _SIZE = "Helvetica", 8


class FootedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Pages whose feet are drawn once it is known how many there are.

    Arguments:
        said: what stands on the left, in letters that the font has; cut off where the number of the page begins.
        margin, low: of the text from the sides, and of the foot from below, in points.
    """

    def __init__(self, *given: Any, said: str, margin: float, low: float, colour: Color, **more: Any) -> None:
        super().__init__(*given, **more)
        self.setViewerPreference("DisplayDocTitle", "true")
        self._foot = said, margin + _INSET, low, colour
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        pages = self._pages
        for number, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self._draw_foot(f"page {number} sur {len(pages)}")
            super().showPage()
        super().save()

    def _draw_foot(self, numbered: str) -> None:
        said, side, low, colour = self._foot
        width = self._pagesize[0]
        room = width - 2 * side - stringWidth(numbered, _FONT, _SIZE) - 2 * _SIZE
        self.setFont(_FONT, _SIZE)
        self.setFillColor(colour)
        self.drawString(side, low, _cut(said, room))
        self.drawRightString(width - side, low, numbered)


def _cut(said: str, room: float) -> str:
    if stringWidth(said, _FONT, _SIZE) <= room:
        return said
    while said and stringWidth(f"{said}…", _FONT, _SIZE) > room:
        said = said[:-1]
    return f"{said.rstrip()}…"
