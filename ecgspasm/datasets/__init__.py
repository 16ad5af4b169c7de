"""Public sets of ECGs: found where they lie, fetched on request only, and read as pairs of one person.

>>> from ecgspasm import datasets
>>> [each.name for each in datasets.sets() if each.pairs]
['ptb', 'ptb-xl', 'mimic-iv-ecg-demo', 'mimic-iv-ecg']
"""

from __future__ import annotations

from ecgspasm.datasets.catalogue import DataSet, sets
from ecgspasm.datasets.fetching import Fetched, fetch, fetched
from ecgspasm.datasets.folders import folder
from ecgspasm.datasets.pairing import Pair, Pairs, pairs

__all__ = ["DataSet", "Fetched", "Pair", "Pairs", "fetch", "fetched", "folder", "pairs", "sets"]
