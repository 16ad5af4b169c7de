"""Who does which part: Dask, in this process, on this machine or on a cluster that runs already."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from ecgspasm.batching.guard import Limits, close_guards, guard_here
from ecgspasm.batching.manifest import Plan
from ecgspasm.batching.parts import long_table, name_of, read_part, wide_names, wide_table, write_part
from ecgspasm.batching.rows import Task
from ecgspasm.errors import EcgError
from ecgspasm.io.paths import one_line

SMALL = 100
"""So many records are done in this process: starting workers takes longer."""

CONNECT_S = 20
"""How long a scheduler has to answer."""

_PATIENCE_S = 60.0
_TRIES = 5
_AHEAD = 3
"""Parts for each worker that are under way or wait at it, so that none is idle and the scheduler holds few."""


@dataclass(frozen=True)
class Order:
    """One part, as it goes to a worker."""

    what: str
    tasks: list[Task]
    electrodes: str
    criteria: str | None
    limits: Limits
    folder: str
    key: str
    number: int
    wide: list[str]
    """Columns of the wide table; none if it is not wanted."""


def do_part(order: Order) -> int:
    """Do one part and write it; its number of records."""
    try:
        import pyarrow
    except ImportError as error:
        raise EcgError(f"a batch needs pyarrow ({error}): pip install pyarrow distributed") from error
    guard = guard_here(order.limits)
    guard.start()
    # while the working process loads what it needs, this one does
    import pyarrow.parquet

    del pyarrow
    rows = [guard.do(order.what, task, order.electrodes, order.criteria) for task in order.tasks]
    records = [task.record for task in order.tasks]
    # the long table last: a run goes on behind the parts that have one
    if order.wide:
        wide = wide_table(records, rows, order.key, order.number, order.wide)
        write_part(os.path.join(order.folder, name_of(order.key, order.number, "wide")), wide)
    table = long_table(records, rows, order.key, order.number)
    write_part(os.path.join(order.folder, name_of(order.key, order.number)), table)
    return len(records)


def orders(plan: Plan, folder: str, key: str) -> Iterator[Order]:
    """The parts that are not there yet; those that are there are read and compared with their checksums."""
    from ecgspasm.criteria import load_criteria

    names = [each.id for each in load_criteria(plan.criteria)] if plan.what == "compare" else []
    columns = wide_names(plan.what, names) if plan.wide else []
    for number in range(plan.n_parts):
        path = os.path.join(folder, name_of(key, number))
        if os.path.lexists(path):
            read_part(path, key, number)
        wide = os.path.join(folder, name_of(key, number, "wide"))
        if plan.wide and os.path.lexists(wide):
            read_part(wide, key, number)
        if os.path.lexists(path) and (not plan.wide or os.path.lexists(wide)):
            continue
        yield Order(plan.what, plan.part(number), plan.electrodes, plan.criteria, plan.limits, folder, key, number, columns)


def work_off(wanted: list[Order], scheduler: str | Any | None, workers: int | None, told: Callable[[int], None]) -> None:
    """Do all parts; `told` gets the number of records of each that is done.

    Raises
    ------
    EcgError
        If the workers are lost or a part cannot be written. What was done stays.
    """
    if scheduler is None and sum(len(order.tasks) for order in wanted) <= SMALL:
        try:
            for order in wanted:
                told(do_part(order))
        finally:
            close_guards()
        return
    with _client(scheduler, workers) as client:
        _all_done(client, iter(wanted), told)


def _all_done(client: Any, waiting: Iterator[Order], told: Callable[[int], None]) -> None:
    """Keep a few parts ahead of every worker until all are done."""
    under_way: dict[Any, tuple[Order, int]] = {}
    seen = time.monotonic()

    def send(order: Order, number: int) -> None:
        under_way[client.submit(do_part, order, pure=False, retries=0)] = (order, number)

    try:
        while True:
            threads = sum(client.nthreads().values())
            while len(under_way) < max(_AHEAD * threads, 1) and (order := next(waiting, None)) is not None:
                send(order, 1)
            if not under_way:
                return
            seen = time.monotonic() if threads else seen
            if time.monotonic() - seen > _PATIENCE_S:
                raise EcgError("no worker is left; start the cluster's workers and run the same command again to go on")
            for future in _ended(under_way):
                order, number = under_way.pop(future)
                if future.status == "finished":
                    told(future.result())
                else:
                    _again(future, order, number, send)
    finally:
        client.cancel(list(under_way))
        # idle processes would otherwise live as long as the cluster's workers
        client.run(close_guards, on_error="ignore")


def _ended(under_way: dict[Any, tuple[Order, int]]) -> list[Any]:
    """Those that have ended, after waiting a moment for the first of them."""
    from distributed import wait

    try:
        wait(list(under_way), timeout=1.0, return_when="FIRST_COMPLETED")
    # distributed has a TimeoutError of its own that is also the built-in one
    except TimeoutError:
        return []
    return [future for future in under_way if future.done()]


def _again(future: Any, order: Order, number: int, send: Callable[[Order, int], None]) -> None:
    """Send a part again that its worker did not live to finish; a part that cannot be done at all ends the run."""
    error = future.exception() if future.status == "error" else None
    if isinstance(error, EcgError):
        raise error
    if number >= _TRIES:
        why = f"{type(error).__name__}: {one_line(error, 120)}" if error is not None else future.status
        raise EcgError(f"part {order.number} failed {number} times ({why}); run the same command again to go on")
    send(order, number + 1)


@contextmanager
def _client(scheduler: str | Any | None, workers: int | None) -> Iterator[Any]:
    """A client of the cluster that is wanted."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise EcgError("a batch needs Dask and pyarrow: pip install 'ecgspasm[batch]'") from error
    if hasattr(scheduler, "submit") and hasattr(scheduler, "nthreads"):
        yield scheduler  # a client that the caller has
        return
    address = getattr(scheduler, "scheduler_address", scheduler)
    if address is not None:
        if not isinstance(address, str):
            raise EcgError(f"scheduler is a {type(scheduler).__name__}; give an address, a Dask cluster or a Dask client")
        with _connected(Client, address) as client:
            yield client
        return
    # memory is limited record by record, so no worker is stopped for the sum of them; nothing is to be looked at over HTTP
    settings: dict[str, Any] = {"distributed.worker.memory.terminate": False, "distributed.worker.memory.pause": False}
    settings |= {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    # a profile of every second and the last thousand messages, each with a part in it, would fill the memory of a long run
    settings |= {"distributed.worker.profile.enabled": False, "distributed.admin.low-level-log-length": 10}
    with dask.config.set(settings), _apart(), ExitStack() as ended:
        with _interrupts_later():
            cluster = LocalCluster(
                n_workers=workers or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                memory_limit=0,
                host="127.0.0.1",
                silence_logs=50,
            )
            # before an interrupt that waited can come through
            ended.enter_context(cluster)
        yield ended.enter_context(Client(cluster))


@contextmanager
def _apart() -> Iterator[None]:
    """Keep new processes from running the caller's script again: nothing of it is needed there, and it may have no main guard."""
    main = sys.modules["__main__"]
    kept = {name: vars(main)[name] for name in ("__file__", "__spec__") if vars(main).get(name) is not None}
    try:
        for name in kept:
            setattr(main, name, None)
        yield
    finally:
        vars(main).update(kept)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let Ctrl-C wait. What is started meanwhile never sees it: the workers are ended by this process, and in order."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # multiprocessing starts this helper before the first worker, and then lets interrupts through to it
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _connected(make: Callable[..., Any], address: str) -> Iterator[Any]:
    try:
        client = make(address, timeout=f"{CONNECT_S}s")
    except (OSError, ValueError, TimeoutError) as error:
        where = one_line(address, 80)
        raise EcgError(f"no Dask scheduler answers at {where}; give an address such as tcp://host:8786") from error
    with client:
        yield client
