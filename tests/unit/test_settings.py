"""The configuration: what is wrong names file, line and mend, and production starts with nothing that is for play."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.kernel.errors import ConfigurationError, Problem
from callcenter.settings import PROJECT, Environment, Settings, is_loopback, load_settings

DEMO = (PROJECT / "config" / "demo.yaml").read_text(encoding="utf-8")
EXAMPLE = (PROJECT / "config" / "production.example.yaml").read_text(encoding="utf-8")
NOBODY, HOST = "holder: Hébergeur à nommer ", "holder: Hébergeur des essais "
ACCOUNT, TOKEN = "AC" + "12" * 16, "0123456789abcdef" * 2
SECRETS = {
    "CALLCENTER_CARRIER__AUTH_TOKENS": f'["{TOKEN}"]',
    "DATABASE_URL": "postgresql://server:secret@db/callcenter",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALLCENTER_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def production(*changes: tuple[str, str]) -> str:
    """The shipped example as its owner would fill it in, then changed."""
    text = EXAMPLE.replace("AC" + "0" * 32, ACCOUNT).replace(NOBODY, HOST)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def written(folder: Path, text: str) -> Path:
    file = folder / "callcenter.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def loaded(folder: Path, text: str) -> Settings:
    return load_settings(written(folder, text))


def problem(folder: Path, text: str) -> Problem:
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder, text)
    (found,) = refused.value.problems
    assert found.mend
    return found


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


@pytest.mark.usefixtures("secrets")
def test_the_shipped_example_starts_once_it_is_filled_in(tmp_path: Path) -> None:
    settings = loaded(tmp_path, production())
    assert settings.environment is Environment.PRODUCTION
    assert [token.get_secret_value() for token in settings.carrier.auth_tokens] == [TOKEN]


def test_the_shipped_example_does_not_start_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = production()
    found = problem(tmp_path, text)
    assert (found.line, "auth_tokens" in found.what) == (line_of(text, "carrier:"), True)
    assert "CALLCENTER_CARRIER__AUTH_TOKENS" in found.mend
    monkeypatch.setenv("CALLCENTER_CARRIER__AUTH_TOKENS", SECRETS["CALLCENTER_CARRIER__AUTH_TOKENS"])
    found = problem(tmp_path, text)
    assert (found.line, found.mend) == (line_of(text, "database:"), "set DATABASE_URL")


SHIPPED_TOKENS = ["demo-token-of-the-emulator", "from-the-environment", "", TOKEN.upper(), TOKEN + "0", TOKEN[:31]]


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("token", SHIPPED_TOKENS)
def test_production_takes_no_token_that_others_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("CALLCENTER_CARRIER__AUTH_TOKENS", f'["{TOKEN}", "{token}"]')
    found = problem(tmp_path, production())
    assert found.file == "environment variable CALLCENTER_CARRIER__AUTH_TOKENS"
    assert "« carrier.auth_tokens »" in found.what
    assert not token or token not in str(found)


YESTERDAY = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("change", "key", "line"),
    [
        (("  region: ie1", "  base_url: http://127.0.0.1:8090"), "carrier.base_url", "base_url"),
        (("  region: ie1", "  base_url: https://127.0.0.1:8090"), "carrier.base_url", "base_url"),
        (("  region: ie1", "  base_url: https://localhost"), "carrier.base_url", "base_url"),
        (("  region: ie1", "  base_url: http://carrier.example.org"), "carrier.base_url", "base_url"),
        ((ACCOUNT, "AC" + "0" * 32), "carrier.account_sid", "account_sid"),
        (("+33199000002", "+33612345678"), "carrier.sms_sender", "sms_sender"),
        (("+33199000002", "+33757900001"), "carrier.sms_sender", "sms_sender"),
        (("log: {", "captions: true\nlog: {"), "captions", "captions"),
        (("https://console", "http://console"), "console.public_url", "public_url"),
        (("console.example.org", "console.example.org/pages"), "console.public_url", "public_url"),
        (("  port: 8081", "  idle_minutes: 0"), "console.idle_minutes", "idle_minutes"),
        (("https://telephone", "http://telephone"), "public_base_url", "public_base_url"),
        (("https://telephone.example", "https://tele_phone.example"), "public_base_url", "public_base_url"),
        (("https://telephone.example.org ", "https://[::1 "), "public_base_url", "public_base_url"),
        (("expiry: 2027-12-31", f"expiry: {YESTERDAY}"), "hosting.expiry", "expiry"),
        (("[1, 2, 3, 4, 5, 6]", "[9]"), "hosting.activities", "activities"),
        (("holder: Hébergeur des essais ", "#"), "hosting", "hosting"),
        ((HOST, NOBODY), "hosting.holder", "holder"),
        (("keys_file:", "voice_rate: 145 #"), "keys_file", "environment"),
    ],
)
def test_production_refuses(tmp_path: Path, change: tuple[str, str], key: str, line: str) -> None:
    text = production(change)
    found = problem(tmp_path, text)
    assert found.line == line_of(text, line)
    assert f"« {key}" in found.what


@pytest.mark.usefixtures("secrets")
def test_production_names_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    text = production(("+33199000002", "+33612345678"), ("log: {", "captions: true\nlog: {"))
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, text)
    assert len(refused.value.problems) == 2


@pytest.mark.usefixtures("secrets")
def test_hosting_is_certified_until_its_last_day_or_not_needed(tmp_path: Path) -> None:
    lasts = loaded(tmp_path, production(("2027-12-31", TOMORROW))).hosting
    assert lasts is not None
    assert lasts.expiry is not None
    head, _, _ = production().partition("hosting:")
    own = loaded(tmp_path, head + "hosting: {self_hosted: true}\n").hosting
    assert own is not None
    assert own.self_hosted
    found = problem(tmp_path, head)
    assert (found.line, "« hosting »" in found.what) == (line_of(head, "environment"), True)
    assert "self_hosted: true" in problem(tmp_path, head + "hosting: {self_hosted: false}\n").mend


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("sender", ["+33939000000", "CABINET 12", "MG" + "0f" * 16, "+447700900001"])
def test_messages_come_from_a_number_a_name_or_a_service(tmp_path: Path, sender: str) -> None:
    assert loaded(tmp_path, production(("+33199000002", sender))).carrier.sms_sender == sender


@pytest.mark.parametrize(
    "sender", ["0612345678", "TWELVE LETTERS", "12345", "Cabinet-A", "é", "", "MG12", "MG Sante", "+0123456789"]
)
def test_what_is_no_sender_is_refused(tmp_path: Path, sender: str) -> None:
    found = problem(tmp_path, DEMO.replace("+33199000001", sender))
    assert (found.line, "« carrier.sms_sender »" in found.what) == (line_of(DEMO, "sms_sender"), True)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CALLCENTER_WEBHOKS__PORT", "1", "CALLCENTER_WEBHOOKS__PORT"),
        ("CALLCENTER_WEBHOOKS__PROT", "1", "CALLCENTER_WEBHOOKS__PORT"),
        ("callcenter_captionz", "true", "CALLCENTER_CAPTIONS"),
        ("CALLCENTER_CARRIER__AUTH_TOKENS", "plain-token", '["…"]'),
        ("CALLCENTER_HOSTING", "{", '{"…": …}'),
        ("CALLCENTER_VOICE_RATE", "fast", "whole number"),
        ("DATABASE_URL", "nonsense", "postgresql://"),
        ("DATABASE_URL", "mysql://x/y", "postgresql://"),
        ("CALLCENTER_DATABASE__OWNER_URL", "postgresql://u:p@h:port/x", "postgresql://"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    found = problem(tmp_path, DEMO)
    assert found.file == f"environment variable {name}"
    assert says in found.mend
    assert "plain-token" not in str(found)


def test_variables_that_are_no_settings_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_CONFIG", "somewhere.yaml")
    monkeypatch.setenv("CALLCENTER_DOCS", "write")
    monkeypatch.setenv("CALLCENTER_HOSTING__EXPIRY", "2030-01-01")
    monkeypatch.setenv("CALLCENTER_HOSTING__SELF_HOSTED", "true")
    assert loaded(tmp_path, DEMO).environment is Environment.DEMO


def test_a_setting_in_two_variables_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://one/x")
    monkeypatch.setenv("CALLCENTER_DATABASE__URL", "postgresql://other/x")
    assert "twice" in problem(tmp_path, DEMO).what


def test_a_group_that_is_none_is_named_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://one/x")
    text = DEMO + "database: 5\n"
    assert problem(tmp_path, text).line == line_of(text, "database")


def test_relative_paths_are_meant_from_the_project_wherever_a_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, DEMO + "keys_file: var/keys.json\n")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(file)
    assert settings.flows.folder == PROJECT / "flows"
    assert settings.flows.policy == PROJECT / "config" / "disclosure-policy.yaml"
    assert settings.keys_file == PROJECT / "var" / "keys.json"
    file.write_text(DEMO + "flows: {folder: /srv/flows}\n", encoding="utf-8")
    assert load_settings(file).flows.folder == Path("/srv/flows")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "[::]", "localhost", "a.localhost"])
def test_what_is_this_machine(host: str) -> None:
    assert is_loopback(f"http://{host}:8090")
    assert not is_loopback("https://api.example.org")
