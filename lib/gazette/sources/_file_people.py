"""Who was assigned to which arm by a file: every row is counted in an arm, or counted as left out, with what can be done about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any

from gazette.errors import SourceError
from gazette.sources._file_table import FileTable, quoted

if TYPE_CHECKING:
    from gazette.sources._file import FileQuestion

__all__ = ["FEW", "Finding", "People", "arms_by_spelling", "other_pages", "refuse"]

NO_VARIANT, NO_ID = "no variant", "no id"  # what rows without are called, in parameters too
MOST_ARMS = 8
FEW = 20  # values that a column of pages has at most
FITS = 0.9  # share of rows from which on a column seems to belong to the arms
MOST_VALUES = 1000  # from here on a column holds no arms


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a file that a reader should know.

    Attributes:
        kind: A short name, the same for all of its kind.
        what: In words, with its count.
        mend: What can be declared or done about it.
        column: Where.
        count: Rows or ids concerned.
        weight: ``stops`` where nothing can be analysed before it is mended, ``fails`` where a check fails of it, else ``note``.
    """

    kind: str
    what: str
    mend: str = ""
    column: str = ""
    count: int = 0
    weight: str = "note"


def refuse(findings: Sequence[Finding], path: object) -> None:
    """One error that names everything found, where something found stops the analysis.

    Raises:
        SourceError: With all of it.
    """
    if not any(f.weight == "stops" for f in findings):
        return
    told = [*(f for f in findings if f.weight == "stops"), *(f for f in findings if f.weight != "stops" and f.mend)]
    if len(told) == 1:
        column = f", column {told[0].column!r}" if told[0].column else ""
        raise SourceError(told[0].what, where=f"{path}{column}", mend=told[0].mend)
    raise SourceError(
        f"{len(told)} things are wrong: " + "; ".join(f"({i}) {f.what}" for i, f in enumerate(told, 1)),
        where=str(path),
        mend="; ".join(f"({i}) {f.mend}" for i, f in enumerate(told, 1) if f.mend),
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def arms_by_spelling(counts: Mapping[str, int], first: Sequence[str]) -> dict[str, str]:
    """The arm that each spelling seems to mean: of those that differ in case or blanks alone, one of ``first``, else the most frequent."""
    found: dict[str, str] = {}
    order = sorted(counts, key=lambda a: (a not in first, -counts[a], a))
    for arm in order:
        found.setdefault(_plain(arm), arm)
    return {arm: found[_plain(arm)] for arm in counts}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{arm}: {n:,}" for arm, n in sorted(counts.items()))


@dataclass
class People:
    """The rows of a file, arm by arm.

    Attributes:
        table: The opened file.
        question: What is asked of it.
        control: The arm that others are compared with; empty where it is not known.
        shares: Arms that a ratio was planned for.
        findings: What was found on the way.
        arms: Rows per arm.
        meant: The arm that each spelling of the column means.
        crossed: Units of assignment seen in several arms; None where no column says who is who.
        all_count: Whether the values of every row count.
        source: SQL of rows with ``a`` (arm), ``g`` (whether their values count), ``u``, ``k``, ``s`` and values ``v0`` ….
    """

    table: FileTable
    question: FileQuestion
    control: str = ""
    shares: Sequence[str] = ()
    findings: list[Finding] = field(default_factory=list)
    arms: dict[str, int] = field(default_factory=dict)
    meant: dict[str, str] = field(default_factory=dict)
    crossed: int | None = None
    source: str = "gz_rows"
    all_count: bool = True

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Answers of a query."""
        return self.table.connection.execute(sql).fetchall()

    def count(self) -> None:
        """Go through arms, pages and units, in this order."""
        question = self.question
        self._rows(question.numbers)
        if not self._arms():
            return
        pages = self._pages() if question.matches else {}
        good = "CASE a " + " ".join(f"WHEN {quoted(a)} THEN p = {quoted(p)}" for a, p in pages.items()) + " END"
        good = f"coalesce({good}, false)" if pages else "true"
        self._view("gz_kept", f"SELECT *, {good} AS g FROM {self.source} WHERE a IS NOT NULL")
        self.all_count = not pages
        if pages:
            self._left_out("page", "NOT g", f"rows whose {question.matches!r} is not that of their arm", weight="note")
        if question.unit:
            self._units("u", question.unit, "unit")
        if question.cluster:
            self._units("k", question.cluster, "cluster")

    # ---- rows

    def _rows(self, values: Sequence[str]) -> None:
        """The columns that are asked for, typed; of a CSV they are kept, so that its text is read once."""
        table, question = self.table, self.question
        keys = {"u": question.unit, "k": question.cluster}
        parts = [f"{table.text(question.variant)} AS raw"]
        parts += [f"{table.key(c)} AS {n}" for n, c in keys.items() if c]
        texts = {"s": question.segment, "p": question.matches}
        parts += [f"{table.text(c)} AS {n}" for n, c in texts.items() if c]
        if question.first:
            parts.append(f"{table.moment(question.first)} AS t")
        parts += [f"{table.number(c)} AS v{i}" for i, c in enumerate(values)]
        kind = "TEMP TABLE" if table.written else "VIEW"
        table.connection.execute(f"CREATE {kind} gz_typed AS SELECT {', '.join(parts)} FROM file")

    def _view(self, name: str, sql: str) -> None:
        self.table.connection.execute(f"CREATE VIEW {name} AS {sql}")
        self.source = name

    # ---- arms

    def _arms(self) -> bool:
        """Count rows by arm; whether there are arms to go on with."""
        question, column = self.question, self.question.variant
        found = self.rows(f"SELECT raw, count(*) FROM gz_typed GROUP BY 1 ORDER BY 1 LIMIT {MOST_VALUES + 1}")
        if len(found) > MOST_VALUES:
            self._stop(
                "arms",
                f"it has more than {MOST_VALUES:,} different values, too many for arms",
                "name the column with the arms",
                column,
            )
            return False
        nobody = sum(n for arm, n in found if arm is None)
        written = {str(arm): int(n) for arm, n in found if arm is not None}
        for option, names in (("--alias", question.aliases), ("--exclude-arm", question.exclude_arms)):
            for name in names:
                if name not in {*written, *question.aliases.values(), NO_VARIANT, NO_ID}:
                    there = f"it holds: {', '.join(list(written)[:20])}"
                    self._stop("alias", f"no row is of {name!r}, which {option} names", there, column)
        self.meant = meant = {raw: question.aliases.get(raw, raw) for raw in written}
        counts: dict[str, int] = {}
        for raw, n in written.items():
            counts[meant[raw]] = counts.get(meant[raw], 0) + n
        if nobody:
            declared = NO_VARIANT in question.exclude_arms
            self._add(
                "no-arm", f"{nobody:,} rows have no arm in {column!r}", "" if declared else f"find out who they are, or leave them out with --exclude-arm '{NO_VARIANT}'",
                column, nobody, "note" if declared else "fails",
            )  # fmt: skip
        for arm in [a for a in question.exclude_arms if a in counts]:
            self._add(
                "excluded-arm",
                f"{counts[arm]:,} rows of {arm!r} were left out, as declared",
                "",
                column,
                counts.pop(arm),
                "note",
            )
        spelt = arms_by_spelling(counts, [self.control, *self.shares])
        for arm, means in spelt.items():
            if arm != means:
                mend = f"--alias {quote(f'{arm}={means}')} if that is what it means, or --exclude-arm {quote(arm)}"
                self._add(
                    "spelling",
                    f"{counts[arm]:,} rows are of {arm!r}, which differs from {means!r} in case or blanks alone",
                    mend,
                    column,
                    counts.pop(arm),
                    "fails",
                )
        self.arms = counts
        cases = [f"WHEN {quoted(raw)} THEN {quoted(arm)}" for raw, arm in meant.items() if arm in counts]
        self._view(
            "gz_rows",
            f"SELECT * EXCLUDE (raw), CASE raw {' '.join(cases) or 'WHEN NULL THEN NULL'} END AS a FROM gz_typed",
        )
        return self._check_arms()

    def _check_arms(self) -> bool:
        arms, column = list(self.arms), self.question.variant
        what, mend = "", ""
        if not arms:
            what, mend = "no row is left to analyse", "the file has no rows with an arm"
        elif len(arms) > MOST_ARMS:
            what, mend = f"it has {len(arms):,} different values, too many for arms", "name the column with the arms"
        elif len(arms) == 1:
            what, mend = f"there is only one arm, {arms[0]!r}", "a comparison needs two"
        elif self.control and self.control not in arms:
            what, mend = f"no row is of the control {self.control!r}", f"--control is one of: {', '.join(arms)}"
        if what:
            self._stop("arms", what, mend, column)
        return not what

    def _pages(self) -> dict[str, str]:
        """The page of each arm: as declared, else the one that most of its rows have."""
        declared, column = self.question.pages, self.question.matches
        if declared:
            if unknown := [a for a in self.arms if a not in declared] + [a for a in declared if a not in self.arms]:
                self._stop(
                    "page",
                    f"--matches and the arms differ in {', '.join(map(repr, unknown))}",
                    "name the value of each arm",
                    column,
                )
                return {}
            return dict(declared)
        found = self.rows(
            f"SELECT a, p FROM (SELECT a, p, count(*) AS n FROM {self.source} WHERE a IS NOT NULL AND p IS NOT NULL GROUP BY 1, 2) "
            "QUALIFY row_number() OVER (PARTITION BY a ORDER BY n DESC, p) = 1 ORDER BY a"
        )
        pages = {str(a): str(p) for a, p in found}
        if len(set(pages.values())) < len(self.arms):
            told = ", ".join(f"{a}={p}" for a, p in pages.items())
            self._stop(
                "page",
                f"{column!r} does not tell the arms apart ({told})",
                f"declare them: --matches {quote(column)}:ARM=VALUE,…",
                column,
            )
            return {}
        told = ", ".join(f"{p!r} for {a!r}" for a, p in pages.items())
        self._add("pages", f"{column!r} should be {told}: what most rows of the arm have", "", column, 0, "note")
        return pages

    def _left_out(self, kind: str, where: str, what: str, *, weight: str, mend: str = "") -> int:
        """Count rows by arm; they stay among the assigned, without values."""
        found = {
            str(a): int(n)
            for a, n in self.rows(f"SELECT a, count(*) FROM {self.source} WHERE {where} GROUP BY 1 ORDER BY 1")
        }
        if total := sum(found.values()):
            column = {
                "page": self.question.matches,
                "no-unit": self.question.unit,
                "no-cluster": self.question.cluster,
            }[kind]
            self._add(kind, f"{total:,} {what} were left out ({_listed(found)})", mend, column, total, weight)
        return total

    # ---- units

    def _units(self, key: str, column: str, word: str) -> None:
        """One row a unit, in one arm; units in several arms are left out, a unit that stays with several rows stops the analysis."""
        question, source = self.question, self.source
        without = self._left_out(
            f"no-{word}", f"{key} IS NULL", f"rows without a value of {column!r}",
            weight="note" if NO_ID in question.exclude_arms else "fails",
            mend="" if NO_ID in question.exclude_arms else f"find out who they are, or declare with --exclude-arm '{NO_ID}' that they are to be left out",
        )  # fmt: skip
        self.all_count = self.all_count and not without
        best = f"SELECT * FROM {source} WHERE {key} IS NOT NULL"
        if word == "unit" and question.matches:  # a row that fits its arm says more than one that does not
            best += f" QUALIFY g = max(g) OVER (PARTITION BY {key})"
        if word == "unit" and question.first:
            self._several_values(key)
            best = f"SELECT DISTINCT * FROM ({best}) QUALIFY t IS NOT DISTINCT FROM min(t) OVER (PARTITION BY {key})"
        self.table.connection.execute(
            f"CREATE TEMP TABLE gz_{word} AS SELECT {key} AS id, count(*) AS n, count(DISTINCT a) AS arms FROM ({best}) GROUP BY 1 "
            "HAVING count(*) > 1"
        )
        crossed, twice, rows = self.rows(
            f"SELECT count(*) FILTER (arms > 1), count(*) FILTER (arms = 1), coalesce(sum(n) FILTER (arms = 1), 0) FROM gz_{word}"
        )[0]
        dropped = bool(crossed) or (word == "unit" and bool(question.first or question.matches))
        if crossed:
            mend = (
                "take a unit's first row, with a column of times: --first COLUMN"
                if word == "unit"
                else "name the column by which arms were assigned"
            )
            self._add(
                "several-arms",
                f"{crossed:,} {word}s seen in several arms were left out",
                mend,
                column,
                int(crossed),
                "fails" if not question.first else "note",
            )
        if twice and word == "unit":
            if question.first:
                self._stop(
                    "several-rows",
                    f"{twice:,} units have several first rows that differ",
                    f"clean {question.first!r}, or name another time",
                    column,
                    int(twice),
                )
            else:
                same = self._alike()
                alike = f", {same:,} of them alike in every column" if same else ""
                mend = "give one row a unit: --first COLUMN takes the earliest, --distinct counts rows once that are alike in every column"
                self._stop(
                    "several-rows",
                    f"{twice:,} units have several rows ({rows:,} rows{alike})",
                    mend + "; if rows lie below the unit of assignment, name it with --cluster instead",
                    column,
                    int(twice),
                )
        if dropped:
            alone = f"SELECT * FROM ({best}) WHERE {key} NOT IN (SELECT id FROM gz_{word} WHERE arms > 1)"
            nameless = (
                f" UNION ALL BY NAME SELECT * REPLACE (false AS g) FROM {source} WHERE {key} IS NULL"
                if word == "unit"
                else ""
            )
            self._view(f"gz_by_{word}", alone + nameless)
        elif without and word == "unit":
            self._view("gz_by_unit", f"SELECT * REPLACE (g AND {key} IS NOT NULL AS g) FROM {source}")
        elif without:
            self._view("gz_by_cluster", f"SELECT * FROM {source} WHERE {key} IS NOT NULL")
        if word == "cluster" or not question.cluster:
            self.crossed = int(crossed)

    def _several_values(self, key: str) -> None:
        """Units whose rows differ in what should be a property of the unit: that of the first row counts."""
        question = self.question
        parts = {question.segment: "s"}
        if question.covariate:
            parts[question.covariate] = f"v{question.numbers.index(question.covariate)}"
        for column, value in parts.items():
            if not column:
                continue
            found = {
                str(a): int(n)
                for a, n in self.rows(
                    f"SELECT a, count(*) FROM (SELECT arg_min(a, t) AS a FROM {self.source} WHERE {key} IS NOT NULL GROUP BY {key} "
                    f"HAVING count(DISTINCT {value}) > 1) GROUP BY 1 ORDER BY 1"
                )
            }
            if total := sum(found.values()):
                what = f"{total:,} units have several values of {column!r} ({_listed(found)}); that of the first row counts"
                self._add("several-values", what, "", column, total, "note")

    def _alike(self) -> int:
        """Rows that repeat another in every column of the file."""
        (n,) = self.rows("SELECT (SELECT count(*) FROM file) - (SELECT count(*) FROM (SELECT DISTINCT * FROM file))")[0]
        return int(n)

    # ---- telling

    def _add(self, kind: str, what: str, mend: str, column: str, count: int, weight: str) -> None:
        self.findings.append(Finding(kind=kind, what=what, mend=mend, column=column, count=count, weight=weight))

    def _stop(self, kind: str, what: str, mend: str, column: str, count: int = 0) -> None:
        self._add(kind, what, mend, column, count, "stops")


def other_pages(people: People) -> list[Finding]:
    """Columns that nearly always fit the arm, such as the page that was shown, with the rows where they do not."""
    found: list[Finding] = []
    table, question = people.table, people.question
    arm = (
        f"CASE {table.text(question.variant)} "
        + " ".join(f"WHEN {quoted(raw)} THEN {quoted(a)}" for raw, a in people.meant.items() if a in people.arms)
        + " END"
    )
    for column in table.types:
        if column in question.named or people.rows(f"SELECT count(DISTINCT {table.text(column)}) FROM file") > [(FEW,)]:
            continue
        rows = people.rows(
            f"SELECT {arm} AS arm, {table.text(column)} AS page, count(*) FROM file GROUP BY 1, 2 HAVING arm IS NOT NULL"
        )
        most: dict[str, tuple[int, str]] = {}
        total = sum(int(n) for *_, n in rows)
        for a, page, n in rows:
            if page is not None:
                most[a] = max(most.get(a, (0, "")), (int(n), str(page)))
        fits = sum(n for n, _ in most.values())
        if len(most) == len(people.arms) == len({p for _, p in most.values()}) and FITS * total <= fits < total:
            what = f"{total - fits:,} rows have a {column!r} that is not that of most rows of their arm"
            found.append(
                Finding(
                    kind="page",
                    what=what,
                    mend=f"--matches {column} leaves their values out",
                    column=column,
                    count=total - fits,
                )
            )
    return found
