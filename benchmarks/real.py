"""Every number on real data that the pages state: the command that makes it, what is expected, and
how far it may be off on another machine. `python benchmarks/real.py FOLDER` runs the commands
again, a few minutes in all, and says which numbers have moved; nothing kept is changed."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Row(NamedTuple):
    "A number, and where the result of its command has it."

    course: str
    measure: str
    script: str  # of this folder, or the experiment
    argument: str  # after the folder of the data
    where: dict  # what the rows of its result have in common
    key: str  # of these rows, whose mean is the number
    expected: float
    tolerance: float
    published: str = "-"  # best we know, by others


BODIES, TWO = "embryoid bodies", "embryoid bodies, two left out"
DAY4 = {"day": 4.0, "way": "jkonet-star-linear-potential"}
ROWS = (
    Row(
        BODIES,
        "W1 one step ahead, 40 % held out, seed 0",
        "one_step",
        "",
        {},
        "w1",
        0.51,
        0.02,
        "JKOnet* 0.623 ± 0.04",
    ),
    Row(
        BODIES,
        "W1 at a time left out, from the time before",
        "between.py",
        "",
        {"course": BODIES},
        "before",
        0.712,
        0.01,
        "WLF-OT 0.641",
    ),
    Row(
        BODIES,
        "the same, from the first time",
        "between.py",
        "",
        {"course": BODIES},
        "first",
        0.793,
        0.015,
    ),
    Row(
        BODIES,
        "W2 with two times left out, from the time before",
        "between.py",
        "",
        {"course": TWO},
        "before",
        0.795,
        0.015,
        "OTP-FM 0.827",
    ),
    Row(
        "A549",
        "W1 at a time left out",
        "between.py",
        "",
        {"course": "A549"},
        "before",
        0.932,
        0.015,
    ),
    Row(
        "PBMC",
        "W1 at every second time, left out",
        "between.py",
        "",
        {"course": "PBMC, every second"},
        "before",
        0.273,
        0.005,
    ),
    Row(
        "gene_growth",
        "W1 rolled out from the first time",
        "growth.py",
        "",
        {"data": "gene_growth", "method": "jkonet-star-growth"},
        "mean",
        0.0182,
        0.001,
        "WFR-FM 0.019",
    ),
    Row(
        "gene_growth_attract",
        "the same",
        "growth.py",
        "",
        {"data": "gene_growth_attract", "method": "jkonet-star-growth"},
        "mean",
        0.0082,
        0.001,
        "CytoBridge 0.021",
    ),
    Row(
        "A549, 10 features",
        "the same",
        "growth.py",
        "",
        {"data": "a549_emt", "method": "jkonet-star-growth"},
        "mean",
        0.237,
        0.002,
        "VAR-RUOT 0.263",
    ),
    Row(
        "mouse haematopoiesis",
        "log loss of fates, day 4, against clones",
        "fates.py",
        "larry_clones.h5ad",
        DAY4,
        "log_loss",
        1.47,
        0.05,
    ),
    Row(
        "mouse haematopoiesis",
        "correlation of the bias to neutrophils",
        "fates.py",
        "larry_clones.h5ad",
        DAY4,
        "correlation",
        0.33,
        0.03,
    ),
)


def one_step(folder):
    "Embryoid bodies as in the experiment on single cells, one seed."
    from jkonet_star import Snapshots, couple, evaluate, fit, split, standardize

    (train, test), _ = standardize(*split(Snapshots.from_file(folder / "eb5"), 0.4, 0))
    model = fit(couple(train, batch_size=1000), "jkonet-star-time-potential", 0, epochs=100)
    return [{"w1": evaluate(model, train, test)["emd_one_step_mean"]}]


def rows_of(script, argument, folder):
    "What a command finds now."
    if script == "one_step":
        return one_step(folder)
    with tempfile.TemporaryDirectory() as room:
        out = Path(room) / "found.json"
        command = [sys.executable, HERE / script, folder / argument, "--out", out]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(out.read_text())["rows"]


def number(row, found):
    "The mean that a row speaks of."
    chosen = [f[row.key] for f in found if all(f.get(k) == v for k, v in row.where.items())]
    return sum(chosen) / len(chosen)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path, help="with the files that the page Real data lists")
    p.add_argument("--only", nargs="*", help="scripts, such as growth.py")
    o = p.parse_args()
    moved, found = 0, {}
    for row in ROWS:
        if o.only and row.script not in o.only:
            continue
        command = row.script, row.argument
        if command not in found:
            found[command] = rows_of(*command, o.folder)
        value = number(row, found[command])
        off = abs(value - row.expected) > row.tolerance
        moved += off
        print(
            f"{row.course:24} {row.measure:48} {value:.4f}  expected {row.expected} ± "
            f"{row.tolerance}{'  MOVED' if off else ''}",
            flush=True,
        )
    return moved


if __name__ == "__main__":
    sys.exit(main())
