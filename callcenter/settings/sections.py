"""The groups of settings. Their descriptions are the reference for staff."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, IPvAnyNetwork, SecretStr, model_validator

from callcenter.settings.values import (
    DatabaseUrl,
    MailAddress,
    Port,
    ProjectPath,
    Section,
    Sender,
    WebAddress,
    wrong,
)


class Listener(Section):
    """One address on which callcenter listens."""

    host: str = Field("127.0.0.1", description="Address of this machine on which to listen.")
    port: Port = Field(description="TCP port; 0 takes any free one (tests).")


class ConsoleSettings(Listener):
    """The pages of staff."""

    port: Port = Field(8081, description="TCP port; 0 takes any free one (tests).")
    public_url: WebAddress = Field(
        "http://localhost:8081",
        pattern=r"^https?://[^/?#@\s]+/?$",
        description="How browsers reach the pages, without a path: passkeys are bound to its host name, and "
        "another one makes them all useless. In production https://, behind your TLS proxy.",
    )
    idle_minutes: int = Field(
        15,
        ge=1,
        le=60,
        description="After so long without a page, staff sign in again; three times as long at the workplace on which "
        "calls ring for them.",
    )
    absolute_minutes: int = Field(
        720, ge=15, le=1440, description="After so long, staff sign in again whatever they do."
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        max_length=20,
        description="Addresses or networks of your own proxies, as 10.0.0.0/24: they alone are believed from where "
        "somebody signs in (X-Forwarded-For). Without them, all tries seem to come from the proxy, and count together.",
    )


class BoardSettings(Section):
    """What the live board of supervisors counts by and measures against. Put here what your contracts say."""

    answered_within_seconds: int = Field(
        20,
        ge=1,
        le=600,
        description="A call answered by then is answered in time (the 20 of « 80 % in 20 s »).",
    )
    short_seconds: int = Field(
        5, ge=0, le=60, description="Whoever hangs up sooner has abandoned shortly, and counts in no service level."
    )
    late_callback_minutes: int = Field(
        30, ge=1, le=1440, description="After so long, a callback that could have been made is overdue."
    )
    service_percent: int = Field(80, ge=1, le=100, description="Of calls, how many are to be answered in time.")
    answered_percent: int = Field(90, ge=1, le=100, description="Of calls, how many are to be answered at all.")
    abandoned_percent: int = Field(5, ge=0, le=100, description="Of calls, how many may be abandoned.")
    speed_seconds: int = Field(30, ge=1, le=3600, description="How long the mean wait may be.")
    longest_seconds: int = Field(120, ge=1, le=7200, description="How long the longest wait may be.")


class DatabaseSettings(Section):
    """PostgreSQL 15 or newer. Without `url`, callcenter starts a PostgreSQL 18 of its own."""

    url: DatabaseUrl | None = Field(
        None,
        description="postgresql://… of a login that is a member of callcenter_app and nothing more; with any other the "
        "server does not start. DATABASE_URL overrides it. Empty: the embedded PostgreSQL.",
    )
    owner_url: DatabaseUrl | None = Field(
        None, description="postgresql://… of a login that may create tables and roles: for migrations and doctor only."
    )
    sealer_url: DatabaseUrl | None = Field(
        None,
        description="postgresql://… of a login that is a member of callcenter_sealer and nothing more, on a connection "
        "that nobody shares: it seals the ledger in the process that works on jobs.",
    )
    folder: ProjectPath | None = Field(
        None, description="Where the embedded PostgreSQL keeps its data, by default near the project."
    )
    pool: int = Field(10, ge=2, le=200, description="Connections for webhook steps, per process.")
    attempts_pool: int = Field(3, ge=1, le=50, description="Connections for counting code attempts, per process.")


class CarrierSettings(Section):
    """The carrier: Twilio, or anything that speaks its webhooks and REST API."""

    account_sid: str = Field(pattern=r"^AC[0-9a-f]{32}$", description="Account of the carrier.")
    auth_tokens: tuple[SecretStr, ...] = Field(
        min_length=1,
        max_length=4,
        description="Tokens that sign webhooks, 32 hexadecimal digits each in production; the first one also "
        "authenticates our REST calls. Keep the old one beside the new one while you rotate.",
    )
    base_url: WebAddress | None = Field(
        None,
        pattern=r"^https?://",
        description="Of the REST API, for an emulator or another carrier; in production https:// and not this machine.",
    )
    region: str | None = Field("ie1", description="Carrier region (Ireland by default), ignored with base_url.")
    edge: str | None = Field("dublin", description="Carrier edge, ignored with base_url.")
    sms_sender: Sender = Field(
        description="Whom our text messages come from: a number as +33…, a name of at most 11 letters and digits, or a "
        "messaging service MG…. Production refuses 06 and 07 (OU-05)."
    )
    voice: str = Field(
        "Polly.Lea-Neural", min_length=1, description="The carrier's voice for public words, as it names it."
    )


class SoftphoneSettings(Section):
    """The telephone in the operators' browser. Without this section, operators answer by a telephone of their own."""

    kind: Literal["twilio", "emulator"] = Field(
        "twilio", description="What carries the voice: twilio, or the emulator of the demo, which production refuses."
    )
    api_key: str = Field(pattern=r"^SK[0-9a-f]{32}$", description="API key of the carrier, made in its region.")
    api_secret: SecretStr = Field(
        min_length=32, description="Its secret, from CALLCENTER_SOFTPHONE__API_SECRET: it signs passes of ten minutes."
    )
    application: str = Field(
        pattern=r"^AP[0-9a-f]{32}$",
        description="TwiML application whose voice URL is `public_base_url`/voice/operators, and whose status callback "
        "is `public_base_url`/voice/operators/status.",
    )


class FlowSettings(Section):
    """What callers meet. Relative paths here and elsewhere are meant from the folder of callcenter itself."""

    model_config = ConfigDict(validate_default=True)

    folder: ProjectPath = Field(Path("flows"), description="Flows, one YAML file each.")
    entry: str = Field("accueil", description="The flow that an incoming call begins in.")
    prompts: ProjectPath = Field(Path("flows/prompts/fr.yaml"), description="The prompts of all flows.")
    policy: ProjectPath = Field(
        Path("config/disclosure-policy.yaml"), description="At which level each category opens."
    )


class VerificationSettings(Section):
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
    claims_per_operator: int = Field(
        60, ge=10, le=600, description="Persons whom one operator may say, in an hour, that their callers are."
    )
    shown_seconds: int = Field(
        60, ge=10, le=300, description="How long a value about a patient stays on an operator's screen, in seconds."
    )


class RetentionSettings(Section):
    """How long things are kept; the practice, as controller, decides, and writes it in its register."""

    # What has to stay stands in the patient's file by then. A week is what the database itself keeps.
    handled_message_days: int = Field(
        31, ge=7, le=92, description="Days after which a message that was handled is erased; others stay."
    )
    # Three months are what details of calls are kept for at first, a year at most; a month's statement needs its days.
    queue_days: int = Field(
        92,
        ge=31,
        le=366,
        description="Days after which it is erased who waited, who answered and when, and who was on duty. What was "
        "told to whom stays in the ledger.",
    )
    # Traces of access: six months to a year, and up to three where it is said why (LG-02).
    ledger_attempts_months: int = Field(
        12, ge=6, le=36, description="Months after which records of tries to prove who one is are erased."
    )
    ledger_looks_months: int = Field(
        12, ge=6, le=36, description="Months after which records of what staff have looked at are erased."
    )
    ledger_operation_months: int = Field(
        12, ge=6, le=36, description="Months after which records of how calls went, and of acts of staff, are erased."
    )
    # Nothing fixes these: three years are usual, ten are how long a claim may come (CSP L. 1142-28).
    ledger_disclosures_months: int = Field(
        36,
        ge=12,
        le=120,
        description="Months after which records of what was told to whom, and of what that stood on, are erased.",
    )
    ledger_consent_months: int = Field(
        36,
        ge=36,
        le=60,
        description="Months after which a choice about reminders is erased from the ledger, once another one holds.",
    )
    ledger_incidents_months: int = Field(
        60, ge=36, le=120, description="Months after which records of incidents are erased."
    )
    ledger_longer_because: str | None = Field(
        None,
        min_length=20,
        max_length=1_000,
        description="Why anything of the ledger is kept for longer than it is by itself, as it stands in the register "
        "of processing: what it is needed for, and who goes through it how often. Without it, longer is refused.",
    )

    @model_validator(mode="after")
    def _longer_is_said_why(self) -> Self:
        fields = type(self).model_fields
        longer = [
            name for name, field in fields.items() if name.endswith("_months") and getattr(self, name) > field.default
        ]
        if longer and self.ledger_longer_because is None:
            what = f"keeps longer than usual, and does not say why: {', '.join(longer)}"
            raise wrong(what, "write the reason in ledger_longer_because, or keep it for no longer")
        return self


class BucketSettings(Section):
    """A bucket (S3) with object lock, at a host that the owner of the database does not own: of the practice, or of a
    third party. Needs the library of the extra « s3 »."""

    endpoint: WebAddress | None = Field(
        None,
        pattern=r"^https?://[^/?#@\s]+/?$",
        description="Where it is, as https://s3.example.org; none: heads go to no bucket.",
    )
    region: str = Field("eu-west-3", min_length=1, max_length=50, description="As its host calls it.")
    name: str = Field("", pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Of the bucket.")
    key_id: str = Field("", max_length=200, description="Of the access key, which may put, get, and read retentions.")
    secret: SecretStr = Field(SecretStr(""), description="Of the key, from CALLCENTER_LEDGER__BUCKET__SECRET.")
    days: int = Field(
        1_095, ge=30, le=3_653, description="How long a head stays locked; the register of disclosures is kept 3 years."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.endpoint is not None and not (self.name and self.key_id and self.secret.get_secret_value()):
            raise wrong("names where the bucket is, and not the rest", "set name, key_id and secret too")
        return self


class LedgerSettings(Section):
    """Who holds signed heads of the ledger besides us, each hour: what nobody else holds could be lost unseen."""

    anchor_folder: ProjectPath | None = Field(
        None,
        description="A folder that is written once (a mounted medium or share that whoever owns the database cannot "
        "change): each new head is a file in it.",
    )
    timestamp_url: WebAddress | None = Field(
        None,
        pattern=r"^https?://[^?#@\s]+$",
        description="A time stamp authority (RFC 3161), which signs, once a day, a digest of each last head, "
        "with its time.",
    )
    timestamp_issuers: ProjectPath | None = Field(
        None, description="Certificates, in PEM, of whoever vouches for that authority. Stamps by others do not count."
    )
    bucket: BucketSettings = BucketSettings()

    erasure_keys: tuple[Annotated[str, Field(pattern=r"^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$")], ...] = Field(
        (),
        max_length=20,
        description="Keys, as `callcenter audit cosign new-key` shows them, of those who may order that records are "
        "erased before their time (`callcenter audit erase`). Empty: nobody may.",
    )

    @model_validator(mode="after")
    def _an_authority_is_vouched_for(self) -> Self:
        if (self.timestamp_url is None) != (self.timestamp_issuers is None):
            what = "says either where an authority is or who vouches for it"
            raise wrong(what, "set both timestamp_url and timestamp_issuers, or neither")
        return self


class HostingSettings(Section):
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
            raise wrong(what, "describe the host's certificate, or write self_hosted: true")
        return self


class MailSettings(Section):
    """The mail server by which notices to practitioners leave. Without this section, none leave by e-mail."""

    host: str = Field(min_length=1, description="Name of the SMTP server, as its certificate has it.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the way there is encrypted; production takes « none » on this machine alone."
    )
    username: str | None = Field(None, min_length=1, description="Its login, from CALLCENTER_MAIL__USERNAME.")
    password: SecretStr | None = Field(None, description="Its password, from CALLCENTER_MAIL__PASSWORD.")
    sender: MailAddress = Field(description="Whom mails come from; bounces arrive there.")

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise wrong("has a username without a password, or the reverse", "set both in the environment, or neither")
        if self.username is not None and self.security == "none":
            raise wrong("would send its password unencrypted", "write security: starttls, or tls")
        return self


class LogSettings(Section):
    """Logs: events with fields, never personal data."""

    form: Literal["json", "console"] = Field("json", description="json for machines, console for people.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
