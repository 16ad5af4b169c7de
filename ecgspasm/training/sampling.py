"""Random crops of annotated recordings, disturbed as real ones are, with soft labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgspasm.processing import net
from ecgspasm.training.recipe import Recipe
from ecgspasm.training.records import Record


def labels(
    record: Record, lead: int, start: float, scale: float, n_frame: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of each class (class, frame) and mask (frame) of one lead at the output frame rate.

    ``start`` is the record's sample at the crop's sample 0, ``scale`` the crop's samples per
    record sample.
    """
    step = net.HOP // net.SUBFRAMES
    edges = np.arange(n_frame + 1) * step - 0.5

    def cover(segments: NDArray[np.float64]) -> NDArray[np.float64]:
        seg = (segments - start) * scale
        seg = seg[np.argsort(seg[:, 0])]
        seg = np.maximum.accumulate(seg.ravel()) if seg.size else np.zeros(0)
        if not seg.size:
            return np.zeros(n_frame)
        total = np.concatenate([[0.0], np.cumsum(np.diff(seg) * (np.arange(len(seg) - 1) % 2 == 0))])
        return np.diff(np.interp(edges, seg, total)) / step

    y = np.zeros((7, n_frame))
    for k, wave in enumerate(("P", "QRS", "T")):
        w = record.waves[lead][wave]
        y[2 * k + 1] = cover(np.where(np.isnan(w[:, [0]]), w[:, [1]], w[:, [0, 1]]))
        y[2 * k + 2] = cover(np.where(np.isnan(w[:, [2]]), w[:, [1]], w[:, [1, 2]]))
    y[0] = np.clip(1 - y.sum(0), 0, 1)
    mask = cover(record.spans[lead]) * (cover(record.unsure[lead]) == 0)
    return (y / y.sum(0)).astype(np.float32), mask.astype(np.float32)


class Sampler:
    """Random crops with the augmentation of the recipe."""

    def __init__(
        self,
        records: list[Record],
        noise: dict[str, NDArray[np.float32]],
        recipe: Recipe,
        rng: np.random.Generator,
    ) -> None:
        self.noise, self.recipe, self.rng = noise, recipe, rng
        self.pools = {c: [r for r in records if r.convention == c] for c in net.CONVENTIONS}
        self.queues: dict[str, list[int]] = {c: [] for c in net.CONVENTIONS}

    def batch(self) -> tuple[NDArray[np.float32], ...]:
        """Frames, labels, mask (sequence first), group and convention of each sequence."""
        n_frame = 8 * int(self.rng.integers(30, 72))
        parts: list[tuple[NDArray[np.float32], ...]] = []
        group: list[int] = []
        convention: list[int] = []
        counts = (self.recipe.ludb_per_step, self.recipe.qtdb_per_step)
        for c, name in enumerate(net.CONVENTIONS):
            for _ in range(counts[c] if self.pools[name] else 0):
                crop = self.crop(self._next(name), n_frame)
                group += [len(parts)] * len(crop[0])
                convention += [c] * len(crop[0])
                parts.append(crop)
        joined = [np.concatenate(p) for p in zip(*parts, strict=True)]
        return (*joined, np.array(group), np.array(convention))

    def _next(self, name: str) -> Record:
        if not self.queues[name]:
            self.queues[name] = list(self.rng.permutation(len(self.pools[name])))
        return self.pools[name][self.queues[name].pop()]

    def crop(self, record: Record, n_frame: int) -> tuple[NDArray[np.float32], ...]:
        """One augmented crop: frames, labels, mask."""
        rng = self.rng
        scale = 1.0
        if rng.random() < 0.6:
            scale = float(np.clip(np.exp(rng.normal(0, self.recipe.stretch)), 0.7, 1.4))
        n = n_frame * net.HOP
        total = record.signal.shape[1]
        span = record.spans[0]
        a, b = span[rng.integers(len(span))] if len(span) else (0, total)
        need = n / scale
        low, high = a - 0.3 * need, max(b - 0.7 * need, a - 0.29 * need)
        start = float(np.clip(rng.uniform(low, high), 0, max(0.0, total - 1 - need)))
        leads = self._leads(record.signal.shape[0])
        t = start + np.arange(n) / scale
        grid = np.arange(total)
        x = np.stack([np.interp(t, grid, record.signal[i]) for i in leads])
        x = self._disturbed(x, beyond=int(max(0, n - (total - 1 - start) * scale)))
        y, m = zip(*(labels(record, i, start, scale, n_frame * net.SUBFRAMES) for i in leads), strict=True)
        return net.frames_of(x.astype(np.float32)), np.stack(y), np.stack(m)

    def _leads(self, n: int) -> NDArray[np.intp]:
        rng = self.rng
        if n > 2 and rng.random() < self.recipe.few_leads:
            return rng.permutation(n)[: rng.integers(1, 4)]
        if n > 2 and rng.random() < self.recipe.few_leads:
            return rng.permutation(n)[: rng.integers(4, 12)]
        if n == 2 and rng.random() < 0.15:
            return rng.permutation(n)[:1]
        return np.arange(n)

    def _disturbed(self, x: NDArray[np.float64], beyond: int) -> NDArray[np.float64]:
        """Gain, noise, wander, hum and smoothing."""
        rng = self.rng
        n_lead, n = x.shape
        if rng.random() < 0.5:
            x = x * np.exp(rng.normal(0, 0.2, (n_lead, 1)))
        power = np.median(x.std(axis=1)) + 1e-6
        t = np.arange(n) / 500.0
        if rng.random() < self.recipe.noise:
            level = power * 10 ** (-rng.uniform(3, 32) / 20)
            x = x + level * self.noise_like(n_lead, n)
        if rng.random() < 0.3:
            f = rng.uniform(0.05, 0.6)
            depth = power * rng.uniform(0, 2) * rng.normal(0, 1, (n_lead, 1))
            x = x + depth * np.sin(2 * np.pi * (f * t + rng.random()))
        if rng.random() < 0.15:
            f = rng.choice([50.0, 60.0])
            depth = power * rng.uniform(0, 0.15) * rng.normal(0, 1, (n_lead, 1))
            x = x + depth * np.sin(2 * np.pi * (f * t + rng.random()))
        if rng.random() < 0.25:
            x[:, 1:-1] = 0.25 * x[:, :-2] + 0.5 * x[:, 1:-1] + 0.25 * x[:, 2:]
        if beyond:
            x[:, n - beyond :] = x[:, n - beyond - 1 : n - beyond]
        return x

    def noise_like(self, n_lead: int, n: int) -> NDArray[np.float64]:
        """NSTDB noise, partly common to the leads, unit standard deviation on average."""
        rng = self.rng
        weight = rng.dirichlet([0.7, 0.7, 0.7])
        rows = []
        for _ in range(n_lead):
            row = np.zeros(n)
            for w, x in zip(weight, self.noise.values(), strict=True):
                k = rng.integers(0, x.shape[1] - n)
                row += np.sqrt(w) * rng.choice([-1, 1]) * x[rng.integers(2), k : k + n]
            rows.append(row * np.exp(rng.normal(0, 0.4)))
        noise = np.stack(rows)
        if rng.random() < 0.5:
            mixing = np.eye(n_lead) + rng.normal(0, 0.5, (n_lead, n_lead))
            noise = mixing @ noise / np.sqrt(1 + 0.25 * n_lead)
        return noise
