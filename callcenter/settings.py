"""The configuration: one YAML file, overridden by environment variables. Whatever is wrong names file, line and mend.

Every model here is also the reference for staff: ``docs/configuration.md`` is made from the descriptions below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.errors import ConfigurationError, DataProblems, Problem

ENV_PREFIX = "CALLCENTER_"


class Environment(StrEnum):
    """Where the installation stands."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Port = Annotated[int, Field(ge=0, le=65535)]


class Listener(_Section):
    """One address on which callcenter listens."""

    host: str = Field("127.0.0.1", description="Address of this machine on which to listen.")
    port: _Port = Field(description="TCP port; 0 takes any free one (tests).")


class DatabaseSettings(_Section):
    """PostgreSQL 15 or newer. Without `url`, callcenter starts a PostgreSQL 18 of its own."""

    url: SecretStr | None = Field(
        None,
        description="postgresql://… of a login that is a member of callcenter_app and nothing more. "
        "DATABASE_URL overrides it. Empty: the embedded PostgreSQL.",
    )
    owner_url: SecretStr | None = Field(
        None, description="postgresql://… of a login that may create tables and roles: for migrations and doctor only."
    )
    folder: Path | None = Field(
        None, description="Where the embedded PostgreSQL keeps its data, by default near the project."
    )
    pool: int = Field(10, ge=2, le=200, description="Connections for webhook steps, per process.")
    attempts_pool: int = Field(3, ge=1, le=50, description="Connections for counting code attempts, per process.")


class CarrierSettings(_Section):
    """The carrier: Twilio, or anything that speaks its webhooks and REST API."""

    account_sid: str = Field(pattern=r"^AC[0-9a-f]{32}$", description="Account of the carrier.")
    auth_tokens: tuple[SecretStr, ...] = Field(
        min_length=1,
        max_length=4,
        description="Tokens that sign webhooks; the first one also authenticates our REST calls. Keep the old one "
        "beside the new one while you rotate.",
    )
    base_url: str | None = Field(None, description="Of the REST API, for an emulator or another carrier.")
    region: str | None = Field("ie1", description="Carrier region (Ireland by default), ignored with base_url.")
    edge: str | None = Field("dublin", description="Carrier edge, ignored with base_url.")
    sms_sender: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="Number that our text messages come from.")
    voice: str = Field(
        "Polly.Lea-Neural", min_length=1, description="The carrier's voice for public words, as it names it."
    )


class FlowSettings(_Section):
    """What callers meet."""

    folder: Path = Field(Path("flows"), description="Flows, one YAML file each.")
    entry: str = Field("accueil", description="The flow that an incoming call begins in.")
    prompts: Path = Field(Path("flows/prompts/fr.yaml"), description="The prompts of all flows.")
    policy: Path = Field(Path("config/disclosure-policy.yaml"), description="At which level each category opens.")


class VerificationSettings(_Section):
    """Bounds of verification by code (OB-02, OB-03, OB-07)."""

    code_minutes: int = Field(10, ge=1, le=10, description="How long a code is good for, in minutes.")
    tries: int = Field(3, ge=1, le=3, description="Attempts on one code.")
    codes_per_call: int = Field(3, ge=1, le=3, description="Codes that one call may ask for.")
    wrong_per_patient: int = Field(5, ge=1, le=10, description="Wrong codes about one patient in 24 hours.")
    codes_per_patient: int = Field(
        9, ge=3, le=30, description="Codes sent about one patient in 24 hours, by any calls."
    )
    claims_per_caller: int = Field(
        10, ge=3, le=200, description="Different persons whom one calling number may claim to be in 24 hours."
    )
    contact_cooling_days: int = Field(7, ge=0, le=60, description="Age that a number on file must have, in days.")
    contact_stale_days: int = Field(
        730, ge=30, le=1095, description="Days after its confirmation that a number serves."
    )
    evidence_minutes: int = Field(10, ge=1, le=30, description="How long a verification stands within a call.")


class HostingSettings(_Section):
    """The HDS certificate of the host (CSP L. 1111-8): production does not start without it (HD-01)."""

    holder: str = Field(min_length=1, description="Who holds the certificate.")
    activities: tuple[int, ...] = Field(min_length=1, description="Certified activities, 1 to 6 (R. 1111-9).")
    expiry: date = Field(description="Last day of the certificate, as 2027-05-31.")
    self_hosted: bool = Field(False, description="The practice runs callcenter on its own machines: no HDS needed.")


class LogSettings(_Section):
    """Logs: events with fields, never personal data."""

    form: Literal["json", "console"] = Field("json", description="json for machines, console for people.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")


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
    public_base_url: str = Field(
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="How the carrier reaches our webhooks, as it is configured there: signatures are checked on it.",
    )
    webhooks: Listener = Field(Listener(port=8080), description="Signed webhooks and audio, behind your TLS proxy.")
    private: Listener = Field(Listener(port=9090), description="Health and metrics. Never reachable from outside.")
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings())
    keys_file: Path | None = Field(
        None,
        description="Keys of sealed fields; readable by its owner alone. Empty: beside the embedded PostgreSQL.",
    )
    carrier: CarrierSettings = Field(description="The carrier's account.")
    flows: FlowSettings = Field(default_factory=lambda: FlowSettings())
    verification: VerificationSettings = Field(default_factory=lambda: VerificationSettings())
    voice_rate: int = Field(145, ge=80, le=260, description="Words a minute of the local voice.")
    captions: bool = Field(
        False, description="Give the words of local audio on the private port; refused in production."
    )
    hosting: HostingSettings | None = Field(None, description="Required in production.")
    log: LogSettings = Field(default_factory=lambda: LogSettings())

    @field_validator("public_base_url")
    @classmethod
    def _no_final_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fit_for_production(self) -> Settings:
        if self.environment is not Environment.PRODUCTION:
            return self
        if self.captions:
            raise ValueError("captions gives away what patients are told; production refuses to start with it")
        if not self.public_base_url.startswith("https://"):
            raise ValueError("public_base_url must begin with https:// in production")
        if self.hosting is None:
            raise ValueError("hosting is missing: declare the host's HDS certificate, or self_hosted (HD-01)")
        if self.database.url is None:
            raise ValueError("database.url is missing: production does not run on the embedded PostgreSQL")
        if self.keys_file is None:
            raise ValueError("keys_file is missing: make one with `callcenter keys create PATH`")
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


def load_settings(path: Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in the file at ``path``, the environment on top.

    Arguments:
        overrides: values by name that replace the file's; the demo and tests use them.

    Raises:
        ConfigurationError: everything that is wrong, with file, line and mend.
    """
    try:
        document = read_yaml(path)
    except DataProblems as error:
        raise ConfigurationError(error.problems) from error
    values = {**document.data, **(overrides or {})}
    if url := os.environ.get("DATABASE_URL"):
        values["database"] = {**(values.get("database") or {}), "url": url}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_problems(error, document)) from error


def _problems(error: ValidationError, document: Document) -> list[Problem]:
    """What pydantic refused; a value that stands in the environment is named as its variable."""
    problems = []
    for detail, problem in zip(error.errors(include_url=False), from_pydantic(error, document), strict=True):
        variable = _variable(detail["loc"])
        if variable is not None:
            problem = Problem(f"environment variable {variable}", 0, problem.what, problem.mend)
        problems.append(problem)
    return problems


def _variable(location: tuple[str | int, ...]) -> str | None:
    for end in range(len(location), 0, -1):
        name = ENV_PREFIX + "__".join(str(part) for part in location[:end]).upper()
        if name in os.environ:
            return name
    return None
