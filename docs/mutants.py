"""Small mistakes that could stand in a module, for ``docs/mutation.py``: each is one change of its text.

Left out, because a test of them would test nothing: annotations, docstrings, the wording of messages (raised texts, f-strings and
texts with a blank in them), decorators, `assert` (it tells the type checker), imports, and type aliases.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARE = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_BINARY = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_PAIRS = (
    *(("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("fmin", "fmax"), ("any", "all"), ("ceil", "floor")),
    *(("median", "mean"), ("nanmedian", "nanmax"), ("startswith", "endswith"), ("removeprefix", "removesuffix")),
    *(("fullmatch", "match"), ("sum", "max"), ("rint", "floor"), ("lower", "upper"), ("casefold", "upper")),
)
_NAMES = dict(_PAIRS) | {other: one for one, other in reversed(_PAIRS)}
_QUANTIFIER = re.compile(r"\{(\d*),?(\d+)\}")
_LONG, _SHOWN = 60, 16
_REPEAT = re.compile(r"(?<=[\])dsS])[+*]")


@dataclass(frozen=True)
class Mutant:
    """One change: the text from `start` to `end` becomes `new`."""

    module: str
    function: str
    """Qualified name, or empty for what stands outside of functions."""
    lines: range
    """Lines of the statement, of which a test must run one to notice anything."""
    start: int
    end: int
    old: str
    new: str

    @property
    def change(self) -> str:
        return f"{_short(self.old)} -> {_short(self.new)}"

    def apply(self, text: str) -> str:
        raw = text.encode()
        return (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()


def mutants(text: str, module: str) -> Iterator[Mutant]:
    """All mutants of the text of a module that still compile, in the order of the text."""
    tree = ast.parse(text)
    lengths = [0]
    for line in text.encode().splitlines(keepends=True):
        lengths.append(lengths[-1] + len(line))
    raw = text.encode()
    seen: set[tuple[int, int, str]] = set()
    for node, function, lines, silent in _walk(tree):
        start, end = lengths[node.lineno - 1] + node.col_offset, lengths[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        old = raw[start:end].decode()
        for new in _changes(node, old, silent, inside=bool(function)):
            if new != old and (start, end, new) not in seen:
                seen.add((start, end, new))
                before, after = _alike(old, new)
                yield Mutant(
                    module,
                    function,
                    lines,
                    start + len(old[:before].encode()),
                    end - len(old[len(old) - after :].encode()),
                    old[before : len(old) - after],
                    new[before : len(new) - after],
                )


def _walk(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str, range, bool]]:
    """Nodes that may be changed, with their function, the lines of their statement, and whether their texts are wording."""

    def visit(node: ast.AST, function: str, lines: range, silent: bool, name: str) -> Iterator[tuple[ast.AST, str, range, bool]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}".lstrip(".")
            inner = name if isinstance(node, ast.FunctionDef) else function
            if isinstance(node, ast.FunctionDef):
                for default in (*node.args.defaults, *node.args.kw_defaults):
                    if default is not None:
                        yield from visit(default, inner, range(node.body[0].lineno, (node.end_lineno or 0) + 1), silent, name)
            for child in node.body:
                yield from visit(child, inner, lines, silent, name)
            return
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.JoinedStr) or _no_code(node):
            return
        if isinstance(node, ast.stmt):
            own = _head(node)
            lines = range(node.lineno, (own.end_lineno if own is not None else node.lineno) + 1)
            silent = silent or isinstance(node, ast.Raise)
        if isinstance(node, ast.expr | ast.stmt):
            yield node, function, lines, silent
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from visit(child, function, lines, silent, name)

    for top in tree.body:
        for node, function, lines, silent in visit(top, "", range(0), False, ""):
            if isinstance(node, ast.expr | ast.stmt):
                yield node, function, lines, silent


def _head(node: ast.stmt) -> ast.AST:
    """The part of a statement that runs at its own lines: of a block only its condition."""
    for field in ("test", "iter"):
        if isinstance(node, ast.If | ast.While | ast.For) and hasattr(node, field):
            return getattr(node, field)
    return node if not hasattr(node, "body") else ast.Constant(None, lineno=node.lineno, end_lineno=node.lineno)


def _no_code(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"


def _changes(node: ast.expr | ast.stmt, old: str, silent: bool, *, inside: bool) -> Iterator[str]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=parts):
            for at, op in enumerate(ops):
                for other in _COMPARE[type(op)]:
                    yield f"({ast.unparse(ast.Compare(left, [*ops[:at], other(), *ops[at + 1 :]], parts))})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY and (inside or not isinstance(op, ast.BitOr)):
            if not (isinstance(op, ast.BitOr) and _is_type(left)):
                yield f"({ast.unparse(ast.BinOp(left, _BINARY[type(op)](), right))})"
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _BINARY:
            yield ast.unparse(ast.AugAssign(target, _BINARY[type(op)](), value))
        case ast.BoolOp(op=op, values=values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"({ast.unparse(ast.BoolOp(other, values))})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=value):
            yield from _constants(value, old, silent)
        case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield "return None"
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield "pass"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"
        case ast.Name(id=name) if name in _NAMES and inside:
            yield _NAMES[name]
        case ast.Attribute(attr=name) if name in _NAMES:
            yield old.removesuffix(name) + _NAMES[name]
    yield from _negated(node, old)


def _negated(node: ast.expr | ast.stmt, old: str) -> Iterator[str]:
    """The condition of a block or of a choice turned round, unless another change does it already."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        if isinstance(node.test, ast.Compare | ast.UnaryOp):
            return
        turned = ast.unparse(ast.UnaryOp(ast.Not(), node.test))
        condition = ast.unparse(node.test)
        if old.count(condition) and isinstance(node, ast.IfExp):
            yield f"({ast.unparse(ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse))})"
        elif condition in old.partition("\n")[0]:
            yield old.replace(condition, turned, 1)


def _constants(value: object, old: str, silent: bool) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
    elif isinstance(value, float):
        yield repr(value * 1.25 if value else 1.0)
    elif isinstance(value, bytes):
        yield repr(value + b"X")
    elif isinstance(value, str) and _looks_like_grammar(value):
        for found in _QUANTIFIER.finditer(old):
            more = str(int(found[2]) + 1)
            yield old[: found.start(2)] + more + old[found.end(2) :]
        for found in _REPEAT.finditer(old):
            yield old[: found.start()] + {"+": "*", "*": "+"}[found[0]] + old[found.end() :]
    elif isinstance(value, str) and not silent and not re.search(r"\s", value):
        yield repr(value + "X")


def _looks_like_grammar(value: str) -> bool:
    return "\\" in value and bool(_QUANTIFIER.search(value) or _REPEAT.search(value))


def _is_type(node: ast.expr) -> bool:
    """Whether the left side of ``|`` is a type, as in ``isinstance(x, int | str)``."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return (isinstance(node, ast.BinOp) and _is_type(node.left)) or name in ("int", "str", "bytes", "float") or name[:1].isupper()


def _alike(old: str, new: str) -> tuple[int, int]:
    """How much of both ends of a long text stays as it is, but for a few characters that show where the change lies."""
    if len(old) <= _LONG:
        return 0, 0
    shorter = min(len(old), len(new))
    before = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    after = next((at for at in range(shorter - before) if old[-1 - at] != new[-1 - at]), shorter - before)
    return max(before - _SHOWN, 0), max(after - _SHOWN, 0)


def _short(text: str) -> str:
    return " ".join(text.split())
