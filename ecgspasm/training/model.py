"""The delineation net in torch, and its weights as `ecgspasm.processing.net` reads them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgspasm.processing import net
from ecgspasm.training.recipe import CHANNELS, Recipe


class Mixed(nn.Module):
    """Residual convolution of each lead plus one of the mean over the leads."""

    def __init__(self, n: int, size: int) -> None:
        super().__init__()
        self.own = nn.Conv1d(n, n, size, padding=size // 2, bias=False)
        self.mean = nn.Conv1d(n, n, size, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm1d(n)

    def forward(self, x: torch.Tensor, group: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        common = self.mean(lead_mean(x, share))
        return torch.relu(self.norm(self.own(x) + common[group]) + x)


def lead_mean(x: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Mean over the leads of each recording: ``share`` is (recording, sequence)."""
    return (share @ x.flatten(1)).view(share.shape[0], *x.shape[1:])


class Delineator(nn.Module):
    """Torch twin of `net.forward`."""

    def __init__(
        self,
        channels: tuple[int, int, int, int] = CHANNELS,
        kernels: tuple[int, int, int, int, int] = Recipe.kernels,
    ) -> None:
        super().__init__()
        c0, c1, c2, c3 = channels
        self.stem = nn.Conv1d(1, c0, 3 * net.HOP, stride=net.HOP, padding=net.HOP, bias=False)
        self.stem_norm = nn.BatchNorm1d(c0)
        k0, k1, k2, k3, k4 = kernels
        self.e0, self.e1, self.e2 = Mixed(c0, k0), Mixed(c1, k1), Mixed(c2, k2)
        self.d1, self.d1_norm = nn.Conv1d(c0, c1, 2, stride=2, bias=False), nn.BatchNorm1d(c1)
        self.d2, self.d2_norm = nn.Conv1d(c1, c2, 2, stride=2, bias=False), nn.BatchNorm1d(c2)
        self.d3, self.d3_norm = nn.Conv1d(c2, c3, 2, stride=2, bias=False), nn.BatchNorm1d(c3)
        self.g = nn.ModuleList(nn.Conv1d(c3, c3, 5, padding=2 * d, dilation=d, bias=False) for d in (1, 2, 4))
        self.g_norm = nn.ModuleList(nn.BatchNorm1d(c3) for _ in range(3))
        self.gu = nn.Conv1d(c3, c2, 1)
        self.u1, self.u0 = nn.Conv1d(c2, c1, 1), nn.Conv1d(c1, c0, 1)
        self.c1, self.c0 = Mixed(c1, k3), Mixed(c0, k4)
        n_out = net.SUBFRAMES * len(net.CLASSES)
        self.heads = nn.ModuleDict({k: nn.Conv1d(c0, n_out, 1) for k in net.CONVENTIONS})

    def forward(self, x: torch.Tensor, group: torch.Tensor) -> dict[str, torch.Tensor]:
        """Scores (sequence, class, frame) per convention of frames (sequence, frame, 8)."""
        n_group = int(group.max()) + 1
        share = torch.nn.functional.one_hot(group, n_group).float().T
        share = share / share.sum(1, keepdim=True)
        h = torch.relu(self.stem_norm(self.stem(x.flatten(1)[:, None])))
        s0 = self.e0(h, group, share)
        s1 = self.e1(torch.relu(self.d1_norm(self.d1(s0))), group, share)
        s2 = self.e2(torch.relu(self.d2_norm(self.d2(s1))), group, share)
        g = torch.relu(self.d3_norm(self.d3(lead_mean(s2, share))))
        for conv, norm in zip(self.g, self.g_norm, strict=True):
            g = torch.relu(norm(conv(g)) + g)
        h = s2 + twice(self.gu(g))[group]
        h = self.c1(s1 + twice(self.u1(h)), group, share)
        h = self.c0(s0 + twice(self.u0(h)), group, share)
        out = {}
        for name, head in self.heads.items():
            y = head(h).view(h.shape[0], net.SUBFRAMES, len(net.CLASSES), -1)
            out[name] = y.permute(0, 2, 3, 1).flatten(2)
        return out


def twice(x: torch.Tensor) -> torch.Tensor:
    """Repeat every frame."""
    return x.repeat_interleave(2, dim=2)


def folded(model: Delineator) -> dict[str, NDArray[np.float32]]:
    """Weights for `net.forward`, batch normalisation folded in."""

    def matrix(w: torch.Tensor) -> torch.Tensor:
        return w.permute(0, 2, 1).flatten(1)

    def fold(norm: nn.BatchNorm1d) -> tuple[torch.Tensor, torch.Tensor]:
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return scale, norm.bias - norm.running_mean * scale

    def residual(w: torch.Tensor) -> torch.Tensor:
        """Add the identity at the middle of the kernel."""
        n = w.shape[0]
        middle = w.shape[1] // n // 2 * n
        w = w.clone()
        w[:, middle : middle + n] += torch.eye(n)
        return w

    out: dict[str, torch.Tensor] = {}
    pairs = {"stem": (model.stem, model.stem_norm)}
    pairs |= {f"d{i}": (getattr(model, f"d{i}"), getattr(model, f"d{i}_norm")) for i in (1, 2, 3)}
    pairs |= {f"g{i}": (model.g[i], model.g_norm[i]) for i in range(3)}
    for name, (conv, norm) in pairs.items():
        scale, shift = fold(norm)
        out[name + ".w"], out[name + ".b"] = matrix(conv.weight) * scale[:, None], shift
    for name in ("g0", "g1", "g2"):
        out[name + ".w"] = residual(out[name + ".w"])
    for name in ("e0", "e1", "e2", "c0", "c1"):
        block = getattr(model, name)
        scale, shift = fold(block.norm)
        out[name + ".w"] = residual(matrix(block.own.weight) * scale[:, None])
        out[name + ".m"] = matrix(block.mean.weight) * scale[:, None]
        out[name + ".b"] = shift
    for name in ("gu", "u1", "u0"):
        out[name + ".w"], out[name + ".b"] = matrix(getattr(model, name).weight), getattr(model, name).bias
    for name, head in model.heads.items():
        out[name + ".w"], out[name + ".b"] = matrix(head.weight), head.bias
    # QTDB is small: its head alone overfits, the mean of both scores does better on unseen records.
    out["qtdb.w"] = 0.5 * (out["qtdb.w"] + out["ludb.w"])
    out["qtdb.b"] = 0.5 * (out["qtdb.b"] + out["ludb.b"])
    return {k: v.detach().numpy().astype(np.float32) for k, v in out.items()}
