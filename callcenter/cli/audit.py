"""``callcenter audit``: looking at the ledger."""

from __future__ import annotations

import click

from callcenter.cli.filed import Filed

#: Which file has which command, and under what name.
_FILES = {
    **{name: (f"audit_{name}", f"audit_{name}") for name in ("anchor", "continuation", "cosign", "erase", "export")},
    **{name: (f"audit_{name}", f"audit_{name}") for name in ("key", "prove", "refused", "show", "verify")},
    "fhir": ("fhir", "fhir"),
    "reconcile": ("reconcile", "reconcile"),
    "settle": ("reconcile", "settle_finding"),
}


@click.group(cls=Filed, files=_FILES)
def audit() -> None:
    """The ledger: who was told what."""
