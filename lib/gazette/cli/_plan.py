"""``gazette plan``: users and days of a test before it starts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from gazette.cli._shared import say
from gazette.errors import WrongUseError

if TYPE_CHECKING:
    import argparse

    from gazette.stats import Planned

__all__ = ["EXAMPLE", "HELP", "add_options", "run"]

HELP = "say how many users and days a test takes, and what a smaller effect would cost"
EXAMPLE = (
    "gazette plan --share 0.0234 --effect 0.05 --per-day 8000\n"
    "  gazette plan --mean 12.5 --sd 40 --effect 0.03 --arms 0.8,0.1,0.1 --per-day 8000\n"
    "  gazette plan --share 0.1 --effect 0.1 --method confidence-sequence --cluster-size 20 --correlation 0.02"
)
SMALLER = (1.0, 0.75, 0.5)
METHODS = ("group-sequential", "confidence-sequence", "fixed")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    known = parser.add_mutually_exclusive_group(required=True)
    known.add_argument("--share", type=float, metavar="P", help="of users who do it today: 0.0234 for 2.34 %%")
    known.add_argument("--mean", type=float, metavar="X", help="a user's mean today; with --sd")
    parser.add_argument("--sd", type=float, metavar="X", help="standard deviation of a user's value")
    parser.add_argument(
        "--effect", required=True, type=float, metavar="X", help="smallest relative effect worth having: 0.05 for 5 %%"
    )
    parser.add_argument("--arms", default="0.5,0.5", metavar="W,W", help="shares, the control first (default: 0.5,0.5)")
    parser.add_argument("--per-day", type=float, metavar="N", help="users who come in a day")
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="how looks are paid for")
    parser.add_argument("--spending", choices=("obrien-fleming", "pocock"), default="obrien-fleming")
    parser.add_argument(
        "--alpha", type=float, default=0.05, metavar="X", help="error of the whole test (default: 0.05)"
    )
    parser.add_argument("--power", type=float, default=0.8, metavar="X", help="chance to show it (default: 0.8)")
    parser.add_argument("--cluster-size", type=float, default=1.0, metavar="N", help="users assigned together")
    parser.add_argument("--correlation", type=float, default=0.0, metavar="X", help="of users assigned together")
    parser.add_argument(
        "--guardrail",
        action="append",
        default=[],
        metavar="P=MARGIN",
        help="a guardrail: the share of users today, or MEAN/SD of a user, and the relative loss it may have: 0.02=0.05, 12.5/40=0.02; repeatable",
    )
    parser.add_argument(
        "--window-days",
        type=int,
        default=0,
        metavar="N",
        help="days for which each user counts; the last to come needs them",
    )


def run(options: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    from gazette import stats  # noqa: PLC0415
    from gazette.record import NotPublished  # noqa: PLC0415

    asked = _asked(options)
    mean = options.mean if options.share is None else options.share
    variance = options.sd**2 if options.share is None else mean * (1 - mean)
    rails = [_rail(text) for text in options.guardrail]
    asked["power"] = stats.each_power(len(rails), options.power)
    rows = []
    for of in [*((mean, variance, options.effect * part) for part in SMALLER), *rails]:
        found = stats.plan(*of, **asked)
        if isinstance(found, NotPublished):
            raise WrongUseError(found.reason, mend="give a mean and a standard deviation above 0")
        rows.append(found)
    plans, guards = rows[: len(SMALLER)], rows[len(SMALLER) :]
    each = f"{100 * options.power:.4g} % chance"
    head = f"To show a relative effect with {each}, {options.method.replace('-', ' ')}, all arms together:"
    said = [head, *map(_line, plans)]
    if guards:
        said[0] = (
            f"To show a relative effect and every guardrail with {each} of all, {options.method.replace('-', ' ')}, all arms together; the effect:"
        )
        said += ["Each guardrail, if nothing changes there, by its margin:", *map(_line, guards)]
        said.append(f"The whole decision: {max(r.units for r in (plans[0], *guards)):,} users")
    content = {"plans": plans} | ({"guardrails": guards} if guards else {})
    say(options, {name: [dataclasses.asdict(r) for r in of] for name, of in content.items()}, "\n".join(said))
    return 0


def _line(row: Planned) -> str:
    days = "" if row.days is None else f"  {row.days:>6,} days"
    return f"{100 * row.effect:>7.4g} %  {row.units:>12,} users{days}"


def _rail(text: str) -> tuple[float, float, float]:
    """Mean, variance and margin of a guardrail.

    Raises:
        WrongUseError: It is not written so.
    """
    known, _, margin = text.partition("=")
    mean, slash, sd = known.partition("/")
    try:
        first, last = float(mean), float(margin)
        variance = float(sd) ** 2 if slash else first * (1 - first)
    except ValueError:
        variance = -1.0
    if not (variance > 0 and first > 0 and 0 < last < 1):
        mend = (
            "write 0.02=0.05 for a share of 2 % that may lose 5 %, or 12.5/40=0.02 for a mean and a standard deviation"
        )
        raise WrongUseError(f"{text!r} is no guardrail", where="--guardrail", mend=mend)
    return first, variance, last


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """What is asked, checked.

    Raises:
        WrongUseError: A number is outside of what can be.
    """
    try:
        shares = tuple(float(x) for x in options.arms.split(","))
    except ValueError:
        shares = ()
    if len(shares) < 2 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:  # noqa: PLR2004
        raise WrongUseError(
            f"shares {options.arms!r} are not two or more that add up to 1",
            where="--arms",
            mend="write 0.5,0.5 or 0.8,0.1,0.1",
        )
    if options.mean is not None and options.sd is None:
        raise WrongUseError("a mean needs the standard deviation of a user's value", where="--sd", mend="add --sd 40")
    bounds = {"share": 1, "sd": None, "effect": None, "per_day": None, "alpha": 1, "power": 1, "cluster_size": None}
    for name, most in bounds.items():
        value = getattr(options, name)
        if value is not None and not (0 < value < (most or float("inf"))):
            flag = f"--{name.replace('_', '-')}"
            raise WrongUseError(
                f"{flag} must be above 0{' and below 1' if most else ''}, found {value:g}",
                where=flag,
                mend="correct it",
            )
    if not 0 <= options.window_days <= 365:  # noqa: PLR2004  as in the test's file
        raise WrongUseError(
            f"--window-days must lie within 0 and 365, found {options.window_days}",
            where="--window-days",
            mend="correct it",
        )
    if not 0 <= options.correlation <= 1:
        raise WrongUseError(
            f"--correlation must lie within 0 and 1, found {options.correlation:g}",
            where="--correlation",
            mend="correct it",
        )
    names = ("per_day", "method", "spending", "alpha", "power", "cluster_size", "correlation", "window_days")
    return {"shares": shares, **{name: getattr(options, name) for name in names}}
