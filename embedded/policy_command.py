"""`assent policy`: show, compare, open, stop, take a changed file up; what counts is what the registry publishes, never this."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from assent.cli.command import Command, add_parser
from assent.policies.opening import OPERATIONS
from embedded.known_policy import DEFAULT_DATA, SHIPPED, add_home_arguments, add_policy_arguments
from embedded.policy_diff import PUBLISHED, run_diff
from embedded.policy_open import filing, run_open
from embedded.policy_reload import add_reload_arguments, run_reload
from embedded.policy_show import run_show
from embedded.policy_signer import run_key, run_sign
from embedded.policy_stop import add_stop_arguments, run_stop
from embedded.policy_vouch import run_vouch


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_show(actions)
    _add_diff(actions)
    _add_open(actions)
    _add_stop(actions)
    _add_reload(actions)
    _add_sign(actions)
    _add_key(actions)
    _add_vouch(actions)


def _add_show(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = add_parser(
        actions,
        "show",
        "say what the policy holds for a place, after defaults are merged; one line per entry without a place",
        ("assent policy show", "assent policy show CA-QC", "assent policy show FR --policy my-policy.yaml --json"),
    )
    show.add_argument("jurisdiction", nargs="?", metavar="JURISDICTION", help="a code such as CA-QC, FR, EU or UNKNOWN")
    show.add_argument("--json", action="store_true", help="print it as JSON")
    add_policy_arguments(show)


def _add_diff(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    diff = add_parser(
        actions,
        "diff",
        "say what a policy decides differently from another; exits 0 for the same, 1 for a difference, 2 for trouble",
        (
            f"assent policy diff {PUBLISHED} my-policy.yaml",
            "assent policy diff old.yaml new.yaml",
            f"assent policy diff {SHIPPED} new.yaml --json",
        ),
    )
    named = f"a policy file, or the word {PUBLISHED}, or {SHIPPED}"
    diff.add_argument("old", metavar="OLD", help=named)
    diff.add_argument("new", metavar="NEW", help=named)
    diff.add_argument("--json", action="store_true", help="print it as JSON")
    add_home_arguments(diff)


def _add_open(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "open",
        "open a place in a new policy file, with the papers that it needs; a dry run without --yes; a second person signs it after you",
        (
            "assent policy open CA-QC",
            "assent policy open GB --filing dpia=DPIA-7@2026-11-02 --to new.yaml --key anna.key --yes",
            "assent policy open CA-BC --offer",
        ),
    )
    parser.add_argument("jurisdiction", metavar="JURISDICTION", help="a code such as CA-QC, FR or EU; never UNKNOWN")
    parser.add_argument(
        "--filing", type=filing, action="append", default=[], metavar="NAME=REFERENCE@DATE", help="a paper that was filed; may be repeated"
    )
    parser.add_argument(
        "--operation",
        action="append",
        default=[],
        choices=OPERATIONS,
        help="what to open to a grant; may be repeated (default: all of these)",
    )
    parser.add_argument("--offer", action="store_true", help="serve callers there, too; alone it opens nothing else")
    parser.add_argument("--law", action="append", default=[], metavar="TEXT", help="the law that a new entry follows; may be repeated")
    parser.add_argument("--version", help="version of the new policy (default: the day and a number)")
    parser.add_argument("--to", type=Path, metavar="FILE", help="the new policy file")
    _add_signing(parser)


def _add_stop(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "stop",
        "stop a place, or everything, at once under an order; one person is enough; a dry run without --yes",
        (
            'assent policy stop CA-BC --because "Order P26-01"',
            'assent policy stop CA-QC --operation collect --operation embed --because "CAI 1023158-S" --yes',
            'assent policy stop --all --because "Order P26-01" --yes --watch http://127.0.0.1:9464',
        ),
    )
    add_stop_arguments(parser)


def _add_reload(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "reload",
        "have the running registry take its policy file up now, and say what came of it; it looks by itself every few seconds",
        ("assent policy reload", "assent policy reload --url https://assent.example --token-file officer.token"),
    )
    add_reload_arguments(parser)


def _add_sign(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "sign",
        "show what a policy file allows that the published policy does not, and sign it; a dry run without --yes",
        ("assent policy sign new.yaml", "assent policy sign new.yaml --key ben.key --yes"),
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the policy file; signatures lie beside it, in FILE.approvals.json")
    _add_signing(parser)


def _add_signing(parser: argparse.ArgumentParser, *, is_key_needed: bool = False) -> None:
    parser.add_argument(
        "--key", type=Path, required=is_key_needed, metavar="FILE", help="your own private key, made with assent policy key"
    )
    parser.add_argument("--yes", action="store_true", help="do it; without this it only says what it would do")
    parser.add_argument("--signers", type=Path, metavar="FOLDER", help="public keys of who may sign (default: below the keys of --data)")
    add_home_arguments(parser)


def _add_key(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "key",
        "make your own pair of keys for signing policies",
        ("assent policy key anna", "assent policy key anna --to /home/anna/keys"),
    )
    parser.add_argument("name", metavar="NAME", help="who you are: lower-case letters, digits, dots and hyphens")
    parser.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where the pair is written (default: here)")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help=f"data folder whose policy you will sign (default {DEFAULT_DATA})")


def _add_vouch(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_parser(
        actions,
        "vouch",
        "say as a signer that somebody else may sign too; a dry run without --yes",
        ("assent policy vouch carl.pub --key anna.key", "assent policy vouch carl.pub --key ben.key --yes"),
    )
    parser.add_argument("newcomer", type=Path, metavar="NAME.pub", help="the newcomer's public key; the words lie beside it")
    _add_signing(parser, is_key_needed=True)


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "show": run_show,
    "diff": run_diff,
    "open": run_open,
    "stop": run_stop,
    "reload": run_reload,
    "sign": run_sign,
    "key": run_key,
    "vouch": run_vouch,
}


def _run(arguments: argparse.Namespace) -> int:
    return _RUN[arguments.action](arguments)


POLICY = Command(
    name="policy",
    help="show what the policy holds for a place, compare two policies, open a place, sign what is opened, stop a place",
    examples=("assent policy show CA-QC", f"assent policy diff {PUBLISHED} my-policy.yaml", "assent policy open CA-QC"),
    add_arguments=_add_arguments,
    run=_run,
)
