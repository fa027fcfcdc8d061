"""Control shown by a TXT record, asked for over UDP and TCP at a name server on loopback; what is no record of that very name is none."""

from __future__ import annotations

import asyncio
import functools
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.events.grants import SourceKindRule, SourceRule
from assent.fetching.txt_records import LookupFailure, TxtAnswer, TxtRecords
from assent.identity.errors import ApiError
from assent.ids import GrantId
from assent.receipts.checkpoint import CheckpointSigner
from assent.receipts.log import ReceiptLog
from assent.testing.fake_clock import FakeClock
from demo.requests import CONTROLLER
from services.registry.control_place import ControlWay, Showing, control_line
from services.registry.control_table import ControlRow, set_shown
from services.registry.controls import Controls
from services.registry.receipt_desk import ReceiptDesk
from services.registry.store import RegistryStore
from tests.flow.assent_command import one_line, run
from tests.flow.name_server import NameServer, Said, failing, name_server
from tests.flow.registry_house import grant_house

HOST = "photos.museum.example"
NAME = f"_assent-control.{HOST}"
DNS = ControlWay.DNS
DAYS, DAY_S = 90, 86_400
QUICK_S = 0.4


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as running:
        yield running


@dataclass(slots=True)
class Desk:
    """The desk of proofs over a file, with a clock that the test moves, and a name server."""

    controls: Controls
    clock: FakeClock
    server: NameServer
    store: RegistryStore
    log: ReceiptLog

    async def asked(self, place: str = f"https://{HOST}/") -> ControlRow:
        return await self.controls.challenge("museum", place)

    async def shown(self) -> ControlRow:
        row = await self.asked()
        self.server.hold(NAME, control_line(row.token))
        return await self.controls.check(row.proof_id, DNS)

    async def refused(self, row: ControlRow, way: ControlWay | None = DNS) -> str:
        with pytest.raises(ApiError) as said:
            await self.controls.check(row.proof_id, way)
        return str((said.value.details or {}).get("reason", said.value.code))

    async def covers(self, folder: str = f"https://{HOST}/photos/") -> bool:
        rule = SourceRule(kind=SourceKindRule.URL_PREFIX, value=folder)
        (found,) = await self.controls.on([rule], "museum")
        return found.control_until is not None


def records_at(server: NameServer, *, max_bytes: int = 16_384) -> TxtRecords:
    return TxtRecords(servers=(("127.0.0.1", server.port),), total_s=3 * QUICK_S, try_s=QUICK_S, max_bytes=max_bytes)


@pytest_asyncio.fixture
async def desk(tmp_path: Path, server: NameServer) -> AsyncIterator[Desk]:
    clock, store = FakeClock(), RegistryStore(tmp_path / "registry")
    signer = CheckpointSigner("test/receipts", Ed25519PrivateKey.generate())
    log = ReceiptLog(tmp_path / "receipts.sqlite3", signer)
    controls = Controls(
        store=store,
        receipts=ReceiptDesk(log, signer),
        clock=clock,
        allowed_sockets=frozenset(),
        proof_days=DAYS,
        records=records_at(server),
    )
    yield Desk(controls, clock, server, store, log)
    await store.close()
    log.close()


async def test_a_short_answer_comes_over_udp_and_one_that_was_cut_is_asked_for_again_over_tcp(server: NameServer) -> None:
    server.hold(NAME, "one", "two")
    found = await records_at(server).at(NAME)
    assert isinstance(found, TxtAnswer)
    assert (set(found.records), found.is_alias, found.is_denied) == ({b"one", b"two"}, False, False)
    assert server.asked == [("udp", NAME)]
    server.asked.clear()
    server.records[NAME] = [[f"{number:03}" + "x" * 200] for number in range(20)] + [["the last"]]
    found = await records_at(server).at(NAME)
    assert isinstance(found, TxtAnswer)
    assert len(found.records) == 21
    assert b"the last" in found.records
    assert server.asked == [("udp", NAME), ("tcp", NAME)]


async def test_the_strings_of_one_record_are_one_text_and_those_of_two_are_two(desk: Desk) -> None:
    row = await desk.asked()
    line = control_line(row.token)
    desk.server.records[NAME] = [[line[:20]], [line[20:]]]
    assert await desk.refused(row) == "other_records"
    desk.server.records[NAME] = [["v=spf1 -all"], [line[:20], line[20:]]]
    assert (await desk.controls.check(row.proof_id, DNS)).shown_by is DNS
    assert await desk.covers()


async def test_an_answer_is_capped(server: NameServer) -> None:
    server.records[NAME] = [["x" * 250] * 4 + [str(number)] for number in range(30)]
    assert await records_at(server, max_bytes=16_384).at(NAME) == LookupFailure.TOO_LARGE
    assert isinstance(await records_at(server, max_bytes=40_000).at(NAME), TxtAnswer)


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR, dns.rcode.NOTIMP])
async def test_a_fault_of_the_server_says_nothing(server: NameServer, code: dns.rcode.Rcode) -> None:
    server.hold(NAME, "one")
    server.said = failing(code)
    assert await records_at(server).at(NAME) == LookupFailure.BROKEN


def _other_question(answer: dns.message.Message) -> dns.message.Message:
    other = dns.message.make_query("elsewhere.example", "TXT")
    other.id, other.flags = answer.id, answer.flags | dns.flags.QR
    return other


SILENCES: dict[str, Said] = {
    "no answer at all": lambda answer: None,
    "an answer to another question": _other_question,
}


@pytest.mark.parametrize("what", SILENCES)
async def test_who_does_not_answer_is_waited_for_once_and_not_for_ever(server: NameServer, what: str) -> None:
    server.said = SILENCES[what]
    began = time.monotonic()
    assert await records_at(server).at(NAME) == LookupFailure.TIMEOUT
    assert time.monotonic() - began < 10


async def test_a_port_on_which_nobody_listens_says_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        found = await TxtRecords(servers=(closed.getsockname(),), total_s=QUICK_S, try_s=QUICK_S).at(NAME)
    assert found in (LookupFailure.BROKEN, LookupFailure.TIMEOUT)


async def test_the_next_server_is_asked_where_the_first_one_fails(server: NameServer) -> None:
    server.hold(NAME, "one")
    async with name_server() as broken:
        broken.said = failing(dns.rcode.SERVFAIL)
        both = (("127.0.0.1", broken.port), ("127.0.0.1", server.port))
        assert await TxtRecords(servers=both, total_s=3, try_s=QUICK_S).at(NAME) == TxtAnswer((b"one",))


async def test_a_proof_by_a_record_ages_and_is_renewed_where_it_was_shown(desk: Desk) -> None:
    first = await desk.shown()
    assert (first.shown_by, first.look_found, await desk.covers()) == (DNS, Showing.SHOWN, True)
    desk.clock.advance(DAYS * DAY_S)
    assert not await desk.covers()
    desk.server.asked.clear()
    renewed = await desk.controls.check(first.proof_id)
    assert (renewed.shown_by, renewed.token, await desk.covers()) == (DNS, first.token, True)
    assert desk.server.asked == [("udp", NAME)]


NOT_THE_HOSTS = {
    "a host below": "https://a.photos.museum.example/photos/",
    "the host above": "https://museum.example/photos/",
    "a host beside": "https://www.museum.example/photos/",
    "another port": f"https://{HOST}:8443/photos/",
}


@pytest.mark.parametrize("what", NOT_THE_HOSTS)
async def test_a_record_is_the_word_of_one_host(desk: Desk, what: str) -> None:
    await desk.shown()
    assert not await desk.covers(NOT_THE_HOSTS[what])


async def test_a_record_of_the_host_above_or_of_the_host_itself_is_not_asked_for(desk: Desk) -> None:
    row = await desk.asked()
    line = control_line(row.token)
    for name in ("_assent-control.museum.example", HOST, "museum.example", "_assent-control.a.photos.museum.example"):
        desk.server.hold(name, line)
    assert await desk.refused(row) == "no_record"
    assert {name for _, name in desk.server.asked} == {NAME}


async def test_an_alias_is_somebody_elses_word_whatever_stands_there(desk: Desk) -> None:
    row = await desk.shown()
    desk.server.records = {NAME: "pages.hoster.example", "pages.hoster.example": [[control_line(row.token)]]}
    assert await desk.refused(row) == "moved"
    assert await desk.covers(), "an alias says nothing, as a redirect of the file"
    desk.server.records = {NAME: "nobody.hoster.example"}
    assert await desk.refused(row) == "moved"


async def test_only_a_denial_ends_a_proof_and_only_one_that_a_zone_stands_behind(desk: Desk) -> None:
    row = await desk.shown()
    kept, desk.server.records = desk.server.records, {}
    desk.server.has_soa = False
    assert (await desk.refused(row), await desk.covers()) == ("unfounded", True)
    desk.server.has_soa = True
    for said in (failing(dns.rcode.SERVFAIL), SILENCES["no answer at all"]):
        desk.server.said = said
        assert (await desk.refused(row), await desk.covers()) == ("no_answer", True)
    desk.server.said = lambda answer: answer
    desk.server.records = kept
    assert (await desk.controls.check(row.proof_id)).ends_at == row.ends_at, "an outage took nothing away"
    desk.server.records = {}
    assert (await desk.refused(row), await desk.covers()) == ("no_record", False)


@pytest.mark.parametrize("zone", ["elsewhere.example", "."], ids=["a zone beside", "the root"])
async def test_a_start_of_authority_of_another_zone_or_of_all_denies_nothing(desk: Desk, zone: str) -> None:
    row = await desk.shown()
    desk.server.records = {}
    desk.server.zone = dns.name.from_text(zone)
    assert (await desk.refused(row), await desk.covers()) == ("unfounded", True)


async def test_a_name_without_the_record_denies_as_well_as_a_name_that_is_not_there(desk: Desk) -> None:
    row = await desk.shown()
    desk.server.records = {f"deeper.{NAME}": [["x"]]}
    found = await records_at(desk.server).at(NAME)
    assert found == TxtAnswer(is_denied=True)
    desk.server.hold(NAME, control_line("cd" * 32))
    assert (await desk.refused(row), await desk.covers()) == ("other_records", False)


async def test_a_record_that_never_was_there_ends_no_proof_by_the_file(desk: Desk) -> None:
    row, now = await desk.asked(), desk.clock.now()
    shown = functools.partial(
        set_shown, proof_id=row.proof_id, now=now, ends_at=now + timedelta(days=9), way=ControlWay.FILE, is_validated=None
    )
    assert await desk.store.write(shown)
    assert (await desk.refused(row), await desk.covers()) == ("no_record", True)
    found = await desk.controls.one(row.proof_id)
    assert (found.shown_by, found.look_found, found.looked_at) == (ControlWay.FILE, Showing.SHOWN, now)
    desk.server.hold(NAME, control_line(row.token))
    assert (await desk.controls.check(row.proof_id, DNS)).shown_by is DNS, "shown by the record, it is the record's"
    desk.server.records = {}
    assert (await desk.refused(row), await desk.covers()) == ("no_record", False)


async def test_the_zone_above_denies_a_domain_that_is_gone(desk: Desk) -> None:
    row = await desk.shown()
    desk.server.records = {}
    desk.server.zone = dns.name.from_text("example")
    assert (await desk.refused(row), await desk.covers()) == ("no_record", False)


@pytest.mark.parametrize("is_validated", [True, False])
async def test_whether_dnssec_was_checked_is_written_down(desk: Desk, is_validated: bool) -> None:
    row = await desk.asked()
    desk.server.hold(NAME, control_line(row.token))
    desk.server.checks_dnssec = is_validated
    assert (await desk.controls.check(row.proof_id, DNS)).is_validated is is_validated


async def test_a_socket_of_the_demonstration_has_no_record(tmp_path: Path, desk: Desk) -> None:
    desk.controls._allowed_sockets = frozenset({("127.0.0.1", 4711)})
    row = await desk.asked("http://127.0.0.1:4711/")
    assert await desk.refused(row) == "no_record_name"
    assert desk.server.asked == []


async def test_the_lines_of_several_places_stand_beside_each_other(desk: Desk) -> None:
    rows = [await desk.asked(f"https://{HOST}/{number}/") for number in range(5)]
    desk.server.hold(NAME, *[control_line(row.token) for row in rows])
    found = await asyncio.gather(*[desk.controls.check(row.proof_id, DNS) for row in rows])
    assert {row.shown_by for row in found} == {DNS}
    stranger = await desk.controls.challenge("stranger", f"https://{HOST}/1/")
    assert await desk.refused(stranger) == "other_records"


async def test_the_command_tells_the_record_and_takes_the_proof_into_her_grant(tmp_path: Path, server: NameServer) -> None:
    """Through the whole product: a folder on a real name, which nobody could fetch from here, is covered by its record."""
    settings = {"name_servers": f"127.0.0.1:{server.port}"}
    async with grant_house(tmp_path / "data", {}, registry=settings) as house:
        person = await house.person()
        source = {"kind": "url_prefix", "value": f"https://{HOST}/ada/", "only_me": True}
        await person.grant("it", house.request(person, [source]), house.token)
        token = tmp_path / "token"
        token.write_text(house.token)
        words = ("source", "prove", f"https://{HOST}/", "--controller", CONTROLLER, "--url", house.registry, "--token-file", token)
        asked = await asyncio.to_thread(run, *words, "--by", "dns")
        assert (asked.returncode, "There is no such record" in one_line(asked)) == (4, True), asked
        told = re.search(rf"TXT record at {re.escape(NAME)}, .*: (assent-control=[0-9a-f]{{64}}) and", asked.stderr)
        assert told is not None, asked.stderr
        server.hold(NAME, "v=spf1 -all", told[1])
        taken = await asyncio.to_thread(run, *words, "--by", "dns")
        assert (taken.returncode, "shown by its record, without DNSSEC until" in taken.stdout) == (0, True), taken
        listed = await asyncio.to_thread(run, "source", "list", *words[5:])
        assert re.search(rf"{re.escape(HOST)}/  shown by its record, without DNSSEC until \S+ \(89 days left\)$", listed.stdout, re.M), (
            listed
        )
        assert (await asyncio.to_thread(run, *words)).returncode == 0, "asked again without a way, where it was shown"
        shelf = house.world.system.shared.tables
        async with asyncio.timeout(30):
            while True:
                await shelf.catch_up(10)
                held = shelf.ledger.live(GrantId(person.grant_ids[0]), datetime.now(UTC))
                if held is not None and held.sources[0].control_until is not None:
                    break
                await asyncio.sleep(0.1)
        server.records = {}
        ended = await asyncio.to_thread(run, *words)
        assert (ended.returncode, "The proof has ended. Ask for a new one" in one_line(ended)) == (4, True), ended
        assert told[1] not in ended.stderr, "the line of a proof that has ended helps nobody"
        anew = await asyncio.to_thread(run, *words, "--by", "dns")
        again = re.search(r": (assent-control=[0-9a-f]{64}) and", anew.stderr)
        assert again is not None, anew
        assert again[1] != told[1]
        server.hold(NAME, again[1])
        assert (await asyncio.to_thread(run, *words, "--by", "dns")).returncode == 0
        proofs = (await house.ask("GET", "/v1/control-proofs", token=house.token)).body["proofs"]
        (proof,) = [one for one in proofs if HOST in one["place"] and one["revoked_at"] is None]
        assert (proof["shown_by"], proof["look_found"], proof["record_name"]) == ("dns", "shown", NAME)
        wrong = await house.ask("POST", f"/v1/control-proofs/{proof['proof_id']}/check?by=post", token=house.token)
        assert (wrong.status, wrong.body["code"]) == (422, "invalid")


async def test_the_receipt_log_names_neither_host_nor_record(desk: Desk) -> None:
    row = await desk.shown()
    leaf = str(dict(desk.log.leaf(0)))
    assert "control_shown" in leaf
    assert not any(word in leaf for word in (HOST, "museum", row.token))
