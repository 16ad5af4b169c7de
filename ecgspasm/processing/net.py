"""Inference of the wave delineation net in plain numpy.

The net is a small U-Net over time. Every lead passes through the same weights; at each level the
mean over the leads is mixed back in, so any number of leads in any order works. It answers, for
every lead and every 8 ms, the probability of seven classes: no wave, and P, QRS and T each split
at its peak.

Layout inside the net: ``(channel, lead, frame)``, float32, so that a convolution is one copy of
shifted slices (im2col) and one matrix product over all leads and frames. Batch normalisation was
folded into the weights when they were written.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Weights = dict[str, Float32]

RATE_HZ = 500.0
"""Internal sampling rate of the net."""

HOP = 8
"""Input samples per net frame (62.5 frames a second); two output frames come from each."""

SUBFRAMES = 2
FRAME_RATE_HZ = RATE_HZ / HOP * SUBFRAMES
"""Rate of the returned probabilities."""

CLASSES = ("none", "p_rise", "p_fall", "qrs_rise", "qrs_fall", "t_rise", "t_fall")
CONVENTIONS = ("ludb", "qtdb")

_ALIGN = 8  # net frames per frame of the coarsest level
_MARGIN = 320  # net frames of context at each side of a block, more than the receptive field
_BLOCK_LEAD_FRAMES = 12288  # leads x net frames per block, bounds the memory
_BASELINE_FRAMES = 37  # width of the two running means of the baseline (0.6 s each)


def load_weights(path: str | Path) -> Weights:
    """Read the weights of the net.

    Parameters
    ----------
    path : str or Path
        An ``.npz`` file written by ``train.py``; read without pickle.

    Returns
    -------
    dict of str to numpy.ndarray
        Folded weights, float32.
    """
    with np.load(path, allow_pickle=False) as archive:
        return {name: np.ascontiguousarray(archive[name], np.float32) for name in archive.files}


def wave_probabilities(
    signal_uv: NDArray[np.floating],
    fs: float,
    weights: Weights,
    convention: str = "ludb",
    block_lead_frames: int = _BLOCK_LEAD_FRAMES,
) -> tuple[Float32, float]:
    """Probability of each wave class for every lead and frame.

    Parameters
    ----------
    signal_uv : numpy.ndarray, shape (lead, sample)
        The recording in microvolt, without NaN. DC and the gain of the whole recording do not
        matter.
    fs : float
        Its sampling rate in Hz.
    weights : dict
        From `load_weights`.
    convention : {"ludb", "qtdb"}
        Whose way of drawing boundaries to follow.
    block_lead_frames : int, optional
        Size of the blocks long recordings are cut into; changes memory, not the result.

    Returns
    -------
    prob : numpy.ndarray, shape (lead, class, frame), float32
        Probabilities, in the order of `CLASSES`. Frame ``f`` covers the time from
        ``(4 f - 0.5) / 500`` to ``(4 f + 3.5) / 500`` seconds after the first sample.
        A lead without any deflection is "none" throughout.
    frame_rate_hz : float
        Frames per second.
    """
    signal = np.atleast_2d(np.asarray(signal_uv))
    n_lead, n_sample = signal.shape
    ratio = Fraction(RATE_HZ / fs).limit_denominator(500)
    n_frame = math.ceil(math.ceil(n_sample * ratio) / HOP)
    prob = np.zeros((n_lead, len(CLASSES), n_frame * SUBFRAMES), np.float32)
    prob[:, 0] = 1.0
    # Odd sampling rates are resampled by the nearest fraction; the frames then keep the rate that this gives.
    frame_rate = float(fs * ratio) / HOP * SUBFRAMES
    if n_frame < 2:
        return prob, frame_rate
    source = _Source(signal, ratio, n_frame)
    block = max(_ALIGN, block_lead_frames // n_lead // _ALIGN * _ALIGN)
    starts = range(0, n_frame, block)
    level = _level(source, starts, block)
    for start in starts if level.live.size else ():
        stop = min(n_frame, start + block)
        left = max(0, start - _MARGIN)
        right = min(n_frame, stop + _MARGIN)
        y = forward(_normalised(source.frames(left, right), level, left, right), weights, convention)
        prob[level.live, :, SUBFRAMES * start : SUBFRAMES * stop] = y[
            :, :, SUBFRAMES * (start - left) : SUBFRAMES * (stop - left)
        ]
    return prob, frame_rate


def frames_of(signal_uv: NDArray[np.floating]) -> Float32:
    """Normalised input of the net from a whole recording at 500 Hz.

    Parameters
    ----------
    signal_uv : numpy.ndarray, shape (lead, sample)
        Recording at 500 Hz.

    Returns
    -------
    numpy.ndarray, shape (lead, frame, 8), float32
    """
    n_frame = -(-signal_uv.shape[1] // HOP)
    source = _Source(signal_uv, Fraction(1), n_frame)
    level = _level(source, range(0, n_frame, n_frame), n_frame)
    level.live = np.arange(len(signal_uv))
    return _normalised(source.frames(0, n_frame), level, 0, n_frame)


@dataclass
class _Level:
    """Baseline (lead, frame), scale (lead, 1, 1) and the leads that are not flat."""

    baseline: Float32
    scale: Float64
    live: NDArray[np.intp]


class _Source:
    """A recording, resampled to 500 Hz and cut into frames, block by block."""

    def __init__(self, signal: NDArray[np.floating], ratio: Fraction, n_frame: int) -> None:
        self.signal = signal
        self.ratio = ratio
        self.n_frame = n_frame
        self.offset = signal[:, : 1 << 20].mean(axis=1, keepdims=True)
        self._last: tuple[tuple[int, int], Float32] | None = None

    def frames(self, start: int, stop: int, keep: bool = False) -> Float32:
        """Frames ``start`` to ``stop`` (lead, frame, 8) without DC; ``keep`` for the next call."""
        if self._last is not None and self._last[0] == (start, stop):
            frames = self._last[1]
        else:
            part = self._resampled(start * HOP, stop * HOP)
            frames = part.reshape(len(self.signal), stop - start, HOP)
        self._last = ((start, stop), frames) if keep else None
        return frames

    def _resampled(self, first: int, last: int) -> Float32:
        """Samples ``first`` to ``last`` at 500 Hz, the end repeated where there are none."""
        up, down = self.ratio.numerator, self.ratio.denominator
        if self.ratio == 1:
            part = self._cut(first, last)
        else:
            # A source block that starts at a multiple of `down` keeps the phase of the resampling.
            pad = 32 * max(1, -(-down // up))
            left = max(0, (first * down // up - pad) // down * down)
            right = -(-last * down // up) + pad
            part = resample_poly(self._cut(left, right), up, down, axis=1, padtype="line")
            part = part[:, first - left // down * up :][:, : last - first]
        missing = last - first - part.shape[1]
        if missing:
            part = np.pad(part, ((0, 0), (0, missing)), mode="edge")
        return np.ascontiguousarray(part, np.float32)

    def _cut(self, left: int, right: int) -> Float32:
        part = self.signal[:, left : min(right, self.signal.shape[1])]
        return np.asarray(np.subtract(part, self.offset, out=np.empty(part.shape, np.float32), casting="same_kind"))


def _level(source: _Source, starts: range, block: int) -> _Level:
    """Baseline and scale from the means of the frames of the whole recording."""
    means = np.empty((len(source.signal), source.n_frame), np.float64)
    ones = np.full(HOP, 1.0 / HOP, np.float32)
    for start in starts:
        stop = min(source.n_frame, start + block)
        means[:, start:stop] = source.frames(start, stop, keep=True) @ ones
    baseline = _running_mean(_running_mean(means, _BASELINE_FRAMES), _BASELINE_FRAMES)
    step = np.abs(np.diff(means, axis=1))
    rank = int(0.97 * (step.shape[1] - 1))
    own = np.partition(step, rank, axis=1)[:, rank]
    live = np.flatnonzero(own > max(1e-6 * own.max(), 1e-9))
    common = np.median(own[live]) if live.size else 1.0
    own = np.maximum(own, 0.05 * common)
    return _Level(baseline.astype(np.float32), np.sqrt(own * common)[:, None, None], live)


def _running_mean(x: Float64, width: int) -> Float64:
    """Mean over ``width`` frames, over fewer at the ends."""
    half = width // 2
    n = x.shape[1]
    total = np.zeros((x.shape[0], n + 1))
    np.cumsum(x, axis=1, out=total[:, 1:])
    left = np.maximum(np.arange(n) - half, 0)
    right = np.minimum(np.arange(n) + half + 1, n)
    return np.asarray((total[:, right] - total[:, left]) / (right - left))


def _normalised(frames: Float32, level: _Level, start: int, stop: int) -> Float32:
    """Frames of the live leads without baseline, divided by the scale (may work in place)."""
    b, scale = level.baseline, (0.3 / level.scale).astype(np.float32)
    index = np.clip(np.arange(start - 1, stop + 1), 0, b.shape[1] - 1)
    if level.live.size < len(frames):
        frames, b, scale = frames[level.live], b[level.live], scale[level.live]
    b = b[:, index]
    slope = (b[:, 2:] - b[:, :-2]) * np.float32(0.5 / HOP)
    ramp = np.arange(HOP, dtype=np.float32) - (HOP - 1) / 2
    frames -= slope[:, :, None] * ramp
    frames -= b[:, 1:-1, None]
    frames *= scale
    return frames


def forward(x: Float32, weights: Weights, convention: str = "ludb") -> Float32:
    """Run the net on normalised frames.

    Parameters
    ----------
    x : numpy.ndarray, shape (lead, frame, 8)
        From `frames_of`.
    weights : dict
        Folded weights.
    convention : {"ludb", "qtdb"}
        Which output head.

    Returns
    -------
    numpy.ndarray, shape (lead, class, 2 * frame), float32
    """
    n_frame = x.shape[1]
    width = -(-n_frame // _ALIGN) * _ALIGN
    run = _Runner(weights)
    h = run.stem(x, width)
    skips = []
    for name in ("e0", "e1", "e2"):
        if name != "e0":
            h = run.down(h, name.replace("e", "d"))
        h = run.mixed(h, name)
        skips.append(h)
    g = run.down(_lead_mean(h), "d3")
    for name, dilation in (("g0", 1), ("g1", 2), ("g2", 4)):
        z = run.conv(g, name, dilation)
        g = np.maximum(z, 0, out=z)
    _add_twice(h, run.conv(g, "gu"))
    for name, skip in (("1", skips[1]), ("0", skips[0])):
        _add_twice(skip, run.conv(h, "u" + name))
        h = run.mixed(skip, "c" + name)
    h = run.conv(h, convention)
    return _softmax(h[:, :, :n_frame])


def _lead_mean(x: Float32) -> Float32:
    total = np.add.reduce(x, axis=1, keepdims=True)
    total *= np.float32(1.0 / x.shape[1])
    return total


def _add_twice(x: Float32, y: Float32) -> None:
    """Add ``y`` to ``x``, which has twice its frames (or as many leads times that), in place."""
    # Two strided additions take a quarter of the time of one that broadcasts over pairs.
    x[..., 0::2] += y
    x[..., 1::2] += y


_LOCAL = threading.local()


def _buffer(name: str, *shape: int) -> Float32:
    """Uninitialised array that is reused by the next call of the same thread.

    Fresh pages cost more than the arithmetic; the size is bounded by the block size.
    """
    pool = _LOCAL.__dict__.setdefault("pool", {})
    size = math.prod(shape)
    flat = pool.get(name)
    if flat is None or flat.size < size:
        flat = pool[name] = np.empty(size, np.float32)
    return np.asarray(flat[:size].reshape(shape))


class _Runner:
    """The layers of the net; every result lives in a buffer of its own name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def stem(self, x: Float32, width: int) -> Float32:
        """First convolution: 24 samples in steps of 8."""
        n_lead, n_frame = x.shape[:2]
        cols = _buffer("cols", n_lead, width, 3, HOP)
        cols[:, 0, 0] = 0
        cols[:, n_frame - 1 :] = 0
        cols[:, 1:n_frame, 0] = x[:, :-1]
        cols[:, :n_frame, 1] = x
        cols[:, : n_frame - 1, 2] = x[:, 1:]
        if n_frame < width:
            cols[:, n_frame, 0] = x[:, -1]
        return self._product("stem", cols.reshape(-1, 3 * HOP).T, n_lead, relu=True)

    def down(self, x: Float32, name: str) -> Float32:
        """Halve the frame rate: convolution of width and step 2."""
        n_in, n_lead, n = x.shape
        cols = _buffer("cols", 2, n_in, n_lead, n // 2)
        cols[0] = x[:, :, 0::2]
        cols[1] = x[:, :, 1::2]
        return self._product(name, cols.reshape(2 * n_in, -1), n_lead, relu=True)

    def conv(self, x: Float32, name: str, dilation: int = 1) -> Float32:
        """Convolution over frames of x (channel, lead, frame)."""
        return self._product(name, self._columns(x, self.weights[name + ".w"], dilation), x.shape[1])

    def mixed(self, x: Float32, name: str) -> Float32:
        """Convolution of each lead and of the mean over the leads (the residual is in the weights)."""
        common = self.weights[name + ".m"] @ self._columns(_lead_mean(x), self.weights[name + ".m"])
        common += self.weights[name + ".b"][:, None]
        out = self._product(name, self._columns(x, self.weights[name + ".w"]), x.shape[1], bias=False)
        out += common[:, None]
        return np.maximum(out, 0, out=out)

    def _columns(self, x: Float32, w: Float32, dilation: int = 1) -> Float32:
        """Shifted copies (kernel * channel, lead * frame) of x, zero beyond the ends."""
        n_in, n_lead, n = x.shape
        size = w.shape[1] // n_in
        if size == 1:
            return x.reshape(n_in, -1)
        cols = _buffer("cols", size, n_in, n_lead, n)
        for k in range(size):
            shift = (k - size // 2) * dilation
            low, high = min(n, max(0, -shift)), max(0, min(n, n - shift))
            cols[k, :, :, :low] = 0
            cols[k, :, :, high:] = 0
            if high > low:
                cols[k, :, :, low:high] = x[:, :, low + shift : high + shift]
        return cols.reshape(size * n_in, -1)

    def _product(self, name: str, cols: Float32, n_lead: int, relu: bool = False, bias: bool = True) -> Float32:
        w = self.weights[name + ".w"]
        out = np.matmul(w, cols, out=_buffer("out " + name, w.shape[0], cols.shape[1]))
        if bias:
            out += self.weights[name + ".b"][:, None]
        if relu:
            np.maximum(out, 0, out=out)
        return out.reshape(w.shape[0], n_lead, -1)


def _softmax(h: Float32) -> Float32:
    """(subframe * class, lead, frame) scores to (lead, class, frame) probabilities."""
    n_class = len(CLASSES)
    scores = h.reshape(SUBFRAMES, n_class, *h.shape[1:])
    scores = np.exp(np.minimum(scores - scores.max(axis=1, keepdims=True), 0))
    scores /= scores.sum(axis=1, keepdims=True)
    out = np.empty((h.shape[1], n_class, h.shape[2], SUBFRAMES), np.float32)
    for k in range(SUBFRAMES):
        out[..., k] = scores[k].transpose(1, 0, 2)
    return out.reshape(h.shape[1], n_class, -1)
