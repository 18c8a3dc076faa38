"""Files of data: read narrowly, refused with file, line and mend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callcenter.kernel.documents import DISK, MAX_BYTES, Document, Kept, from_pydantic, read_yaml
from callcenter.kernel.errors import DataProblems, Problem


def written(folder: Path, text: str) -> Path:
    file = folder / "data.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(file: Path) -> list[Problem]:
    with pytest.raises(DataProblems) as refusal:
        read_yaml(file)
    return list(refusal.value.problems)


def test_what_looks_like_a_number_is_text_unless_it_is_plainly_one(tmp_path: Path) -> None:
    document = read_yaml(
        written(
            tmp_path, "a: 0465710001\nb: +33465710001\nc: no\nd: 08:30\ne: 2026-12-01\nf: [12, -3, 1.5, true, null]\n"
        )
    )
    assert document.data == {
        "a": "0465710001",
        "b": "+33465710001",
        "c": "no",
        "d": "08:30",
        "e": "2026-12-01",
        "f": [12, -3, 1.5, True, None],
    }


def test_keys_are_text(tmp_path: Path) -> None:
    document = read_yaml(written(tmp_path, 'keys: {1: a, 0: b, "*": c, yes: d, no: e, on: f}\n'))
    assert document.data == {"keys": {"1": "a", "0": "b", "*": "c", "yes": "d", "no": "e", "on": "f"}}


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    document = read_yaml(written(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - y\n"))
    assert (document.line("a"), document.line("a", "b"), document.line("a", "c", 1)) == (1, 2, 5)
    assert document.line("a", "b", "absent") == 2  # the nearest that exists
    assert document.line("absent") == document.line() == 0


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "stands twice"),
        ("a: 1\n'a': 2\n", 2, "stands twice"),
        ("a: &x 1\nb: *x\n", 2, "alias"),
        ("a:\n  " + "[" * 40 + "]" * 40 + "\n", 2, "nests too deeply"),
        ("a: 1\nb: !!python/object:os.system {}\n", 2, "a type that is not read"),
        ("a: !!set {x}\n", 1, "a type that is not read"),
        ("a: !!str [x]\n", 1, "a type that is not read"),
        ("a: !!binary aGVsbG8=\n", 1, "a type that is not read"),
        ("a: !!int zz\n", 1, "a type that is not read"),
        ("? [a]\n: 1\n", 1, "not a plain word"),
        ("a: [\n", 2, "not readable YAML"),
        ("a: 1\n---\nb: 1\n", 2, "not readable YAML"),
        ("a: \x01\n", 0, "a character that YAML does not allow"),
        ("- a\n", 1, "does not hold keys and values"),
        ("", 1, "does not hold keys and values"),
    ],
)
def test_refused_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    [problem] = refused(written(tmp_path, text))
    assert problem.line == line
    assert what in problem.what
    assert problem.mend
    assert problem.file == str(tmp_path / "data.yaml")


def test_all_doubled_keys_are_told_at_once(tmp_path: Path) -> None:
    assert [problem.line for problem in refused(written(tmp_path, "a: 1\na: 2\nb: 1\nb: 2\n"))] == [2, 4]


def test_a_file_that_is_missing_too_large_or_not_text(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "absent.yaml")[0].what
    assert "cannot be read" in refused(tmp_path)[0].what
    padded = "a: 1\n" + "#" * (MAX_BYTES - 6) + "\n"
    assert read_yaml(written(tmp_path, padded)).data == {"a": 1}
    assert "larger than 1 MiB" in refused(written(tmp_path, padded + "#"))[0].what
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    assert refused(latin)[0].line == 2


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    port: Annotated[int, Field(ge=1, le=65535)]
    name: str


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    servers: dict[str, Inner]
    either: int | Inner = 0


def problems_of(folder: Path, text: str) -> tuple[Document, list[Problem]]:
    document = read_yaml(written(folder, text))
    with pytest.raises(ValidationError) as refusal:
        Outer.model_validate(document.data)
    return document, from_pydantic(refusal.value, document)


def test_what_pydantic_refuses_is_told_by_line_in_plain_words(tmp_path: Path) -> None:
    text = "servers:\n  a:\n    port: 0\n    name: x\n"
    text += "  b:\n    port: 80\n    nam: x\n"
    text += "  c:\n    port: secret-42\n    name: x\n"
    _, problems = problems_of(tmp_path, text)
    assert [(problem.line, problem.mend) for problem in problems] == [
        (3, "write at least 1"),
        (5, "add « name: … »"),
        (7, "correct its spelling, or remove it"),
        (9, "write a whole number here"),
    ]
    assert "« nam »" in problems[2].what
    assert "secret-42" not in "".join(map(str, problems))  # it may be a secret


def test_names_of_a_unions_members_are_left_out_of_the_place(tmp_path: Path) -> None:
    _, problems = problems_of(tmp_path, "servers: {}\neither:\n  port: 1\n  name: [x]\n")
    assert {problem.line for problem in problems} == {2, 4}


def test_a_part_of_a_document_keeps_its_lines(tmp_path: Path) -> None:
    document = read_yaml(written(tmp_path, "servers:\n  a:\n    port: 80\n    name: 3\n"))
    with pytest.raises(ValidationError) as refusal:
        Inner.model_validate(document.data["servers"]["a"])
    [problem] = from_pydantic(refusal.value, document, "servers", "a")
    assert (problem.line, problem.mend) == (4, "write text here")
    assert "« servers.a.name »" in problem.what


# --- what is kept of a disk


def test_texts_that_are_kept_are_read_listed_and_found_as_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    for name in ("b.yaml", "a.yaml", "note.txt", "part/c.yaml"):
        (tmp_path / name).write_text(f"name: {name}\n", encoding="utf-8")
    kept = Kept({str(file): file.read_text() for file in tmp_path.rglob("*.*")})
    assert (
        kept.listed(str(tmp_path))
        == DISK.listed(str(tmp_path))
        == [str(tmp_path / name) for name in ("a.yaml", "b.yaml")]
    )
    for name in ("a.yaml", "part/c.yaml", "part/none.yaml"):
        assert kept.holds(str(tmp_path / name)) == DISK.holds(str(tmp_path / name))
    assert read_yaml(tmp_path / "a.yaml", kept) == read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("text", "what"), [(None, "it is not among the texts that are kept"), ("a: " + "é" * (MAX_BYTES // 2), "1 MiB")]
)
def test_what_is_not_kept_or_too_long_is_refused_by_name(text: str | None, what: str) -> None:
    with pytest.raises(DataProblems) as refusal:
        read_yaml("flows/a.yaml", Kept({} if text is None else {"flows/a.yaml": text}))
    (problem,) = refusal.value.problems
    assert problem.file == "flows/a.yaml"
    assert what in problem.what
