"""The configuration: one YAML file, overridden by environment variables. Whatever is wrong names file, line and mend.

Every model here is also the reference for staff: ``docs/configuration.md`` is made from their descriptions.
"""

from callcenter.settings.reading import load_settings
from callcenter.settings.sections import ConsoleSettings, Listener, VerificationSettings
from callcenter.settings.values import PROJECT, is_loopback
from callcenter.settings.whole import ENV_PREFIX, Environment, Settings

__all__ = [
    "ENV_PREFIX",
    "PROJECT",
    "ConsoleSettings",
    "Environment",
    "Listener",
    "Settings",
    "VerificationSettings",
    "is_loopback",
    "load_settings",
]
