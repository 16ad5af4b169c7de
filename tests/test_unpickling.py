"""Nothing in the package runs what a file holds; the detector itself is shown to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecgspasm
from tests.corpus.unpickling import unpickling

BAD = {
    "import pickle": "import of pickle",
    "import os, pickle as p": "import of pickle",
    "from pickle import loads": "import of pickle",
    "import _pickle": "import of _pickle",
    "import cPickle": "import of cPickle",
    "from six.moves import cPickle": "import of cPickle",
    "import dill": "import of dill",
    "from dill import load as l": "import of dill",
    "import cloudpickle": "import of cloudpickle",
    "from cloudpickle import loads": "import of cloudpickle",
    "import joblib": "import of joblib",
    "from joblib import load": "import of joblib",
    "import sklearn.externals.joblib": "import of joblib",
    "import shelve": "import of shelve",
    "from marshal import loads": "import of marshal",
    "def f():\n    import marshal": "import of marshal",
    "__import__('pickle')": "import of pickle",
    "import importlib\nimportlib.import_module('dill')": "import of dill",
    "from importlib import import_module as m\nm('shelve')": "import of shelve",
    "import pandas as pd\npd.read_pickle(path)": "read_pickle",
    "from pandas import read_pickle": "import of read_pickle",
    "from pandas.io import pickle": "import of pickle",
    "reader = frames().read_pickle": "read_pickle",
    "import torch\ntorch.load(path)": "torch.load",
    "import torch\ntorch.load(path, weights_only=False)": "torch.load",
    "import torch\ntorch.load(path, weights_only=some)": "torch.load",
    "import torch\ntorch.load(path, **options)": "torch.load",
    "import torch\nload = torch.load": "torch.load",
    "from torch import load as fetch\nfetch(path)": "torch.load",
    "import torch as t\nt.load(path, 'cpu')": "torch.load",
    "import numpy as np\nnp.load(path, allow_pickle=True)": "numpy.load",
    "import numpy\nnumpy.load(path, allow_pickle=some)": "numpy.load",
    "import numpy as np\nnp.load(path, None, True)": "numpy.load",
    "import numpy as np\nnp.load(path, **options)": "numpy.load",
    "import numpy as np\nnp.load(*options)": "numpy.load",
    "import numpy as np\nmap(np.load, paths)": "numpy.load",
    "from numpy import load\nload(path, allow_pickle=1)": "numpy.load",
    "import numpy as np\nnp.lib.format.read_array(file, allow_pickle=True)": "allow_pickle",
    "read(file, allow_pickle=not strict)": "allow_pickle",
    "import yaml\nyaml.load(text)": "yaml.load",
    "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)": "yaml.load",
    "from yaml import unsafe_load\nunsafe_load(text)": "yaml.unsafe_load",
    "import yaml as y\ny.full_load_all(text)": "yaml.full_load_all",
    "eval(text)": "eval",
    "exec(text)": "exec",
    "map(eval, texts)": "eval",
    "import builtins\nbuiltins.exec(text)": "exec",
}
GOOD = [
    "import numpy as np\nnp.load(path)",
    "import numpy as np\nnp.load(path, 'r')",
    "import numpy as np\nnp.load(path, 'r', False)",
    "import numpy as np\nnp.load(path, allow_pickle=False)",
    "from numpy import load as l\nl(path)",
    "import torch\ntorch.load(path, weights_only=True)",
    "import torch\nnet.eval()",
    "import json\njson.load(file)",
    "import numpy as np\nnp.loadtxt(path)",
    "import yaml\nyaml.safe_load(text)",
    "import tomllib\ntomllib.load(file)",
    "from .pickles import cucumber",
    "load(path)",
    "# import pickle\n'eval(text)'",
    "read(file, allow_pickle=False)",
    "__import__(name)",
]


@pytest.mark.parametrize("source", BAD)
def test_what_could_run_a_file_is_seen(source: str) -> None:
    assert BAD[source] in [each.partition(": ")[2] for each in unpickling(source)]


@pytest.mark.parametrize("source", GOOD)
def test_what_reads_data_only_is_let_through(source: str) -> None:
    assert not unpickling(source)


def test_it_is_told_by_its_line() -> None:
    assert unpickling("import os\n\nimport pickle\neval(os)\n") == ["3: import of pickle", "4: eval"]


def test_no_module_of_the_package_can_unpickle() -> None:
    package = Path(ecgspasm.__file__).parent
    paths = sorted(package.rglob("*.py"))
    assert len(paths) > 200
    found = {str(path.relative_to(package)): unpickling(path.read_text(encoding="utf-8")) for path in paths}
    assert not {name: each for name, each in found.items() if each}
