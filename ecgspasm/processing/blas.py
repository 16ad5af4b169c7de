"""Matrix products on one thread: faster for small ones, and the same to the last bit whatever else runs.

Handing a small product to other threads costs more than the arithmetic, on a busy machine fifty times as much; and how a product
is cut up for them decides how it is rounded. BLAS has one number of threads for the whole process: whoever enters first sets it
to one, whoever leaves last sets it back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


class _Limit:
    """What was set before, and how many are within."""

    lock = threading.Lock()
    within = 0
    before: Any = None

    @classmethod
    def after_fork(cls) -> None:
        """No thread but the one that forked lives on in the child."""
        cls.lock, cls.within = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Limit.after_fork)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within this, in all threads of the process, BLAS works on one; also a decorator.

    threadpoolctl comes with scikit-learn, which neurokit2 needs; without it BLAS does as it likes.
    """
    controller = _blas()
    if controller is None:
        yield
        return
    with _Limit.lock:
        if _Limit.within == 0:
            _let_anyone_set(controller)
            _Limit.before = controller.limit(limits=1, user_api="blas")
        _Limit.within += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.within = max(_Limit.within - 1, 0)
            if _Limit.within == 0:
                _let_anyone_set(controller)
                _Limit.before.restore_original_limits()
                _let_anyone_set(controller)


def _let_anyone_set(controller: Any) -> None:
    """From 3.8 on threadpoolctl lets only the thread that set a number set the next; here the last to leave is often another."""
    for each in controller.lib_controllers:
        if hasattr(each, "clear_controlling_thread"):
            each.clear_controlling_thread(force=True)


@cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
