"""Who is let in at the carrier's edge, on a real socket: everything else is refused with an empty answer."""

from __future__ import annotations

import gzip
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from tests.unit.telephony.doubles import CALL, CALL_SID, CALLER, INCOMING, OLD_TOKEN, SECRET, running_edge, signed

FORM = ("Content-Type", "application/x-www-form-urlencoded")


def proof(base: str, target: str = "/voice/incoming") -> tuple[str, str]:
    return ("X-Twilio-Signature", signed(base + target, list(INCOMING.items())))


async def test_a_signed_webhook_is_answered_and_an_old_token_is_still_good() -> None:
    async with running_edge() as edge:
        with capture_logs() as logs:
            first = await edge.post("/voice/incoming", INCOMING)
            second = await edge.post("/voice/incoming", INCOMING, token=OLD_TOKEN)
        assert (first.status, second.status) == (200, 200)
        assert first.headers["content-type"] == "text/xml; charset=utf-8"
        assert [log["token"] for log in logs if log["event"] == "request"] == [0, 1]
        assert len(edge.calls.steps) == 2


@pytest.mark.parametrize("signature", ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "é"])
async def test_a_wrong_signature_is_refused(signature: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post("/voice/incoming", INCOMING, signature=signature)
        assert (answer.status, answer.body) == (403, b"")
        assert edge.calls.steps == []
        assert edge.count("callcenter_edge_refused_total", reason="signature") == 1


async def test_a_missing_a_repeated_and_a_foreign_signature_are_refused() -> None:
    async with running_edge() as edge:
        body = urlencode(INCOMING).encode()
        missing = await edge.ask("POST", "/voice/incoming", body, [FORM])
        repeated = await edge.ask("POST", "/voice/incoming", body, [FORM, proof(edge.base), proof(edge.base)])
        foreign = await edge.post("/voice/incoming", INCOMING, token="another-account")
        elsewhere = await edge.ask("POST", "/voice/incoming", body, [FORM, proof(edge.base, "/voice/status")])
        assert [answer.status for answer in (missing, repeated, foreign, elsewhere)] == [403] * 4
        assert edge.calls.steps == []


async def test_tampering_with_the_body_or_the_query_is_refused() -> None:
    async with running_edge() as edge:
        tampered = urlencode({**INCOMING, "From": "+33639980002"}).encode()
        body = await edge.ask("POST", "/voice/incoming", tampered, [FORM, proof(edge.base)])
        query = await edge.ask("POST", "/voice/incoming?a=1", urlencode(INCOMING).encode(), [FORM, proof(edge.base)])
        more = urlencode([*INCOMING.items(), ("From", "+33639980002")]).encode()
        doubled = await edge.ask("POST", "/voice/incoming", more, [FORM, proof(edge.base)])
        assert [answer.status for answer in (body, query, doubled)] == [403] * 3
        assert edge.calls.steps == []


async def test_a_signed_query_is_checked_as_it_was_sent() -> None:
    async with running_edge() as edge:
        for query in ("?a=%2B33+1&b=%7e", "?", "?é=%C3%A9".replace("é", "%c3%a9")):
            assert (await edge.post("/voice/incoming" + query, INCOMING)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_webhooks_are_post_only(method: str) -> None:
    async with running_edge() as edge:
        answer = await edge.ask(method, f"/voice/incoming?{urlencode(INCOMING)}", headers=[proof(edge.base)])
        assert (answer.status, answer.body, answer.headers["allow"]) == (405, b"", "POST")
        assert edge.calls.steps == []


async def test_audio_is_get_and_head_only() -> None:
    async with running_edge() as edge:
        answer = await edge.post(f"/audio/{CALL}/{SECRET}", INCOMING)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/voice", "/voice/incoming/", "//voice/incoming", "/voice/Incoming", "/metrics"])
async def test_unknown_paths_are_not_found_and_never_redirected(path: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post(path, INCOMING)
        assert (answer.status, answer.body) == (404, b"")
        assert "location" not in answer.headers


@pytest.mark.parametrize("evil", ["http://evil.example", "https://evil.example", "http://127.0.0.1:{port}"])
async def test_an_absolute_form_target_is_refused_even_when_signed(evil: str) -> None:
    async with running_edge() as edge:
        target = evil.format(port=edge.port) + "/voice/incoming"
        for url in (target, edge.base + target, edge.base + "/voice/incoming"):
            headers = [FORM, ("X-Twilio-Signature", signed(url, list(INCOMING.items())))]
            answer = await edge.ask("POST", target, urlencode(INCOMING).encode(), headers)
            assert (answer.status, answer.body) == (400, b"")
        assert edge.calls.steps == []
        assert edge.count("callcenter_edge_refused_total", reason="target") == 3


async def test_an_absolute_form_target_fetches_no_audio() -> None:
    async with running_edge() as edge:
        answer = await edge.ask("GET", f"{edge.base}/audio/{CALL}/{SECRET}")
        assert (answer.status, edge.calls.audios) == (400, [])


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "evil.example:{port}"])
async def test_another_host_is_refused_even_when_signed(host: str) -> None:
    async with running_edge() as edge:
        named = host.format(port=edge.port)
        headers = [FORM, proof(edge.base), ("X-Forwarded-Host", f"127.0.0.1:{edge.port}")]
        posted = await edge.ask("POST", "/voice/incoming", urlencode(INCOMING).encode(), headers, host=named)
        fetched = await edge.ask("GET", f"/audio/{CALL}/{SECRET}", host=named)
        assert (posted.status, posted.body, fetched.status, fetched.body) == (400, b"", 400, b"")
        assert (edge.calls.steps, edge.calls.audios) == ([], [])


@pytest.mark.parametrize("hosts", [["127.0.0.1:{port}", "evil.example"], ["127.0.0.1:{port}"] * 2, []])
async def test_no_or_several_hosts_are_refused(hosts: list[str]) -> None:
    async with running_edge() as edge:
        lines = [f"Host: {host.format(port=edge.port)}" for host in hosts]
        body = urlencode(INCOMING)
        head = [f"{name}: {value}" for name, value in (FORM, proof(edge.base))]
        rest = ["Connection: close", f"Content-Length: {len(body)}", "", body]
        answer = await edge.raw("\r\n".join(["POST /voice/incoming HTTP/1.1", *lines, *head, *rest]).encode())
        assert (answer.status, answer.body, edge.calls.steps) == (400, b"", [])


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded-not",
        "",
    ],
)
async def test_only_forms_are_read(content_type: str) -> None:
    async with running_edge() as edge:
        answer = await edge.post("/voice/incoming", INCOMING, content_type=content_type)
        assert (answer.status, answer.body, edge.calls.steps) == (415, b"", [])


async def test_a_compressed_form_is_not_opened() -> None:
    async with running_edge() as edge:
        bomb = gzip.compress(b"a=" + b"0" * 10_000_000)
        answer = await edge.ask("POST", "/voice/incoming", bomb, [FORM, ("Content-Encoding", "gzip")])
        assert (answer.status, answer.body) == (415, b"")


async def test_a_form_of_64_kib_is_read_and_a_larger_one_is_not() -> None:
    async with running_edge() as edge:
        room = 64 * 1024 - len(urlencode({**INCOMING, "Filler": ""}))
        assert (await edge.post("/voice/incoming", {**INCOMING, "Filler": "x" * room})).status == 200
        answer = await edge.post("/voice/incoming", {**INCOMING, "Filler": "x" * (room + 1)})
        assert (answer.status, answer.body) == (413, b"")
        assert len(edge.calls.steps) == 1


async def test_a_form_in_chunks_is_bounded_too() -> None:
    async with running_edge() as edge:
        chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
        head = f"POST /voice/incoming HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\nConnection: close\r\n"
        head += f"{': '.join(FORM)}\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await edge.raw(head.encode() + chunk * 17 + b"0\r\n\r\n")
        assert (answer.status, answer.body) == (413, b"")


async def test_a_form_that_is_no_text_is_refused() -> None:
    async with running_edge() as edge:
        answer = await edge.ask("POST", "/voice/incoming", b"CallSid=\xff\xfe", [FORM, proof(edge.base)])
        assert (answer.status, answer.body) == (400, b"")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"jeanne.martin@example.fr\r\n\r\n",
        b"GET /voice/incoming HTTP/1.1\r\nHost: x\r\nBad Header: +33639980001\r\n\r\n",
        b"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /voice/incoming HTTP/1.1\r\nHost: x\r\nExpect: jeanne\r\nConnection: close\r\n\r\n",
    ],
)
async def test_what_cannot_be_read_is_answered_with_nothing_and_not_repeated_in_a_log(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_edge() as edge:
        with capture_logs() as logs:
            answer = await edge.raw(request_bytes)
        assert answer.status in (400, 417)
        assert answer.body == b""
        assert caplog.records == []
        assert not any(word in str(logs) for word in ("jeanne", "+3363", "127.0.0.1"))


async def test_answers_do_not_name_the_software() -> None:
    async with running_edge() as edge:
        answers = [
            await edge.post("/voice/incoming", INCOMING),
            await edge.post("/nowhere", INCOMING),
            await edge.post("/voice/incoming", INCOMING, signature=""),
            await edge.raw(b"nonsense\r\n\r\n"),
        ]
        assert {answer.headers["server"] for answer in answers} == {"callcenter"}


async def test_the_access_log_and_the_counters_hold_templates_and_no_identifiers() -> None:
    async with running_edge() as edge:
        with capture_logs() as logs:
            await edge.post(f"/voice/calls/{CALL}/1/next?From={CALLER}", {**INCOMING, "Digits": "14031962"})
            await edge.ask("GET", f"/audio/{CALL}/{SECRET}")
            await edge.ask("PROPFIND", f"/nowhere/{CALLER}")
        requests = [(log["method"], log["route"], log["status"], log["outcome"]) for log in logs if "route" in log]
        assert requests == [
            ("POST", "/voice/calls/{call}/{document}/{slot}", 200, "answered"),
            ("GET", "/audio/{call}/{token}", 404, "gone"),
            ("other", "none", 404, "unknown_path"),
        ]
        labels = {"route": "/voice/calls/{call}/{document}/{slot}", "outcome": "answered"}
        assert edge.count("callcenter_edge_requests_total", **labels) == 1
        kept = str(logs) + str(list(edge.registry.collect()))
        assert not any(
            word in kept for word in (str(CALL), SECRET, CALLER, CALL_SID, "14031962", "127.0.0.1", "PROPFIND")
        )
