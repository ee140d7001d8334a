"""Commands and their arguments; the work itself is in the rooms below."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from gazette.cli import (
    _aa,
    _accept,
    _analyse,
    _annotate,
    _build,
    _challenge,
    _check,
    _decide,
    _demo,
    _diff,
    _export,
    _fork,
    _learn,
    _log,
    _new,
    _pack,
    _plan,
    _replay,
    _restatements,
    _schemas,
    _score,
    _serve,
    _sign_off,
    _verify,
)
from gazette.cli._shared import harmless
from gazette.errors import GazetteError, WrongUseError
from gazette.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130
EPILOG = "Exit code: 0 when all went well, 1 when something in the work failed, 2 on wrong use."
COMMANDS = {
    "demo": _demo,
    "check": _check,
    "schemas": _schemas,
    "build": _build,
    "analyse": _analyse,
    "plan": _plan,
    "aa": _aa,
    "export": _export,
    "learn": _learn,
    "serve": _serve,
    "verify": _verify,
    "replay": _replay,
    "restatements": _restatements,
    "diff": _diff,
    "log": _log,
    "decide": _decide,
    "sign-off": _sign_off,
    "score": _score,
    "annotate": _annotate,
    "new": _new,
    "fork": _fork,
    "challenge": _challenge,
    "accept": _accept,
    "pack": _pack,
}  # each module is light, and imports what it needs when it runs


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: here)"
    )
    shared.add_argument("--json", action="store_true", help="print the result as JSON, for programs")
    parser = argparse.ArgumentParser(
        prog="gazette", description="The weekly, published record of models and A/B tests.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_options(
            commands.add_parser(
                name,
                parents=[shared],
                help=command.HELP,
                description=command.HELP[0].upper() + command.HELP[1:] + ".",
                epilog=f"example:\n  {command.EXAMPLE}\n\n{EPILOG}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("gazette")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit code: 0 when all went well, 1 when something in the work failed, 2 on wrong use.
    """
    options = _parser().parse_args(arguments)
    # threads of scikit-learn wait by spinning: on a busy machine that took twenty times what one thread takes, for the same numbers
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    gc.set_threshold(
        100_000, 50, 50
    )  # what queries are made of is much and little of it garbage: searching took a third of the time
    try:
        code: int = COMMANDS[options.command].run(options)
    except WrongUseError as error:
        return _fail(error, options, 2)
    except GazetteError as error:
        return _fail(error, options, 1)
    except KeyboardInterrupt:
        print("gazette: interrupted; nothing half-made was published", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception:  # noqa: BLE001  a fault of ours: told as Python tells it, without secrets that a driver quotes
        print(redact(traceback.format_exc()), file=sys.stderr, end="")
        return 1
    return code


def _fail(error: GazetteError, options: argparse.Namespace, code: int) -> int:
    if options.json:
        print(json.dumps({"error": {"what": error.what, "where": error.where, "mend": error.mend}}))
    print(f"gazette: {harmless(str(error))}", file=sys.stderr)
    return code
