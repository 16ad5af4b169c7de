"""Everything that a training run depends on, besides the data."""

from __future__ import annotations

from dataclasses import dataclass

N_FOLD = 5
FOLD_SEED = 20240
CHANNELS = (24, 40, 64, 64)


@dataclass
class Recipe:
    """The shipped weights come from these values."""

    seed: int = 1
    steps: int = 1500
    ludb_per_step: int = 6
    """Crops of each set in a step."""
    qtdb_per_step: int = 5
    rate: float = 4e-3
    """Highest learning rate of the one-cycle schedule."""
    decay: float = 0.02
    average: float = 0.997
    """The net that is kept is the running average of the weights, with this memory."""
    qtdb_weight: float = 2.0
    few_leads: float = 0.06
    """Probability of a crop with one to three leads (and of one with four to eleven)."""
    stretch: float = 0.07
    """Standard deviation of the logarithm of the time stretch."""
    noise: float = 0.3
    """Probability of recorded noise (NSTDB) in a crop."""
    channels: tuple[int, int, int, int] = CHANNELS
    kernels: tuple[int, int, int, int, int] = (3, 3, 3, 3, 5)
