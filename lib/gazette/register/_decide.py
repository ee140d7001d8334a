"""Decide on an experiment, and sign a decision: both bound to digests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, get_args

from gazette.editions import Week
from gazette.errors import EditionError, WrongUseError
from gazette.params import Choice, Decision, Experiment, SignOff, load
from gazette.record import Record
from gazette.register._bound import faults_of, prefix_of
from gazette.register._files import FOLDER, create, load_register, one_line, sheet_text
from gazette.stats import z_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gazette.editions import Store
    from gazette.params import Params
    from gazette.record import Number, Verdict

__all__ = ["FITTING", "decide", "sign_off"]

FITTING: dict[str, tuple[Choice, ...]] = {
    "ship": ("ship", "ship-with-monitoring"),
    "ship with monitoring": ("ship-with-monitoring",),
    "don't ship": ("stop",),
    "stop: no winner": ("stop",),
    "keep running": ("continue",),
    "fix the test first": ("continue",),
    "wait": ("continue",),
}  # what follows a recommendation; anything else overrides it
UNREADABLE = ("not trustworthy", "not published")


@dataclass(frozen=True)
class _Basis:
    """What a decision rests on."""

    edition: str
    digest: str
    record: Record
    verdict: Verdict
    params: Params
    plan: Experiment


def _basis(store: Store, experiment: str, edition: str | None, known: Sequence[str]) -> _Basis:
    weeks = store.weeks()
    if edition is not None:
        week = Week.parse(edition)
    else:
        reported = [w for w in reversed(weeks) if store.open(w).has(f"records/{experiment}.json")]
        if not weeks:
            raise EditionError("there is no edition yet", where=str(store.root), mend="build one: gazette build")
        week = reported[0] if reported else weeks[-1]
    sealed = store.open(week)
    manifest, record = sealed.manifest, sealed.record(experiment)
    if record is None:
        reported_now = sorted(t["page"] for t in manifest.facts["tests"])
        what = (
            f"edition {week} has no verdict on {experiment!r}"
            if experiment in known
            else f"there is no experiment {experiment!r}"
        )
        raise WrongUseError(what, where=str(week), mend=f"it reports on: {', '.join(reported_now) or 'no experiment'}")
    verdict = next((v for v in record.verdicts if v.primary), None)
    params = load(sealed.within("params") / "params")
    if record.kind != "experiment" or verdict is None or experiment not in params.experiments:
        raise WrongUseError(
            f"{experiment!r} is not an experiment", where=str(week), mend="decisions are on experiments"
        )
    return _Basis(str(week), manifest.digest, record, verdict, params, params.experiments[experiment])


def _range(number: Number | None) -> dict[str, Any] | None:
    if number is None or not number.published or number.interval is None:
        return None
    interval = number.interval
    return {
        "value": number.value,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "unit": number.unit,
    }


def _expected(basis: _Basis) -> Iterator[dict[str, Any]]:
    """What the edition said of each metric of the test; nothing where a check said that no effect may be read."""
    record, verdict = basis.record, basis.verdict
    if verdict.state in UNREADABLE:
        return
    prefix, numbers = prefix_of(record), {n.id: n for n in record.numbers}
    critical = record.looks[-1].critical if record.looks else None
    for metric in basis.plan.metrics:
        difference = _range(numbers.get(f"{prefix}.{metric}.difference"))
        relative = _range(numbers.get(f"{prefix}.{metric}.relative"))
        if difference is None and relative is None:
            continue
        known = basis.params.metrics[metric]
        primary = metric == verdict.metric
        row: dict[str, Any] = {"metric": metric, "title": known.title, "direction": known.direction}
        if primary:
            row["primary"] = True
        row |= {k: v for k, v in (("difference", difference), ("relative", relative)) if v}
        if relative:
            reach = critical if primary and critical else z_of(relative["level"])
            error = (relative["high"] - relative["low"]) / 2 / reach
            row |= {"standard_error": error} if error > 0 else {}
        yield row


def _watch(basis: _Basis, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The watch list: what was asked for, or else the plan's guardrails over the days of roll-out."""
    until = Week.parse(basis.edition).end + timedelta(days=max(7, basis.plan.rollout_days))
    rows = [(g.metric, g.margin, until, basis.plan.owner) for g in basis.plan.guardrails]
    if wanted:
        rows = [_asked(text, until, basis.plan.owner) for text in wanted]
    if not rows:
        raise WrongUseError(
            "there is nothing to watch: the plan has no guardrail",
            mend=f"name what to watch: --watch {basis.plan.primary}:0.02:{until}:{basis.plan.owner}",
        )
    for metric, _, day, _ in rows:
        if metric not in basis.plan.metrics:
            known = ", ".join(basis.plan.metrics)
            raise WrongUseError(f"the test does not measure {metric!r}", mend=f"its metrics: {known}")
        if day <= Week.parse(basis.edition).end:
            raise WrongUseError(
                f"the watch on {metric!r} ends on {day}, before the next edition", mend="give a later day"
            )
    return [
        {"metric": m, "title": basis.params.metrics[m].title, "margin": margin, "until": day, "owner": owner}
        for m, margin, day, owner in rows
    ]


def _asked(text: str, until: date, owner: str) -> tuple[str, float, date, str]:
    parts = text.split(":", maxsplit=3)
    try:
        margin = float(parts[1])
        day = date.fromisoformat(parts[2]) if len(parts) > 2 and parts[2] else until  # noqa: PLR2004
        if not 0 < margin < 1:
            raise ValueError(text)
    except (ValueError, IndexError) as error:
        raise WrongUseError(
            f"--watch {text!r} cannot be read",
            mend="write METRIC:MARGIN[:UNTIL[:OWNER]], such as conversion:0.02:2026-12-06",
        ) from error
    return parts[0], margin, day, one_line(parts[3], "--watch") if len(parts) > 3 else owner  # noqa: PLR2004


def decide(
    root: Path,
    store: Store,
    experiment: str,
    choice: Choice,
    *,
    by: str,
    because: str,
    on: date,
    edition: str | None = None,
    override: bool = False,
    supersede: bool = False,
    watch: Sequence[str] = (),
    known: Sequence[str] = (),
) -> tuple[Decision, Path]:
    """Write a decision, bound to the edition that it is taken on.

    Args:
        root: The project.
        store: Its editions.
        experiment: Its id.
        choice: What is decided.
        by: Who decides.
        because: Why.
        on: Today.
        edition: Its week; by default the newest that reports on the experiment.
        override: That it is meant to go against the recommendation.
        supersede: That it replaces the decision on the same edition.
        watch: ``METRIC:MARGIN[:UNTIL[:OWNER]]``; by default the plan's guardrails.
        known: Ids of today's experiments, for the words of an error.

    Raises:
        WrongUseError: Unknown experiment, a second decision, against the recommendation without ``override``.
        EditionError: No such edition, or the disk refuses.
        ParamsError: The register holds a malformed file.
    """
    who, why = one_line(by, "--by"), one_line(because, "--because")
    register, basis = load_register(root), _basis(store, experiment, edition, known)
    action = basis.verdict.action
    against = choice not in FITTING[action]
    if against and not override:
        raise WrongUseError(
            f"edition {basis.edition} recommends {action!r} (rule {basis.verdict.action_rule}), not {choice!r}",
            mend="to decide so all the same, add --override and say why with --because",
        )
    if override and not against:
        raise WrongUseError(f"{choice!r} follows the recommendation {action!r}", mend="leave --override out")
    if watch and choice != "ship-with-monitoring":
        raise WrongUseError(f"{choice!r} has no watch list", mend="leave --watch out, or take ship-with-monitoring")
    stem = f"{experiment}-{basis.edition}"
    same = [e for e in register.entries if e.decision.experiment == experiment and e.decision.edition == basis.edition]
    last = next((e for e in same if not e.superseded_by), None)
    if last and not supersede:
        raise WrongUseError(
            f"{experiment!r} is decided on {basis.edition}: {last.decision.decision}, by {last.decision.by}",
            where=f"{FOLDER}/{last.decision.id}.yml",
            mend="to replace that decision, which stays in the register, add --supersede",
        )
    if supersede and not last:
        raise WrongUseError(f"there is no decision on {stem} to supersede", mend="leave --supersede out")
    name = f"{stem}-{len(same) + 1}" if same else stem
    numbers = {n.id: n for n in basis.record.numbers}
    shrunken = numbers.get(f"{prefix_of(basis.record)}.shrunken")
    content: dict[str, Any] = {
        "id": name,
        "experiment": experiment,
        "title": basis.record.title,
        "edition": basis.edition,
        "edition_digest": basis.digest,
        "decision": choice,
        "options": list(get_args(Choice)),
        "by": who,
        "decided": on,
        "because": why,
        "recommendation": {
            "action": action,
            "rule": basis.verdict.action_rule,
            "state": basis.verdict.state,
            "state_rule": basis.verdict.rule,
        },
        "override": against,
        "expected": [*_expected(basis)],
    }
    if shrunken is not None and shrunken.published:
        content["shrunken"] = shrunken.value
    if choice == "ship-with-monitoring":
        content["watch"] = _watch(basis, watch)
    if last:
        content["supersedes"] = {"decision": last.decision.id, "digest": last.digest}
    decision = Decision.model_validate(content)
    path = root / FOLDER / f"{name}.yml"
    text = sheet_text(content, "decision", "../../")
    create(path, text, taken=f"{stem} was decided meanwhile", mend="read that decision; to replace it, add --supersede")
    return decision, path


def sign_off(root: Path, store: Store, decision: str, *, by: str, on: date, note: str = "") -> tuple[SignOff, Path]:
    """Write a second person's agreement, bound to the decision's file and to the edition.

    Raises:
        WrongUseError: No such decision, the same person, a second time, a superseded decision, or one whose file was changed.
        EditionError: The edition is gone or is not the one that was decided on.
    """
    who = one_line(by, "--by")
    entry = load_register(root).entry(decision)
    taken = entry.decision
    if _same(who, taken.by):
        raise WrongUseError(f"{taken.by} took this decision", mend="a second person signs it off")
    if entry.superseded_by:
        raise WrongUseError(f"it is superseded by {entry.superseded_by}", mend=f"sign {entry.superseded_by} off")
    digest = store.manifest(Week.parse(taken.edition)).digest
    if digest != taken.edition_digest:
        raise EditionError(
            f"edition {taken.edition} is not the one that was decided on",
            where=f"{FOLDER}/{decision}.yml",
            mend="restore that edition, or decide again on the one that is there",
        )
    if any(_same(who, s.by) and s.decision_digest == entry.digest for s in entry.sign_offs):
        raise WrongUseError(f"{who} has signed it off already", mend="nothing is left to do")
    if faults := faults_of(entry, store):
        raise WrongUseError(
            f"the decision is not what was taken: {'; '.join(faults)}",
            where=f"{FOLDER}/{decision}.yml",
            mend="restore the file from git; to decide anew, take gazette decide with --supersede",
        )
    content: dict[str, Any] = {
        "decision": decision,
        "decision_digest": entry.digest,
        "edition_digest": digest,
        "by": who,
        "signed": on,
    }
    if note:
        content["note"] = one_line(note, "--note")
    signed = SignOff.model_validate(content)
    slug = re.sub(r"[^a-z0-9]+", "-", who.lower()).strip("-")[:40] or "signature"
    path = root / FOLDER / "sign-offs" / f"{decision}-{slug}-{entry.digest[:8]}.yml"
    text = sheet_text(content, "sign-off", "../../../")
    create(path, text, taken=f"{who} has signed it off already", mend="nothing is left to do")
    return signed, path


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
