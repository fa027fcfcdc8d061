"""A changed policy file is taken up while the registry runs: by the checks of the start, whole, and never wider than two people signed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from assent.events.record import Record
from assent.geofence.policy import Policy
from assent.ids import Jurisdiction
from assent.policies.approval import Approvals
from assent.policies.stopping import ALL_OPERATIONS
from assent.stream.event_log import LogUnavailableError, Position
from services.registry.policy_approvals import approvals_path
from services.registry.policy_files import PolicyFiles
from services.registry.policy_reload import REFUSED_AGAIN_S, PolicyFileRefusedError
from services.registry.published_policy import PublishedPolicy
from services.registry.publisher import LogAwayError
from services.registry.settings import RegistrySettings
from tests.flow.policy_running import POLICY, Running, name_signers, running_again, running_in, text_of
from tests.flow.test_policy_publishing import HERE, NARROW, SHIPPED, WIDE, WIDER, desk_in, forget_the_newest, policy
from tests.unit.key_examples import OF_NO_KNOWN_KIND
from tests.unit.policy_examples import EVERY_OPERATION

BC, TX = Jurisdiction("CA-BC"), Jurisdiction("US-TX")


@pytest.fixture
async def running(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> AsyncIterator[Running]:
    (tmp_path / "files").mkdir()
    async with desk_in(tmp_path) as house:
        found = await running_in(house, tmp_path / "files")
        found.said = lambda: capfd.readouterr().err
        yield found
        await found.guard.close()


async def test_what_is_as_it_was_is_left_alone(running: Running) -> None:
    taken_at = running.taken_at()
    assert taken_at == running.house.clock.now().timestamp()
    running.house.clock.advance(3_600)
    running.put(SHIPPED)
    os.utime(running.file, (1, 1))
    await running.reload.once()
    assert (running.taken_at(), running.said()) == (taken_at, "")
    assert await running.house.on_the_log() == [SHIPPED.version]
    found = await running.reload.reload()
    assert (found.is_new, found.policy.version) == (False, SHIPPED.version)
    assert running.taken_at() == running.house.clock.now().timestamp()


async def test_a_file_that_allows_less_is_in_force_without_a_start(running: Running) -> None:
    running.house.clock.advance(60)
    running.put(NARROW)
    await running.reload.once()
    assert await running.house.on_the_log() == [SHIPPED.version, NARROW.version]
    assert running.in_force.expires_max_days(BC) == 100, "and the registry judges by it what a grant may say"
    assert (running.is_refused(), running.taken_at()) == (False, running.house.clock.now().timestamp())
    assert running.said() == f"registry: the policy file is in force: policy {NARROW.version}\n"


async def test_a_file_that_allows_more_waits_for_two_people(running: Running) -> None:
    house = running.house
    for approvals in (None, house.signed(WIDE, SHIPPED, "anna"), house.signed(WIDE, SHIPPED, "anna", "mallory")):
        running.put(WIDE, approvals)
        await running.reload.once()
        assert running.is_refused()
        said = running.said()
        assert "policy wide.1 allows what the newest published one does not (US-TX)" in said
        assert said.endswith(f"policy {SHIPPED.version}, published before, stays in force\n")
        assert said.count("\n") == 1
    assert await house.on_the_log() == [SHIPPED.version]
    assert running.in_force.current.version == SHIPPED.version
    running.put(WIDE, house.signed(WIDE, SHIPPED, "anna", "ben"))
    await running.reload.once()
    assert not running.is_refused()
    assert (await running.newest(), await running.opens(TX)) == ("wide.1", [True])


def half(running: Running) -> None:
    text = text_of(NARROW)
    running.file.write_text(text[: text.rindex("with_grant") + 4], encoding="utf-8")


def a_loop_of_links(running: Running) -> None:
    running.file.unlink()
    running.file.symlink_to(running.file)


def a_folder(running: Running) -> None:
    running.file.unlink()
    running.file.mkdir()


def a_pipe(running: Running) -> None:
    running.file.unlink()
    os.mkfifo(running.file)


FAULTS: dict[str, tuple[Callable[[Running], object], str]] = {
    "half of it": (half, "line"),
    "nothing in it": (lambda running: running.put(""), POLICY),
    "deleted": (lambda running: running.file.unlink(), "cannot be read (FileNotFoundError)"),
    "not to be opened": (a_loop_of_links, "cannot be read (OSError)"),
    "a folder": (a_folder, "is no file that can be read again"),
    "a pipe": (a_pipe, "is no file that can be read again"),
    "another one under its version": (
        lambda running: running.put(NARROW.model_copy(update={"version": SHIPPED.version})),
        "was published with other contents",
    ),
    "approvals that are a pipe": (lambda running: os.mkfifo(approvals_path(running.file)), "it is no regular file"),
    "a signer that is a pipe": (lambda running: os.mkfifo(running.folder / "signers" / "carl.pub"), "it is no regular file"),
    "words for a signer that are a pipe": (
        lambda running: os.mkfifo(running.folder / "signers" / "anna.pub.vouches.json"),
        "it is no regular file",
    ),
    "approvals without an end": (lambda running: approvals_path(running.file).symlink_to("/dev/zero"), "it is no regular file"),
    "approvals": (lambda running: approvals_path(running.file).write_text("{"), "make it again with assent policy sign"),
    "a signer of another kind": (
        lambda running: (running.folder / "signers" / "anna.pub").write_bytes(OF_NO_KNOWN_KIND),
        "is not a PEM public key",
    ),
    "a signer": (lambda running: (running.folder / "signers" / "anna.pub").write_text("none"), "is not a PEM public key"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_cannot_be_used_changes_nothing_is_told_once_and_clears_when_it_is_mended(running: Running, fault: str) -> None:
    break_it, says = FAULTS[fault]
    break_it(running)
    await running.reload.once()
    assert running.is_refused()
    said = running.said()
    assert says in said
    assert said.endswith(f"policy {SHIPPED.version}, published before, stays in force\n")
    assert said.count("\n") == 1
    for _ in range(3):
        running.house.clock.advance(REFUSED_AGAIN_S)
        await running.reload.once()
    assert (running.said(), running.is_refused()) == ("", True)
    with pytest.raises(PolicyFileRefusedError) as refused:
        await running.reload.reload()
    assert f"registry: {refused.value.message.removesuffix('.')}\n" == said == running.said(), "who asks is told in the words of the start"
    assert await running.house.on_the_log() == [SHIPPED.version]
    if running.file.is_dir():
        running.file.rmdir()
    running.file.unlink(missing_ok=True)
    approvals_path(running.file).unlink(missing_ok=True)
    for path in (running.folder / "signers").iterdir():
        path.unlink()
    name_signers(running.folder / "signers", "anna", "ben")
    running.put(NARROW)
    await running.reload.once()
    assert (running.is_refused(), await running.newest()) == (False, NARROW.version)
    assert running.said() == f"registry: the policy file is in force: policy {NARROW.version}\n"


async def test_the_file_of_before_put_back_clears_what_was_refused(running: Running) -> None:
    running.file.unlink()
    await running.reload.once()
    assert running.is_refused()
    running.put(SHIPPED)
    await running.reload.once()
    assert not running.is_refused()
    assert await running.house.on_the_log() == [SHIPPED.version]


async def test_a_copy_that_is_still_being_written_is_not_taken_although_its_beginning_is_a_policy(tmp_path: Path) -> None:
    """Cut off between two entries it allows less, so that nobody would have to sign it."""
    (tmp_path / "files").mkdir()
    lines = text_of(NARROW).splitlines(keepends=True)
    cut = next(number for number in reversed(range(len(lines))) if lines[number].startswith("  ") and lines[number][2] != " ")
    async with desk_in(tmp_path) as house:
        running = await running_in(house, tmp_path / "files", settled_s=1.0)
        running.file.write_text("".join(lines[:cut]), encoding="utf-8")
        PolicyFiles(RegistrySettings(policy_file=running.file), deployment=HERE).read()
        looking = asyncio.create_task(running.reload.once())
        while not looking.done():
            # The rest comes in pieces: each sooner than files are believed, and later than they are read.
            await asyncio.sleep(0.4)
            if cut < len(lines):
                with running.file.open("a", encoding="utf-8") as file:
                    file.write(lines[cut])
                cut += 1
        await looking
        assert not running.is_refused()
        assert await house.on_the_log() == [SHIPPED.version, NARROW.version]
        assert running.in_force.current.document == NARROW.canonical_json()
        await running.guard.close()


async def test_files_that_never_rest_are_refused_until_they_do(running: Running) -> None:
    running.reload._settled_s = 0.05
    running.put(NARROW)
    is_over = asyncio.Event()

    async def restless() -> None:
        while not is_over.is_set():
            with running.file.open("a", encoding="utf-8") as file:
                file.write("# and more\n")
            await asyncio.sleep(0.001)

    writing = asyncio.create_task(restless())
    await running.reload.once()
    is_over.set()
    await writing
    assert running.is_refused()
    assert "change all the time" in running.said()
    assert await running.house.on_the_log() == [SHIPPED.version]
    await running.reload.once()
    assert (running.is_refused(), await running.newest()) == (False, NARROW.version)


async def test_a_volume_of_kubernetes_is_turned_in_place(tmp_path: Path) -> None:
    """`policy.yaml` points into `..data`, which points into a folder of one moment; an update turns `..data` by a rename."""
    folder = tmp_path / "files"
    folder.mkdir()

    def turn(moment: str, what: Policy, approvals: Approvals | None = None) -> None:
        at = folder / f"..{moment}"
        at.mkdir()
        (at / POLICY).write_text(text_of(what), encoding="utf-8")
        if approvals is not None:
            (at / f"{POLICY}.approvals.json").write_text(approvals.model_dump_json(by_alias=True), encoding="utf-8")
        (folder / "..data_tmp").symlink_to(at.name)
        (folder / "..data_tmp").replace(folder / "..data")
        for name in (POLICY, f"{POLICY}.approvals.json"):
            if (at / name).exists() and not (folder / name).is_symlink():
                (folder / name).symlink_to(f"..data/{name}")

    async with desk_in(tmp_path) as house:
        running = await running_in(house, folder)
        running.file.unlink()
        turn("2026_06_01", SHIPPED)
        await running.reload.once()
        assert await house.on_the_log() == [SHIPPED.version]
        turn("2026_06_02", NARROW)
        await running.reload.once()
        turn("2026_06_03", WIDE)
        await running.reload.once()
        assert (running.is_refused(), await running.newest()) == (True, NARROW.version)
        turn("2026_06_04", WIDE, house.signed(WIDE, NARROW, "anna", "ben"))
        await running.reload.once()
        assert (running.is_refused(), await running.newest()) == (False, "wide.1")
        await running.guard.close()


async def test_a_stop_stays_in_force_through_a_changed_file_and_two_people_who_saw_it_end_it(running: Running) -> None:
    house = running.house
    await running.stops.stop([BC], ALL_OPERATIONS, because="Order P26-01", by="olga")
    for what in (NARROW, SHIPPED):
        running.put(what)
        await running.reload.once()
        assert await running.opens(BC) == [False]
    assert not running.is_refused(), "what it would open is stopped, so it allows no more"
    stopped = Policy.from_canonical_json((await running.reload._newest()).document or "")
    opening = policy("opening.1")
    running.put(opening, house.signed(opening, stopped, "anna", "ben"))
    await running.reload.once()
    assert (running.is_refused(), await running.opens(BC), await running.stops.held()) == (False, [True], [])


async def test_a_stop_goes_over_what_is_in_force_while_the_file_is_refused(running: Running) -> None:
    running.put(WIDE)
    await running.reload.once()
    assert running.is_refused()
    await running.stops.stop([BC], ALL_OPERATIONS, because="Order P26-01", by="olga")
    assert await running.opens(BC, TX) == [False, False]
    await running.stops.resume()
    await running.guard.look()
    assert await running.opens(BC, TX) == [False, False]
    assert running.is_refused(), "the file is still not in force"


async def test_stops_and_looks_at_once_leave_everything_stopped(running: Running) -> None:
    places = [Jurisdiction(code) for code in ("CA-BC", "CA-AB", "US-IL")]
    running.put(NARROW)
    await asyncio.gather(
        *(running.stops.stop([place], ALL_OPERATIONS, because="Order P26-01", by="olga") for place in places),
        running.reload.once(),
        running.guard.look(),
        running.reload.reload(),
    )
    assert await running.opens(*places) == [False, False, False]
    assert running.in_force.current.version == NARROW.version
    newest = await running.reload._newest()
    assert (await running.newest()).startswith("narrow.1-stop.")
    assert newest.version == await running.newest()


async def test_a_stop_that_comes_while_a_file_is_being_published_goes_over_it(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was judged before anybody stopped anything, and is on its way to the log."""
    append, is_there, goes_on = running.house.log.append, asyncio.Event(), asyncio.Event()

    async def held_up(records: Sequence[Record]) -> list[Position]:
        if not is_there.is_set():
            is_there.set()
            await goes_on.wait()
        return await append(records)

    monkeypatch.setattr(running.house.log, "append", held_up)
    running.put(NARROW)
    looking = asyncio.create_task(running.reload.once())
    await asyncio.wait_for(is_there.wait(), 30)
    stopping = asyncio.create_task(running.stops.stop([BC], ALL_OPERATIONS, because="Order P26-01", by="olga"))
    done, _ = await asyncio.wait({stopping}, timeout=3)
    assert not done, "it takes its turn"
    goes_on.set()
    await asyncio.gather(looking, stopping)
    assert await running.opens(BC) == [False]
    assert (await running.newest()).startswith("narrow.1-stop.")


async def test_a_log_that_is_away_is_waited_for(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.put(NARROW)

    async def is_away(records: object) -> None:
        raise LogUnavailableError("the log is away")

    for broken in ("append", "end_offsets"):
        with monkeypatch.context() as patched:
            patched.setattr(running.house.log, broken, is_away)
            for _ in range(2):
                await running.reload.once()
            with pytest.raises(LogAwayError):
                await running.reload.reload()
    assert not running.is_refused(), "nothing is wrong with the file"
    assert running.in_force.current.version == SHIPPED.version
    await running.reload.once()
    assert (await running.newest(), running.in_force.current.version) == (NARROW.version, NARROW.version)


async def test_a_record_that_was_not_acknowledged_and_landed_is_taken_for_what_it_is(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stops that come before the next look go over what is on the log, and close nothing less."""
    append = running.house.log.append

    async def unheard(records: list[object]) -> None:
        await append(records)  # type: ignore[arg-type]
        raise LogUnavailableError("the answer was lost")

    running.put(NARROW)
    with monkeypatch.context() as patched:
        patched.setattr(running.house.log, "append", unheard)
        await running.reload.once()
    running.house.clock.advance(1)
    await running.stops.stop([TX, BC], ALL_OPERATIONS, because="Order P26-01", by="olga")
    assert await running.opens(BC) == [False]
    await running.reload.once()
    assert (running.is_refused(), await running.opens(BC)) == (False, [False])
    assert running.in_force.current.version == NARROW.version


async def test_a_policy_that_only_the_log_knows_is_met_before_a_file_goes_over_it(running: Running) -> None:
    """The registry's own file was brought back from a copy; the new policy file is narrower than the copy's and wider than the log's."""
    house = running.house
    wide = policy("wide.2", US_TX={"with_grant": EVERY_OPERATION})
    running.put(wide, house.signed(wide, SHIPPED, "anna", "ben"))
    await running.reload.once()
    running.put(SHIPPED)
    await running.reload.once()
    await house.store.write(lambda database: database.execute("DELETE FROM policy_versions WHERE version = ?", (SHIPPED.version,)).rowcount)
    assert (await running.reload._newest()).version == "wide.2"
    other = policy("wide.3", US_TX={"with_grant": ["collect"]})
    again = await running_again(running)
    again.put(other)
    await again.reload.once()
    assert (again.is_refused(), await again.opens(TX)) == (True, [False])
    assert "(US-TX)" in running.said()
    await again.guard.close()


async def test_what_was_refused_for_a_clock_is_tried_again_when_time_has_passed(running: Running) -> None:
    house = running.house
    approvals = house.signed(WIDE, SHIPPED, "anna", "ben")
    now = house.clock.now()
    house.clock.advance(-86_400)
    running.put(WIDE, approvals)
    await running.reload.once()
    assert running.is_refused()
    assert "set the clock" in running.said()
    house.clock.set_wall(now)
    await running.reload.once()
    assert running.is_refused(), "not yet: it is looked at only now and then"
    house.clock.advance(REFUSED_AGAIN_S)
    await running.reload.once()
    assert (running.is_refused(), await running.opens(TX)) == (False, [True])


async def test_who_is_taken_out_of_the_folder_counts_no_more_at_once(running: Running) -> None:
    house = running.house
    (running.folder / "signers" / "ben.pub").unlink()
    name_signers(running.folder / "signers", "eve")
    await running.reload.once()
    assert running.said() == ""
    for names in (("anna", "ben"), ("anna", "eve")):
        approvals_path(running.file).unlink(missing_ok=True)
        running.put(WIDE, house.signed(WIDE, SHIPPED, *names))
        await running.reload.once()
        assert running.is_refused()
        assert "those of anna count" in running.said()
    assert await house.on_the_log() == [SHIPPED.version]


async def test_signatures_that_opened_something_open_it_once(running: Running) -> None:
    approvals = running.house.signed(WIDE, SHIPPED, "anna", "ben")
    running.put(WIDE, approvals)
    await running.reload.once()
    running.put(SHIPPED)
    await running.reload.once()
    running.put(WIDE)
    await running.reload.once()
    assert running.is_refused()
    assert "was used before, and counts once" in running.said()
    assert await running.opens(TX) == [False]
    running.put(WIDER)
    await running.reload.once()
    assert "the file was changed after it was signed" in running.said()


async def test_it_looks_by_itself_and_when_it_is_asked_and_leaves_when_it_is_told(running: Running) -> None:
    working = asyncio.create_task(running.reload.run())
    running.put(NARROW)
    said = ""
    async with asyncio.timeout(30):
        while NARROW.version not in said:
            await asyncio.sleep(0.01)
            said += running.said()
    running.reload.stop()
    async with asyncio.timeout(30):
        await working


async def test_who_asks_by_a_signal_is_told_also_when_nothing_changed(running: Running) -> None:
    running.put(WIDE)
    await running.reload.once()
    running.said()
    await running.reload.once()
    assert running.said() == ""
    running.reload._every_s = 3_600
    working = asyncio.create_task(running.reload.run())
    running.reload.ask()
    said = ""
    async with asyncio.timeout(30):
        while "there is none" not in said:
            await asyncio.sleep(0.01)
            said += running.said()
    running.reload.stop()
    await working


async def test_a_newer_policy_that_appears_on_the_log_is_met_by_a_start_as_by_a_look(running: Running) -> None:
    house = running.house
    running.put(NARROW)
    await running.reload.once()
    await forget_the_newest(house)
    again = await running_again(running)
    assert not await again.reload.publish(PublishedPolicy.of(NARROW))
    assert await house.on_the_log() == [SHIPPED.version, NARROW.version], "not a second time: it is there"
    await again.guard.close()


async def test_a_mended_file_that_opens_what_is_stopped_is_not_said_to_be_in_force_as_it_is(running: Running) -> None:
    await running.stops.stop([BC], ALL_OPERATIONS, because="Order P26-01", by="olga")
    running.put("version: [")
    await running.reload.once()
    assert running.said().startswith("registry: ")
    running.put(SHIPPED)
    await running.reload.once()
    assert f"policy {await running.newest()}; what was stopped stays closed, whatever the file says\n" in running.said()
