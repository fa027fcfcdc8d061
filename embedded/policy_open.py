"""`assent policy open`: a place opened in a new policy file, with the papers that it needs, signed by the first of two people."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from assent.cli.command import CommandError, ExitCode
from assent.cli.secret_file import writable
from assent.geofence.jurisdiction_rules import SERVE_CLIENTS
from assent.geofence.policy import Policy, PolicyError
from assent.ids import Jurisdiction
from assent.policies.opening import OPERATIONS, OpeningError, Paper, check_openable, opened, papers_missing
from assent.policies.stopping import MARK
from assent.policies.written_policy import written_policy
from embedded.known_policy import KnownPolicy, published_policy
from embedded.policy_show import place_code
from embedded.policy_signer import sign
from services.registry.policy_approvals import approvals_path

_HEAD = "# Made by assent policy open, of the policy {base}. What an entry has from the defaults is left out.\n"


def run_open(arguments: argparse.Namespace) -> int:
    """Make the policy, show what changes, and with --yes write and sign it."""
    base, place = published_policy(arguments), place_code(arguments.jurisdiction)
    papers = dict(arguments.filing)
    if len(papers) < len(arguments.filing):
        raise CommandError("a filing is named twice; name each once")
    today = datetime.now(UTC).date()
    try:
        check_openable(base.policy, place, operations=_operations(arguments), law=arguments.law, today=today)
        papers |= _asked(base.policy, place, papers)
        new = opened(
            base.policy,
            place,
            operations=_operations(arguments),
            papers=papers,
            law=arguments.law,
            version=arguments.version or _next_version(base.policy.version, today),
            today=today,
        )
    except OpeningError as error:
        raise CommandError(str(error), ExitCode.REFUSED) from error
    if arguments.yes:
        if arguments.to is None or arguments.key is None:
            raise CommandError("--yes needs --to FILE for the new policy, and --key FILE of whoever proposes it")
        writable(arguments.to)
        writable(approvals_path(arguments.to))
    file = arguments.to or Path("NEW.yaml")
    return _signed(arguments, base, KnownPolicy(new, new.canonical_json(), f"{'the file ' if arguments.to else 'to be '}{file}"), file)


def _signed(arguments: argparse.Namespace, base: KnownPolicy, new: KnownPolicy, file: Path) -> int:
    """The file is taken away again where it could not be signed: half of it would be a policy that nobody proposed."""
    if not arguments.yes:
        return sign(arguments, base, new, file)
    try:
        text = yaml.safe_dump(written_policy(new.policy), sort_keys=False, allow_unicode=True, width=120)
        file.write_text(_HEAD.format(base=base.policy.version) + text, encoding="utf-8")
    except PolicyError as error:
        raise CommandError(f"the published policy is none that a file can say: {error}; mend that in the registry's file first") from error
    except OSError as error:
        raise CommandError(f"{file} cannot be written ({error.strerror}); name a file in a folder of yours") from error
    try:
        return sign(arguments, base, new, file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def filing(text: str) -> tuple[str, Paper]:
    """NAME=REFERENCE@DATE, for argparse."""
    found = re.fullmatch(r"([a-z0-9_]+)=(.{1,200})@(\d{4}-\d{2}-\d{2})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no filing; write NAME=REFERENCE@YYYY-MM-DD")
    return found[1], Paper(found[2].strip(), _date(found[3]))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-11-26") from None


def _asked(policy: Policy, place: Jurisdiction, given: dict[str, Paper]) -> dict[str, Paper]:
    """The papers that are missing, from the keyboard where there is one."""
    missing = {name: needed for name, needed in papers_missing(policy, place).items() if name not in given}
    if missing and not sys.stdin.isatty():
        options = " ".join(f"--filing {name}=REFERENCE@DATE" for name in missing)
        raise CommandError(f"{place} asks for {', '.join(missing)} first; give each with: {options}", ExitCode.REFUSED)
    papers = {}
    for name, needed in missing.items():
        ahead = f", {needed.lead_days} days before anything begins" if needed.lead_days else ""
        print(f"{place} asks for {name} ({needed.rule}){ahead}.", file=sys.stderr)
        reference = input("  its reference: ").strip()
        if not reference:
            raise CommandError(f"{name} has no reference; file it first, and open {place} then", ExitCode.REFUSED)
        try:
            papers[name] = Paper(reference, _date(input("  filed on (YYYY-MM-DD): ")))
        except argparse.ArgumentTypeError as error:
            raise CommandError(str(error)) from error
    return papers


def _operations(arguments: argparse.Namespace) -> Sequence[str]:
    chosen = list(arguments.operation) or ([] if arguments.offer else list(OPERATIONS))
    return [*chosen, SERVE_CLIENTS] if arguments.offer else chosen


def _next_version(version: str, today: date) -> str:
    """The day and a number, beyond that of the same day."""
    same = re.fullmatch(rf"{today}\.(\d+)", version.partition(MARK)[0])
    return f"{today}.{int(same[1]) + 1 if same else 1}"
