"""Where code could run what a file holds: told from the syntax tree, for all modules of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator

MODULES = frozenset({"pickle", "_pickle", "cPickle", "pickle5", "dill", "cloudpickle", "joblib", "shelve", "marshal"})
YAML = frozenset(f"yaml.{name}{all_}" for name in ("load", "full_load", "unsafe_load") for all_ in ("", "_all"))
# with what each loads data and nothing else
SAFE = {"torch.load": ("weights_only", True, None), "numpy.load": ("allow_pickle", False, 2)}


def unpickling(source: str) -> list[str]:
    """Everything in a module that unpickles or evaluates what it is given, as ``line: what``."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    safe = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_safe(node, names)}
    found = []
    for node in ast.walk(tree):
        found += [f"{node.lineno}: {what}" for what in _wrong(node, names, safe)]  # type: ignore[attr-defined]
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the names of a module stand for: ``np`` for numpy, ``l`` for numpy.load."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _full(node: ast.AST, names: dict[str, str]) -> str:
    """Name of what an expression stands for, with its module; empty if it is none that can be told."""
    if isinstance(node, ast.Name):
        return names.get(node.id, f"builtins.{node.id}")
    if isinstance(node, ast.Attribute):
        before = _full(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _is_safe(call: ast.Call, names: dict[str, str]) -> bool:
    """Whether a call of a loader says that it wants data only, or does not ask for more where that is the default."""
    keyword, wanted, place = SAFE.get(_full(call.func, names), ("", None, None))
    if not keyword:
        return False
    if any(each.arg is None for each in call.keywords) or any(isinstance(each, ast.Starred) for each in call.args):
        return False
    given: list[ast.expr] = [each.value for each in call.keywords if each.arg == keyword]
    given += call.args[place : place + 1] if place is not None else []
    if not given:
        return wanted is False
    return all(isinstance(each, ast.Constant) and each.value is wanted for each in given)


def _wrong(node: ast.AST, names: dict[str, str], safe: set[int]) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        parts = {part for alias in node.names for part in alias.name.split(".")}
        parts |= set((node.module or "").split(".")) if isinstance(node, ast.ImportFrom) else set()
        yield from (f"import of {part}" for part in sorted(parts & MODULES))
        names_here = {alias.name for alias in node.names}
        yield from (f"import of {name}" for name in sorted(names_here & {"read_pickle"}))
    elif isinstance(node, ast.Call):
        first = node.args[0] if node.args else None
        if _full(node.func, names) in ("builtins.__import__", "importlib.import_module") and isinstance(first, ast.Constant):
            yield from (f"import of {part}" for part in str(first.value).split(".") if part in MODULES)
        for each in node.keywords:
            if each.arg == "allow_pickle" and not (isinstance(each.value, ast.Constant) and each.value.value is False):
                yield "allow_pickle"
    elif isinstance(node, ast.Name | ast.Attribute):
        full = _full(node, names)
        if full in YAML or full in ("builtins.eval", "builtins.exec", "builtins.builtins.eval", "builtins.builtins.exec"):
            yield full.rpartition("builtins.")[2]
        elif isinstance(node, ast.Attribute) and node.attr == "read_pickle":
            yield "read_pickle"
        elif full in SAFE and id(node) not in safe:
            yield full
