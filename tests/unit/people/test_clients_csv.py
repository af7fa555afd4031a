"""clients.csv: a spreadsheet's table, read with line numbers and without guessing."""

from datetime import date

import pytest

from gateway.people.clients_csv import COLUMNS, MAX_FIELD_CHARS, read_clients_csv
from gateway.people.fields import Problems

HEADER = ",".join(COLUMNS)


def read(content: str | bytes):
    problems = Problems("clients.csv")
    entries = read_clients_csv(content if isinstance(content, bytes) else content.encode(), problems)
    return entries, [str(problem) for problem in problems.found]


def test_a_row_gives_a_client_with_its_line() -> None:
    entries, problems = read(
        f"{HEADER}\nC-1,Sam Lee,Sammy; S. Lee,Sam@Mail.example,past,w-1;w-2,fr,2009-05-17,forever\n"
    )
    assert problems == []
    client = entries[0].client
    assert (client.file, client.name, client.also_known_as) == ("C-1", "Sam Lee", ("Sammy", "S. Lee"))
    assert (client.addresses, client.is_past) == (("sam@mail.example",), True)
    assert (client.workers, client.language, entries[0].line) == (("w-1", "w-2"), "fr", 2)
    assert (client.born, client.retention) == (date(2009, 5, 17), "forever")


def test_a_birth_that_is_no_date_is_told() -> None:
    _, problems = read("file,name,born\nC-1,Sam,17 May 2009\n")
    assert problems == ["clients.csv:2: '17 May 2009' is no date: write it as 2008-05-17"]


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    entries, problems = read("Name,File\nSam,C-1\n")
    assert (problems, entries[0].client.file, entries[0].client.is_past) == ([], "C-1", False)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_byte_order_mark_line_ends_and_empty_lines_do_not_matter(ends: str) -> None:
    entries, problems = read("\ufefffile,name" + ends + ends + "C-1,Sam" + ends + "," + ends)
    assert (problems, len(entries), entries[0].line) == ([], 1, 3)


def test_a_quoted_cell_over_two_lines_keeps_the_count_of_lines() -> None:
    entries, problems = read('file,name\nC-1,"Sam\nLee"\nC-2,\n')
    assert (len(entries), problems) == (1, ["clients.csv:4: a client needs 'name': fill the cell"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "1: the file has no header row"),
        ("\n\n", "1: the file has no header row"),
        ("file,nam\n", "1: there is no column 'nam': did you mean 'name'?"),
        ("file,name,zzz\n", "1: there is no column 'zzz': known are file"),
        ("file;name;addresses\nC-1;Sam;a@x.example\n", "1: semicolons stand between the columns: separate columns"),
        ("\ufefffile\tname\nC-1\tSam\n", "1: tabs stand between the columns: separate columns by commas"),
        ("file,name,name\n", "1: the column 'name' stands twice"),
        ("file,name\nC-1,Sam,extra\n", "2: 3 cells stand under 2 columns"),
        ("file,name,status\nC-1,Sam,gone\n", "2: 'gone' is no status (known: current, past)"),
        ("file,name,language\nC-1,Sam,de\n", "2: 'de' is no language"),
        ("file,name,addresses\nC-1,Sam,a@b@c\n", "2: 'a@b@c' is not a mail address"),
        ('file,name\nC-1,"Sam\n', "2: this row can't be read"),
        (f"file,name\nC-1,{'x' * (MAX_FIELD_CHARS + 1)}\n", "2: a cell is too long"),
        (f"file,name\nC-1,{'x' * 200_000}\n", "2: this row can't be read"),
        (b"file,name\nC-1,Ren\xe9\n", "2: the file is not UTF-8"),
        ("file,name\nC-1,Sam\n".encode("utf-16"), "1: the file is not UTF-8"),
    ],
)  # fmt: skip
def test_each_problem_has_its_line_and_says_what_to_do(content: str | bytes, expected: str) -> None:
    _, problems = read(content)
    assert problems[0].startswith(f"clients.csv:{expected}")


def test_a_table_with_other_separators_is_one_problem() -> None:
    assert len(read("file;name\nC-1;Sam\nC-2;Ito\n")[1]) == 1


def test_all_rows_are_read_though_some_are_wrong() -> None:
    entries, problems = read("file,name,status\nC-1,A,odd\nC-2,B,past\n,C,past\nC-4,D,odd\n")
    assert [entry.client.file for entry in entries] == ["C-1", "C-2", "C-4"]
    assert [problem.split(":")[1] for problem in problems] == ["2", "4", "5"]
