"""The code of a loaded module exchanged in place, for ``docs/mutation.py``."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any


def is_ours(module: str | None) -> bool:
    """Whether a module belongs to the project or to its tests."""
    return str(module).partition(".")[0] in ("ecgspasm", "tests")


def module_name(module: str) -> str:
    """Name of the module of a file of the package, such as ``serial/compare.py``."""
    return "ecgspasm." + module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def executed(module: str, text: str) -> dict[str, Any]:
    """What a changed text defines; raises whatever it raises at import."""
    name = module_name(module)
    live = sys.modules[name]
    fresh: dict[str, Any] = {
        "__name__": name,
        "__package__": live.__package__,
        "__file__": live.__file__,
        "__builtins__": __builtins__,
    }
    if hasattr(live, "__path__"):
        fresh["__path__"] = live.__path__
    exec(compile(text, str(live.__file__), "exec"), fresh)
    return fresh


def exchange(module: str, fresh: dict[str, Any]) -> None:
    """Put what a changed text defines into the loaded module, whose functions and classes others hold already."""
    name = module_name(module)
    live = sys.modules[name]
    for key, new in fresh.items():
        old = live.__dict__.get(key)
        if getattr(new, "__module__", None) == name and (
            isinstance(new, type) or hasattr(new, "__code__") or hasattr(new, "__wrapped__")
        ):
            _graft(old, new, name)
        elif not key.startswith("__") and " at 0x" not in repr(new) and _differs(old, new):
            for other in [each for each in sys.modules.values() if is_ours(getattr(each, "__name__", ""))]:
                if other is live or other.__dict__.get(key) is old:
                    other.__dict__[key] = new


def _differs(old: Any, new: Any) -> bool:
    """Whether two values differ; what cannot be compared is told apart by how it is printed."""
    try:
        return bool(old != new)
    except ValueError:  # arrays
        return repr(old) != repr(new)


def _graft(old: Any, new: Any, name: str) -> None:
    if isinstance(new, type):
        for key, value in vars(new).items():
            own = vars(old).get(key)
            if isinstance(value, types.FunctionType | property | classmethod | staticmethod | functools.cached_property):
                _graft(own, value, name)
            elif not key.startswith("__") and not hasattr(type(value), "__set__") and _differs(own, value):
                setattr(old, key, value)
    elif isinstance(new, property):
        _graft(old.fget, new.fget, name)
    elif isinstance(new, classmethod | staticmethod):
        _graft(old.__func__, new.__func__, name)
    elif isinstance(new, functools.cached_property):
        _graft(old.func, new.func, name)
    elif hasattr(new, "__wrapped__") and getattr(new.__wrapped__, "__module__", None) == name:
        _graft(old.__wrapped__, new.__wrapped__, name)
    elif isinstance(new, types.FunctionType) and isinstance(old, types.FunctionType):
        for before, after in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
            if not isinstance(after.cell_contents, type | types.FunctionType):
                before.cell_contents = after.cell_contents
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
