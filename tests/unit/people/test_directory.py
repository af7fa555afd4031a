"""Look-ups in the directory: tolerant of spelling where that adds care, strict where it grants something."""

import pickle

import pytest

from gateway.people.model import Client
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, a_directory


def test_a_worker_is_found_by_id_login_and_address_in_any_case() -> None:
    directory = a_directory()
    ada = directory.worker("s-okafor")
    assert ada is not None
    assert directory.worker_of_login("AOkafor") is ada
    assert directory.worker_of_login(ADA.upper()) is ada
    assert directory.worker_of_address("Ada.Okafor@AGENCY.example") is ada
    assert directory.worker_of_name("ada  OKAFOR") is ada
    assert directory.worker("nobody") is None
    assert directory.worker_of_login("nobody") is None
    assert directory.worker_of_address("not an address") is None


def test_a_professional_tag_counts_only_at_the_domains_that_use_tags() -> None:
    directory = a_directory()
    assert directory.worker_of_address("ada.okafor+intake@agency.example") is directory.worker("s-okafor")
    assert directory.worker_of_address("ada.okafor+intake@school.example") is None


def test_clients_and_personal_mailboxes_are_found_with_a_tag_everywhere() -> None:
    directory = a_directory()
    assert [client.file for client in directory.clients_of_address("Jordan.Reyes+agency@mail.example")] == ["C-1042"]
    owner = directory.worker_of_personal("ada.okafor+work@gmail.example")
    assert owner is not None
    assert owner.id == "s-okafor"


def test_a_familys_address_belongs_to_each_of_its_files() -> None:
    child = Client(file="C-2001", name="Lee Reyes", addresses=(JORDAN,))
    assert [client.file for client in a_directory(child).clients_of_address(JORDAN)] == ["C-1042", "C-2001"]


def test_a_client_is_found_by_file_and_by_name_or_alias() -> None:
    directory = a_directory()
    client = directory.client("C-1042")
    assert client is not None
    assert directory.clients_of_name("jo reyes") == (client,)
    assert directory.client("C-9999") is None
    assert directory.clients_of_name("Nobody") == ()


def test_the_supervisor_is_a_worker_or_none() -> None:
    directory = a_directory()
    ada, luc = directory.worker("s-okafor"), directory.worker("w-tremblay")
    assert ada is not None
    assert luc is not None
    assert directory.supervisor_of(ada) is luc
    assert directory.supervisor_of(luc) is None


@pytest.mark.parametrize(
    ("address", "is_professional"),
    [
        (ADA, True),
        ("front.desk@agency.example", True),
        ("front.desk@AGENCY.EXAMPLE", True),
        ("x@mail.agency.example", False),
        ("x@agency.example.evil.example", False),
        ("x@agency.example.", False),
        ("x@\uff41gency.example", False),
        (ADA_HOME, False),
        (JORDAN, False),
    ],
)
def test_only_the_domains_listed_are_professional(address: str, is_professional: bool) -> None:
    assert a_directory().is_professional(address) is is_professional


def test_a_client_at_a_professional_domain_is_no_colleague() -> None:
    directory = a_directory(Client(file="C-3", name="Kim Roy", addresses=("kim.roy@school.example",)))
    assert not directory.is_professional("kim.roy@school.example")
    assert directory.is_professional("kim.royal@school.example")


def test_an_address_like_a_clients_names_the_client_and_the_clients_own_does_not() -> None:
    directory = a_directory()
    assert [client.file for client in directory.clients_like("jordan.reyes@mial.example")] == ["C-1042"]
    assert directory.clients_like(JORDAN) == ()
    assert directory.clients_like(JORDAN.replace("@", "+x@")) == ()
    assert directory.clients_like("someone.else@mail.example") == ()


def test_a_directory_travels_to_another_process_whole() -> None:
    directory = pickle.loads(pickle.dumps(a_directory()))
    assert directory == a_directory()
    assert directory.worker_of_login("ltremblay").addresses == (LUC,)
    assert directory.clients_like("jordan.reyse@mail.example") != ()


def test_its_repr_holds_no_person() -> None:
    assert "@" not in repr(a_directory())


def test_a_workers_clients_are_those_whose_files_name_the_worker() -> None:
    client = Client(file="C-2001", name="Lee Ray", addresses=("lee@mail.example",), workers=("s-okafor", "w-x"))
    directory = a_directory(client)
    assert client in directory.clients_of_worker("s-okafor")
    assert directory.clients_of_worker("w-x") == (client,)
    assert directory.clients_of_worker("nobody") == ()
