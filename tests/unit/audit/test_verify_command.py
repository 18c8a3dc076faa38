"""The verifier as a program: what it exits with, what it writes, and that it needs nothing of ours."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from callcenter.audit import proof, verify
from callcenter.audit.verify import MOST_OF_A_LINE, Malformed, Report, Verdict, keys_of, lines_of, main
from callcenter.cli import main as callcenter
from callcenter.cli.audit_verify import words_of
from tests.unit.audit.log_by_hand import NEW, OLD, ORIGIN, THIEF, LogByHand, five_calls, head, vkey

SOURCE = Path(verify.__file__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export, its key, and an earlier checkpoint, as files."""
    log = five_calls()
    (tmp_path / "log.ccaudit").write_bytes(b"".join(log.lines()))
    (tmp_path / "keys").write_text(f"# of the practice\n\n{vkey(OLD)}\n")
    (tmp_path / "held").write_text(log.notes[1][1])
    return tmp_path


def run(folder: Path, *more: str) -> int:
    return main([str(folder / "log.ccaudit"), "--trust", str(folder / "keys"), *more])


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    imported = set()
    for node in ast.walk(ast.parse(SOURCE.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_two_files_check_a_proof_where_nothing_else_of_ours_is(folder: Path) -> None:
    (folder / "callcenter" / "audit").mkdir(parents=True)
    for source in (SOURCE, Path(proof.__file__)):
        shutil.copy(source, folder / "callcenter" / "audit")
    log = LogByHand()
    log.add()
    (folder / "one.tlog-proof").write_text(proof.Proof(log.bodies[0], 0, (), log.sign()).text())
    program = (
        "import sys, runpy; sys.path.insert(0, sys.argv.pop(1))\n"
        "try: runpy.run_module('callcenter.audit.proof', run_name='__main__')\n"
        "finally: print(sorted(one for one in sys.modules if one.startswith('callcenter')))\n"
    )

    command = [sys.executable, "-I", "-c", program, str(folder), str(folder / "one.tlog-proof")]
    done = subprocess.run([*command, "--trust", str(folder / "keys")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"proven: record 0 of 1 of {ORIGIN}\n")
    assert done.stdout.endswith("['callcenter', 'callcenter.audit', 'callcenter.audit.verify']\n")


def test_the_file_alone_verifies_where_nothing_of_ours_is(folder: Path) -> None:
    """An interpreter without our environment's packages: only ``cryptography`` and what that needs."""
    alone, packages = folder / "alone", folder / "packages"
    alone.mkdir()
    packages.mkdir()
    shutil.copy(SOURCE, alone / "verify.py")
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            origin = origin.parent if origin.name == "__init__.py" else origin
            (packages / origin.name).symlink_to(origin)
    program = (
        "import sys, runpy; sys.path.append(sys.argv.pop(1)); sys.argv.pop(0)\n"
        "try: import callcenter\n"
        "except ModuleNotFoundError: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "else: sys.exit(7)\n"
    )
    arguments = [str(alone / "verify.py"), str(folder / "log.ccaudit"), "--trust", str(folder / "keys")]

    def verified(*more: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", "-c", program, str(packages), *arguments, *more]
        done = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    status, told = verified("--since", str(folder / "held"))
    assert status == 0
    assert "continues the checkpoint that you hold, of 10 records" in told
    export = folder / "log.ccaudit"
    export.write_bytes(export.read_bytes().replace(b"pas 2", b"pas 3"))
    status, told = verified()
    assert status == 1
    assert told.startswith("TAMPERED: callcenter/")


def test_without_the_package_that_it_needs_it_could_not_check(folder: Path) -> None:
    command = [sys.executable, "-I", "-S", str(SOURCE), str(folder / "log.ccaudit"), "--trust", str(folder / "keys")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
    assert done.returncode == 2
    assert done.stderr == (
        "could not check: No module named 'cryptography'. Install it: python -m pip install cryptography\n"
    )


def test_it_says_what_it_was_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 0
    told = capsys.readouterr().out
    assert told.startswith("intact: callcenter/")
    assert "20 records in 5 streams" in told


def test_what_to_do_is_said_of_the_checkpoint_that_was_kept_or_was_not(folder: Path) -> None:
    command = ["audit", "verify", str(folder / "log.ccaudit"), "--trust", str(folder / "keys")]
    for more, said in (([], "Keep the last checkpoint (--keep FILE)"), (["--keep", str(folder / "k")], f"{folder}/k")):
        told = " ".join(CliRunner().invoke(callcenter, [*command, *more]).output.split())
        assert ("(--keep FILE)" in told) is not bool(more), told
        assert said in told


def test_whoever_interrupts_has_no_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 would say that somebody has tampered."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "verify_file", interrupted)
    command = ["audit", "verify", str(folder / "log.ccaudit"), "--trust", str(folder / "keys")]
    assert CliRunner().invoke(callcenter, command).exit_code == 130


def test_nobody_is_told_to_trust_a_next_key_that_was_stolen() -> None:
    """Whoever has the first of three keys, where the second one was stolen."""
    report = Report(Verdict.UNCHECKED, (), rotated=(vkey(NEW),))
    assert "trust it from now on" in "".join(words_of(report, [], None))
    assert "trust it from now on" not in "".join(words_of(replace(report, stolen=((vkey(NEW), 3),)), [], None))


def test_where_another_key_has_signed_all_it_is_said_first_to_look_at_the_key(folder: Path) -> None:
    """A file of before a change of the key, or a forger's: what it holds cannot say which, so it is not intact."""

    def verified(key: str, log: LogByHand) -> str:
        (folder / "log.ccaudit").write_bytes(b"".join(log.lines()))
        done = CliRunner().invoke(callcenter, ["audit", "verify", str(folder / "log.ccaudit"), "--trust", key])
        assert done.exit_code == Verdict.TAMPERED
        return " ".join(done.output.split())

    told = verified(vkey(NEW), five_calls())
    assert "your key has signed none of its 4 checkpoints, and another key has" in told
    assert told.index("To do: First see whether your key is the one that this log had") < told.index("the CNIL")
    one_by_another = five_calls()
    one_by_another.notes[1] = five_calls(THIEF).notes[1]
    assert "First see whether" not in verified(vkey(OLD), one_by_another)
    remade = five_calls()
    remade.bodies[3] = remade.bodies[3].replace(b"pas", b"sap")
    assert "First see whether" not in verified(vkey(OLD), remade)


def test_the_last_checkpoint_is_kept_for_the_next_time(folder: Path) -> None:
    kept = folder / "kept"
    assert run(folder, "--keep", str(kept)) == 0
    assert kept.read_text("utf-8") == five_calls().notes[-1][1]
    assert run(folder, "--since", str(kept)) == 0
    cut = five_calls()
    cut.bodies, cut.notes = cut.bodies[:15], cut.notes[:3]
    (folder / "log.ccaudit").write_bytes(b"".join(cut.lines()))
    assert run(folder) == 0
    assert run(folder, "--since", str(kept), "--keep", str(kept)) == 1
    assert kept.read_text("utf-8") == five_calls().notes[-1][1]  # what is not intact replaces nothing


def test_what_is_held_is_replaced_by_something_whole_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be the only checkpoint that its owner has."""
    kept, write = folder / "held", Path.write_bytes

    def full_disk(path: Path, data: bytes) -> int:
        write(path, data[:10])
        raise OSError(28, "No space left on device", str(path))

    before = kept.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    assert run(folder, "--since", str(kept), "--keep", str(kept)) == 2
    assert kept.read_bytes() == before
    monkeypatch.undo()
    assert run(folder, "--since", str(kept), "--keep", str(kept)) == 0
    assert kept.read_text("utf-8") == five_calls().notes[-1][1]
    assert "No space left" in capsys.readouterr().err


def test_what_a_letter_or_an_editor_does_to_a_file_is_undone(folder: Path) -> None:
    for name in ("held", "keys"):
        there = folder / name
        there.write_bytes(there.read_bytes().replace(b"\n", b"\r\n"))
    (folder / "keys").write_bytes(b"\xef\xbb\xbf" + f"{vkey(OLD)}\r\n".encode())
    command = ["audit", "verify", str(folder / "log.ccaudit"), "--trust", str(folder / "keys")]
    verified = CliRunner().invoke(callcenter, [*command, "--since", str(folder / "held")])
    assert verified.exit_code == 0, verified.output
    assert "continues the checkpoint that you hold" in verified.output


def test_alone_it_takes_a_key_as_text_and_a_file_of_keys_with_the_mark_of_an_editor_and_several(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = folder / "keys"
    keys.write_bytes(b"\xef\xbb\xbf" + keys.read_bytes())
    for trusted in ((str(keys),), (vkey(OLD),), (vkey(THIEF), vkey(OLD)), (vkey(THIEF), str(keys))):
        options = [option for one in trusted for option in ("--trust", one)]
        assert main([str(folder / "log.ccaudit"), *options]) == 0, trusted
    for wrong in (vkey(OLD).replace("+", "+0", 1), vkey(OLD)[:-4] + "####"):
        capsys.readouterr()
        assert main([str(folder / "log.ccaudit"), "--trust", wrong]) == 2
        assert capsys.readouterr().err.startswith("could not check: ")


def test_what_could_not_be_read_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, none = str(folder / "log.ccaudit"), str(folder / "none")
    for program, arguments in (
        (main, [log, "--trust", none]),
        (main, [none, "--trust", vkey(OLD)]),
        (main, [log, "--trust", vkey(OLD), "--since", none]),
        (main, [log, "--trust", log]),
        (proof.main, [none, "--trust", vkey(OLD)]),
    ):
        assert program(arguments) == 2
        told = capsys.readouterr().err
        assert told.count(str(folder)) == 1, told
        assert "Errno" not in told


#: A shell that runs tests beside itself has switched Ctrl-C off for them.
HEARS = "import signal, sys, runpy; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


@pytest.mark.parametrize("program", ["callcenter.audit.verify", "callcenter.audit.proof"])
def test_alone_whoever_interrupts_has_no_answer_and_no_traceback(folder: Path, program: str) -> None:
    """A traceback would exit with 1, which says that somebody has tampered. It reads when it is interrupted: a pipe."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    runs = f"{HEARS}runpy.run_module({program!r}, run_name='__main__')"
    command = [sys.executable, "-c", runs, str(pipe), "--trust", vkey(OLD)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            writes = written_to(pipe, running)
            running.send_signal(signal.SIGINT)
            told, why = running.communicate()
            os.close(writes)
        finally:
            running.kill()
    assert (running.returncode, told, why) == (130, "", "interrupted: there is no answer\n")


def written_to(pipe: Path, running: subprocess.Popen[str]) -> int:
    """The pipe, opened once the program reads from it; whoever has ended never does."""
    while running.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads yet
            time.sleep(0.01)
    raise AssertionError(running.communicate())


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "Bonjour,\n"])
def test_a_file_without_keys_is_named(folder: Path, text: str) -> None:
    other = folder / "other"
    other.write_text(text)
    verified = CliRunner().invoke(callcenter, ["audit", "verify", str(folder / "log.ccaudit"), "--trust", str(other)])
    assert (verified.exit_code, f"{other} holds no keys" in verified.output) == (2, True)


def test_lines_are_read_to_the_length_that_is_looked_at() -> None:
    longest, longer = b"a" * MOST_OF_A_LINE + b"\n", b"b" * (MOST_OF_A_LINE + 1) + b"\n"
    assert list(lines_of(BytesIO(longest + longer + b"c\n"))) == [longest, longer[:-1], b"\n", b"c\n"]


def test_a_file_that_nobody_has_signed_is_not_checked_and_replaces_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "log.ccaudit").write_bytes(head(ORIGIN, 0))
    assert run(folder, "--keep", str(folder / "held")) == 2
    assert "could not check: " in capsys.readouterr().out
    assert (folder / "held").read_text("utf-8") == five_calls().notes[1][1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keys", b""),
        ("keys", b"# nothing\n"),
        ("keys", b"no key\n"),
        ("keys", b"\xff\n"),
        ("keys", None),
        ("log.ccaudit", None),
        ("log.ccaudit", b""),
        ("log.ccaudit", b"\x00" * 4096),
        ("held", None),
        ("held", b"\xff"),
        ("held", b""),
    ],
)
def test_what_cannot_be_read_cannot_be_checked(
    folder: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert run(folder, "--since", str(folder / "held")) == 2
    told = capsys.readouterr()
    assert "could not check" in told.out + told.err


def test_a_folder_in_place_of_a_file_cannot_be_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--trust", str(folder / "keys")]) == 2
    assert main([str(folder / "log.ccaudit"), "--trust", str(folder)]) == 2
    assert run(folder, "--keep", str(folder)) == 2
    assert str(folder) in capsys.readouterr().err


def test_arguments_that_are_wrong_are_no_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], [str(folder / "log.ccaudit")], ["--trust", str(folder / "keys")]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_key_of_somebody_else_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys").write_text(vkey(THIEF) + "\n")
    assert run(folder) == 1
    assert "or the key that you trust is not the one of this log" in capsys.readouterr().out
    (folder / "keys").write_text(vkey(OLD, "callcenter/house") + "\n")
    assert run(folder) == 2
    assert "the keys that you trust: callcenter/house" in capsys.readouterr().out


def test_keys_stand_one_a_line() -> None:
    assert [str(key) for key in keys_of(f" {vkey(OLD)}\r\n#{vkey(THIEF)}\n\n{vkey(NEW)}")] == [vkey(OLD), vkey(NEW)]
    with pytest.raises(Malformed):
        keys_of(f"{vkey(OLD)} {vkey(NEW)}\n")
