"""``callcenter practice``, with the commands of other files that belong to it."""

from __future__ import annotations

from callcenter.cli import bookings, outreach, practice_settings
from callcenter.cli.practice import practice as practice

for _command in (*practice_settings.COMMANDS, *outreach.COMMANDS, bookings.bookings):
    practice.add_command(_command)
