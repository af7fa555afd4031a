"""The store on PostgreSQL and S3, with real servers: the same promises, whichever of the parts is killed.

What was acknowledged is there and proves sound, no row is without its bytes, what no row names is swept; two gateways
share it; a store moves there and back.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import psycopg
import pytest

from gateway.archive import bucket
from gateway.archive.homes import Scaled, open_folder, open_scaled
from gateway.archive.master import KeyFromFile, MasterKeySource
from gateway.archive.model import AuditEntry, Stage
from gateway.archive.moving import Moved, copy_store
from gateway.archive.states import MessageState
from gateway.archive.store import SENDING_LEASE, Store
from gateway.holding.states import HoldState
from gateway.message.errors import MachineryFailed
from tests.integration import store_writer
from tests.integration.gateway_process import GatewayProcess
from tests.integration.mixed_mail import plain_appointment
from tests.integration.scaled_servers import KEY_ID, PASSWORD, SECRET, Servers, running_servers
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.unit.archive.lives import a_client, a_life, an_old_record, dispose, file
from tests.unit.archive.records import NOON, a_hold, a_letter, a_record, later

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("PRACTICUM_KILLS", "4"))  # `make torture-store` takes 200
SEED = int(os.environ.get("PRACTICUM_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
WRITERS = 32
PLANTED = b"Subject: Quillworth\r\n\r\nThe zephyrine lamp.\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with running_servers() as found:
        yield found


@pytest.fixture
def key(tmp_path: Path) -> MasterKeySource:
    return KeyFromFile(path=tmp_path / "archive.key")


@pytest.fixture
def home(servers: Servers, request: pytest.FixtureRequest) -> Scaled:
    """An empty store."""
    return servers.new_store(re.sub(r"\W", "-", request.node.name)[:50])


def run(home: Scaled, key: MasterKeySource, test: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
    async def opened() -> None:
        async with await Store.open_scaled(home, master=key, is_gateway=True) as store:
            await test(store)

    asyncio.run(opened())


def rows(home: Scaled, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(home.database, password=PASSWORD) as connection:
        return connection.execute(query).fetchall()


def objects(servers: Servers, home: Scaled) -> set[str]:
    """The names of all bodies in the bucket."""
    prefix = home.objects.split("archive/")[1].partition("?")[0]
    found = obstore.list(servers.objects.objects(), prefix=prefix).collect()
    return {entry["path"].rpartition("/")[2] for entry in found if entry["path"].endswith(".sealed")}


def test_messages_holds_and_letters_go_their_ways_as_in_a_folder(
    servers: Servers, home: Scaled, key: MasterKeySource
) -> None:
    async def test(store: Store) -> None:
        large = random.Random(1).randbytes(600_000)
        await store.file_sending(
            a_record("m-1", received=large, files=("C-1", "C-2"), thread="t", notice_language="en")
        )
        await store.mark_sent("m-1", 250, NOON)
        held = a_record("m-2", received=PLANTED)
        await store.hold(held, a_hold(held), [a_letter(about="m-2")])
        await store.begin_release(a_hold(held).ref, by="w-tremblay", why="marzipan", at=later(1))
        await store.finish_release(a_hold(held).ref, at=later(2))
        await store.write_audit(AuditEntry(at=NOON, who="w-tremblay", what="viewed", file="C-1042"))
        with pytest.raises(MachineryFailed):
            await store.file_sending(a_record("m-1"))
        assert [record.id for record in await store.records("C-2")] == ["m-1"]
        assert await store.body("m-1", Stage.RECEIVED) == large
        assert await store.body("m-2", Stage.DELIVERED) == PLANTED + b"-- notice\r\n"
        assert (await store.held("m-2")).state is HoldState.RELEASED
        assert len(await store.due_letters(later(9))) == 1
        assert len(await store.told("C-1")) == 1
        assert (await store.verify()).is_sound
        assert store.health().free_bytes is None

    run(home, key, test)
    assert rows(home, "SELECT count(*) FROM bodies WHERE content IS NOT NULL OR file IS NULL") == [(0,)]
    named = {name for (name,) in rows(home, "SELECT file FROM bodies")}
    assert named < objects(servers, home)
    assert len(objects(servers, home) - named) == 2  # of the second m-1, which was refused: for the sweep
    words = [b"Quillworth", b"zephyrine", b"marzipan", b"w-tremblay", b"C-1042", b"jordan.reyes"]
    for folder in ("pg", "weed"):
        for path in (servers.folder / folder).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert [word for word in words if word in content] == [], path


def test_an_object_says_what_it_is_and_opens_with_its_key_alone(
    servers: Servers, home: Scaled, key: MasterKeySource
) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record("m-1", received=PLANTED))

    run(home, key, test)
    (name,) = [name for name in objects(servers, home) if "received" in name]
    prefix = home.objects.split("archive/")[1].partition("?")[0]
    content = bytes(obstore.get(servers.objects.objects(), f"{prefix}/{name}").bytes())
    head, _, _ = content.partition(b"\n")
    assert json.loads(head.partition(b" ")[2]) == ["m-1", "2026-10-05T12:00:00.000000+00:00", "outbound", "received"]
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(servers.objects.objects(), f"{prefix}/{name}", b"other", mode="create")

    async def tamper(store: Store) -> None:
        assert (await store.verify()).is_sound
        obstore.put(servers.objects.objects(), f"{prefix}/{name}", content[:-1] + bytes([content[-1] ^ 1]))
        (other,) = [name for name in objects(servers, home) if "delivered" in name]
        obstore.delete(servers.objects.objects(), f"{prefix}/{other}")
        damages = (await store.verify()).damages
        assert [(damage.stage.value, damage.why) for damage in damages] == [
            ("received", "changed"), ("delivered", "missing"),
        ]  # fmt: skip

    run(home, key, tamper)


def test_two_gateways_share_it_and_one_of_them_leads(home: Scaled, key: MasterKeySource) -> None:
    async def both(first: Store, second: Store) -> None:
        assert (await first.leads(), await second.leads()) == (True, False)
        with pytest.raises(MachineryFailed, match="serves this store"):
            await Store.open_scaled(home, master=key, is_alone=True)
        filing = [store.file_sending(a_record(f"{name}-{number}", files=(f"C-{number % 7}",)))
                  for number in range(40) for name, store in (("a", first), ("b", second))]  # fmt: skip
        await asyncio.gather(*filing)
        draft = a_record("draft")
        await first.hold(draft, a_hold(draft))
        decisions = await asyncio.gather(
            *(store.begin_release("draft", by=by, why="", at=NOON) for store, by in ((first, "w-1"), (second, "w-2"))),
            return_exceptions=True,
        )
        assert sum(isinstance(decision, BaseException) for decision in decisions) == 1
        await first.recover(NOON)
        sending = [record for record in await second.records() if record.state is MessageState.SENDING]
        assert len(sending) == 80  # they may be the other's: let be until the lease is over
        assert (await first.recover(later(1) + SENDING_LEASE)).unconfirmed == 80
        assert (await second.verify()).is_sound
        await first.close()
        assert await second.leads()
        assert len(await second.records()) == 81

    async def test() -> None:
        first = await Store.open_scaled(home, master=key, is_gateway=True)
        async with await Store.open_scaled(home, master=key, is_gateway=True) as second:
            await both(first, second)

    asyncio.run(test())


def test_a_part_that_is_down_is_named_and_costs_nothing_that_was_acknowledged(
    servers: Servers, home: Scaled, key: MasterKeySource
) -> None:
    async def refused(store: Store, record_id: str) -> None:
        with pytest.raises(MachineryFailed) as caught:
            await store.file_sending(a_record(record_id))
        assert caught.value.reply.code == 451
        assert PASSWORD not in f"{caught.value} {caught.value.context}"
        assert "127.0.0.1" not in f"{caught.value} {caught.value.context}"

    async def test(store: Store) -> None:
        await store.file_sending(a_record("m-1"))
        assert await store.parts_down() == ()
        servers.database.kill()
        assert await store.parts_down() == ("database",)
        await refused(store, "m-2")
        servers.database.start()
        await store.file_sending(a_record("m-3"))
        servers.objects.kill()
        assert await store.parts_down() == ("objects",)
        await refused(store, "m-4")
        servers.objects.start()
        await store.file_sending(a_record("m-5"))
        assert [record.id for record in await store.records()] == ["m-1", "m-3", "m-5"]
        assert await store.leads()
        assert (await store.verify()).is_sound

    run(home, key, test)


def test_what_no_row_names_is_swept_when_it_is_old(
    servers: Servers, home: Scaled, key: MasterKeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record("m-1"))
        prefix = home.objects.split("archive/")[1].partition("?")[0]
        obstore.put(servers.objects.objects(), f"{prefix}/0000000000-received.sealed", b"x")
        assert await store.sweep() == 0
        monkeypatch.setattr(bucket, "STRAY_AGE", timedelta(seconds=-5))
        assert await store.sweep() == 1
        assert (await store.verify()).is_sound

    run(home, key, test)
    assert len(objects(servers, home)) == 2


def test_a_row_that_comes_too_late_after_its_object_is_refused(
    home: Scaled, key: MasterKeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(store: Store) -> None:
        monkeypatch.setattr("gateway.archive.store.ROW_WITHIN_S", -1.0)
        with pytest.raises(MachineryFailed):
            await store.file_sending(a_record("m-1"))
        assert await store.records() == ()

    run(home, key, test)


def test_the_objects_of_another_store_are_not_taken_for_strays(
    servers: Servers, home: Scaled, key: MasterKeySource, tmp_path: Path
) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record("m-1"))

    run(home, key, test)
    other = replace(servers.new_store("another"), objects=home.objects)
    with pytest.raises(MachineryFailed, match="another store's"):
        run(other, key, test)
    run(home, key, lambda _: asyncio.sleep(0))


def test_another_master_key_does_not_open_it(home: Scaled, key: MasterKeySource, tmp_path: Path) -> None:
    async def nothing(_: Store) -> None:
        return

    run(home, key, nothing)
    (tmp_path / "other").mkdir()
    with pytest.raises(MachineryFailed, match="master key"):
        run(home, KeyFromFile(path=tmp_path / "other" / "archive.key"), nothing)


def test_a_store_moves_to_the_servers_and_back_after_being_cut_off(
    servers: Servers, home: Scaled, key: MasterKeySource, tmp_path: Path
) -> None:
    async def fill() -> str | None:
        async with await Store.open(tmp_path / "var", master=key, reserve_bytes=0) as store:
            for number in range(60):
                record = a_record(f"m-{number}", received=os.urandom(300_000 if number % 25 == 0 else 900))
                await (store.hold(record, a_hold(record)) if number % 20 == 7 else store.file_sending(record))
            return await store.checkpoint()

    def moved(progress: Callable[[int, int], None] | None = None) -> Moved:
        source = open_folder(tmp_path / "var", key, is_gateway=True)
        try:
            target = open_scaled(home, key, is_alone=True, may_be_unfinished=True)
            try:
                return copy_store(source, target, progress)
            finally:
                target.close()
        finally:
            source.close()

    def cut_off(done: int, _total: int) -> None:
        if done > 150:
            raise KeyboardInterrupt

    head = asyncio.run(fill())
    with pytest.raises(KeyboardInterrupt):
        moved(cut_off)
    with pytest.raises(MachineryFailed, match="not wholly copied"):
        asyncio.run(Store.open_scaled(home, master=key))
    first, again = moved(), None
    assert 0 < first.written < sum(first.rows.values())
    with pytest.raises(MachineryFailed, match="in use"):
        again = moved()
    assert again is None

    async def use(store: Store) -> None:
        assert await store.checkpoint() == head
        await store.file_sending(a_record("m-after"))
        await store.write_audit(AuditEntry(at=NOON, who="r-lee", what="viewed"))
        assert (await store.verify()).is_sound

    run(home, key, use)
    source = open_scaled(home, key, is_alone=True)
    target = open_folder(tmp_path / "back", key, is_gateway=True, may_be_unfinished=True)
    back = copy_store(source, target)
    target.close()
    source.close()
    assert back.rows["messages"] == 61

    async def read() -> None:
        async with await Store.open(tmp_path / "back", master=key, is_gateway=True) as store:
            assert len(await store.records()) == 61
            assert (await store.recover(NOON)).stray_files == 0
            assert (await store.verify()).is_sound

    asyncio.run(read())


def scaled_gateway(folder: Path, home: Scaled, sink: SinkServer, key: Path) -> GatewayProcess:
    """A gateway whose configuration names the servers, its secrets in a file."""
    gateway = GatewayProcess(folder, next_hop_port=sink.port)
    text = (folder / "gateway.yaml").read_text(encoding="utf-8")
    where = f'database: "{home.database}", objects: "{home.objects}", credentials: secrets'
    scaled = f"store: {{{where}, master_key: {{file: {key}}}}}"
    (folder / "gateway.yaml").write_text(re.sub(r"store: .*", lambda _: scaled, text), encoding="utf-8")
    secrets = folder / "secrets"
    secrets.write_text(f"PGPASSWORD={PASSWORD}\nAWS_ACCESS_KEY_ID={KEY_ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n")
    secrets.chmod(0o600)
    return gateway


def page(gateway: GatewayProcess) -> str:
    done = subprocess.run(["curl", "-s", f"http://127.0.0.1:{gateway.metrics_port}/readyz"], capture_output=True,
                          text=True, check=False)  # fmt: skip
    return done.stdout


def test_two_serving_gateways_one_killed_under_load_lose_nothing_and_the_other_goes_on(
    servers: Servers, home: Scaled, tmp_path: Path
) -> None:
    key = tmp_path / "archive.key"
    answers: dict[str, str] = {}

    def send(ports: list[int], worker: int) -> None:
        for number in range(6):
            mail = plain_appointment(worker * 100 + number, random.Random(number))
            for port in ports:  # as a mail server with two next hops: the other one, if this one does not answer
                try:
                    with Speaker(port, timeout_s=60) as client:
                        reply = client.mail(mail.mail_from, mail.recipients, mail.content)
                except OSError:
                    continue
                if reply.startswith("250"):
                    answers[mail.message_id] = reply
                    break

    with SinkServer() as sink:
        first, second = (scaled_gateway(tmp_path / name, home, sink, key) for name in ("one", "two"))
        with first as one, second as two:
            ports = [one.smtp_port, two.smtp_port]
            threads = [threading.Thread(target=send, args=(ports[:: 1 if worker % 2 else -1], worker))
                       for worker in range(4)]  # fmt: skip
            for thread in threads:
                thread.start()
            wait_until(lambda: len(answers) >= 6, 60, "6 answers")
            one.kill()
            for thread in threads:
                thread.join()
            assert len(answers) == 24
            servers.objects.kill()
            wait_until(lambda: "objects" in page(two), 30, "the page that names what is down")
            with Speaker(two.smtp_port) as client:
                mail = plain_appointment(9_999, random.Random(1))
                assert client.mail(mail.mail_from, mail.recipients, mail.content).startswith("451")
            servers.objects.start()
            wait_until(two.is_ready, 30, "the second gateway ready again")
            received = b"".join(entry.content for entry in sink.messages)
            assert [name for name in answers if name.encode() not in received] == []
            listed = two.json_lines("archive", "list")
            assert len(listed) >= 24
            assert two.command("archive", "verify").returncode == 0
            assert two.terminate() == 0
            said = two.command("store", "migrate", "--to-path", str(tmp_path / "folder"), "--json")
            assert json.loads(said.stdout)["rows"]["messages"] == len(listed)
            assert f"path: {tmp_path / 'folder'}" in said.stderr
            log = one.log() + two.log()
            assert not any(secret in log for secret in (PASSWORD, SECRET, KEY_ID))


def test_every_acknowledged_record_outlives_kill_9_of_gateways_database_and_object_store(
    servers: Servers, home: Scaled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"PRACTICUM_SEED={SEED}")
    moments = random.Random(SEED)
    key = tmp_path / "archive.key"
    kills = {"gateway": 0, "database": 0, "objects": 0}
    writers = store_writer.Writers(home, key, WRITERS)
    try:
        for number in range(KILLS):
            victim = ("database", "gateway", "objects", "gateway")[number % 4]
            if writers.pid == 0:
                writers.start()
            else:
                writers.wait_for_more()
            time.sleep(moments.uniform(0.0, 0.4))
            kills[victim] += 1
            if victim == "gateway":
                writers.kill()
                continue
            server = servers.database if victim == "database" else servers.objects
            server.kill()
            time.sleep(moments.uniform(0.0, 0.3))
            server.start()
    finally:
        writers.close()
    said = writers.said
    monkeypatch.setattr(bucket, "STRAY_AGE", timedelta(seconds=-5))  # nobody writes any more: what is left is a stray
    before = len(objects(servers, home))
    count = asyncio.run(store_writer.prove(home, key, said))
    named = {name for (name,) in rows(home, "SELECT file FROM bodies")}
    there = objects(servers, home)
    print(f"{kills}, {WRITERS} writers: {len(said)} records acknowledged, {count} in the store, 0 missing; "
          f"{before - len(there)} objects without a row swept")  # fmt: skip
    assert there == named
    assert len(said) > KILLS


def test_the_certificate_of_a_store_on_servers_promises_nothing_about_their_disks(
    servers: Servers, home: Scaled, key: MasterKeySource
) -> None:
    async def test(store: Store) -> None:
        large = b"Subject: large\r\n\r\n" + os.urandom(300_000).hex().encode()
        await file(store, an_old_record("m-1", received=large))
        assert objects(servers, home)
        done, traces = await dispose(a_life(store, a_client()), "C-1042")
        assert (traces.is_log_empty, traces.objects_left, traces.is_clean) == (None, 0, True)
        assert done.disposal.certificate is not None
        method = json.loads(done.disposal.certificate)["method"]
        assert "log is emptied" not in method
        assert "dead rows" in method
        assert not objects(servers, home)
        await file(store, an_old_record("m-2", received=large))
        life = a_life(store, a_client())
        servers.objects.kill()
        try:
            _, traces = await dispose(life, "C-1042")
        finally:
            servers.objects.start()
        assert (traces.objects_left > 0, traces.is_clean) == (True, False)

    run(home, key, test)
