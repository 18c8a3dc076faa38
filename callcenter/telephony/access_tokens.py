"""Passes with which an operator's browser reaches the carrier: for minutes, and for legs to our application alone.

Source: Twilio, "Access tokens" and "Voice grant". A pass opens nothing of ours: what its leg may do, our rows say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

#: A pass that got away is worth nothing after so long. A leg that stands goes on without one.
LONGEST = timedelta(minutes=10)
#: Clocks differ: the carrier takes a pass that was made a moment ago by its own.
_EARLIER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass.

    Arguments:
        seconds: for which it is good.
    """

    token: str = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class Passes:
    """Makes passes.

    Arguments:
        account: of the carrier.
        key, secret: that sign.
        application: the only one that can be called.
        region: of the carrier, or ``None``.
    """

    account: str
    key: str
    secret: str = field(repr=False)
    application: str
    region: str | None = None

    def made(self, identity: str, now: datetime, ends: datetime) -> Pass | None:
        """A pass for whom the carrier knows by ``identity``; ``None`` when there is no second left.

        Arguments:
            ends: by when it is void at the latest.
        """
        until = min(now + LONGEST, ends)
        seconds = int((until - now).total_seconds())
        if seconds < 1:
            return None
        token = AccessToken(
            self.account,
            self.key,
            self.secret,
            grants=[VoiceGrant(outgoing_application_sid=self.application, incoming_allow=False)],
            identity=identity,
            nbf=int((now - _EARLIER).timestamp()),
            valid_until=int(now.timestamp()) + seconds,
            region=self.region,
        )
        return Pass(token.to_jwt(), seconds)
