"""All settings of one installation, and what production refuses of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from callcenter.settings.sections import (
    BoardSettings,
    CarrierSettings,
    ConsoleSettings,
    DatabaseSettings,
    FlowSettings,
    HostingSettings,
    LedgerSettings,
    Listener,
    LogSettings,
    MailSettings,
    RetentionSettings,
    SoftphoneSettings,
    VerificationSettings,
)
from callcenter.settings.values import ProjectPath, WebAddress, is_loopback, wrong

ENV_PREFIX = "CALLCENTER_"


class Environment(StrEnum):
    """Where the installation stands."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    environment: Environment = Field(description="demo, test or production.")
    public_base_url: WebAddress = Field(
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="How the carrier reaches our webhooks, as it is configured there: signatures are checked on it.",
    )
    webhooks: Listener = Field(Listener(port=8080), description="Signed webhooks and audio, behind your TLS proxy.")
    private: Listener = Field(Listener(port=9090), description="Health and metrics. Never reachable from outside.")
    console: ConsoleSettings = Field(default_factory=lambda: ConsoleSettings(), description="The pages of staff.")
    board: BoardSettings = Field(default_factory=lambda: BoardSettings(), description="Targets of the live board.")
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings())
    keys_file: ProjectPath | None = Field(
        None,
        description="Keys of sealed fields; readable by its owner alone. Empty: beside the embedded PostgreSQL.",
    )
    sealer_key_file: ProjectPath | None = Field(
        None,
        description="Key that signs the ledger, read where it is sealed and nowhere else. Empty: sealer.key beside "
        "keys_file.",
    )
    carrier: CarrierSettings = Field(description="The carrier's account.")
    softphone: SoftphoneSettings | None = Field(None, description="By which operators answer in their browser.")
    flows: FlowSettings = Field(default_factory=lambda: FlowSettings())
    verification: VerificationSettings = Field(default_factory=lambda: VerificationSettings())
    retention: RetentionSettings = Field(default_factory=lambda: RetentionSettings())
    ledger: LedgerSettings = Field(default_factory=lambda: LedgerSettings())
    mail: MailSettings | None = Field(None, description="By which notices leave as e-mail.")
    voice_rate: int = Field(145, ge=80, le=260, description="Words a minute of the local voice.")
    captions: bool = Field(
        False, description="Give the words of local audio on the private port; refused in production."
    )
    hosting: HostingSettings | None = Field(None, description="Required in production.")
    log: LogSettings = Field(default_factory=lambda: LogSettings())

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            unfit = [
                InitErrorDetails(type=wrong(what, mend), loc=path, input=None)
                for path, what, mend in _unfit_for_production(self)
            ]
            if unfit:
                raise ValidationError.from_exception_data(type(self).__name__, unfit, hide_input=True)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # the environment overrides the file


_Rule = tuple[tuple[str, ...], str, str]

_TOKEN = re.compile(r"[0-9a-f]{32}")
#: What config/production.example.yaml says until its reader has said who they are.
_NOBODYS_ACCOUNT, _NOBODYS_CERTIFICATE = "AC" + "0" * 32, "Hébergeur à nommer"


def _unfit_for_production(settings: Settings) -> Iterator[_Rule]:
    """What production refuses to start with: the setting, what is wrong with it, what to do."""
    yield from _unfit_installation(settings)
    yield from _unfit_carrier(settings.carrier)
    if settings.softphone is not None and settings.softphone.kind == "emulator":
        yield ("softphone", "kind"), "is the demo's emulator", "leave it out for Twilio"
    hosting, today = settings.hosting, datetime.now(UTC).date()
    if hosting is None:
        yield ("hosting",), "is missing (HD-01)", "describe the host's HDS certificate, or write {self_hosted: true}"
    elif not hosting.self_hosted and hosting.holder == _NOBODYS_CERTIFICATE:
        mend = "write who hosts this, and the activities and the last day of their certificate"
        yield ("hosting", "holder"), "is nobody's certificate", mend
    elif not hosting.self_hosted and hosting.expiry is not None and hosting.expiry < today:
        yield ("hosting", "expiry"), "has passed: the host is not certified any more", "ask for the new certificate"


def _unfit_installation(settings: Settings) -> Iterator[_Rule]:
    if settings.captions:
        yield ("captions",), "gives away what patients are told", "write captions: false"
    if not settings.public_base_url.startswith("https://"):
        yield (
            ("public_base_url",),
            "does not begin with https://",
            "put a TLS proxy before callcenter, and name it here",
        )
    if not settings.console.public_url.startswith("https://") and not is_loopback(settings.console.public_url):
        what = "is not encrypted: passwords would be read on the way, and passkeys do not work"
        yield ("console", "public_url"), what, "put a TLS proxy before the console, and write https://…"
    if settings.database.url is None:
        yield ("database", "url"), "is missing, and the embedded PostgreSQL is for play", "set DATABASE_URL"
    mail = settings.mail
    if mail is not None and mail.security == "none" and not is_loopback(f"smtp://{mail.host}"):
        yield ("mail", "security"), "is none, and the server is not on this machine", "write starttls, or tls"
    if settings.keys_file is None:
        yield ("keys_file",), "is missing", "make one with « callcenter keys create PATH », and name it here"


def _unfit_carrier(carrier: CarrierSettings) -> Iterator[_Rule]:
    if carrier.account_sid == _NOBODYS_ACCOUNT:
        yield ("carrier", "account_sid"), "is nobody's account", "write your own"
    if not all(_TOKEN.fullmatch(token.get_secret_value()) for token in carrier.auth_tokens):
        mend = "copy it from the carrier's console; a token that others know lets them sign webhooks"
        yield ("carrier", "auth_tokens"), "has one that is not 32 hexadecimal digits", mend
    base = carrier.base_url
    if base is not None and (not base.startswith("https://") or is_loopback(base)):
        what = "is not encrypted, or is on this machine, as an emulator is"
        yield ("carrier", "base_url"), what, "leave it out for Twilio; for another carrier write https://…"
    if re.match(r"\+33[67]", carrier.sms_sender):
        what = "begins with 06 or 07, which are not for automated messages (OU-05)"
        yield ("carrier", "sms_sender"), what, "write another number, a name, or a messaging service MG…"
