"""Whole calls, and the night after them: what the carrier lists is what we know; the commands tell of what is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.app.configured import carrier_settings
from callcenter.calls.carrier_findings import last_due, open_findings
from callcenter.calls.carrier_list import CarrierComparison
from callcenter.emulator.outcomes import Passed
from callcenter.kernel.randomness import SystemRandom
from callcenter.telephony.rest import TwilioCarrier
from callcenter.telephony.urls import Urls
from tests.acceptance.stage import Stage
from tests.integration.comparing import Cries

TRANSCRIPTS = Path(__file__).parent / "transcripts"
