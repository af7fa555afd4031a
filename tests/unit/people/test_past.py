"""Past clients are known when people.yaml has forgotten them; merged files are one."""

from __future__ import annotations

from datetime import date

from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.people.classify import classify, party_of
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Organisation, Role
from gateway.people.past import NOBODY, PastClients, address_hash, hashes_of, merged_clients
from tests.builders import a_message

KEY = b"k" * 32
GONE = "jordan.reyes@mail.example"


def a_directory(*clients: Client, past: PastClients = NOBODY) -> Directory:
    organisation = Organisation(name="King Street", professional_domains=("agency.example",))
    return Directory(organisation=organisation, workers=(), clients=clients, past=past)


def past_of(address: str, *files: str) -> PastClients:
    return PastClients(key=KEY, files={address_hash(KEY, address): files})


def test_an_address_of_a_destroyed_file_is_a_past_clients_in_any_spelling() -> None:
    directory = a_directory(past=past_of(GONE, "C-1042"))
    for written in (GONE, "Jordan.Reyes@MAIL.example", "jordan.reyes+home@mail.example"):
        party = party_of(directory, written)
        assert (party.role, [client.file for client in party.clients]) == (Role.PAST_CLIENT, ["C-1042"])
    assert party_of(directory, "sam.lee@mail.example").role is Role.OUTSIDER
    assert party_of(a_directory(), GONE).role is Role.OUTSIDER


def test_whom_people_yaml_knows_it_has_the_word_on() -> None:
    current = Client(file="C-2", name="Jordan Reyes", addresses=(GONE,))
    party = party_of(a_directory(current, past=past_of(GONE, "C-1042")), GONE)
    assert (party.role, party.clients) == (Role.CLIENT, (current,))


def test_mail_from_and_to_a_past_client_is_client_mail() -> None:
    directory = a_directory(past=past_of(GONE, "C-1042"))
    message, us = a_message().message(), "ada@agency.example"
    ways = ((GONE, us, Direction.INBOUND), (us, GONE, Direction.OUTBOUND))
    for sender, recipient, direction in ways:
        sent = message if sender == us else a_message().from_(GONE).message()
        envelope = Envelope(mail_from=sender, recipients=(Recipient(address=recipient),))
        parties = classify(envelope, sent, SessionFacts(), directory)
        assert (parties.direction, parties.client_files) == (direction, ("C-1042",))


def test_a_family_address_leads_to_every_file() -> None:
    found = past_of(GONE, "C-1", "C-2").of_address(GONE)
    assert [client.file for client in found] == ["C-1", "C-2"]


def test_hashes_are_of_canonical_addresses_under_the_key() -> None:
    assert hashes_of(KEY, ["A@Mail.example", "a@mail.example", "no address"]) == (address_hash(KEY, "a@mail.example"),)
    assert address_hash(KEY, GONE) != address_hash(b"x" * 32, GONE)
    assert GONE not in repr(past_of(GONE, "C-1"))


def test_merged_files_are_one_client_with_all_addresses_and_names() -> None:
    kept = Client(file="C-2", name="Jordan Reyes", addresses=("a@x.example",), workers=("w-1",), is_past=True)
    gone = Client(
        file="C-1", name="Jo Reyes", addresses=("b@x.example",), workers=("w-2",), born=date(2009, 1, 1), language="fr"
    )
    other = Client(file="C-3", name="Sam Lee", addresses=("s@x.example",))
    (merged, untouched) = merged_clients((gone, kept, other), {"C-1": "C-2"})
    assert (merged.file, merged.addresses, merged.also_known_as) == (
        "C-2",
        ("a@x.example", "b@x.example"),
        ("Jo Reyes",),
    )
    assert (merged.workers, merged.is_past, merged.born, merged.language) == (
        ("w-1", "w-2"),
        False,
        date(2009, 1, 1),
        "en",
    )
    assert untouched is other
    (alone,) = merged_clients((gone,), {"C-1": "C-2"})
    assert (alone.file, alone.name) == ("C-2", "Jo Reyes")


def test_of_merged_files_the_one_that_stayed_has_its_class_but_for_ever_wins() -> None:
    chosen = (
        (None, "adult", "adult"), ("minor", None, "minor"), ("minor", "adult", "minor"),
        ("adult", "forever", "forever"), ("forever", "adult", "forever"), (None, None, None),
    )  # fmt: skip
    for kept, gone, joined in chosen:
        clients = (
            Client(file="C-1", name="Jo Reyes", addresses=(GONE,), retention=gone),
            Client(file="C-2", name="Jo Reyes", addresses=(GONE,), retention=kept),
        )
        (merged,) = merged_clients(clients, {"C-1": "C-2"})
        assert merged.retention == joined
