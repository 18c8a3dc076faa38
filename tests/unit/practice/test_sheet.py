"""CSV files as French software writes them: encodings, delimiters, bounds, and lines that can be found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.kernel.errors import DataProblems
from callcenter.practice import sheet
from callcenter.practice.sheet import read_sheet


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "patients.csv"
    path.write_bytes(content)
    return path


def problems(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(DataProblems) as caught:
        read_sheet(path)
    return [(problem.line, problem.what) for problem in caught.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_delimiters_and_line_ends(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    lines = ["Identifiant;Prénom", "1;Émile", "", "2;", '3;"a' + end + 'b"', "4;Zoé"]
    text = end.join(line.replace(";", delimiter) for line in lines)
    read = read_sheet(written(tmp_path, text.encode(encoding)))
    assert read.columns == ("Identifiant", "Prénom")
    assert [(row.line, dict(row.cells)) for row in read.rows] == [
        (2, {"Identifiant": "1", "Prénom": "Émile"}),
        (4, {"Identifiant": "2"}),
        (5, {"Identifiant": "3", "Prénom": f"a{end}b"}),
        (7, {"Identifiant": "4", "Prénom": "Zoé"}),
    ]


def test_a_comma_in_a_name_of_a_column_does_not_hide_the_semicolon(tmp_path: Path) -> None:
    assert read_sheet(written(tmp_path, b'"a,b";c;d\n1;2;3\n')).columns == ("a,b", "c", "d")


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_that_names_the_delimiter_is_no_header(tmp_path: Path, delimiter: str, end: str) -> None:
    text = f"sep={delimiter}{end}a{delimiter}b{end}1{delimiter}2{end}"
    read = read_sheet(written(tmp_path, b"\xef\xbb\xbf" + text.encode()))
    assert read.columns == ("a", "b")
    assert [(row.line, dict(row.cells)) for row in read.rows] == [(3, {"a": "1", "b": "2"})]
    assert problems(written(tmp_path, b"sep=;\n")) == [(0, "it is empty")]


@pytest.mark.parametrize("content", [b"a;b\r1;2\r", b'"a;b\r1;2\r', b"a\r"])
def test_line_ends_of_old_are_refused(tmp_path: Path, content: bytes) -> None:
    ((line, what),) = problems(written(tmp_path, content))
    assert (line, "CR alone" in what) == (1, True)


def test_a_quote_that_the_header_leaves_open_is_a_problem(tmp_path: Path) -> None:
    assert "not readable as CSV" in problems(written(tmp_path, b'a;"b\n1;2\n'))[0][1]
    assert "not readable as CSV" in problems(written(tmp_path, b'a;b\rc;"d\n1;2\n'))[0][1]


def test_trailing_delimiters_are_no_columns(tmp_path: Path) -> None:
    read = read_sheet(written(tmp_path, b"a;b;;\n1;2;;\n"))
    assert read.columns == ("a", "b")
    assert problems(written(tmp_path, b"a;b;;\n1;2;;3\n")) == [(2, "a cell stands under a column without a name")]


def test_all_that_is_wrong_with_the_shape_is_said(tmp_path: Path) -> None:
    found = problems(written(tmp_path, b"a;b;a\n1;2;3\n1;2\n1;2;3;4\n"))
    assert [line for line, _ in found] == [1, 3, 4]
    assert "2 columns are called « a »" in found[0][1]
    assert "2 cells under 3 columns" in found[1][1]


def test_what_is_no_text_or_no_csv_is_refused(tmp_path: Path) -> None:
    assert "neither UTF-8" in problems(written(tmp_path, "a;b".encode("utf-16")))[0][1]
    assert "neither UTF-8" in problems(written(tmp_path, b"a;b\n\x81;1\n"))[0][1]
    assert "neither UTF-8" in problems(written(tmp_path, b"a;b\n\x00;1\n"))[0][1]
    line, what = problems(written(tmp_path, b'a;b\n1;2\n1;"2\n3;4\n'))[0]
    assert line == 3
    assert "not readable as CSV" in what
    assert problems(written(tmp_path, b"")) == [(0, "it is empty")]
    assert "cannot be read" in problems(tmp_path / "absent.csv")[0][1]


def test_sizes_are_bounded_and_the_bound_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_ROWS", 2)
    assert problems(written(tmp_path, b"a\n1\n2\n3\n")) == [(4, "it has more than 2 rows")]
    monkeypatch.setattr(sheet, "MAX_BYTES", 5)
    assert problems(written(tmp_path, b"a\n1\n2\n3\n")) == [(0, "it is larger than 64 MiB")]
