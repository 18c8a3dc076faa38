"""A package that is not the one that was locked."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.scene import PROJECT

PACKAGE = "pyotp"


def _hashes_are_not_asked_for(sabotage: Sabotage) -> None:
    sabotage.settings["hashes"] = False


LOCKED_BY_HASH = Defence("packages are locked by hash", "what was reviewed is what runs", _hashes_are_not_asked_for)


@attack(stopped_by=LOCKED_BY_HASH)
def test_a_registry_gives_another_package_of_the_locked_version(sabotage: Sabotage, tmp_path: Path) -> Outcome:
    """The options are those of ``make setup``, the requirement is the lock's; only the registry is a folder of ours."""
    options, requirement = options_of_make_setup(), locked(PACKAGE)
    if not sabotage.settings.get("hashes", True):
        options.remove("--require-hashes")
        requirement = re.sub(r"\s*\\?\s*--hash=\S+", "", requirement)
    version = requirement.partition("==")[2].split()[0]
    forge(tmp_path / f"{PACKAGE}-{version}-py3-none-any.whl", version)
    wanted, installed = tmp_path / "wanted.txt", tmp_path / "installed"
    wanted.write_text(requirement + "\n", encoding="utf-8")
    registry = ["--no-index", "--find-links", str(tmp_path), "--no-deps", "--target", str(installed)]
    pip = [sys.executable, "-m", "pip", "--isolated", "install", *options, *registry, "-r", str(wanted)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    forged = installed / f"{PACKAGE}.py"
    assert forged.exists() == (done.returncode == 0), done.stderr
    assert forged.exists() or "DO NOT MATCH THE HASHES" in done.stderr, done.stderr
    return gained(forged.exists())


def options_of_make_setup() -> list[str]:
    """How ``make setup`` calls pip for the locked dependencies, and whatever else installs them: in the same way."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    (options,) = set(re.findall(r"-m pip install (.*) -r requirements\.lock", makefile))
    return str(options).split()


def locked(package: str) -> str:
    """What the lock says of ``package``: its version and its hashes."""
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{package}==.*(?:\n +--hash=.*)*", lock, re.MULTILINE)
    assert found is not None
    return found[0]


def forge(wheel: Path, version: str) -> None:
    """A package of the right name and version, with something else in it."""
    about = f"{PACKAGE}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{PACKAGE}.py", "raise SystemExit('not what was locked')\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"{PACKAGE}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
