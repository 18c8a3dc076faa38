"""The configuration: one YAML file, overridden by environment variables. Whatever is wrong names file, line and mend.

Every model here is also the reference for staff: ``docs/configuration.md`` is made from the descriptions below.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from callcenter.kernel.documents import Document, from_pydantic, read_yaml
from callcenter.kernel.environment import variable_name, variable_problems
from callcenter.kernel.errors import ConfigurationError, DataProblems, Problem

PROJECT = Path(__file__).resolve().parents[1]

ENV_PREFIX = "CALLCENTER_"
#: Variables of the same prefix that are no settings: which file to read, and what ``make docs`` asks of its tests.
_NO_SETTINGS = frozenset({"CALLCENTER_CONFIG", "CALLCENTER_DOCS"})


class Environment(StrEnum):
    """Where the installation stands."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Port = Annotated[int, Field(ge=0, le=65535)]


def _wrong(what: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{what}", {"what": what, "mend": mend})


def _anchored(path: Path) -> Path:
    """A relative path is meant from the project's folder, wherever a command is run."""
    return path if Path.cwd() == PROJECT else PROJECT / path


_ProjectPath = Annotated[Path, AfterValidator(_anchored)]


def _postgresql(url: SecretStr) -> SecretStr:
    try:
        fits = make_url(url.get_secret_value()).get_backend_name() in ("postgresql", "postgres")
    except (ArgumentError, ValueError):
        fits = False
    if not fits:
        raise _wrong("is not the address of a PostgreSQL", "write postgresql://LOGIN:PASSWORD@HOST/DATABASE")
    return url


_DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql)]


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine itself, so that nothing but an emulator or a proxy can be there."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _web_address(url: str) -> str:
    """``url`` without a final slash, if a carrier can call it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise _wrong("is not an address of the web", "write https://HOST, with a port or a path if there is one")
    if "_" in host:
        raise _wrong("has an underscore in its host name, which the carrier refuses", "rename the host")
    return url.rstrip("/")


#: A name must have a letter; one that begins as a messaging service does would be taken for one.
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|MG[0-9a-f]{32}|(?!MG)(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


def _sender(sender: str) -> str:
    if not _SENDER.fullmatch(sender):
        raise _wrong("is no sender of messages", "write +33…, a name of at most 11 letters and digits, or MG…")
    return sender


class Listener(_Section):
    """One address on which callcenter listens."""

    host: str = Field("127.0.0.1", description="Address of this machine on which to listen.")
    port: _Port = Field(description="TCP port; 0 takes any free one (tests).")


class DatabaseSettings(_Section):
    """PostgreSQL 15 or newer. Without `url`, callcenter starts a PostgreSQL 18 of its own."""

    url: _DatabaseUrl | None = Field(
        None,
        description="postgresql://… of a login that is a member of callcenter_app and nothing more; with any other the "
        "server does not start. DATABASE_URL overrides it. Empty: the embedded PostgreSQL.",
    )
    owner_url: _DatabaseUrl | None = Field(
        None, description="postgresql://… of a login that may create tables and roles: for migrations and doctor only."
    )
    folder: _ProjectPath | None = Field(
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
        description="Tokens that sign webhooks, 32 hexadecimal digits each in production; the first one also "
        "authenticates our REST calls. Keep the old one beside the new one while you rotate.",
    )
    base_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        None,
        pattern=r"^https?://",
        description="Of the REST API, for an emulator or another carrier; in production https:// and not this machine.",
    )
    region: str | None = Field("ie1", description="Carrier region (Ireland by default), ignored with base_url.")
    edge: str | None = Field("dublin", description="Carrier edge, ignored with base_url.")
    sms_sender: Annotated[str, AfterValidator(_sender)] = Field(
        description="Whom our text messages come from: a number as +33…, a name of at most 11 letters and digits, or a "
        "messaging service MG…. Production refuses 06 and 07 (OU-05)."
    )
    voice: str = Field(
        "Polly.Lea-Neural", min_length=1, description="The carrier's voice for public words, as it names it."
    )


class FlowSettings(_Section):
    """What callers meet. Relative paths here and elsewhere are meant from the folder of callcenter itself."""

    model_config = ConfigDict(validate_default=True)

    folder: _ProjectPath = Field(Path("flows"), description="Flows, one YAML file each.")
    entry: str = Field("accueil", description="The flow that an incoming call begins in.")
    prompts: _ProjectPath = Field(Path("flows/prompts/fr.yaml"), description="The prompts of all flows.")
    policy: _ProjectPath = Field(
        Path("config/disclosure-policy.yaml"), description="At which level each category opens."
    )


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

    self_hosted: bool = Field(
        False, description="The practice runs callcenter on its own machines: no HDS, and nothing below, is needed."
    )
    holder: str | None = Field(None, min_length=1, description="Who holds the certificate.")
    activities: tuple[Annotated[int, Field(ge=1, le=6)], ...] = Field(
        (), description="Certified activities, 1 to 6 (R. 1111-9)."
    )
    expiry: date | None = Field(
        None, description="Last day of the certificate, as 2027-05-31; production does not start after it."
    )

    @model_validator(mode="after")
    def _certified_or_self_hosted(self) -> Self:
        missing = [name for name in ("holder", "activities", "expiry") if not getattr(self, name)]
        if missing and not self.self_hosted:
            what = f"says nothing of {', '.join(missing)}"
            raise _wrong(what, "describe the host's certificate, or write self_hosted: true")
        return self


_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def _mail_address(address: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(address):
        raise _wrong("is no mail address", "write NAME@HOST, such as telephone@example.org")
    return address


class MailSettings(_Section):
    """The mail server by which notices to practitioners leave. Without this section, none leave by e-mail."""

    host: str = Field(min_length=1, description="Name of the SMTP server, as its certificate has it.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the way there is encrypted; production takes « none » on this machine alone."
    )
    username: str | None = Field(None, min_length=1, description="Its login, from CALLCENTER_MAIL__USERNAME.")
    password: SecretStr | None = Field(None, description="Its password, from CALLCENTER_MAIL__PASSWORD.")
    sender: Annotated[str, AfterValidator(_mail_address)] = Field(
        description="Whom mails come from; bounces arrive there."
    )

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise _wrong("has a username without a password, or the reverse", "set both in the environment, or neither")
        if self.username is not None and self.security == "none":
            raise _wrong("would send its password unencrypted", "write security: starttls, or tls")
        return self


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
    public_base_url: Annotated[str, AfterValidator(_web_address)] = Field(
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="How the carrier reaches our webhooks, as it is configured there: signatures are checked on it.",
    )
    webhooks: Listener = Field(Listener(port=8080), description="Signed webhooks and audio, behind your TLS proxy.")
    private: Listener = Field(Listener(port=9090), description="Health and metrics. Never reachable from outside.")
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings())
    keys_file: _ProjectPath | None = Field(
        None,
        description="Keys of sealed fields; readable by its owner alone. Empty: beside the embedded PostgreSQL.",
    )
    carrier: CarrierSettings = Field(description="The carrier's account.")
    flows: FlowSettings = Field(default_factory=lambda: FlowSettings())
    verification: VerificationSettings = Field(default_factory=lambda: VerificationSettings())
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
            wrong = [
                InitErrorDetails(type=_wrong(what, mend), loc=path, input=None)
                for path, what, mend in _unfit_for_production(self)
            ]
            if wrong:
                raise ValidationError.from_exception_data(type(self).__name__, wrong, hide_input=True)
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


# --- reading them


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
    problems = _variable_problems()
    if problems:
        raise ConfigurationError(problems)
    values = {**document.data, **(overrides or {})}
    if url := os.environ.get("DATABASE_URL"):
        database = values.get("database")
        if database is None or isinstance(database, Mapping):
            values["database"] = {**(database or {}), "url": url}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_problems(error, document)) from None
    except SettingsError:  # its text may quote the value
        raise ConfigurationError([Problem("environment", 0, "a variable cannot be read", "write it as JSON")]) from None


def _problems(error: ValidationError, document: Document) -> list[Problem]:
    """What pydantic refused; a value that stands in the environment is named as its variable."""
    problems = []
    details = error.errors(include_url=False, include_input=False)
    for detail, problem in zip(details, from_pydantic(error, document), strict=True):
        if detail["type"] == "setting":
            problem = _setting_problem(detail, document)
        elif detail["type"] == "missing":
            named = f"{problem.mend}, or set {variable_name(ENV_PREFIX, detail['loc'])} in the environment"
            problem = Problem(problem.file, problem.line, problem.what, named)
        variable = _variable(detail["loc"])
        if variable is not None:
            problem = Problem(f"environment variable {variable}", 0, problem.what, problem.mend)
        problems.append(problem)
    return problems


def _setting_problem(detail: ErrorDetails, document: Document) -> Problem:
    """One of our own rules. Of a key that is not there, the line is the nearest above it, or what asks for it."""
    path, context = detail["loc"], detail["ctx"]
    line = document.line(*path) or document.line("environment")
    return Problem(document.file, line, f"« {'.'.join(map(str, path))} » {context['what']}", context["mend"])


def _variable(location: tuple[str | int, ...]) -> str | None:
    if location == ("database", "url") and "DATABASE_URL" in os.environ:
        return "DATABASE_URL"
    return next(
        (
            name
            for end in range(len(location), 0, -1)
            if (name := variable_name(ENV_PREFIX, location[:end])) in os.environ
        ),
        None,
    )


def _variable_problems() -> list[Problem]:
    problems = variable_problems(os.environ, Settings, ENV_PREFIX, besides=_NO_SETTINGS)
    if {"DATABASE_URL", variable_name(ENV_PREFIX, ("database", "url"))} <= os.environ.keys():
        problems.append(
            Problem("environment variable DATABASE_URL", 0, "it names a setting twice", "unset one of both")
        )
    return problems
