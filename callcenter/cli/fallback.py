"""``callcenter fallback``: the document of last resort, to be kept where this machine's fall does not reach it."""

from __future__ import annotations

import click

from callcenter.cli.context import Context, run
from callcenter.installation import open_data
from callcenter.practice.directory import Directory
from callcenter.settings import Settings


@click.command()
@click.argument("number")
@click.pass_obj
def fallback(context: Context, number: str) -> None:
    """Print the document of last resort of a number that we answer (E.164), as TwiML.

    For a host that does not fall with this machine: the carrier asks it when we do not answer. Print it anew when the
    practice's rescue number changes.
    """
    click.echo(run(_document(context.settings, number)))


async def _document(settings: Settings, number: str) -> str:
    from callcenter.telephony.fallback import RescueEntry, document_of_last_resort
    from callcenter.telephony.twiml import CarrierVoices

    async with open_data(settings) as data, data.database.house() as connection:
        served = await Directory.all_numbers(connection)
    entries = [RescueEntry(called, kept.rescue_number) for called, kept in served.items()]
    return document_of_last_resort(number, entries, CarrierVoices.with_french(settings.carrier.voice)).decode()
