"""`assent demo`: the main job on real photos; then a full gallery to look at, or with --exit the withdrawal and every road back."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
import time
import webbrowser
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from assent.cli.command import Command, CommandError, ExitCode
from assent.deployment.start_errors import START_ERRORS, start_error_line
from assent.identity.principal import Principal, Role
from assent.ids import Jurisdiction, SubjectId
from assent.telemetry.logging import configure_logging
from demo.api import StoryCallError
from demo.course import StoryStalledError
from demo.embedded_world import EmbeddedWorld
from demo.first_act import Stage, first_act
from demo.own_photo import add_own_photo
from demo.report import Report
from demo.requests import NOTICE, RESIDENCE
from demo.second_act import second_act
from demo.site import DemoSite
from demo.state import DemoState
from embedded.command import check_loopback, stop_asked, until_stopped
from embedded.layout import EmbeddedLayout

DEFAULT_DATA = Path("assent-data")
FAILURE_LOOKED_FOR_EVERY_S = 0.5


class ServiceFailedError(Exception):
    """Raised when one of the services of the demonstration ended."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder for all state (default ./assent-data; with --exit a folder that is removed)")
    parser.add_argument("--host", default="127.0.0.1", help="address of the console; loopback only")
    parser.add_argument("--port", type=int, help="port of the console (default 8080; with --exit a free one)")
    parser.add_argument("--photo", type=Path, help="a photo of yourself to add, behind the notice and your own yes")
    parser.add_argument("--residence", default=RESIDENCE, help="where you live, for --photo: ISO 3166-2 (default CA-BC)")
    parser.add_argument("--birth-year", type=int, help="the year you were born in, for --photo")
    parser.add_argument("--exit", action="store_true", help="withdraw by script, try every road back, and end")
    parser.add_argument("--json", action="store_true", help="with --exit: one JSON document on stdout, the story on stderr")
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")


def _run(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    check_loopback(arguments.host)
    if arguments.photo is not None and not arguments.photo.is_file():
        raise CommandError(f"there is no file {arguments.photo}; name a JPEG, PNG, WebP or HEIC photo of yourself")
    if arguments.photo is not None and arguments.birth_year is None:
        raise CommandError("--photo goes with --birth-year: who is too young to agree where she lives is not asked")
    if arguments.json and not arguments.exit:
        raise CommandError("--json goes with --exit; a demonstration that stays open has no end to report")
    configure_logging("demo", level=logging.ERROR)
    try:
        with _data_folder(arguments) as folder:
            return asyncio.run(_play(arguments, folder, started))
    except (ServiceFailedError, StoryCallError, StoryStalledError) as error:
        raise CommandError(str(error), ExitCode.UNAVAILABLE) from error
    except START_ERRORS as error:
        raise CommandError(start_error_line(error), ExitCode.UNAVAILABLE) from error


@contextlib.contextmanager
def _data_folder(arguments: argparse.Namespace) -> Iterator[Path]:
    """The folder asked for; a run that ends by itself and names none leaves nothing behind."""
    if arguments.data is not None or not arguments.exit:
        yield arguments.data or DEFAULT_DATA
        return
    with tempfile.TemporaryDirectory(prefix="assent-demo-") as folder:
        yield Path(folder)


def demo_layout(folder: Path, site: DemoSite) -> EmbeddedLayout:
    """The settings that no other start may have: fixtures are accepted, and one socket on loopback may be crawled."""
    return EmbeddedLayout(
        folder,
        common={"is_demo": True, "accepts_fixtures": True, "allowed_sockets": (("127.0.0.1", site.port),)},
        changes={
            "crawler": {"host_delay_s": 0.0},
            "indexer": {"sweep_every_s": 2.0},
            "query": {"banner": NOTICE},
            "registry": {"banner": NOTICE},
        },
    )


async def _play(arguments: argparse.Namespace, folder: Path, started: float) -> int:
    out = sys.stderr if arguments.json else sys.stdout

    def say(line: str) -> None:
        print(line, file=out, flush=True)

    say(NOTICE + "\n")
    state, site = DemoState.read(folder), DemoSite()
    await site.start(state.site_port)
    port = arguments.port if arguments.port is not None else (0 if arguments.exit else 8080)
    world = EmbeddedWorld(demo_layout(folder, site), host=arguments.host, port=port, progress=say)
    try:
        await world.start()
        stage = Stage(world, site, folder, state, Report(), say, started)
        await _unless_failed(world, _acts(arguments, stage))
    finally:
        await world.stop()
        await site.stop()
    if arguments.exit:
        stage.report.total_s = time.monotonic() - started
        _print_report(arguments, stage.report.document(), say)
    return ExitCode.DONE


async def _unless_failed(world: EmbeddedWorld, acts: Coroutine[Any, Any, None]) -> None:
    """Play, and stop at once when a service ends instead of waiting for what will never come."""
    playing = asyncio.create_task(acts)
    try:
        while not playing.done():
            await asyncio.wait({playing}, timeout=FAILURE_LOOKED_FOR_EVERY_S)
            failure = world.failure()
            if failure is not None:
                raise ServiceFailedError(f"a service ended: {type(failure).__name__}: {start_error_line(failure)}") from failure
        playing.result()
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def _acts(arguments: argparse.Namespace, stage: Stage) -> None:
    world = stage.world
    assert isinstance(world, EmbeddedWorld)
    link = await login_link(world, stage.state.subject_id)
    stage.say(f"The console: {link} (signs in once)")
    reader = await first_act(stage)
    if arguments.exit:
        await second_act(stage, reader)
        return
    if arguments.photo is not None:
        await add_own_photo(stage, arguments.photo, residence=arguments.residence, birth_year=arguments.birth_year)
    await _stay(arguments, stage, world)
    await reader.stop()


async def _stay(arguments: argparse.Namespace, stage: Stage, world: EmbeddedWorld) -> None:
    """A full gallery until it is stopped; the visitor sits on both chairs, the operator's and the subject's."""
    link = await login_link(world, stage.state.subject_id)
    url = world.system.url
    asked = stop_asked()
    stage.say(f"\nLook at the gallery: {link}")
    stage.say("On `My page` press Withdraw, then search again: nothing. The receipts appear there; check one with")
    stage.say(f"  assent receipt fetch ERASURE --url {url} && assent receipt verify physical-ERASURE.json --key receipts.pem")
    stage.say("Stop with Ctrl-C. Your own photos: make demo ARGS='--photo me.jpg --birth-year 1990', or assent add FOLDER --grant ID")
    if not arguments.no_open:
        with contextlib.suppress(webbrowser.Error):
            await asyncio.to_thread(webbrowser.open, link)
    await until_stopped(world.system, asked)


async def login_link(world: EmbeddedWorld, subject_id: str) -> str:
    """A link to the page whose button signs in once, within ten minutes."""
    roles = frozenset({Role.OPERATOR, Role.SUBJECT}) if subject_id else frozenset({Role.OPERATOR})
    visitor = Principal(
        name=subject_id or "demo-visitor",
        roles=roles,
        org="demonstration",
        jurisdictions=(Jurisdiction(RESIDENCE),),
        subject_id=SubjectId(subject_id) if subject_id else None,
    )
    code, _ = await world.system.registry.registry.sessions.login_code(visitor)
    return f"{world.system.url}/login?code={code}"


def _print_report(arguments: argparse.Namespace, document: dict[str, Any], say: Any) -> None:
    if arguments.json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    say(f"\n{document['images_seen']} images: " + ", ".join(f"{count} {name}" for name, count in document["outcomes"].items()))
    say(f"first match after {document['seconds']['first_match']} s, whole story {document['seconds']['total']} s")


DEMO = Command(
    name="demo",
    help="the whole product on real photos, on this machine, with a console to look at",
    examples=("assent demo", "assent demo --photo me.jpg --birth-year 1990 --residence CA-BC", "assent demo --exit --json > story.json"),
    add_arguments=_add_arguments,
    run=_run,
)
