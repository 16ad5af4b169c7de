"""Train the delineation net: ``python -m ecgspasm.training LUDB_DIR QTDB_DIR NSTDB_DIR OUTPUT.npz [--cv DIR]``.

With ``--cv`` the five nets of the cross-validation are trained too, each without the records that ``folds.json`` lists for it;
``ecgspasm benchmark ludb DIR --folds DIR`` then scores every record with the net that has not seen it.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgspasm.processing import net
from ecgspasm.training.model import Delineator, folded
from ecgspasm.training.recipe import FOLD_SEED, N_FOLD, Recipe
from ecgspasm.training.records import Record, excerpts_500, read_ludb, read_noise, read_qtdb
from ecgspasm.training.sampling import Sampler


def train(
    records: list[Record], noise: dict[str, NDArray[np.float32]], recipe: Recipe, log: bool = True
) -> tuple[Delineator, dict[str, NDArray[np.float32]]]:
    """Train one net.

    Parameters
    ----------
    records : list of Record
        Training records of both conventions.
    noise : dict
        From `data.read_noise`.
    recipe : Recipe
        Settings.
    log : bool
        Print progress.

    Returns
    -------
    tuple
        The torch model (averaged weights) and its folded weights.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    pieces = [e for r in records for e in excerpts_500(r)]
    sampler = Sampler(pieces, noise, recipe, rng)
    model = Delineator(recipe.channels, recipe.kernels)
    slow = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    begin, running = time.time(), 0.0
    for step in range(recipe.steps):
        frames, y, mask, group, convention = sampler.batch()
        out = model(torch.from_numpy(frames), torch.from_numpy(group))
        which = torch.from_numpy(convention)[:, None, None]
        scores = torch.where(which == 0, out["ludb"], out["qtdb"])
        loss_map = -(torch.from_numpy(y) * torch.log_softmax(scores, 1)).sum(1)
        weight = torch.from_numpy(mask * np.where(convention == 1, recipe.qtdb_weight, 1.0)[:, None]).float()
        loss = (loss_map * weight).sum() / weight.sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        keep = min(recipe.average, step / (step + 10))
        with torch.no_grad():
            for s, v in zip(slow.state_dict().values(), model.state_dict().values(), strict=True):
                s.copy_(v) if not s.is_floating_point() else s.lerp_(v, 1 - keep)
        value = loss.item()
        running = 0.98 * running + 0.02 * value if step else value
        if log and step % 100 == 99:
            print(f"step {step + 1} loss {running:.4f} {time.time() - begin:.0f} s", flush=True)
    slow.eval()
    return slow, folded(slow)


def folds_of(records: list[Record]) -> dict[str, list[list[str]]]:
    """Held-out record names of each fold, per convention."""
    out = {}
    for c in net.CONVENTIONS:
        names = [r.name for r in records if r.convention == c]
        order = np.random.default_rng(FOLD_SEED).permutation(len(names))
        out[c] = [[names[i] for i in sorted(order[k::N_FOLD])] for k in range(N_FOLD)]
    return out


def check(model: Delineator, weights: dict[str, NDArray[np.float32]]) -> float:
    """Largest difference of the probabilities of torch and numpy."""
    x = np.random.default_rng(0).normal(0, 1, (12, 320, 8)).astype(np.float32)
    with torch.no_grad():
        y = model(torch.from_numpy(x), torch.zeros(12, dtype=torch.long))
    worst = 0.0
    for name, scores in (("ludb", y["ludb"]), ("qtdb", 0.5 * (y["ludb"] + y["qtdb"]))):
        p = torch.softmax(scores, 1).numpy()
        worst = max(worst, float(np.abs(p - net.forward(x, weights, name)).max()))
    return worst


def save(path: str | Path, weights: dict[str, NDArray[np.float32]]) -> None:
    """Write the weights."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = dict(weights)
    np.savez_compressed(path, **arrays)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m ecgspasm.training", description=__doc__)
    for name in ("ludb", "qtdb", "nstdb"):
        parser.add_argument(name, help=f"folder of {name.upper()} in the original layout")
    parser.add_argument("output", help="where the weights go (.npz)")
    parser.add_argument("--cv", metavar="DIR", help="also train the five nets of the cross-validation into this folder")
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="fewer for a try (default: %(default)s)")
    args = parser.parse_args()
    # One thread: the sums come out in the same order on every machine.
    torch.set_num_threads(1)
    recipe = Recipe(steps=args.steps)
    records = read_ludb(args.ludb) + read_qtdb(args.qtdb)
    noise = read_noise(args.nstdb, "train")

    def run(held: dict[str, set[str]], path: Path) -> None:
        model, weights = train([r for r in records if r.name not in held.get(r.convention, set())], noise, recipe)
        print(path, "torch against numpy:", check(model, weights), flush=True)
        save(path, weights)

    if args.cv:
        folder = Path(args.cv)
        folder.mkdir(parents=True, exist_ok=True)
        folds = folds_of(records)
        (folder / "folds.json").write_text(json.dumps(folds, indent=1) + "\n", encoding="utf-8")
        for k in range(N_FOLD):
            run({name: set(parts[k]) for name, parts in folds.items()}, folder / f"fold{k}.npz")
    run({}, Path(args.output))


if __name__ == "__main__":
    main()
