"""`assent policy vouch`: a signer's word that somebody else may sign too; two such words let a newcomer in, and the registry decides."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from assent.cli.command import CommandError, ExitCode
from assent.deployment.start_errors import StartError
from assent.policies.approval import MOST_SIGNATURES, PEOPLE
from assent.policies.signers import Vouches
from embedded.policy_signer import deployment_of, names_of_signers, read_signer_key, replace_file
from services.registry.policy_approvals import read_public_key, read_vouches, vouches_path


def run_vouch(arguments: argparse.Namespace) -> int:
    """Say for whom, and with --yes write it beside the public key."""
    try:
        newcomer, known = read_public_key(arguments.newcomer), read_vouches(arguments.newcomer)
    except StartError as error:
        raise CommandError(str(error)) from error
    path, deployment = vouches_path(arguments.newcomer), deployment_of(arguments)
    vouches = known or Vouches(public_key=newcomer, deployment=deployment)
    if (vouches.public_key, vouches.deployment) != (newcomer, deployment):
        raise CommandError(f"{path} is for another key or another deployment; remove it, and let everybody vouch again")
    if len(vouches.signatures) == MOST_SIGNATURES:
        raise CommandError(f"{path} holds {MOST_SIGNATURES} signatures, the most that are read; remove those that do not count")
    names = names_of_signers(arguments)
    key = read_signer_key(arguments.key)
    own = key.public_key().public_bytes_raw().hex()
    if own == newcomer:
        raise CommandError("nobody vouches for herself; it takes two signers who may sign already")
    if own in vouches.holders():
        raise CommandError(f"{names.get(own, arguments.key)} has vouched already; the second word is another person's")
    said = [names.get(holder, f"the key {holder[:12]}") for holder in sorted(vouches.holders())]
    print(f"{arguments.newcomer.stem} with the key {newcomer} shall be able to sign policies of the deployment {deployment}.")
    print(f"It takes {PEOPLE} signers. Said so far by: {', '.join(said) or 'nobody'}.")
    if not arguments.yes:
        print("Nothing was written: this was a dry run. --yes does it.")
        return ExitCode.DONE
    replace_file(path, vouches.vouched(key, at=datetime.now(UTC)).model_dump_json(by_alias=True, indent=2) + "\n")
    left = PEOPLE - len(vouches.holders()) - 1
    print(f"said in {path}")
    done = "the newcomer counts once both files are in the folder of the signers and the registry has looked"
    print(done if left <= 0 else "one more signer says the same, with her own key")
    return ExitCode.DONE
