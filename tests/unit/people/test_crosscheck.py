"""People against each other: what no single entry can show."""

from gateway.people.crosscheck import crosscheck
from gateway.people.entries import ClientEntry, WorkerEntry
from gateway.people.model import Client, Organisation, Role, Worker

HOUSE = Organisation(name="A", professional_domains=("agency.example",))


def worker(number: int, **changes) -> WorkerEntry:
    facts = {
        "id": f"w-{number}",
        "name": f"W {number}",
        "role": Role.STAFF,
        "addresses": (f"w{number}@agency.example",),
    }
    return WorkerEntry(worker=Worker(**(facts | changes)), path="people.yaml", line=number, supervisor_line=number)


def client(number: int, **changes) -> ClientEntry:
    facts = {"file": f"C-{number}", "name": f"C {number}", "addresses": (f"c{number}@mail.example",)}
    return ClientEntry(client=Client(**(facts | changes)), path="clients.csv", line=number)


def lines(workers: list[WorkerEntry], clients: list[ClientEntry]) -> list[str]:
    return [f"{problem.path}:{problem.line}" for problem in crosscheck(HOUSE, tuple(workers), tuple(clients))]


def test_people_in_order_give_no_problem() -> None:
    boss = worker(1, role=Role.FACULTY)
    student = worker(2, role=Role.STUDENT, supervisor="w-1", logins=("w2",), personal_addresses=("w2@home.example",))
    assert lines([boss, student], [client(1, workers=("w-2",)), client(2, addresses=("c1@mail.example",))]) == []


def test_a_shared_mailbox_belongs_to_one_worker() -> None:
    assert lines([worker(1), worker(2, addresses=("w1@agency.example",))], []) == ["people.yaml:2"]
    assert lines([worker(1), worker(2, personal_addresses=("w1@agency.example",))], []) == ["people.yaml:2"]


def test_a_supervisor_of_unknown_role_is_not_told_twice() -> None:
    boss = worker(1)
    unknown = WorkerEntry(worker=boss.worker, path=boss.path, line=1, supervisor_line=1, is_role_known=False)
    student = worker(2, role=Role.STUDENT, supervisor="w-1")
    assert lines([unknown, student], []) == []
    assert lines([boss, student], []) == ["people.yaml:2"]


def test_a_client_is_not_a_workers_address_of_either_kind() -> None:
    house = [worker(1, personal_addresses=("w1@home.example",))]
    assert lines(house, [client(1, addresses=("w1@agency.example",)), client(2, addresses=("w1@home.example",))]) == [
        "clients.csv:1",
        "clients.csv:2",
    ]


def test_nobody_supervises_in_a_ring_of_one() -> None:
    assert lines([worker(1, role=Role.SUPERVISOR, supervisor="w-1")], []) == ["people.yaml:1"]


def test_an_address_is_professional_or_personal_and_not_both() -> None:
    assert lines([worker(1, personal_addresses=("w1@agency.example",))], []) == ["people.yaml:1"]


def test_file_numbers_that_differ_in_capitals_only_are_one_too_many() -> None:
    people = [client(1, file="C-1"), client(2, file="c-1", addresses=())]
    (problem,) = crosscheck(HOUSE, (), tuple(people))
    assert str(problem).startswith("clients.csv:2: the file 'c-1' differs only in capital letters from 'C-1' in line 1")
