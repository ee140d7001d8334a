"""How often the intervals of models' measures hold their truth, with more and longer segments than the tests have. Usage: python bench/intervals.py [SEGMENTS]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "sources")]

from gazette.stats import Estimate
from test_model_measures import ask, gap_of, level_of, model, predictions

ROWS = (250, 500)  # of a segment


def main() -> int:
    segments = int(float(sys.argv[1])) if len(sys.argv) > 1 else 4000
    subject, outside = model("classifier", scores={"threshold": 0.4}), 0
    print(f"{segments:,} segments   95 % interval covers   of the difference to the version before")
    for rows in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            p, y = predictions(segments, rows, 2026, digits=6)
            found = ask(Path(folder), subject, p=p, y=y)
        whole = {r["version"]: r for r in found["weekly"].to_dict("records")}
        mine = [r for r in found["segments"].to_dict("records") if r["version"] == "2"]
        for measure in subject.measures:
            column = measure.replace("-", "_")
            pairs = found["segments_paired"].to_dict("records")
            kinds = (
                (whole["2"][column], [level_of(r, measure) for r in mine]),
                (
                    whole["2"][column] - whole["1"][column],
                    [gap_of(r, measure) for r in pairs],
                ),
            )
            shares = [sum(isinstance(e, Estimate) and e.low <= t <= e.high for e in es) / segments for t, es in kinds]
            outside += sum(not 0.93 <= share <= 0.97 for share in shares)
            print(f"  {rows:5} rows  {measure:16}  {100 * shares[0]:5.1f} %      {100 * shares[1]:5.1f} %", flush=True)
    print(f"  outside 93 to 97 %: {outside}")
    return int(outside > 0)


if __name__ == "__main__":
    raise SystemExit(main())
