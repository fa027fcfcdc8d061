"""`assent policy`: show an entry, compare two policies, open a place; what counts is what the registry publishes, never this."""

from __future__ import annotations

import argparse

from assent.cli.command import Command, add_parser
from embedded.known_policy import SHIPPED, add_home_arguments, add_policy_arguments
from embedded.policy_diff import PUBLISHED, run_diff
from embedded.policy_show import run_show


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_show(actions)
    _add_diff(actions)


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


def _run(arguments: argparse.Namespace) -> int:
    return {"show": run_show, "diff": run_diff}[arguments.action](arguments)


POLICY = Command(
    name="policy",
    help="show what the policy holds for a place, compare two policies",
    examples=("assent policy show CA-QC", f"assent policy diff {PUBLISHED} my-policy.yaml"),
    add_arguments=_add_arguments,
    run=_run,
)
