"""Wrong and nasty inputs, one table: each ends in one sentence that says what and where, and leaves
nothing on disk."""

import json
import pickle
import sys
import warnings
import zipfile
from pathlib import Path

import anndata
import nbformat
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from jkonet_star.base.errors import InputError
from jkonet_star.base.files import atomic_write, load_table, read_settings
from jkonet_star.cli import cli
from jkonet_star.data.scaling import Scaling
from jkonet_star.data.selecting import by_group, leave_out, split
from jkonet_star.data.snapshots import Snapshots
from jkonet_star.model.cells import to_anndata
from jkonet_star.model.fit import fit
from jkonet_star.model.lost_order import Shuffled, Stream
from jkonet_star.model.solution import Solution
from jkonet_star.transport.couple import couple, recover_order
from jkonet_star.work.dataset_files import load_dataset, save_dataset
from jkonet_star.work.dataset_options import DatasetOptions
from jkonet_star.work.datasets import make_dataset
from jkonet_star.work.fit_plans import make_plan
from jkonet_star.work.workers import dask_client

rng = np.random.default_rng(0)
seen = Snapshots([rng.normal(t, 1, (12, 2)) for t in (0, 1, 2)], [0.0, 1.0, 2.0])
LINEAR = "jkonet-star-linear-potential"
WEAK = "jkonet-star-weak-potential-internal"
HERE = {}


class Trap:
    "Leaves a file behind if it is unpickled or constructed."

    def __reduce__(self):
        return Path.touch, (Path("trapped"),)


def npy(dtype, shape, data=b""):
    "The bytes of a `.npy` file with a header of our choice."
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def rewritten(model, name, change):
    "A copy of a model file whose description and arrays went through `change`."
    with np.load(model) as f:
        arrays = dict(f)
    description = json.loads(str(arrays.pop("description")))
    description = change(description, arrays) or description
    np.savez(name, description=np.array(json.dumps(description)), **arrays)


def described(name, change):
    "A copy of the data set `good` whose description went through `change`."
    source, folder = Path("data/good"), Path("data") / name
    folder.mkdir()
    for p in source.iterdir():
        (folder / p.name).write_bytes(p.read_bytes())
    d = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(change(d) or d))


def cells(**obs):
    made = pd.DataFrame(
        {"day": np.repeat([0.0, 1.0], 10), "arm": np.tile(["a", "b"], 10)} | obs,
        index=[f"c{i}" for i in range(20)],
    )
    return anndata.AnnData(
        rng.normal(size=(20, 4)), obs=made, obsm={"X_pca": rng.normal(size=(20, 2))}
    )


def changed(adata, change):
    change(adata)
    return adata


@pytest.fixture(scope="module", autouse=True)
def here(tmp_path_factory):
    "A folder with a model, a data set, and all the wrong files."
    folder = tmp_path_factory.mktemp("bad")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setattr(warnings, "showwarning", warnings.showwarning)
    model = fit(seen, LINEAR, n_features=8)
    model.save("model.npz")
    fit(Snapshots(seen.x, seen.t), "jkonet-star-time-potential", epochs=1, hidden=(4,)).save(
        "timed.npz"
    )
    fit(seen, "jkonet-star-linear-interaction", n_interaction_features=8).save("pull.npz")
    days = pd.DataFrame(np.concatenate(seen.x), columns=["x1", "x2"]).assign(
        day=np.repeat(seen.t, 12), arm="a"
    )
    days.to_csv("days.csv", index=False)
    for name, column in (("armless.csv", "arm"), ("dayless.csv", "day")):
        days.assign(**{column: days[column].where(days.index != 3)}).to_csv(name, index=False)
    HERE["model"] = model
    save_dataset(
        *make_dataset(
            DatasetOptions(potential="sphere", n_particles=20, n_timesteps=2, dataset_name="good")
        ),
        "data",
    )

    good = np.stack(seen.x)
    np.save("good.npy", good), np.save(".hidden.npy", good), np.save("rows.npy", good[0])
    raw = Path("good.npy").read_bytes()
    write = lambda name, data: Path(name).write_bytes(
        data if isinstance(data, bytes) else data.encode()
    )
    for name, data in {
        "cut_header.npy": raw[:40],
        "cut_data.npy": raw[:-9],
        "longer.npy": raw + b"more",
        "empty.npy": b"",
        "pickle.npy": pickle.dumps(Trap()),
        "text.npy": "1,2,3\n",
        "huge.npy": npy("<f8", (3, 10**9, 10**6), bytes(80)),
        "negative.npy": npy("<f8", (3, -10, 2), bytes(480)),
        "nested.npy": npy("<f8", "(" * 300 + ")" * 300),
        "typeless.npy": npy("<q9", (3, 10, 2), bytes(480)),
        "empty.csv": "",
        "header.csv": "day,a\n",
        "binary.csv": bytes(range(256)) * 4,
        "ragged.csv": "day,a\n0,1\n1,2,3,4\n",
        "wider.csv": "day,a,b\n0,1,2,3\n0,2,3,4\n1,2,3,4\n",
        "one_time.csv": "day,a\n0,1\n0,2\n",
        "hole.csv": "day,a\n0,1\n0,\n1,2\n",
        "infinite.csv": "day,a\n0,1\n0,inf\n1,2\n",
        "timeless.csv": "day,a\n0,1\n,1\n1,2\n",
        "dated.csv": "day,a\n2024-01-01,1\n2024-01-02,2\n",
        "text.csv": "day,name\n0,x\n1,y\n",
        "typo.csv": "day,a,b\n0,1,2\n0,1.2x,3\n1,2,3\n",
        "comma.csv": "day;a\n0;1.5\n1;2.5\n",
        "rare.csv": "day,a,arm\n"
        + "".join(f"{k},{i}.5,many\n" for k in (0, 1) for i in range(6))
        + "0,1.5,rare\n0,2.5,rare\n1,1.5,rare\n",
        "euro.csv": "day;a\n0;1,5\n1;2,5\n",
        "commas.csv": "day,a\n0,1,5\n1,2,5\n",
        "thousands.csv": 'day,a\n0,"10,123.4"\n1,"99.5"\n',
        "either.csv": "day;a\n0;1,234\n1;5,678\n",
        "below.csv": "day,a\nday -3,1.5\nday 3,2.5\n",
        "latin.csv": "day,gr\u00f6sse\n0,1.5\n1,2.5\n".encode("latin-1"),
        "index.csv": ",day\n0,0\n1,0\n2,1\n",
        "headless.csv": "0,1.5\n1,2.5\n",
        "no.csv.gz": "day,a\n0,1\n",
        "cut.h5ad.gz": b"\x1f\x8b\x08",
        "weights.csv": "day,a,w\n0,1,1\n0,2,-1\n1,2,1\n",
        "named_weights.csv": "day,a,w\n0,1,one\n1,2,two\n",
        "masses.csv": "day,a,m\n0,1,1\n0,2,1\n1,1,2\n1,2,3\n",
        "arms.csv": "day,a,arm\n0,1,x\n0,2,\n1,1,x\n1,2,x\n",
        "no.parquet": "PAR1 and nothing",
        "no.h5ad": "day,a\n0,1\n",
        "cells.xlsx": "PK",
        "no_suffix": raw,
        "empty.npz": b"",
        "text.npz": "model",
        "object.yaml": "!!python/object/apply:pathlib.Path.touch "
        "[!!python/object/apply:pathlib.Path [trapped]]\n",
        "object_inside.yaml": "epochs: !!python/object/apply:os.system ['touch trapped']\n",
        "name.yaml": "epochs: !!python/name:os.system\n",
        "list.yaml": "- epochs\n",
        "open.yaml": "a: [1",
        "deep.yaml": "a: " + "[" * 5000 + "]" * 5000,
        "date.yaml": "epochs: 2024-99-99\n",
        "binary.yaml": b"\xff\xfe\x00\x01",
        "infinite.yaml": "epochs: .inf\n",
        "widths.yaml": "hidden: [8.7]\n",
        "laughs.yaml": "hidden: &a0 [1]\n"
        + "".join(f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
        + "epochs: *a11\n",
        "twice.yaml": "epochs: 1\nepochs: 2\n",
        "book.yaml": "notebook: book.ipynb\nparameters: {seed: 1}\n",
        "broken.ipynb": "{",
        "escape.yaml": "generate: {potential: sphere, dataset_name: ../up}\n",
        "laughing_sweep.yaml": "table: t.csv\ngenerate:\n  potential: &a0 [sphere]\n"
        + "".join(f"  x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
        "queue_jobs.yaml": "queue_system: slurm\njobs: many\ncores: 1\nmemory: 1GB\n",
        "queue.yaml": "queue_system: [slurm]\n",
        "table.csv": b"",
        "half.parquet": b"PAR1\x00",
    }.items():
        write(name, data)
    for i, text in enumerate(SPECS, 1):
        write(f"spec{i}.yaml", text)
    for name, a in {
        "flat": np.zeros(5),
        "one_time": good[:1],
        "nobody": np.zeros((3, 0, 2)),
        "dimensionless": np.zeros((3, 5, 0)),
        "nan": np.where(np.arange(72).reshape(3, 12, 2) == 27, np.nan, 1.0),
        "inf": np.where(np.arange(72).reshape(3, 12, 2) == 50, np.inf, 1.0),
        "complex": good + 1j,
        "words": good.astype(str),
        "dates": np.zeros((3, 5, 2), "M8[D]"),
        "record": np.zeros(3, [("a", float)]),
        "wide": np.zeros((12, 5)),
        "holes": np.where(np.arange(24).reshape(12, 2) == 9, np.nan, 1.0),
    }.items():
        np.save(f"{name}.npy", a)
    np.save("swapped.npy", rng.normal(np.arange(3.0)[:, None], 0.3, (400, 3, 2)))
    (
        np.savez("odd.npz", points=good[0], when=np.zeros(12)),
        np.savez("timeless.npz", X=good[0]),
        np.savez("trap.npz", X=np.array([Trap()], object), t=np.zeros(1)),
        Path("none.zarr").mkdir(),
    )
    np.save("objects.npy", np.array([Trap()], object), allow_pickle=True)
    with open("zip.npy", "wb") as f:
        np.savez(f, a=good)
    for name, data, labels in (
        ("labels_short", good[0], np.zeros(5)),
        ("labels_nan", good[0], np.r_[np.zeros(11), np.nan]),
        ("labels_words", good[0], np.repeat(["0", "day"], 6)),
        ("labels_one", good[0], np.zeros(12)),
    ):
        Path(name).mkdir()
        np.save(f"{name}/data.npy", data), np.save(f"{name}/sample_labels.npy", labels)
    Path("no_labels").mkdir(), np.save("no_labels/data.npy", good[0])
    for name in ("results", "results.npy"):
        Path(name).mkdir(), write(f"{name}/kept", b"kept")

    cells().write_h5ad("cells.h5ad")
    write("cut.h5ad", Path("cells.h5ad").read_bytes()[:5000])
    whole = Path("model.npz").read_bytes()
    write("cut.npz", whole[: len(whole) // 2]), write("model_pickle.npz", pickle.dumps(Trap()))
    write("flipped.npz", whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:])
    np.savez("no_description.npz", a=good)
    np.savez("objects.npz", description=np.array([Trap()], object))
    with zipfile.ZipFile("other.npz", "w") as z:
        z.writestr("description.txt", "hello")
    field = lambda name, value: lambda d, a: d["solution"]["fields"].update({name: value})
    for name, change in {
        "later": lambda d, a: d.update(format=99),
        "worded_format": lambda d, a: d.update(format="two"),
        "list": lambda d, a: [d],
        "no_field": lambda d, a: d["solution"]["fields"].pop("t") and None,
        "more_field": field("extra", 1),
        "other_class": lambda d, a: d["solution"].update(component="os.system"),
        "inner": lambda d, a: d.update(solution=d["solution"]["fields"]["support"]),
        "empty_dict": field("params", {}),
        "no_array": field("t", {"array": "nothing"}),
        "params_list": field("params", 5),
        "nan_params": lambda d, a: a.update(
            {".params.potential": np.full_like(a[".params.potential"], np.nan)}
        ),
        "short_params": lambda d, a: a.update({".params.potential": a[".params.potential"][:-1]}),
        "worded_d": field("d", "two"),
    }.items():
        rewritten("model.npz", f"model_{name}.npz", change)

    (
        described("listed", lambda d: [d]),
        described("summed", lambda d: d.update(sha256=["data.npy"])),
        described("unsummed", lambda d: d["sha256"].pop("data.npy") and None),
    )
    (
        described("later", lambda d: d.update(format=99)),
        described("massless", lambda d: d.update(mass={"": [1.0, 0.0, 1.0]})),
        described("times", lambda d: d.update(times=[0.0, 1.0, 2.0, 3.0])),
        described("option", lambda d: d["parameters"].update(potentail="x")),
    )
    (
        described("gone", lambda d: None),
        described("cut", lambda d: None),
        Path("data/gone/split.npz").unlink(),
    )
    Path("data/cut/dataset.json").write_text(Path("data/cut/dataset.json").read_text()[:200])

    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "python3"}}
    book = nbformat.v4.new_notebook(
        metadata=kernel,
        cells=[
            nbformat.v4.new_code_cell(
                "seed: int = 0\nresult: str = 'r.csv'", metadata={"tags": ["parameters"]}
            )
        ],
    )
    nbformat.write(book, "book.ipynb")
    nbformat.write(
        nbformat.v4.new_notebook(metadata=kernel, cells=[nbformat.v4.new_code_cell("seed = 0")]),
        "untagged.ipynb",
    )
    nbformat.write(nbformat.v4.new_notebook(cells=book.cells), "kernelless.ipynb")
    yield folder
    patch.undo()


read = lambda name, **options: lambda: Snapshots.from_file(name, **options)
shell = lambda line: lambda: line
two = lambda **more: lambda: Snapshots(**{"x": [np.zeros((3, 2))] * 2, "t": [0, 1]} | more)


SPECS = []


def sweep(text):
    "Plan the sweep of this text, which `here` writes."
    SPECS.append(text)
    name = f"spec{len(SPECS)}.yaml"
    return lambda: make_plan(name)


def without(package, action):
    "An action where a package is missing."

    def run():
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            raise InputError(sentence(action))

    return run


def write_whole(path, folder=False):
    def run():
        with atomic_write(path, folder):
            raise AssertionError("work was started")

    return run


TABLE = [
    # files of arrays
    ("npy, cut in its header", read("cut_header.npy"), ["cut_header.npy", "truncated"]),
    ("npy, cut in its data", read("cut_data.npy"), ["cut_data.npy", "truncated"]),
    ("npy, longer than it says", read("longer.npy"), ["longer.npy", "4 bytes"]),
    ("npy, no byte", read("empty.npy"), ["empty.npy", "cannot be read"]),
    ("npy, a pickle", read("pickle.npy"), ["pickle.npy", "cannot be read"]),
    ("npy, pickled objects in an array", read("objects.npy"), ["objects.npy", "cannot be read"]),
    ("npy, in fact text", read("text.npy"), ["text.npy", "cannot be read"]),
    ("npy, in fact an archive", read("zip.npy"), ["zip.npy", "cannot be read"]),
    ("npy, a header that declares petabytes", read("huge.npy"), ["huge.npy", "truncated"]),
    ("npy, a negative size", read("negative.npy"), ["negative.npy", "cannot be read"]),
    ("npy, a header of brackets", read("nested.npy"), ["nested.npy", "cannot be read"]),
    ("npy, an unknown type", read("typeless.npy"), ["typeless.npy", "cannot be read"]),
    ("npy, one axis", read("flat.npy"), ["shape (5,)", "three axes"]),
    ("npy, one time", read("one_time.npy"), ["one snapshot only"]),
    ("npy, no particles", read("nobody.npy"), ["snapshot 0 is empty"]),
    ("npy, no dimension", read("dimensionless.npy"), ["snapshot 0 is empty"]),
    ("npy, NaN", read("nan.npy"), ["snapshot 1 has NaN in row 1"]),
    ("npy, inf", read("inf.npy"), ["snapshot 2 has inf in row 1"]),
    ("npy, complex numbers", read("complex.npy"), ["snapshot 0 is not numeric", "complex128"]),
    ("npy, numbers as text", read("words.npy"), ["snapshot 0 is not numeric", "<U"]),
    ("npy, dates", read("dates.npy"), ["snapshot 0 is not numeric", "datetime64"]),
    ("npy, records", read("record.npy"), ["three axes"]),
    (
        "npy, a unit of time that is none",
        read("good.npy", dt=0.0),
        ["times must be finite and increasing"],
    ),
    ("folder without labels", read("no_labels"), ["no sample_labels.npy in no_labels"]),
    ("folder, labels too few", read("labels_short"), ["(12, 2)", "(5,)", "do not fit"]),
    ("folder, a label that is NaN", read("labels_nan"), ["time label of row 11"]),
    ("folder, labels that are words", read("labels_words"), ["must be numbers", "'day'"]),
    ("folder, one label", read("labels_one"), ["one snapshot only"]),
    ("no such file", read("nothing.csv"), ["no file or folder nothing.csv"]),
    ("an ending that is not known", read("cells.xlsx"), ["unknown file type '.xlsx'"]),
    ("no ending", read("no_suffix"), ["unknown file type ''"]),
    # tables
    ("csv, no byte", read("empty.csv"), ["empty.csv cannot be read"]),
    ("csv, a header only", read("header.csv", time_key="day"), ["no row"]),
    ("csv, binary", read("binary.csv"), ["binary.csv cannot be read"]),
    (
        "csv, a row longer than the others",
        read("ragged.csv", time_key="day"),
        ["ragged.csv cannot be read", "line 3"],
    ),
    (
        "csv, rows longer than the header",
        read("wider.csv", time_key="day"),
        ["wider.csv", "more fields than its header"],
    ),
    ("csv, one time", read("one_time.csv", time_key="day"), ["one snapshot only"]),
    (
        "csv, a value is missing",
        read("hole.csv", time_key="day"),
        ["column 'a'", "row 1", "time 0"],
    ),
    ("csv, inf", read("infinite.csv", time_key="day"), ["column 'a'", "not finite in row 1"]),
    (
        "csv, a time is missing",
        read("timeless.csv", time_key="day"),
        ["time label of row 1 is missing"],
    ),
    ("csv, dates", read("dated.csv", time_key="day"), ["must be numbers", "2024-01-01"]),
    ("csv, no numbers", read("text.csv", time_key="day"), ["no numeric feature column"]),
    (
        "csv, a column of text as a feature",
        read("text.csv", time_key="day", features=["name"]),
        ["'name' is not numeric"],
    ),
    (
        "csv, one value that is not a number",
        read("typo.csv", time_key="day"),
        ["column 'a'", "'1.2x'", "row 1"],
    ),
    (
        "csv, decimal commas between semicolons",
        read("euro.csv", time_key="day"),
        ["'a' holds '1,5'", "--decimal ,"],
    ),
    (
        "csv, decimal commas between commas",
        read("commas.csv", time_key="day"),
        ["more fields than its header", "--separator ';'"],
    ),
    (
        "csv, separators that are not these",
        read("comma.csv", time_key="day", separator="|"),
        ["unknown time column 'day'", "day;a"],
    ),
    (
        "csv, thousands",
        read("thousands.csv", time_key="day"),
        ["'a' holds '10,123.4'", "--thousands ,"],
    ),
    (
        "csv, decimal commas or thousands",
        read("either.csv", time_key="day"),
        ["'a' holds '1,234'", "--decimal ,", "--thousands ,"],
    ),
    (
        "csv, days below zero as words",
        read("below.csv", time_key="day"),
        ["'day -3'", "-3 for 'day -3'"],
    ),
    ("csv, not UTF-8", read("latin.csv", time_key="day"), ["latin.csv", "--encoding"]),
    (
        "csv, an encoding that is not known",
        read("latin.csv", time_key="day", encoding="latin-17"),
        ["--encoding latin-17"],
    ),
    (
        "csv, only an index besides the time",
        read("index.csv", time_key="day"),
        ["no numeric feature column", "Unnamed: 0 (an index of rows)"],
    ),
    (
        "csv without a header",
        read("headless.csv", time_key="day"),
        ["no time column 'day'", "names"],
    ),
    ("csv.gz that is none", read("no.csv.gz", time_key="day"), ["no.csv.gz cannot be read"]),
    (
        "csv, a representation",
        read("hole.csv", time_key="day", rep="X_umap"),
        ["--rep X_umap means nothing", ".csv"],
    ),
    ("csv, a unit of time", read("hole.csv", time_key="day", dt=2), ["--dt 2 means nothing"]),
    (
        "csv, an option that is not known",
        read("hole.csv", time_key="day", seperator=";"),
        ["did you mean separator"],
    ),
    (
        "npy, a time column",
        read("good.npy", time_key="day"),
        ["--time-key day means nothing", ".npy"],
    ),
    ("npy, columns", read("good.npy", features=["x1", "x2"]), ["--features x1,x2 means nothing"]),
    (
        "npy, individuals first",
        read("swapped.npy"),
        [
            "(400, 3, 2)",
            "looks like (individuals, times, features)",
            "--axes particle,time,feature",
        ],
    ),
    ("npy, axes that are none", read("good.npy", axes="time,cell,gene"), ["name the three axes"]),
    (
        "folder, a group",
        read("labels_words", group_key="arm"),
        ["--group-key arm means nothing for a folder"],
    ),
    ("npz, unusual names", read("odd.npz"), ["--rep", "--time-key", "points [12, 2]", "when [12]"]),
    ("npz, no times", read("timeless.npz"), ["no array of times", "--time-key"]),
    ("npz, pickled objects", read("trap.npz"), ["'X' holds Python objects"]),
    ("npz, text", read("text.npz"), ["text.npz cannot be read"]),
    (
        "h5ad, columns",
        read("cells.h5ad", time_key="day", features=["PC1"]),
        ["--features PC1 means nothing"],
    ),
    ("h5ad.gz, cut", read("cut.h5ad.gz", time_key="day"), ["cut.h5ad.gz cannot be read"]),
    ("zarr that is none", read("none.zarr", time_key="day"), ["none.zarr cannot be read"]),
    (
        "csv, a column that is not there",
        read("hole.csv", time_key="day", features=["a", "c"]),
        ["unknown feature column 'c'"],
    ),
    (
        "csv, a feature twice",
        read("weights.csv", time_key="day", features=["a", "a"]),
        ["'a'", "twice"],
    ),
    (
        "csv, time as a feature",
        read("one_time.csv", time_key="day", features=["day"]),
        ["'day'", "time column"],
    ),
    (
        "csv, a weight below zero",
        read("weights.csv", time_key="day", weight_key="w"),
        ["weights of snapshot 0"],
    ),
    (
        "csv, weights that are words",
        read("named_weights.csv", time_key="day", weight_key="w"),
        ["weights of snapshot 0"],
    ),
    (
        "csv, two masses at one time",
        read("masses.csv", time_key="day", mass="m"),
        ["column 'm' has 2 values at time 1", "weight_key"],
    ),
    (
        "csv, masses for other times",
        read("masses.csv", time_key="day", mass="1,2,3"),
        ["the mass has 3 numbers", "2 times"],
    ),
    (
        "csv, counts of weighted particles",
        read("masses.csv", time_key="day", weight_key="m", mass="counts"),
        ["counts of particles with weights"],
    ),
    (
        "csv, a mass of nothing",
        read("masses.csv", time_key="day", mass="1,0"),
        ["the mass is 0 at time 1", "leave that time out"],
    ),
    ("npy, counts", read("good.npy", mass="counts"), ["as many particles at every time"]),
    (
        "csv, a particle of no population",
        read("arms.csv", time_key="day", group_key="arm"),
        ["column 'arm'", "row 1"],
    ),
    ("parquet that is none", read("no.parquet"), ["no.parquet cannot be read"]),
    ("a table of results, no byte", lambda: load_table("table.csv"), ["table.csv cannot be read"]),
    (
        "a table of results, cut",
        lambda: load_table("half.parquet"),
        ["half.parquet cannot be read"],
    ),
    # arrays in Python
    ("no snapshot", lambda: Snapshots([], []), ["there is no snapshot"]),
    ("a number for snapshots", lambda: Snapshots(5, [0]), ["one array", "int"]),
    (
        "one array of one population",
        lambda: Snapshots(np.zeros((5, 2)), range(5)),
        ["snapshot 0 has shape (2,)"],
    ),
    ("rows of different length", two(x=[[[0, 1], [2]], [[0, 1]]]), ["snapshot 0 is not numeric"]),
    ("masked values", two(x=[np.ma.masked_equal(np.eye(2), 1)] * 2), ["snapshot 0", "masked"]),
    (
        "other features at another time",
        two(x=[np.zeros((3, 2)), np.zeros((3, 1))]),
        ["snapshot 1 has dimension 1"],
    ),
    (
        "the same time up to rounding",
        two(t=[0.3, 0.1 * 3]),
        ["0.3 and 0.30000000000000004", "rounding only"],
    ),
    (
        "labels as durations",
        lambda: Snapshots.from_labels(np.zeros((2, 1)), np.array([12, 36], "m8[h]")),
        ["must be numbers", "1.5 for 129600 seconds"],
    ),
    (
        "labels with decimal commas",
        lambda: Snapshots.from_labels(np.zeros((2, 1)), ["0,5", "1,5"]),
        ["0.5 for '0,5'"],
    ),
    (
        "labels as dates in words",
        lambda: Snapshots.from_labels(np.zeros((2, 1)), ["2024-01-01", "2024-01-03"]),
        ["2 for '2024-01-03'"],
    ),
    (
        "individuals first",
        lambda: Snapshots.from_trajectories(np.cumsum(rng.normal(size=(50, 6, 2)), 1)),
        ["looks like (individuals, times, features)"],
    ),
    (
        "a table whose only column of numbers is text in commas",
        lambda: Snapshots.from_table({"day": [0, 1], "a": ["0,5", "1,5"]}, "day"),
        ["--decimal ,"],
    ),
    (
        "a table with a column of durations as a feature",
        lambda: Snapshots.from_table(
            pd.DataFrame({"day": [0, 1], "a": pd.to_timedelta([1, 2], "D")}), "day", ["a"]
        ),
        ["'a' is not numeric", "durations"],
    ),
    (
        "hold out half of one",
        lambda: split(Snapshots(seen.x, seen.t, groups=[["rare"] + ["many"] * 11] * 3)),
        ["'rare'", "time 0", "which has 1", "--test-ratio"],
    ),
    ("the same time twice", two(t=[1, 1]), ["finite and increasing", "[1.0, 1.0]"]),
    ("times that fall", two(t=[1, 0]), ["increasing", "[1.0, 0.0]"]),
    ("a time that is NaN", two(t=[0, np.nan]), ["finite and increasing"]),
    (
        "times as dates",
        two(t=np.array(["2024-01-01", "2024-01-02"], "M8[D]")),
        ["times must be numbers"],
    ),
    ("complex times", two(t=[0, 1 + 1j]), ["times must be numbers"]),
    ("a time too many", two(t=[0, 1, 2]), ["2 snapshots", "(3,)"]),
    ("weights of one time only", two(weights=[[1, 1, 1]]), ["weights", "2 snapshots"]),
    (
        "weights of the wrong length",
        two(weights=[[1, 1], [1, 1, 1]]),
        ["weights of snapshot 0 must be 3"],
    ),
    ("weights that are all zero", two(weights=[[1, 1, 1], [0, 0, 0]]), ["weights of snapshot 1"]),
    ("weights whose sum overflows", two(weights=[[1e308] * 3] * 2), ["weights of snapshot 0"]),
    ("groups of one time only", two(groups=[["a"] * 3]), ["groups", "2 snapshots"]),
    (
        "a particle of no population",
        two(groups=[["a", None, "a"], ["a"] * 3]),
        ["groups of snapshot 0", "particle 1"],
    ),
    (
        "a population seen once",
        lambda: by_group(two(groups=[["a", "a", "b"], ["a"] * 3])()),
        ["'b' was seen at one time only (0)"],
    ),
    (
        "paired, but of other sizes",
        lambda: Snapshots([np.zeros((3, 2)), np.zeros((2, 2))], [0, 1], paired=True),
        ["[3, 2]", "paired"],
    ),
    (
        "labels as dates",
        lambda: Snapshots.from_labels(np.zeros((2, 1)), np.array(["2024-01-01", "NaT"], "M8[D]")),
        ["must be numbers"],
    ),
    (
        "complex labels",
        lambda: Snapshots.from_labels(np.zeros((2, 1)), [0, 1j]),
        ["must be numbers"],
    ),
    (
        "rows of labels that are ragged",
        lambda: Snapshots.from_labels([[0, 1], [2]], [0, 1]),
        ["not numeric"],
    ),
    (
        "weights of too few rows",
        lambda: Snapshots.from_labels(np.zeros((4, 1)), [0, 0, 1, 1], weights=[1, 1]),
        ["weights", "4 rows"],
    ),
    (
        "a data frame with a column twice",
        lambda: Snapshots.from_table(
            pd.DataFrame([[0, 1, 2], [1, 2, 3]], columns=["day", "a", "a"]), "day"
        ),
        ["'a'", "twice"],
    ),
    ("hold out everything", lambda: split(seen, 1.0), ["test ratio 1.0"]),
    ("hold out NaN", lambda: split(seen, np.nan), ["test ratio nan"]),
    ("leave out a time that is not there", lambda: leave_out(seen, 3), ["time 3", "from 0 to 2"]),
    (
        "particles of other features in a scaling",
        lambda: Scaling(np.zeros(3), np.ones(3)).transform(np.zeros((4, 2))),
        ["(4, 2)", "3 features"],
    ),
    # couple, fit, predict
    ("couple an array", lambda: couple(np.zeros((2, 3, 2))), ["Snapshots", "ndarray"]),
    ("couple by an unknown method", lambda: couple(seen, "sinkorn"), ["did you mean sinkhorn"]),
    ("an epsilon that is NaN", lambda: couple(seen, epsilon=np.nan), ["epsilon nan"]),
    ("blocks of no particle", lambda: couple(seen, batch_size=0), ["batch size 0"]),
    (
        "growth of other particles",
        lambda: couple(seen, growth=[np.zeros(3)] * 3),
        ["time 0", "12 finite"],
    ),
    (
        "numbers whose squares overflow",
        lambda: couple(Snapshots([x * 1e200 for x in seen.x], seen.t)),
        ["too large"],
    ),
    ("fit an array", lambda: fit(np.zeros((2, 3, 2)), LINEAR), ["Snapshots", "ndarray"]),
    (
        "fit by an unknown solver",
        lambda: fit(seen, "jkonet-star-liner"),
        ["did you mean jkonet-star-linear"],
    ),
    ("an unknown setting", lambda: fit(seen, LINEAR, n_feature=3), ["did you mean n_features"]),
    ("no feature", lambda: fit(seen, LINEAR, n_features=-1), ["n_features = -1"]),
    ("a length scale of zero", lambda: fit(seen, LINEAR, lengthscales=(0.0,)), ["lengthscales"]),
    ("no length scale", lambda: fit(seen, LINEAR, lengthscales=()), ["lengthscales"]),
    ("a degree below zero", lambda: fit(seen, LINEAR, degree=-1), ["degree = -1"]),
    ("a ridge that is NaN", lambda: fit(seen, LINEAR, ridge=np.nan), ["ridge = nan"]),
    ("half an epoch", lambda: fit(seen, epochs=0.5), ["epochs = 0.5"]),
    ("no epoch", lambda: fit(seen, epochs=0), ["epochs = 0"]),
    (
        "a learning rate of infinity",
        lambda: fit(seen, learning_rate=np.inf),
        ["learning_rate = inf"],
    ),
    (
        "an activation that is not known",
        lambda: fit(seen, activation="rellu", epochs=1),
        ["activation", "rellu"],
    ),
    (
        "the weak form of a dozen",
        lambda: fit(seen, "jkonet-star-weak-potential"),
        ["20 particles", "time 0", "has 12"],
    ),
    (
        "the weak form of one place",
        lambda: fit(Snapshots([np.ones((40, 2))] * 2, [0, 1]), "jkonet-star-weak-potential"),
        ["do not differ enough"],
    ),
    ("match an array", lambda: recover_order(np.zeros((2, 3, 2))), ["Snapshots", "ndarray"]),
    ("match in no round", lambda: Shuffled(seen, rounds=0), ["rounds = 0"]),
    (
        "match more with fewer",
        lambda: recover_order(Snapshots([seen.x[0], seen.x[1][:5]], [0, 1])),
        ["as many at every time"],
    ),
    (
        "match what has weights",
        lambda: fit(Shuffled(Snapshots(seen.x, seen.t, weights=[np.arange(1, 13)] * 3)), WEAK),
        ["without weights"],
    ),
    (
        "match in units that are still to be found",
        lambda: fit(Shuffled(seen), WEAK, standardize=True),
        ["fit_scaling first"],
    ),
    ("a seed below zero", lambda: fit(seen, LINEAR, seed=-1), ["seed -1"]),
    (
        "more features than memory",
        lambda: fit(seen, LINEAR, n_features=10**6),
        ["n_features = 1000000", "GB of memory"],
    ),
    (
        "more features of W than memory",
        lambda: fit(seen, "jkonet-star-linear-interaction", n_interaction_features=10**6),
        ["n_interaction_features = 1000000", "GB of memory"],
    ),
    (
        "layers wider than memory",
        lambda: fit(seen, hidden=(10**6, 10**6)),
        ["hidden = (1000000, 1000000)", "GB of memory"],
    ),
    (
        "maps wider than memory",
        lambda: fit(seen, "jkonet-vanilla", map_hidden=(10**6, 10**6)),
        ["map_hidden = (1000000, 1000000)", "GB of memory"],
    ),
    (
        "more epochs than memory",
        lambda: fit(seen, epochs=10**13),
        ["epochs = 10000000000000", "GB of memory"],
    ),
    (
        "standardize a constant feature",
        lambda: fit(
            Snapshots([np.column_stack([x, np.ones(12)]) for x in seen.x], seen.t),
            LINEAR,
            standardize=True,
        ),
        ["feature 2 is constant"],
    ),
    (
        "more components than features",
        lambda: fit(seen, LINEAR, n_components=5),
        ["n_components = 5"],
    ),
    (
        "stream a network",
        lambda: fit(Stream(seen), "jkonet-star-potential"),
        ["jkonet-star-potential cannot be streamed"],
    ),
    (
        "stream several populations",
        lambda: Stream(Snapshots(seen.x, seen.t, groups=[["a", "b"] * 6] * 3)),
        ["one population at a time"],
    ),
    (
        "stream forces at the target",
        lambda: fit(Stream(seen), LINEAR, evaluate_at="target"),
        ["evaluate_at target"],
    ),
    (
        "predict other features",
        lambda: HERE["model"].predict(np.zeros((4, 3)), [0, 1]),
        ["(4, 3)", "dimension 2"],
    ),
    (
        "predict NaN",
        lambda: HERE["model"].predict(np.full((4, 2), np.nan), [0, 1]),
        ["NaN in row 0"],
    ),
    ("predict nobody", lambda: HERE["model"].predict(np.zeros((0, 2)), [0, 1]), ["empty"]),
    ("predict at one time", lambda: HERE["model"].predict(seen.x[0], [0]), ["times of shape (1,)"]),
    (
        "predict backwards later",
        lambda: HERE["model"].predict(seen.x[0], [0, 1e-9, -1e9]),
        ["increasing"],
    ),
    ("predict for aeons", lambda: HERE["model"].predict(seen.x[0], [0, 1e12]), ["steps", "1e+12"]),
    (
        "predict with other weights",
        lambda: HERE["model"].predict(seen.x[0], [0, 1], weights=[1, 2]),
        ["12 non-negative"],
    ),
    (
        "a drift at other features",
        lambda: HERE["model"].drift(np.zeros((4, 3))),
        ["(4, 3)", "dimension 2"],
    ),
    # models
    (
        "a checkpoint, cut",
        lambda: fit(seen, epochs=1, hidden=(4,), checkpoint="cut.npz", resume=True),
        ["cut.npz is not a checkpoint"],
    ),
    (
        "a checkpoint, text",
        lambda: fit(seen, epochs=1, hidden=(4,), checkpoint="text.npz", resume=True),
        ["text.npz is not a checkpoint"],
    ),
    ("model, no such file", lambda: Solution.load("nothing.npz"), ["no model file nothing.npz"]),
    ("model, no byte", lambda: Solution.load("empty.npz"), ["empty.npz is not a model"]),
    ("model, text", lambda: Solution.load("text.npz"), ["text.npz is not a model"]),
    ("model, cut", lambda: Solution.load("cut.npz"), ["cut.npz is not a model", "truncated"]),
    (
        "model, one byte is wrong",
        lambda: Solution.load("flipped.npz"),
        ["flipped.npz is not a model"],
    ),
    (
        "model, a pickle",
        lambda: Solution.load("model_pickle.npz"),
        ["model_pickle.npz is not a model"],
    ),
    (
        "model, pickled objects",
        lambda: Solution.load("objects.npz"),
        ["objects.npz is not a model"],
    ),
    ("model, an array", lambda: Solution.load("good.npy"), ["good.npy is not a model"]),
    (
        "model, other arrays",
        lambda: Solution.load("no_description.npz"),
        ["no_description.npz is not a model"],
    ),
    ("model, another archive", lambda: Solution.load("other.npz"), ["other.npz is not a model"]),
    (
        "model of a later version",
        lambda: Solution.load("model_later.npz"),
        ["format 99", "update jkonet_star"],
    ),
    (
        "model, the format is a word",
        lambda: Solution.load("model_worded_format.npz"),
        ["model_worded_format.npz", "not a model"],
    ),
    ("model, a list", lambda: Solution.load("model_list.npz"), ["model_list.npz", "not a model"]),
    (
        "model, a field is missing",
        lambda: Solution.load("model_no_field.npz"),
        ["not a whole model", "'t'"],
    ),
    (
        "model, a field too many",
        lambda: Solution.load("model_more_field.npz"),
        ["not a whole model", "extra"],
    ),
    (
        "model, a class that is not ours",
        lambda: Solution.load("model_other_class.npz"),
        ["unknown model component 'os.system'"],
    ),
    (
        "model, a part of one",
        lambda: Solution.load("model_inner.npz"),
        ["model_inner.npz", "Support"],
    ),
    (
        "model, an empty entry",
        lambda: Solution.load("model_empty_dict.npz"),
        ["model_empty_dict.npz", "not a whole model"],
    ),
    (
        "model, an array is missing",
        lambda: Solution.load("model_no_array.npz"),
        ["not a whole model", "nothing"],
    ),
    (
        "model, parameters that are none",
        lambda: Solution.load("model_params_list.npz"),
        ["model_params_list.npz", "not a whole model"],
    ),
    (
        "model, NaN among its parameters",
        lambda: Solution.load("model_nan_params.npz"),
        ["model_nan_params.npz", "NaN or inf"],
    ),
    (
        "model, a parameter too few",
        lambda: Solution.load("model_short_params.npz"),
        ["model_short_params.npz", "not a whole model"],
    ),
    (
        "model, its dimension is a word",
        lambda: Solution.load("model_worded_d.npz"),
        ["model_worded_d.npz", "not a whole model"],
    ),
    ("model over a folder", lambda: HERE["model"].save("results"), ["results is a folder"]),
    ("model without a name", lambda: HERE["model"].save(""), ["is a folder"]),
    (
        "model below a file",
        lambda: HERE["model"].save("good.npy/model.npz"),
        ["cannot write to good.npy"],
    ),
    ("folder over a file", write_whole("good.npy", folder=True), ["good.npy is a file"]),
    ("a name longer than the disk allows", write_whole("x" * 300), ["cannot write"]),
    # data sets
    ("data set, one folder up", lambda: load_dataset("../good"), ["not a plain name"]),
    ("data set, an absolute path", lambda: load_dataset("/etc"), ["not a plain name"]),
    ("data set, the folder itself", lambda: load_dataset("."), ["not a plain name"]),
    ("data set, a backslash", lambda: load_dataset("..\\good"), ["not a plain name"]),
    ("data set, a line break", lambda: load_dataset("good\n"), ["not a plain name"]),
    ("data set, a zero byte", lambda: load_dataset("good\0"), ["not a plain name"]),
    ("data set, a number", lambda: load_dataset(5), ["no data set '5'"]),
    ("data set, a name too long", lambda: load_dataset("x" * 300), ["at most 200"]),
    ("data set, nearly its name", lambda: load_dataset("goood"), ["did you mean good"]),
    ("data set, its description cut", lambda: load_dataset("cut"), ["data/cut cannot be read"]),
    (
        "data set, a file is gone",
        lambda: load_dataset("gone"),
        ["data/gone cannot be read", "split.npz"],
    ),
    (
        "data set, its description a list",
        lambda: load_dataset("listed"),
        ["data/listed cannot be read"],
    ),
    ("data set, checksums a list", lambda: load_dataset("summed"), ["data/summed cannot be read"]),
    (
        "data set, a checksum is missing",
        lambda: load_dataset("unsummed"),
        ["data/unsummed cannot be read", "data.npy"],
    ),
    ("data set of a later version", lambda: load_dataset("later"), ["format 99"]),
    (
        "data set, a mass of nothing",
        lambda: load_dataset("massless"),
        ["data/massless cannot be read", "the mass is 0 at time 0.01"],
    ),
    (
        "data set, a time too many",
        lambda: load_dataset("times"),
        ["data/times cannot be read", "snapshot 3"],
    ),
    (
        "data set, an option that is not known",
        lambda: load_dataset("option"),
        ["data/option cannot be read", "potentail"],
    ),
    (
        "data set from a hidden file",
        lambda: make_dataset(DatasetOptions(load_from_file=".hidden.npy")),
        ["'.hidden'", "not a plain name"],
    ),
    # AnnData
    ("h5ad that is none", read("no.h5ad", time_key="day"), ["no.h5ad cannot be read"]),
    ("h5ad, cut", read("cut.h5ad", time_key="day"), ["cut.h5ad cannot be read", "truncated"]),
    ("cells, no such column", lambda: Snapshots.from_anndata(cells(), "dya"), ["did you mean day"]),
    (
        "cells, no such representation",
        lambda: Snapshots.from_anndata(cells(), "day", "X_pac"),
        ["did you mean X_pca"],
    ),
    (
        "cells without counts",
        lambda: Snapshots.from_anndata(anndata.AnnData(obs=cells().obs), "day", "X"),
        ["has no X"],
    ),
    (
        "cells without anndata",
        without("anndata", read("cells.h5ad", time_key="day")),
        ["needs the package anndata"],
    ),
    (
        "cells, a time is missing",
        lambda: Snapshots.from_anndata(cells(day=[np.nan] + [0.0] * 9 + [1.0] * 10), "day"),
        ["cell 'c0' has no 'day'"],
    ),
    (
        "cells, one time",
        lambda: Snapshots.from_anndata(cells(day=0.0), "day"),
        ["one snapshot only"],
    ),
    (
        "cells, times that are words",
        lambda: Snapshots.from_anndata(cells(), "arm"),
        ["must be numbers", "'a'"],
    ),
    (
        "cells, times as dates",
        lambda: Snapshots.from_anndata(
            cells(day=pd.to_datetime(["2024-01-01"] * 10 + ["2024-01-02"] * 10)), "day"
        ),
        ["must be numbers"],
    ),
    (
        "cells, one of them alone",
        lambda: Snapshots.from_anndata(cells(day=[0.0] * 19 + [1.0]), "day"),
        ["one cell only at time 1"],
    ),
    (
        "cells, NaN in a representation",
        lambda: Snapshots.from_anndata(
            changed(cells(), lambda a: a.obsm["X_pca"].__setitem__((3, 0), np.nan)), "day"
        ),
        ["cell 'c3'", "X_pca"],
    ),
    (
        "cells, a complex representation",
        lambda: Snapshots.from_anndata(
            changed(cells(), lambda a: a.obsm.update(X_pca=a.obsm["X_pca"] * 1j)), "day"
        ),
        ["'X_pca'", "not numeric"],
    ),
    (
        "cells, a representation of words",
        lambda: Snapshots.from_anndata(
            changed(cells(), lambda a: a.obsm.update(X_pca=a.obsm["X_pca"].astype(str))), "day"
        ),
        ["'X_pca'", "not numeric"],
    ),
    (
        "cells, counts",
        lambda: Snapshots.from_anndata(
            changed(cells(), lambda a: setattr(a, "X", np.full((20, 4), 50.0))), "day", "X"
        ),
        ["holds counts"],
    ),
    (
        "cells, more components than there are",
        lambda: Snapshots.from_anndata(cells(), "day", n_components=3),
        ["n_components = 3", "2 columns"],
    ),
    (
        "cells, components below zero",
        lambda: Snapshots.from_anndata(cells(), "day", n_components=-1),
        ["n_components = -1"],
    ),
    (
        "cells, weights that are words",
        lambda: Snapshots.from_anndata(cells(), "day", weights="arm"),
        ["weights of snapshot 0"],
    ),
    (
        "cells, a population is missing",
        lambda: Snapshots.from_anndata(cells(arm=[None] + ["a"] * 19), "day", groups="arm"),
        ["'arm'", "row 0"],
    ),
    (
        "cells, drift at times that are words",
        lambda: to_anndata(cells(), Solution.load("timed.npz"), "arm"),
        ["must be numbers", "'a'"],
    ),
    (
        "cells, drift at a time that is missing",
        lambda: to_anndata(cells(day=[np.nan] + [1.0] * 19), Solution.load("timed.npz"), "day"),
        ["time label of row 0 is missing"],
    ),
    # YAML
    (
        "yaml, an object of Python",
        lambda: read_settings("object.yaml"),
        ["object.yaml cannot be read as YAML"],
    ),
    (
        "yaml, an object of Python as a value",
        lambda: read_settings("object_inside.yaml"),
        ["object_inside.yaml cannot be read as YAML"],
    ),
    (
        "yaml, a name of Python",
        lambda: read_settings("name.yaml"),
        ["name.yaml cannot be read as YAML"],
    ),
    ("yaml, no such file", lambda: read_settings("nothing.yaml"), ["no file nothing.yaml"]),
    ("yaml, a list", lambda: read_settings("list.yaml"), ["list.yaml", "not a list"]),
    ("yaml, cut", lambda: read_settings("open.yaml"), ["open.yaml cannot be read"]),
    ("yaml, nested too deep", lambda: read_settings("deep.yaml"), ["deep.yaml cannot be read"]),
    ("yaml, a date that is none", lambda: read_settings("date.yaml"), ["date.yaml cannot be read"]),
    ("yaml, binary", lambda: read_settings("binary.yaml"), ["binary.yaml cannot be read"]),
    (
        "yaml, a name twice",
        lambda: read_settings("twice.yaml"),
        ["twice.yaml", "'epochs' is there twice"],
    ),
    (
        "yaml, billions from a few lines",
        lambda: read_settings("laughs.yaml"),
        ["laughs.yaml", "more than 100000 values"],
    ),
    (
        "yaml, infinitely many epochs",
        shell("train -d good --config infinite.yaml"),
        ["epochs = inf"],
    ),
    (
        "yaml, a layer of 8.7 neurons",
        shell("train -d good --config widths.yaml"),
        ["hidden", "8.7"],
    ),
    # sweeps
    (
        "sweep, billions from a few lines",
        lambda: make_plan("laughing_sweep.yaml"),
        ["laughing_sweep.yaml", "more than"],
    ),
    ("sweep, a python tag", shell("sweep object.yaml"), ["cannot be read as YAML"]),
    ("sweep, an unknown entry", sweep("notebok: x"), ["did you mean notebook"]),
    ("sweep, a notebook that is not there", sweep("notebook: none.ipynb"), ["none.ipynb"]),
    (
        "sweep, a notebook that is none",
        sweep("notebook: broken.ipynb"),
        ["broken.ipynb cannot be read"],
    ),
    (
        "sweep, a notebook without parameters",
        sweep("notebook: untagged.ipynb"),
        ["`result`", "tagged `parameters`"],
    ),
    (
        "sweep, a notebook in no language",
        sweep("notebook: kernelless.ipynb"),
        ["kernelless.ipynb cannot be read"],
    ),
    (
        "sweep, an unknown parameter",
        sweep("notebook: book.ipynb\nparameters: {sed: 1}"),
        ["parameter of book.ipynb", "did you mean seed"],
    ),
    (
        "sweep, a parameter of another type",
        sweep("notebook: book.ipynb\nparameters: {seed: [0, one]}"),
        ["parameter seed", "'one'", "not int"],
    ),
    (
        "sweep, true for a number",
        sweep("notebook: book.ipynb\nparameters: {seed: yes}"),
        ["parameter seed", "True"],
    ),
    (
        "sweep, a parameter that the sweep gives",
        sweep("notebook: book.ipynb\nparameters: {result: ../../x.csv}"),
        ["unknown parameter of book.ipynb 'result'"],
    ),
    (
        "sweep, a nested parameter",
        sweep("notebook: book.ipynb\nparameters: {seed: {a: 1}}"),
        ["seed must be a number"],
    ),
    (
        "sweep, a date",
        sweep("notebook: book.ipynb\nparameters: {seed: 2024-01-01}"),
        ["seed must be a number", "date"],
    ),
    (
        "sweep, a point twice",
        sweep("notebook: book.ipynb\nparameters: {seed: [1, 1]}"),
        ["there twice"],
    ),
    ("sweep, nothing to generate", sweep("generate: []"), ["`generate` must be a mapping"]),
    (
        "sweep, a name that leaves its folder",
        lambda: make_plan("escape.yaml"),
        ["'../up' is not a plain name"],
    ),
    (
        "sweep, an option of another type",
        sweep("generate: {potential: sphere, n_particles: 1.5}"),
        ["n_particles", "not int"],
    ),
    ("sweep, NaN", sweep("generate: {potential: sphere, dt: .nan}"), ["--dt nan"]),
    (
        "sweep, more numbers than fit",
        sweep("generate: {potential: sphere, n_particles: 1000000000000}"),
        ["1000000000000", "numbers"],
    ),
    (
        "sweep, a seed too large",
        sweep("generate: {potential: sphere}\ntrain: {seed: 99999999999999999999}"),
        ["seed 99999999999999999999"],
    ),
    (
        "sweep, a solver that is a number",
        sweep("generate: {potential: sphere}\ntrain: {solver: 3}"),
        ["unknown solver '3'"],
    ),
    (
        "sweep, two data sets of one name",
        sweep("generate: {potential: sphere, batch_size: [5, 10]}"),
        ["two data sets"],
    ),
    (
        "sweep, the table of the seconds",
        sweep("generate: {potential: sphere}\ntable: tasks.csv"),
        ["cannot be tasks.csv"],
    ),
    (
        "queue without dask-jobqueue",
        without("dask_jobqueue", lambda: dask_client(cluster="queue_jobs.yaml").__enter__()),
        ["needs the package dask-jobqueue"],
    ),
    (
        "queue, an unknown one",
        lambda: dask_client(cluster="queue.yaml").__enter__(),
        ["unknown queue_system"],
    ),
    (
        "queue, jobs that are no number",
        lambda: dask_client(cluster="queue_jobs.yaml").__enter__(),
        ["queue_jobs.yaml", "jobs"],
    ),
    # the command line
    ("$ generate nothing", shell("generate"), ["nothing to simulate"]),
    (
        "$ generate of an unknown function",
        shell("generate --potential spher"),
        ["did you mean sphere"],
    ),
    (
        "$ generate with an unknown flag",
        shell("generate --potentail sphere"),
        ["No such option", "--potential"],
    ),
    (
        "$ a word for a number",
        shell("generate --potential sphere --beta much"),
        ["--beta", "'much'"],
    ),
    (
        "$ beta of infinity",
        shell("generate --potential sphere --internal wiener --beta inf"),
        ["beta", "inf"],
    ),
    ("$ dt of NaN", shell("generate --potential sphere --dt nan"), ["--dt nan"]),
    ("$ dt of infinity", shell("generate --potential sphere --dt inf"), ["dt", "inf"]),
    (
        "$ a step too long",
        shell("generate --potential styblinski_tang --dt 1 --n-particles 10"),
        ["did not stay finite"],
    ),
    (
        "$ more particles than memory",
        shell("generate --potential sphere --n-particles 1000000000000"),
        ["--n-particles 1000000000000"],
    ),
    (
        "$ more dimensions than memory",
        shell("generate --potential sphere --dimension 100000000"),
        ["--dimension 100000000"],
    ),
    ("$ a seed below zero", shell("generate --potential sphere --seed -1"), ["--seed -1"]),
    (
        "$ a seed too large",
        shell("generate --potential sphere --seed 99999999999999999999"),
        ["--seed 99999999999999999999"],
    ),
    (
        "$ entropy of infinity",
        shell("generate --potential sphere --n-particles 10 --sinkhorn inf"),
        ["--sinkhorn inf"],
    ),
    (
        "$ a name that is a path",
        shell("generate --potential sphere --dataset-name a/b"),
        ["'a/b' is not a plain name"],
    ),
    (
        "$ a name too long",
        shell(f"generate --potential sphere --n-particles 10 --dataset-name {'x' * 300}"),
        ["not a plain name"],
    ),
    (
        "$ data below a file",
        shell("generate --potential sphere --n-particles 10 --data-dir good.npy"),
        ["cannot write to good.npy"],
    ),
    ("$ complex numbers", shell("generate --load-from-file complex.npy"), ["not numeric"]),
    (
        "$ an array with options of tables",
        shell("generate --load-from-file good.npy --time-key day --features x1"),
        ["--time-key day means nothing"],
    ),
    (
        "$ a table with options of simulations",
        shell("generate --load-from-file weights.csv --time-key day --n-particles 7"),
        ["--n-particles 7 means nothing"],
    ),
    (
        "$ a table with a unit of time",
        shell("generate --load-from-file weights.csv --time-key day --dt 5"),
        ["--dt 5.0 means nothing"],
    ),
    (
        "$ a simulation with options of tables",
        shell("generate --potential sphere --group-key arm"),
        ["--group-key arm means nothing"],
    ),
    (
        "$ individuals first",
        shell("generate --load-from-file swapped.npy"),
        ["--axes particle,time,feature"],
    ),
    (
        "$ a population that cannot be split",
        shell("generate --load-from-file rare.csv --time-key day --group-key arm"),
        ["'rare'", "time 1", "which has 1"],
    ),
    (
        "$ another data set of that name",
        shell("generate --potential flat --n-particles 20 --dataset-name good"),
        ["holds another data set", "potential sphere, now flat", "--overwrite"],
    ),
    (
        "$ another file of that name",
        shell("generate --load-from-file weights.csv --time-key day --dataset-name good"),
        ["holds another data set", "now weights.csv", "--overwrite", "features: a, w"],
    ),
    (
        "$ a data set over a folder of something else",
        shell("generate --potential sphere --dataset-name results --data-dir ."),
        ["no data set"],
    ),
    (
        "$ pickled objects",
        shell("generate --load-from-file objects.npy"),
        ["objects.npy cannot be read"],
    ),
    (
        "$ no features",
        shell("generate --load-from-file hole.csv --time-key day --features ,"),
        ["unknown feature column ''"],
    ),
    ("$ train on a path", shell("train -d ../data/good"), ["not a plain name"]),
    ("$ train on nothing", shell("train"), ["--dataset"]),
    (
        "$ train with a seed too large",
        shell("train -d good -s jkonet-star-linear-potential --seed 99999999999999999999"),
        ["--seed"],
    ),
    (
        "$ train by a setting of another solver",
        shell("train -d good -s jkonet-star-linear-potential --learning-rate 0.1"),
        ["unknown setting 'learning_rate'"],
    ),
    (
        "$ train below a file",
        shell("train -d good -s jkonet-star-linear-potential --n-features 5 --out-dir good.npy"),
        ["cannot write to good.npy"],
    ),
    (
        "$ train with wandb, which is not there",
        without(
            "wandb", shell("train -d good -s jkonet-star-linear-potential --n-features 5 --wandb")
        ),
        ["needs the package wandb"],
    ),
    (
        "$ predict with an array for a model",
        shell("predict good.npy rows.npy"),
        ["good.npy is not a model"],
    ),
    (
        "$ predict particles with NaN",
        shell("predict model.npz holes.npy"),
        ["holes.npy has NaN or inf in row 4"],
    ),
    (
        "$ predict particles of other features",
        shell("predict model.npz wide.npy"),
        ["wide.npy", "[N, 2]"],
    ),
    ("$ predict steps back", shell("predict model.npz rows.npy --tau -1"), ["--tau -1"]),
    (
        "$ predict from a time that is NaN",
        shell("predict model.npz rows.npy --from nan"),
        ["--from nan"],
    ),
    (
        "$ predict from a time in the old way",
        shell("predict model.npz rows.npy --time 1"),
        ["No such option", "--time"],
    ),
    (
        "$ predict at no time by forces that change",
        shell("predict timed.npz rows.npy"),
        ["changes with time", "--from"],
    ),
    (
        "$ predict a table at no time by forces that change",
        shell("predict timed.npz days.csv"),
        ["changes with time", "--time-key day"],
    ),
    (
        "$ predict a table whose rows feel each other",
        shell("predict pull.npz days.csv"),
        ["feel those of their own time", "--time-key day"],
    ),
    (
        "$ predict from two times",
        shell("predict timed.npz days.csv --time-key day --from 1"),
        ["--time-key", "--from", "one of them"],
    ),
    (
        "$ predict to a time that is past",
        shell("predict timed.npz days.csv --time-key day --to 1"),
        ["--to 1: row 24 was seen at 2 (12 such rows)"],
    ),
    (
        "$ predict to a time, by steps",
        shell("predict timed.npz rows.npy --from 0 --to 1 --tau 1"),
        ["--to", "--tau", "one of them"],
    ),
    (
        "$ predict an array by a column of times",
        shell("predict model.npz rows.npy --time-key day"),
        ["--time-key day means nothing", ".npy"],
    ),
    (
        "$ predict an array by groups",
        shell("predict model.npz rows.npy --group-key arm"),
        ["--group-key arm means nothing", ".npy"],
    ),
    (
        "$ predict a table by a representation",
        shell("predict model.npz days.csv --rep X_pca"),
        ["--rep X_pca means nothing", ".csv"],
    ),
    (
        "$ predict cells by a separator",
        shell("predict model.npz cells.h5ad --separator ;"),
        ["--separator ; means nothing", ".h5ad"],
    ),
    (
        "$ annotate cells that would move",
        shell("predict model.npz cells.h5ad --steps 2 --output said.h5ad"),
        ["--steps", ".h5ad"],
    ),
    (
        "$ annotate a table",
        shell("predict model.npz days.csv --output said.h5ad"),
        ["said.h5ad is of cells", ".csv"],
    ),
    (
        "$ noise by a seed and none",
        shell("predict model.npz rows.npy --seed 1 --deterministic"),
        ["--seed", "--deterministic"],
    ),
    (
        "$ predict an unknown group",
        shell("predict model.npz days.csv --time-key day --group-key arms"),
        ["unknown column", "did you mean arm"],
    ),
    (
        "$ predict at an unknown time",
        shell("predict model.npz days.csv --time-key dya"),
        ["did you mean day"],
    ),
    (
        "$ predict a row without a time",
        shell("predict model.npz dayless.csv --time-key day"),
        ["row 3 has no 'day'"],
    ),
    (
        "$ predict a row without a group",
        shell("predict pull.npz armless.csv --time-key day --group-key arm"),
        ["names no population in row 3"],
    ),
    (
        "$ predict over what is read",
        shell("predict model.npz days.csv --output days.csv"),
        ["days.csv is what is read"],
    ),
    (
        "$ predict more steps than memory",
        shell("predict model.npz rows.npy --steps 1000000000000"),
        ["--steps 1000000000000"],
    ),
    (
        "$ predict into a folder",
        shell("predict model.npz rows.npy --output results"),
        ["results", "must end in"],
    ),
    (
        "$ predict over an .npy that is a folder",
        shell("predict model.npz rows.npy --output results.npy"),
        ["results.npy is a folder"],
    ),
    (
        "$ predict cells at times that are words",
        shell("predict timed.npz cells.h5ad --time-key arm --output said.h5ad"),
        ["must be numbers", "'a'"],
    ),
    ("$ no such command", shell("generat"), ["No such command 'generat'"]),
]


def files():
    return {p: p.stat().st_mtime_ns for p in Path(".").rglob("*") if p.is_file()}


def sentence(action):
    """What is said of an input that must be refused: by an `InputError`, or by a command that ends
    with status 2."""
    try:
        line = action()
    except InputError as e:
        return str(e)
    assert isinstance(line, str), f"nothing was said of it: {line!r}"
    result = CliRunner().invoke(cli, line.split(), prog_name="jkonet-star")
    assert result.exit_code == 2, (
        f"status {result.exit_code}, {result.exception!r}: {result.output}"
    )
    assert "Traceback" not in result.output
    said = [s for s in result.output.splitlines() if s]
    assert len(said) == 1 or said[0].startswith("Usage"), result.output
    return said[-1]


@pytest.mark.parametrize("action, words", [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
def test_bad_input(action, words):
    before = files()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning is no refusal
        said = sentence(action)
    for w in words:
        assert w in said
    assert said.count("\n") == 0 and len(said) < 1000, said
    assert files() == before


def test_the_table_has_no_row_twice():
    assert len({r[0] for r in TABLE}) == len(TABLE)
