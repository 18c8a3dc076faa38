"""The settings as the rooms read them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from callcenter.console.origin import console_origin
from callcenter.console.paths import MESSAGES, NOTICES
from callcenter.console.workplace_ports import Softphone
from callcenter.identity.challenges import Limits
from callcenter.kernel.clock import Clock
from callcenter.notices.mail import Mailer, MailServer
from callcenter.settings import Settings, VerificationSettings
from callcenter.telephony.access_tokens import Passes
from callcenter.telephony.rest import CarrierSettings
from callcenter.telephony.urls import Urls


def limits_of(settings: VerificationSettings) -> Limits:
    """The bounds of verification, as ``identity`` reads them."""
    return Limits(
        code_life=timedelta(minutes=settings.code_minutes),
        tries=settings.tries,
        codes_per_call=settings.codes_per_call,
        wrong_per_patient=settings.wrong_per_patient,
        codes_per_patient=settings.codes_per_patient,
        claims_per_caller=settings.claims_per_caller,
        contact_cooling=timedelta(days=settings.contact_cooling_days),
        contact_stale=timedelta(days=settings.contact_stale_days),
        evidence_life=timedelta(minutes=settings.evidence_minutes),
        claims_per_operator=settings.claims_per_operator,
        shown_life=timedelta(seconds=settings.shown_seconds),
    )


def carrier_settings(settings: Settings, urls: Urls) -> CarrierSettings:
    """How the carrier's REST interface is reached; another carrier's address has no region and no edge."""
    carrier = settings.carrier
    return CarrierSettings(
        account_sid=carrier.account_sid,
        username=carrier.account_sid,
        password=carrier.auth_tokens[0].get_secret_value(),
        sender=carrier.sms_sender,
        message_status_url=urls.message_status,
        base_url=carrier.base_url,
        region=None if carrier.base_url else carrier.region,
        edge=None if carrier.base_url else carrier.edge,
    )


def mailer_of(settings: Settings, clock: Clock) -> Mailer | None:
    """What sends e-mail, if a mail server is set."""
    mail = settings.mail
    if mail is None:
        return None
    password = None if mail.password is None else mail.password.get_secret_value()
    return Mailer(MailServer(mail.host, mail.port, mail.security, mail.sender, mail.username, password), clock)


def messages_page(settings: Settings) -> str | None:
    """Where messages are read, as a notice says it: an address that opens elsewhere than on this machine (TLS)."""
    return _page(settings, MESSAGES)


def incidents_page(settings: Settings) -> str | None:
    """Where practices read what they are told of incidents, in the same way."""
    return _page(settings, NOTICES)


def _page(settings: Settings, path: str) -> str | None:
    origin = console_origin(settings.console.public_url)
    return f"{origin}{path}" if origin.encrypted else None


def passes_of(settings: Settings) -> Passes | None:
    """What makes passes for softphones, if there are any."""
    softphone, carrier = settings.softphone, settings.carrier
    if softphone is None:
        return None
    region = None if carrier.base_url else carrier.region
    secret = softphone.api_secret.get_secret_value()
    return Passes(carrier.account_sid, softphone.api_key, secret, softphone.application, region)


#: Where the emulator's softphones connect to.
EMULATOR_SOCKET = "/softphone"
#: Where the carrier's own file fetches the sounds of its keys (Voice JavaScript SDK, README, « CSP »).
_SOUNDS = "https://sdk.twilio.com"


def softphone_of(settings: Settings) -> Softphone | None:
    """What speaks in the operators' browser, if anything does."""
    if settings.softphone is None:
        return None
    if settings.softphone.kind == "emulator":
        base = urlsplit(settings.carrier.base_url or "")
        web, socket = f"{base.scheme}://{base.netloc}", f"ws://{base.netloc}"
        return Softphone("emulator", socket + EMULATOR_SOCKET, (web, socket), (web,))
    edge, region = settings.carrier.edge or "roaming", settings.carrier.region
    events = f"https://eventgw.{region}.twilio.com" if region else "https://eventgw.twilio.com"
    connects = (events, f"wss://voice-js.{edge}.twilio.com", _SOUNDS)
    return Softphone("twilio", edge, connects, ("mediastream:", _SOUNDS))
