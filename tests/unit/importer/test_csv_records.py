"""CSV text -> records: strict about quotes, but not about blanks, byte order marks and separators."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_api.importer import csv_records
from command_api.importer.csv_records import read_records
from command_api.importer.errors import FileUnreadable
from command_api.importer.shopify_columns import Row


def records(folder: Path, content: str) -> list[Row]:
    file = folder / "file.csv"
    file.write_bytes(content.encode())
    return list(read_records(file, lambda _: None))


def cells(folder: Path, content: str) -> list[list[str]]:
    return [row.cells for row in records(folder, content)]


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ('"a, b"   ,c\n', [["a, b", "c"]]),
        ('a , "b, c" ,d\n', [["a ", "b, c", "d"]]),
        ('"a"\t\r\n"b"  \r\n', [["a"], ["b"]]),
        ('"a" , "b"', [["a", "b"]]),
        ('"1\n2"  ,x\n', [["1\n2", "x"]]),
        ('"1\n"" 2"" ,""\n3" , "x, y"\n', [['1\n" 2" ,"\n3', "x, y"]]),
        ('"say ""hi"" , you", "b" \n', [['say "hi" , you', "b"]]),
        ('5" pipe, 6" pipe\n', [['5" pipe', ' 6" pipe']]),
        ('a, "b" c\n', [["a", ' "b" c']]),
        ('"", "" ,\n', [["", "", ""]]),
    ],
)
def test_blanks_between_a_quote_and_a_separator_are_no_part_of_a_cell(
    tmp_path: Path, content: str, read: list[list[str]]
) -> None:
    assert cells(tmp_path, f"h\n{content}")[1:] == [row for row in read if any(row)]


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(alphabet='ab ,"\n\r\t;', max_size=8), min_size=2, max_size=4), min_size=1, max_size=5
    ),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoting: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting)
    writer.writerow(["h", "h"])
    writer.writerows(rows)
    read = cells(tmp_path_factory.mktemp("files"), text.getvalue())
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    # Outside quotes a cell ' "' cannot be told from an opening quote; a writer quotes such cells.
    assert read[1:] == filled


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    content = 'h,i\r\n"1\r\n2" ,x\r\n\r\na,b\n'
    assert [row.line for row in records(tmp_path, content)] == [1, 2, 5]
    assert [row.line for row in records(tmp_path, f"sep=,\n{content}")] == [2, 3, 6]


@pytest.mark.parametrize("first", ["sep=;\n", "\ufeffsep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_a_first_line_may_state_the_separator(tmp_path: Path, first: str) -> None:
    assert cells(tmp_path, f'{first}a;b\n"1;2" ; "3,4"\n') == [["a", "b"], ["1;2", "3,4"]]


def test_byte_order_marks_are_dropped_however_many(tmp_path: Path) -> None:
    assert cells(tmp_path, '\ufeff\ufeff"a",b\n') == [["a", "b"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('h,i\na,"b\nc,d\n', "line 2: a quote opens in this row and never closes"),
        ('h,i\na,"5" wide"\n', "line 2: text stands after a closing quote"),
        ('h,i\na,"b\nc,"d"\n', "line 2 (its row was read up to line 3): text stands after a closing quote"),
    ],
)
def test_a_file_whose_quotes_do_not_match_stops_with_the_line(
    tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(FileUnreadable) as stopped:
        records(tmp_path, content)
    assert str(stopped.value).startswith(said)


def test_a_record_over_the_limit_is_cut_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_records, "RECORD_CHARACTERS_MAX", 50)
    long = "\n".join(["<p>one line</p>"] * 40)
    read = records(tmp_path, f'h,i\na,"{long}" ,\nb,"{long}", "x, y"\nc,d\n')
    assert [(row.is_cut, len(row.cells)) for row in read] == [(False, 2), (True, 3), (True, 3), (False, 2)]
    assert read[2].cells[2] == "x, y"
    assert len(read[1].cells[1]) < 100
    assert [row.line for row in read] == [1, 2, 42, 82]


def test_a_line_without_an_end_is_no_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "LINE_CHARACTERS_MAX", 50)
    with pytest.raises(FileUnreadable, match="line 2 has more than 50 characters"):
        records(tmp_path, f"h,i\n{'x' * 60}\n")
