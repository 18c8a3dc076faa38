"""Requests that are not what a carrier sends: targets, hosts, methods, bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, MultiDict, MultiMapping

from callcenter.telephony import admission, application, listener
from callcenter.telephony.admission import Admitted, Refusal
from callcenter.telephony.signature import SignatureCheck, Signed, Unsigned
from callcenter.telephony.urls import PublicBase, public_base
from callcenter.telephony.voice import VoiceWebhooks
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained, unanimous
from tests.unit.telephony.doubles import CALL, INCOMING, SECRET, TOKEN, Edge, Received, running_edge, signed

FORM = "application/x-www-form-urlencoded"
#: Another host of the same account, whose webhooks the same token signs: somebody recorded one there.
STAGING = "http://staging.example"
RECORDED_ELSEWHERE = signed(f"{STAGING}/voice/incoming", list(INCOMING.items()))


async def post(edge: Edge, target: str, body: bytes, *headers: tuple[str, str], host: str | None = None) -> Received:
    return await edge.ask("POST", target, body, headers, host)


# --- which host a request is for


class _SignedOnWhateverWasAsked:
    """Builds the signed URL as frameworks suggest: from the request and its forwarding headers."""

    def __init__(self, request: web.Request) -> None:
        scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
        host = request.headers.get("X-Forwarded-Host", request.host)
        self._check = SignatureCheck(f"{scheme}://{host}", [TOKEN])
        self._target = request.rel_url.raw_path_qs

    def check(self, _target: str, form: MultiMapping[Any], signatures: list[str]) -> Signed | Unsigned:
        return self._check.check(self._target, form, signatures)


def _sign_on_the_request(sabotage: Sabotage) -> None:
    real: Callable[..., Awaitable[Admitted | Refusal]] = admission.admit

    async def admit(request: web.Request, base: PublicBase, _: SignatureCheck) -> Admitted | Refusal:
        return await real(request, base, _SignedOnWhateverWasAsked(request))

    sabotage.replace(admission, "admit", admit)


CONFIGURED_URL = Defence(
    "signed on the configured URL", "the signature's URL is never made from Host or X-Forwarded-*", _sign_on_the_request
)


def _any_head_will_do(sabotage: Sabotage) -> None:
    sabotage.replace(admission, "_refused_by_head", lambda *_: None)


OWN_HOST = Defence("one Host, which is ours", "absolute-form targets and other hosts are refused", _any_head_will_do)


@attack(stopped_by=(CONFIGURED_URL, OWN_HOST))
async def test_a_webhook_of_another_host_is_sent_to_us_under_its_name() -> Outcome:
    async with running_edge() as edge:
        proof, body = ("X-Twilio-Signature", RECORDED_ELSEWHERE), urlencode(INCOMING).encode()
        await post(edge, "/voice/incoming", body, proof, ("Content-Type", FORM), host="staging.example")
        return gained(edge.calls.steps)


@attack(stopped_by=(CONFIGURED_URL, OWN_HOST))
async def test_a_webhook_of_another_host_is_sent_to_us_as_an_absolute_target() -> Outcome:
    async with running_edge() as edge:
        proof, body = ("X-Twilio-Signature", RECORDED_ELSEWHERE), urlencode(INCOMING).encode()
        await post(edge, f"{STAGING}/voice/incoming", body, proof, ("Content-Type", FORM))
        return gained(edge.calls.steps)


@attack(stopped_by=CONFIGURED_URL)
async def test_a_webhook_of_another_host_is_sent_to_us_with_forwarding_headers() -> Outcome:
    async with running_edge() as edge:
        proof, body = ("X-Twilio-Signature", RECORDED_ELSEWHERE), urlencode(INCOMING).encode()
        forwarded = (("X-Forwarded-Host", "staging.example"), ("X-Forwarded-Proto", "http"))
        await post(edge, "/voice/incoming", body, proof, ("Content-Type", FORM), *forwarded)
        return gained(edge.calls.steps)


@attack(stopped_by=OWN_HOST)
async def test_audio_is_fetched_under_another_hosts_name() -> Outcome:
    async with running_edge() as edge:
        path = f"/audio/{CALL}/{SECRET}"
        await edge.ask("GET", path, host="evil.example")
        asked_by_host = bool(edge.calls.audios)
        await edge.ask("GET", f"http://evil.example{path}")
        return unanimous({"Host": gained(asked_by_host), "target": gained(len(edge.calls.audios) > asked_by_host)})


@attack(stopped_by=OWN_HOST)
async def test_a_request_names_two_hosts() -> Outcome:
    """aiohttp's own parser refuses it too; this asks ours alone, as if that parser had been changed."""
    check = SignatureCheck("https://tel.example.org", [TOKEN])
    hosts = [("Host", "tel.example.org"), ("Host", "evil.example")]
    proof = ("X-Twilio-Signature", signed("https://tel.example.org/voice/incoming", []))
    headers = CIMultiDict([*hosts, proof, ("Content-Type", FORM)])
    request = make_mocked_request("POST", "/voice/incoming", headers=headers, match_info=_Matched())
    request._post = MultiDict()  # type: ignore[assignment]  # an empty form that has been read
    verdict = await admission.admit(request, public_base("https://tel.example.org"), check)
    assert verdict in (Refusal.HOST, Admitted(0))
    return gained(isinstance(verdict, Admitted))


class _Matched(dict[str, str]):
    http_exception = None


# --- which methods and bodies are read


def _any_method(sabotage: Sabotage) -> None:
    sabotage.replace(web, "post", lambda path, handler: web.route("*", path, handler))


POST_ONLY = Defence("POST only", "nothing unsigned reaches a handler of webhooks", _any_method)


@attack(stopped_by=POST_ONLY)
async def test_a_webhook_comes_by_another_method_and_unsigned() -> Outcome:
    async with running_edge() as edge:
        target, outcomes = f"/voice/incoming?{urlencode(INCOMING)}", {}
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = await edge.ask(method, target)
            assert answer.status in (200, 405)
            outcomes[method] = gained(answer.status == 200)
        return unanimous(outcomes)


def _any_content_type(sabotage: Sabotage) -> None:
    sabotage.replace(admission, "_refused_by_form_head", lambda *_: None)


FORMS_ONLY = Defence("forms only", "one way to read a body, the one that is signed", _any_content_type)


@attack(stopped_by=FORMS_ONLY)
async def test_a_body_is_no_form() -> Outcome:
    """The carrier's signature covers a form's fields. Of another body it covers nothing, or what we would not read."""
    async with running_edge() as edge:
        parts = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in INCOMING.items()
        )
        bodies = {
            "application/json": (b'{"CallSid": "CA1"}', []),
            "text/plain": (urlencode(INCOMING).encode(), []),
            "multipart/form-data; boundary=x": (f"{parts}--x--\r\n".encode(), list(INCOMING.items())),
        }
        outcomes = {}
        for content_type, (body, fields) in bodies.items():
            proof = ("X-Twilio-Signature", signed(edge.base + "/voice/incoming", fields))
            answer = await post(edge, "/voice/incoming", body, proof, ("Content-Type", content_type))
            assert answer.status in (200, 415)
            outcomes[content_type] = gained(answer.status == 200)
        return unanimous(outcomes)


def _any_declared_size(sabotage: Sabotage) -> None:
    sabotage.replace(admission, "LARGEST_FORM", 1 << 30)


def _any_read_size(sabotage: Sabotage) -> None:
    sabotage.replace(application, "LARGEST_FORM", 1 << 30)


DECLARED_SIZE = Defence("a declared size of 64 KiB", "no memory for strangers", _any_declared_size)
READ_SIZE = Defence("64 KiB are read", "no memory for strangers", _any_read_size)

_FILLER = {**INCOMING, "Filler": "x" * (64 * 1024)}


@attack(stopped_by=(DECLARED_SIZE, READ_SIZE))
async def test_a_body_is_larger_than_64_kib() -> Outcome:
    async with running_edge() as edge:
        answer = await edge.post("/voice/incoming", _FILLER)
        assert answer.status in (200, 413)
        return gained(answer.status == 200)


@attack(stopped_by=READ_SIZE)
async def test_a_large_body_comes_in_chunks_that_declare_no_size() -> Outcome:
    async with running_edge() as edge:
        body = urlencode(_FILLER).encode()
        proof = signed(edge.base + "/voice/incoming", list(_FILLER.items()))
        lines = [
            "POST /voice/incoming HTTP/1.1",
            f"Host: 127.0.0.1:{edge.port}",
            "Connection: close",
            f"Content-Type: {FORM}",
            f"X-Twilio-Signature: {proof}",
            "Transfer-Encoding: chunked",
        ]
        pieces = [body[at : at + 0x1000] for at in range(0, len(body), 0x1000)]
        chunks = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
        answer = await edge.raw("\r\n".join([*lines, "", ""]).encode() + chunks + b"0\r\n\r\n")
        assert answer.status in (200, 413)
        return gained(answer.status == 200)


# --- what leaves


def _nothing_stands_before_handlers(sabotage: Sabotage) -> None:
    @web.middleware
    async def transparent(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        return answer

    sabotage.replace(application, "admission", lambda *_: transparent)


def _aiohttps_own_error_pages(sabotage: Sabotage) -> None:
    sabotage.patch.delattr(listener._Connection, "finish_response")


LAST_RESORT = Defence("the last resort at the edge", "nothing of an error leaves", _nothing_stands_before_handlers)
BARE_ERRORS = Defence("bare errors of the listener", "nothing of an error leaves", _aiohttps_own_error_pages)


@attack(stopped_by=(LAST_RESORT, BARE_ERRORS))
async def test_a_carrier_is_led_away_by_a_redirect(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """A carrier that follows one loses what the caller typed; to another host, it would give it away."""

    async def lead_away(self: VoiceWebhooks, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("https://evil.example/voice/incoming")

    monkeypatch.setattr(VoiceWebhooks, "incoming", lead_away)
    async with running_edge() as edge:
        answer = await edge.post("/voice/incoming", INCOMING)
        return gained("location" in answer.headers)
