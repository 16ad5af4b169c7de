"""Pairs of ECGs of one person in time order, with the labels that the set's own tables give."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ecgspasm.datasets.catalogue import known, sets
from ecgspasm.datasets.folders import folder
from ecgspasm.datasets.tables import Row, Table, mimic, ptb, ptbxl
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line

Which = Literal["consecutive", "all", "first"]
WHICH: tuple[Which, ...] = ("consecutive", "all", "first")
_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Pair:
    """Two ECGs of one person, the earlier one first.

    Attributes
    ----------
    person : str
        The set's own key of the person.
    baseline, current : Path
        Headers of the records, to be read with `ecgspasm.read`.
    baseline_at, current_at : datetime
        When they were recorded, as the set tells it (PTB: the day only; MIMIC-IV: shifted).
    baseline_labels, current_labels : tuple of str
        PTB: reason for admission, sites of infarction, further diagnoses. PTB-XL: SCP codes. MIMIC-IV-ECG: the lines of the
        machine's report; empty where the set has no such table.
    baseline_likelihood, current_likelihood : mapping
        PTB-XL: likelihood of each SCP code, 0 to 100, where 0 means that none was given. Empty for the other sets.
    sex : {'male', 'female'} or None
    age : float or None
        Years, at the current ECG.
    """

    person: str
    baseline: Path
    current: Path
    baseline_at: datetime
    current_at: datetime
    baseline_labels: tuple[str, ...] = ()
    current_labels: tuple[str, ...] = ()
    baseline_likelihood: Mapping[str, float] = field(default_factory=lambda: _NOTHING, hash=False)
    current_likelihood: Mapping[str, float] = field(default_factory=lambda: _NOTHING, hash=False)
    sex: Literal["male", "female"] | None = None
    age: float | None = None

    @property
    def record(self) -> str:
        """A name for the pair that no other pair of the set has."""
        return f"{self.person}: {self.baseline.stem} > {self.current.stem}"


class Pairs:
    """The pairs of a set; they can be gone through as often as one likes.

    Attributes
    ----------
    name : str
        The set.
    folder : Path
    which : {'consecutive', 'all', 'first'}
    persons : int
        Persons with two ECGs or more.
    left_out : mapping
        How many rows of the set's tables could not be used, by reason.
    first_left_out : mapping
        The first row of each reason, to look it up.
    meanings : mapping
        What the codes among the labels mean (PTB-XL); empty for the other sets.
    """

    def __init__(self, name: str, folder: Path, which: Which, table: Table) -> None:
        self.name = name
        self.folder = folder
        self.which = which
        self._table = table
        self.persons = len(table.persons)
        self.left_out: Mapping[str, int] = MappingProxyType(dict(table.left_out))
        self.first_left_out: Mapping[str, str] = MappingProxyType(dict(table.first_left_out))
        self.meanings: Mapping[str, str] = MappingProxyType(dict(table.meanings))

    def __iter__(self) -> Iterator[Pair]:
        for person, rows in self._table.persons.items():
            two: Iterator[tuple[Row, Row]]
            if self.which == "consecutive":
                two = pairwise(rows)
            elif self.which == "all":
                two = combinations(rows, 2)
            else:
                two = ((rows[0], later) for later in rows[1:])
            for before, after in two:
                yield self._pair(person, before, after)

    def __len__(self) -> int:
        counts = [len(rows) for rows in self._table.persons.values()]
        return sum(n * (n - 1) // 2 if self.which == "all" else n - 1 for n in counts)

    def __repr__(self) -> str:
        left_out = sum(self.left_out.values())
        return f"Pairs({self.name}: {len(self)} of {self.persons} persons, {self.which}; {left_out} rows left out)"

    def _pair(self, person: str, before: Row, after: Row) -> Pair:
        likelihood = self._table.likelihood
        return Pair(
            person,
            self.folder / f"{before.record}.hea",
            self.folder / f"{after.record}.hea",
            before.at,
            after.at,
            before.labels,
            after.labels,
            likelihood.get(before.record, _NOTHING),
            likelihood.get(after.record, _NOTHING),
            self._table.sex.get(person),
            after.age,
        )

    def to_csv(self, path: str | os.PathLike[str]) -> int:
        """Write the pairs as a table for ``ecgspasm batch compare``; paths in it are absolute.

        Parameters
        ----------
        path : path
            Replaced if it is there.

        Returns
        -------
        int
            How many pairs were written.

        Raises
        ------
        EcgError
            If there is no pair, or the file cannot be written.
        """
        if not len(self):
            raise EcgError(f"{self.name} in {one_line(self.folder)} has no pair{self._why_none()}")
        target = Path(local_path(path))
        try:
            handle, half = tempfile.mkstemp(dir=target.parent, prefix=".pairs", suffix=".part")
            try:
                with open(handle, "w", newline="", encoding="utf-8") as file:
                    count = self._write(csv.writer(file, lineterminator="\n"))
                    file.flush()
                    os.fsync(file.fileno())
                # mkstemp makes a file for the owner alone
                os.chmod(half, 0o644)
                os.replace(half, target)
            except BaseException:
                Path(half).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise EcgError(f"{one_line(target)} cannot be written ({error.strerror}); check the folder") from error
        return count

    def _write(self, writer: Any) -> int:
        times = ("baseline_at", "current_at")
        writer.writerow(["baseline", "current", "record", "person", *times, "baseline_labels", "current_labels", "sex", "age"])
        count = 0
        for pair in self:
            paths = [os.path.abspath(path) for path in (pair.baseline, pair.current)]
            at = [getattr(pair, name).isoformat() for name in times]
            labels = ["; ".join(one_line(label) for label in given) for given in (pair.baseline_labels, pair.current_labels)]
            age = "" if pair.age is None else f"{pair.age:g}"
            writer.writerow([*paths, pair.record, pair.person, *at, *labels, pair.sex or "", age])
            count += 1
        return count

    def _why_none(self) -> str:
        reasons = "; ".join(f"{count} rows: {reason}" for reason, count in self.left_out.items())
        return f": {reasons}" if reasons else ": nobody has two ECGs in it"


def pairs(
    name: str,
    data: str | os.PathLike[str] | None = None,
    *,
    which: Which = "consecutive",
    rate_hz: int = 500,
    check_files: bool = True,
) -> Pairs:
    """Pairs of ECGs of one person, in time order, from the tables of a set that is on this machine.

    Parameters
    ----------
    name : {'ptb', 'ptb-xl', 'mimic-iv-ecg-demo', 'mimic-iv-ecg'}
    data : path, optional
        The set's folder, or one that holds it; see `folder`.
    which : {'consecutive', 'all', 'first'}
        Each ECG against the one before, against all before, or against the person's first.
    rate_hz : {500, 100}
        PTB-XL: which of the two versions of each recording.
    check_files : bool
        Leave out ECGs whose header is not in the folder, as in a part of a set.

    Returns
    -------
    Pairs
        Iterable; what was left out stands in its `left_out`.

    Raises
    ------
    EcgError
        If the set is not here, has no pairs, or its tables cannot be read.

    Notes
    -----
    Nothing is downloaded. ECGs of the same time are in the order of their names.
    """
    wanted = known(name)
    if not wanted.pairs:
        having = ", ".join(each.name for each in sets() if each.pairs)
        raise EcgError(f"{wanted.name} has no table of persons with several dated ECGs; sets that have one are {having}")
    if which not in WHICH:
        raise EcgError(f"which is {which!r}; give one of {', '.join(WHICH)}")
    if rate_hz not in (500, 100):
        raise EcgError(f"rate_hz is {rate_hz!r}; PTB-XL has 500 and 100")
    home = folder(wanted.name, data)
    if wanted.name == "ptb":
        table = ptb(home)
    elif wanted.name == "ptb-xl":
        table = ptbxl(home, rate_hz)
    else:
        table = mimic(home)
    table.settle(home if check_files else None)
    return Pairs(wanted.name, home, which, table)
