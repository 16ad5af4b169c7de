"""`batch`: a whole run, from the list to the summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ecgspasm.batching.guard import Limits
from ecgspasm.batching.inputs import tasks
from ecgspasm.batching.manifest import OTHERS, Plan, manifest_of, settle
from ecgspasm.batching.parts import PART, name_of, read_part
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import local_path, one_line
from ecgspasm.stamp import line

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

What = Literal["compare", "measure"]
_YOUNG_S = 3600.0
_MOST_WORKERS = 4096


@dataclass(frozen=True, eq=False)
class Batch:
    """A finished run.

    Attributes
    ----------
    folder : str
        Where its files are: ``part-*.parquet`` (and ``wide-*.parquet``), ``manifest.json``, ``inputs.jsonl``, ``summary.json``,
        ``summary.html``.
    key : str
        Hash of inputs, parameters and version, in the name of every part.
    n_parts : int
    summary : dict
        What stands in ``summary.json``.
    """

    folder: str
    key: str
    n_parts: int
    summary: dict[str, Any]

    def tables(self, table: Literal["part", "wide"] = "part") -> Iterator[pa.Table]:
        """The results part by part: the long table, or the wide one if the run made it."""
        for number in range(self.n_parts):
            path = os.path.join(self.folder, name_of(self.key, number, table))
            if table == "wide" and not os.path.lexists(path):
                raise EcgError("this run has no wide table; run it with wide=True into another folder")
            yield read_part(path, self.key, number)

    def to_frame(self, table: Literal["part", "wide"] = "part") -> pd.DataFrame:
        """All results in memory: columns ``record, lead, measure, value, se, state``, or the wide table."""
        import pyarrow as pa

        frame: pd.DataFrame = pa.concat_tables(self.tables(table)).unify_dictionaries().to_pandas()
        # plain texts, of which equal ones are one object; categories would surprise groupby and merge
        texts = [name for name in frame.columns if str(frame[name].dtype) == "category"]
        return frame.astype(dict.fromkeys(texts, object))

    def __str__(self) -> str:
        told = self.summary
        lines = [
            f"{told['done']} of {told['records']} records done, {told['failed']} of them failed, "
            f"{told['not_measurable']} not measurable"
        ]
        lines += [f"  {count:>7}  {reason}" for reason, count in list(told["failures"].items())[:10]]
        met = {name: each for name, each in told.get("findings", {}).items() if each["MET"]}
        lines += [f"{each['title']}: {each['MET']} ({_places(each['territories'])})" for each in met.values()]
        if "run" in told:
            run = told["run"]
            lines.append(f"{run['records']} records in {run['seconds']:g} s, {run['records_per_s']:g} a second")
        return "\n".join([*lines, f"written to {self.folder}", "", line(told["parameters"])])


def _places(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def batch(
    what: What,
    inputs: Any,
    output: str | os.PathLike[str],
    *,
    scheduler: str | Any | None = None,
    workers: int | None = None,
    electrodes: Literal["fresh", "same"] = "fresh",
    criteria: str | os.PathLike[str] | None = None,
    wide: bool = False,
    records_per_part: int | None = None,
    time_limit_s: float = 10.0,
    memory_limit_mb: int = 2048,
    progress: Callable[[int, int], None] | None = None,
) -> Batch:
    """Measure many ECGs, or compare many pairs, into Parquet files.

    The run goes on where an earlier one into the same folder stopped, and a run that was disturbed ends with the same bytes as
    one that was not. A record that cannot be read, crashes its reader, wants too much memory or never ends becomes one row with
    the reason.

    Parameters
    ----------
    what : {'compare', 'measure'}
    inputs : path, sequence or pandas.DataFrame
        See `batching.inputs.tasks`: for ``compare`` a CSV with the columns ``baseline`` and ``current``; for ``measure`` a list,
        a folder, a pattern or a sequence of paths.
    output : path
        A folder that is empty, does not exist, or holds this very run.
    scheduler : str or distributed.Client, optional
        Address of a Dask scheduler that runs already, such as ``tcp://host:8786``; its workers must see the same paths. Without
        it, workers are started on this machine, or up to 100 records are done in this process.
    workers : int, optional
        Worker processes on this machine; default: one a core.
    electrodes, criteria
        See `compare`; `criteria` is the path of a TOML file.
    wide : bool, optional
        Also write a table with one row a record.
    records_per_part : int, optional
        Default: a fortieth of the records, but 10 to 200.
    time_limit_s : float, optional
        Computing time that one record may take.
    memory_limit_mb : int, optional
        Memory that one record may take beyond what the program itself needs.
    progress : callable, optional
        Called with the number of records done and that of all.

    Returns
    -------
    Batch

    Raises
    ------
    EcgError
        If the list or the folder cannot be used, or the workers are lost; what was done stays.
    """
    from ecgspasm.batching.engine import orders, work_off

    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or not 1 <= workers <= _MOST_WORKERS):
        raise EcgError(f"workers is {workers!r}; give a whole number between 1 and {_MOST_WORKERS}")
    plan = _plan(what, inputs, electrodes, criteria, wide, records_per_part, Limits(time_limit_s, memory_limit_mb))
    folder = os.path.abspath(local_path(output))
    manifest = manifest_of(plan)
    settle(folder, manifest)
    wanted = list(orders(plan, folder, manifest.key))
    there = len(plan.tasks) - sum(len(order.tasks) for order in wanted)
    done = 0

    def told(records: int) -> None:
        nonlocal done
        done += records
        if progress is not None:
            progress(there + done, len(plan.tasks))

    if progress is not None:
        progress(there, len(plan.tasks))
    began = time.monotonic()
    work_off(wanted, scheduler, workers, told)
    return _finished(folder, manifest.content, plan.criteria, done, time.monotonic() - began)


def _plan(
    what: What,
    inputs: Any,
    electrodes: Literal["fresh", "same"],
    criteria: str | os.PathLike[str] | None,
    wide: bool,
    records_per_part: int | None,
    limits: Limits,
) -> Plan:
    from ecgspasm.criteria import load_criteria
    from ecgspasm.serial.repeatability import check_electrodes

    if what not in ("compare", "measure"):
        raise EcgError(f"what is {what!r}; give 'compare' or 'measure'")
    whole = isinstance(records_per_part, int) and not isinstance(records_per_part, bool)
    if records_per_part is not None and not (whole and 1 <= records_per_part <= 100_000):
        raise EcgError(f"records_per_part is {records_per_part!r}; give a whole number between 1 and 100000")
    check_electrodes(electrodes)
    path = None if criteria is None else os.path.abspath(local_path(criteria))
    load_criteria(path)
    found = tasks(what, inputs)
    # by the list alone, so that a run has the same parts wherever it is done
    size = records_per_part or min(max(-(-len(found) // 40), 10), 200)
    return Plan(what, found, electrodes, path, limits, size, bool(wide))


def _finished(folder: str, manifest: dict[str, Any], criteria: str | None, done: int, seconds: float) -> Batch:
    from ecgspasm.batching.summary import summarise, write_summary
    from ecgspasm.criteria import load_criteria

    run = Batch(folder, manifest["key"], manifest["parts"], {})
    titles = {each.id: each.title for each in load_criteria(criteria)}
    summary = summarise(run.tables(), manifest, titles)
    if done:
        rate = round(done / max(seconds, 1e-3), 1)
        summary["run"] = {"records": done, "seconds": round(seconds, 1), "records_per_s": rate}
    write_summary(folder, summary)
    _sweep(folder)
    return Batch(run.folder, run.key, run.n_parts, summary)


def _sweep(folder: str) -> None:
    """Remove what workers that were killed left half written; what is young may be another run's that writes just now."""
    try:
        for name in os.listdir(folder):
            stem = name[: -len(".part")].rpartition(".")[0] if name.endswith(".part") else ""
            if PART.fullmatch(stem) or stem in OTHERS:
                _remove_old(os.path.join(folder, name))
    except OSError as error:
        why = one_line(error.strerror or error)
        raise EcgError(f"all is done, but what was left half written in {one_line(folder)} cannot be removed ({why})") from error


def _remove_old(path: str) -> None:
    try:
        if time.time() - os.stat(path).st_mtime > _YOUNG_S:
            os.unlink(path)
    except FileNotFoundError:  # it has just got its own name
        return
