"""Other packages on the same courses, each run from its own release in an environment of its own:
same times left out, same measure, same machine. Their settings are those of their tutorials where
nothing else is said below; kept numbers of this package are shown beside (between.json and
fates.json), and published ones.

`python benchmarks/peers.py FOLDER` makes the environments (some gigabytes) in --envs, and goes on
from what --out has.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PEERS = {  # what is installed, by environment
    "torchcfm": ("torch", "torchcfm==1.0.7", "pot"),
    "otpfm": ("torch", "otpfm==1.0", "pot"),
    "moscot": ("moscot==0.5.2",),
}


# In an environment of a peer: nothing of this package is imported


def read_task(path):
    "Times, particles of each, and the questions: (index of the time before, time)."
    with np.load(path) as f:
        return f["t"], [f[f"x{k}"] for k in range(len(f["t"]))], f["asked"]


def integrate(field, x, begin, end, steps=50):
    "Particles carried along a field of PyTorch, by the midpoint rule."
    import torch

    x, h = torch.tensor(x, dtype=torch.float32), (end - begin) / steps
    with torch.no_grad():
        for k in range(steps):
            t = begin + k * h
            x = x + h * field(x + h / 2 * field(x, t), t + h / 2)
    return x.numpy()


def run_torchcfm(t, x, asked, iterations=2000):
    """OT-CFM between consecutive times, as in the tutorial on single cells; rate 1e-3 instead of
    1e-4 and fewer iterations instead of 10 000, to end in minutes without a GPU."""
    import torch
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher
    from torchcfm.models import MLP

    torch.manual_seed(0)
    rng, matcher = np.random.default_rng(0), ExactOptimalTransportConditionalFlowMatcher(sigma=0.1)
    clouds = [torch.tensor(a, dtype=torch.float32) for a in x]
    model = MLP(dim=x[0].shape[1], time_varying=True, w=64)
    adam = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(iterations):
        inputs, targets = [], []
        for k, (a, b) in enumerate(zip(clouds, clouds[1:])):
            a, b = (c[rng.integers(0, len(c), 256)] for c in (a, b))
            s, at, velocity = matcher.sample_location_and_conditional_flow(a, b)
            span = float(t[k + 1] - t[k])
            inputs.append(torch.cat([at, float(t[k]) + s[:, None] * span], 1))
            targets.append(velocity / span)
        loss = ((model(torch.cat(inputs)) - torch.cat(targets)) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    def field(at, time):
        return model(torch.cat([at, torch.full((len(at), 1), float(time))], 1))

    return [integrate(field, x[int(k)], t[int(k)], later) for k, later in asked]


def run_otpfm(t, x, asked, iterations=2000):
    "OTP-FM with W2Inf potentials, 256 wide and 4 deep as in its experiments, but shorter; from t0."
    import torch
    from otpfm import OTPFM, Curriculum
    from otpfm.potentials import W2InfPotential

    torch.manual_seed(0)
    rng, unit = np.random.default_rng(0), (t - t[0]) / (t[-1] - t[0])
    between = [float(s) for s in unit[1:-1]]
    potentials = {
        s: W2InfPotential(tk=s, strength=100.0, lambda_type="gaussian", width=0.2) for s in between
    }
    shape = {"hidden_dim": 256, "num_hidden_layers": 4}
    model = OTPFM(d=x[0].shape[1], tks=between, potentials=potentials, flownet_args=shape)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = Curriculum(total_iterations=iterations)
    model.train()
    for k in range(iterations):
        drawn = [a[rng.integers(0, len(a), 256)] for a in x]
        batch = torch.tensor(np.stack(drawn, 1), dtype=torch.float32)
        loss = model.forward_with_loss(batch, otp_alpha=schedule(k))
        adam.zero_grad()
        loss.backward()
        adam.step()
        model.update_ema()
    model.eval()
    found = []
    with torch.no_grad():
        paths, times = model.sample(torch.tensor(x[0], dtype=torch.float32), n_steps=100)
    paths, times = (np.asarray(a) for a in (paths, times))
    if paths.shape[0] != len(times):
        paths = np.moveaxis(paths, 1, 0)
    for k, later in asked:
        at = (later - t[0]) / (t[-1] - t[0])
        known = int(k) == 0
        found.append(paths[np.abs(times - at).argmin()] if known else np.full_like(x[0], np.nan))
    return found


def moscot_plans(t, x):
    "Entropic transport between all consecutive times, by pair of times."
    import anndata
    import pandas as pd
    from moscot.problems.time import TemporalProblem

    cells = anndata.AnnData(np.concatenate(x).astype(np.float32))
    which = np.repeat(np.arange(len(x)), [len(a) for a in x])
    cells.obs["time"] = pd.Categorical(t[which], ordered=True)
    cells.obsm["X_pca"] = cells.X
    problem = TemporalProblem(cells).prepare("time", joint_attr="X_pca").solve(epsilon=1e-3)
    return {
        pair: np.asarray(solution.transport_matrix, float)
        for pair, solution in problem.solutions.items()
    }


def run_moscot(t, x, asked):
    """Transport between the times around the asked one, interpolated on straight lines; no answer
    from any other time."""
    plans, rng, found = moscot_plans(t, x), np.random.default_rng(0), []
    for begin, later in asked:
        k = int(np.searchsorted(t, later)) - 1
        if k != int(begin):
            found.append(np.full_like(x[0], np.nan))
            continue
        plan = plans[(t[k], t[k + 1])]
        drawn = rng.choice(plan.size, 4000, p=plan.ravel() / plan.sum())
        i, j = np.unravel_index(drawn, plan.shape)
        s = (later - t[k]) / (t[k + 1] - t[k])
        found.append((1 - s) * x[k][i] + s * x[k + 1][j])
    return found


def run_moscot_partners(t, x, asked):
    "Of each particle, the shares of those at the next time that it is transported to."
    plans = moscot_plans(t, x)
    found = [plans[(t[int(k)], later)] for k, later in asked]
    return [plan / plan.sum(1, keepdims=True) for plan in found]


def work(peer, task, out):
    "Answer a task in the environment of a peer."
    begin = time.perf_counter()
    found = globals()[f"run_{peer}"](*read_task(task))
    seconds = time.perf_counter() - begin
    np.savez(out, seconds=seconds, **{f"y{k}": y for k, y in enumerate(found)})


# In this package's environment


def environment(peer, folder):
    "The Python of a peer's environment, made where it is missing."
    python = folder / peer / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[peer]], check=True)
    return python


def answers(peer, python, t, x, asked, room):
    "What a peer predicts, and its seconds."
    task, out = room / "task.npz", room / "out.npz"
    np.savez(task, t=t, asked=np.array(asked, float), **{f"x{k}": a for k, a in enumerate(x)})
    command = [python, __file__, "--peer", peer, str(task), str(out)]
    subprocess.run(command, check=True, cwd=room, stdout=subprocess.DEVNULL)
    with np.load(out) as f:
        return [f[f"y{k}"] for k in range(len(asked))], float(f["seconds"])


def between_rows(peer, python, folder, room, done):
    "Times left out of embryoid bodies and A549, as in between.py, but for those that are done."
    sys.path.insert(0, str(HERE))
    from between import COURSES, courses

    from jkonet_star import wasserstein

    for name, seen in courses(folder).items():
        order, parts = COURSES[name]
        if name.startswith("PBMC"):
            continue
        for left_out in parts:
            if (peer, name, left_out[-1]) in done:
                continue
            kept = [k for k in range(len(seen)) if k not in left_out]
            t, x = np.asarray(seen.t[kept], float), [np.asarray(seen.x[k]) for k in kept]
            before = [int(np.searchsorted(t, seen.t[k])) - 1 for k in left_out]
            asked = [(b, seen.t[k]) for b, k in zip(before, left_out)]
            asked += [(0, seen.t[k]) for k in left_out]
            found, seconds = answers(peer, python, t, x, asked, room)
            for k, own, first in zip(left_out, found, found[len(left_out) :]):
                errors = [
                    wasserstein(y, seen.x[k], order=order, limit=20_000)
                    if np.isfinite(y).all()
                    else None
                    for y in (own, first)
                ]
                ways = dict(zip(("before", "first"), errors))
                row = {"course": name, "method": peer, "left_out": k, "seconds": seconds} | ways
                print(row, flush=True)
                yield row


def fate_row(peer, python, folder, room):
    "Fates of day 4 against clones, as in fates.py: labels among the cells nearby on day 6."
    sys.path.insert(0, str(HERE))
    from fates import judged, neighbours, of_clones, read

    day, state, clone, cells = read(folder / "larry_clones.h5ad", 10)
    last, early = day == 6, day == 4
    names, codes = np.unique(state[last], return_inverse=True)
    truth = of_clones(clone, early, last, codes, len(names))
    days = np.unique(day)
    parts = [cells[day == d] for d in days]
    begin = int(np.searchsorted(days, 4.0))
    how = "moscot_partners" if peer == "moscot" else peer
    (y,), seconds = answers(how, python, days, parts, [(begin, 6.0)], room)
    if peer == "moscot":
        shares = y @ np.eye(len(names))[codes]
    else:
        shares = neighbours(y, cells[last], codes, len(names), 20)
    row = {"course": "LARRY, day 4", "method": peer, "seconds": seconds}
    row |= judged(shares, names.tolist(), clone[early], truth)
    print(row, flush=True)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path, help="eb5, a549_emt.csv, pbmc.npz, larry_clones.h5ad")
    p.add_argument("--envs", type=Path, default=Path("envs"), help="where environments are")
    p.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS))
    p.add_argument("--out", type=Path, default=HERE / "peers.json")
    o = p.parse_args()

    from jkonet_star.base.files import atomic_write

    rows = json.loads(o.out.read_text())["rows"] if o.out.exists() else []

    def keep(row):
        "A run that is stopped goes on from what is kept."
        rows.append(row)
        kept = {"rows": rows, "installed": PEERS}
        with atomic_write(o.out) as new:
            new.write_text(json.dumps(kept, indent=1) + "\n")

    for peer in o.only:
        python = environment(peer, o.envs.resolve())
        done = {(r["method"], r["course"], r.get("left_out")) for r in rows}
        with tempfile.TemporaryDirectory() as room:
            for row in between_rows(peer, python, o.folder, Path(room), done):
                keep(row)
            # OTP-FM carries particles of the first time only
            if peer != "otpfm" and (peer, "LARRY, day 4", None) not in done:
                keep(fate_row(peer, python, o.folder, Path(room)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        work(*sys.argv[2:])
    else:
        main()
