"""A release is known by all of its texts; a prover, by all that decides."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from callcenter.calls import release as releases
from callcenter.calls.flows import load_flows
from callcenter.calls.release import Gathered, Release, released
from callcenter.flow import prover
from callcenter.flow.prover import prover_version
from callcenter.kernel.errors import DataProblems, IntegrityError
from callcenter.settings import PROJECT
from tests.publishing import folder_of, loaded

SMALL = Release("accueil", "prompts/fr.yaml", {"flows/accueil.yaml": "flow: accueil", "prompts/fr.yaml": "é"})


def test_a_release_is_known_by_its_entry_its_paths_and_every_text() -> None:
    others = [
        replace(SMALL, entry="autre"),
        replace(SMALL, prompts="prompts/en.yaml"),
        replace(SMALL, texts={**SMALL.texts, "prompts/fr.yaml": "è"}),
        replace(SMALL, texts={**SMALL.texts, "prompts/en.yaml": ""}),
        replace(SMALL, texts={"flows/a.yaml": "flow: accueil", "prompts/fr.yaml": "é"}),
    ]
    digests = {SMALL.digest, *(one.digest for one in others)}
    assert len(digests) == len(others) + 1
    turned = replace(SMALL, texts=dict(reversed(SMALL.texts.items())))
    assert turned.digest == SMALL.digest


def test_what_is_kept_is_read_again_or_refused() -> None:
    assert Release.kept(SMALL.content, SMALL.digest) == SMALL
    with pytest.raises(IntegrityError, match="not those that were published"):
        Release.kept(SMALL.content + " ", SMALL.digest)
    for content in ("", "[]", '{"entry": "a"}', '{"entry": "a", "prompts": "b", "texts": 3}'):
        with pytest.raises(IntegrityError, match="none that callcenter has written"):
            Release.kept(content, releases.digest_of(content))


def test_the_shipped_release_holds_every_file_that_a_flow_names_and_no_path_of_this_machine(tmp_path: Path) -> None:
    release = loaded(PROJECT / "flows").release
    flows, prompts = PROJECT / "flows", PROJECT / "flows" / "prompts"
    texts = {f"flows/{file.relative_to(flows)}": file for file in flows.rglob("*.yaml") if file.parent != prompts}
    texts |= {f"prompts/{file.name}": file for file in prompts.glob("*.yaml")}
    assert release.texts == {path: file.read_text("utf-8") for path, file in texts.items()}
    assert str(PROJECT) not in release.content
    assert loaded(folder_of(tmp_path)).release.digest == release.digest


def test_prompts_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    elsewhere = Path(shutil.move(folder / "prompts", tmp_path / "words"))
    policy = PROJECT / "config/disclosure-policy.yaml"
    release = load_flows(folder, "accueil", elsewhere / "fr.yaml", policy).release
    assert release.digest == loaded(PROJECT / "flows").release.digest


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "MOST_BYTES", 4)
    read = Gathered(texts={str(tmp_path / "a.yaml"): "flow"})
    assert released("a", tmp_path, read, tmp_path / "fr.yaml", Gathered()).texts == {"flows/a.yaml": "flow"}
    spoken = Gathered(texts={"fr.yaml": "é"})
    with pytest.raises(DataProblems, match="MiB together"):
        released("a", tmp_path, read, tmp_path / "fr.yaml", spoken)


def test_words_that_the_house_says_by_itself_belong_to_a_release(tmp_path: Path) -> None:
    """Nobody who publishes finds out by a call that ends in the middle."""
    for key in ("queue.sent", "queue.consult", "queue.offer", "queue.offer_callback", "script.emergency"):
        folder = folder_of(tmp_path / key)
        for language in ("fr", "en"):
            file = folder / "prompts" / f"{language}.yaml"
            text = file.read_text("utf-8")
            assert f"\n  {key}:" in text
            file.write_text(text.replace(f"\n  {key}:", f"\n  {key.split('.')[0]}.unheard:"), "utf-8")
        with pytest.raises(DataProblems, match=f"« {key} »"):
            loaded(folder)


def test_another_source_reader_or_name_makes_another_prover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = prover_version()
    copies = {}
    for package in prover.DECIDING:
        name = package.rpartition(".")[2]
        copies[package] = type("Package", (), {"__path__": [str(shutil.copytree(_sources(name), tmp_path / name))]})
    monkeypatch.setattr(prover, "import_module", copies.__getitem__)

    def version() -> str:
        prover_version.cache_clear()
        return prover_version()

    try:
        assert version() == known
        proof = tmp_path / "flow" / "proof.py"
        text = proof.read_text("utf-8")
        proof.write_text(text + "\n", "utf-8")
        changed = version()
        proof.write_text(text, "utf-8")
        assert version() == known
        proof.rename(proof.with_name("prove.py"))
        renamed = version()
        installed, others = metadata.version, set()
        for reader in ("pyyaml", "pydantic", "jinja2"):  # what is imported there, and decides by what it reads
            monkeypatch.setattr(
                prover.metadata, "version", lambda name, of=reader: installed(name) + ("a" if name == of else "")
            )
            others.add(version())
        assert len({known, changed, renamed, *others}) == 6
        for source in (tmp_path / "kernel").rglob("*.py"):
            source.unlink()
        with pytest.raises(FileNotFoundError, match=r"callcenter\.kernel"):
            version()
    finally:
        prover_version.cache_clear()


def _sources(name: str) -> Path:
    return PROJECT / "callcenter" / name
