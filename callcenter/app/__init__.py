"""The roof: puts the house together from its settings, starts it, and takes it down in order.

The commands know the names below: what stands in the modules is the roof's alone.
"""

from callcenter.app.configured import carrier_settings, limits_of, mailer_of
from callcenter.app.faces import CannotListen
from callcenter.app.server import Running, run_server

__all__ = ["CannotListen", "Running", "carrier_settings", "limits_of", "mailer_of", "run_server"]
