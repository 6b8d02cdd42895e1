"""Every place where the order path can die: before and after each await, and each write to the disk, and in it.

`instrument` rewrites modules while they are imported; nothing of it is in the product. A point is named by module,
function and its number in there, so that the list only changes when the code does.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

WRITES = frozenset(
    {"intend", "settle", "keep_baseline", "keep_quarantine", "commit", "commit_intents", "record_evidence"})
"""Methods after which something is durable."""
TRANSACTION = "write"
"""Method that opens a transaction for a `with`: what is in it is durable when the block has ended, or not at all."""
HOOK = "__at_point__"
Visit = Callable[[str], None]


class Points:
    """The list of points, and whoever wants to know that one is passed."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.visit: Visit = lambda _: None

    def at(self, name: str, value: Any = None) -> Any:
        """Pass a point; returns `value` so that it fits into an expression."""
        self.visit(name)
        return value


class _Marker(ast.NodeTransformer):
    """Puts a call of the hook round each await and each durable write."""

    def __init__(self, module: str, names: list[str]) -> None:
        self._module, self._names = module, names
        self._where: list[str] = []
        self._n: dict[str, int] = {}

    def _scope(self, node: Any) -> Any:
        self._where.append(node.name)
        self.generic_visit(node)
        self._where.pop()
        return node

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _scope  # noqa: N815 (the names are ast's)

    def _named(self, kind: str) -> tuple[str, str]:
        place = f"{self._module}:{'.'.join(self._where)}"
        number = self._n[place] = self._n.get(place, 0) + 1
        pair = f"{place}#{number} {kind} <", f"{place}#{number} {kind} >"
        self._names.extend(pair)
        return pair

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """Mark an await: `<` with the awaited thing made but not run, `>` with its result at hand."""
        before, after = self._named("await")
        self.generic_visit(node)
        return _call(after, ast.Await(value=_call(before, node.value)))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Mark the moment at which the next item is at hand."""
        before, after = self._named("next")
        self._names.remove(before)
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_call(after, ast.Constant(None))))
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        """Mark a transaction: `<` in it before its own first row, `>` with all of its rows, and not committed yet."""
        if not any(_opens(item.context_expr) for item in node.items):
            return self.generic_visit(node)
        before, after = self._named(TRANSACTION)
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_call(before, ast.Constant(None))))
        node.body.append(ast.Expr(_call(after, ast.Constant(None))))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Mark a durable write: `<` with its arguments made, `>` once it is on the disk."""
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in WRITES):
            self.generic_visit(node)
            return node
        before, after = self._named(node.func.attr)
        self.generic_visit(node)
        node.func = _call(before, node.func)  # type: ignore[assignment]
        return _call(after, node)


def _opens(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == TRANSACTION


def _call(name: str, value: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Name(id=HOOK, ctx=ast.Load()), args=[ast.Constant(name), value], keywords=[])


class _Loader(importlib.abc.SourceLoader):
    def __init__(self, name: str, path: str, points: Points) -> None:
        self._name, self._path, self._points = name, path, points

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def source_to_code(self, data: Any, path: Any, **_: Any) -> Any:  # type: ignore[override]
        tree = _Marker(self._name, self._points.names).visit(ast.parse(data))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> Any:
        """Compile from source always: a cached file would not be marked."""
        return self.source_to_code(self.get_data(self._path), self._path)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, HOOK, self._points.at)
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, wanted: frozenset[str], points: Points) -> None:
        self._wanted, self._points = wanted, points

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        if name not in self._wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin:
            spec.loader = _Loader(name, spec.origin, self._points)
        return spec


def instrument(modules: Iterable[str]) -> Points:
    """Mark modules from their next import on.

    Raises
    ------
    RuntimeError
        One of them is imported already.
    """
    wanted = frozenset(modules)
    early = sorted(wanted & set(sys.modules))
    if early:
        raise RuntimeError(f"{', '.join(early)}: imported before it could be marked")
    points = Points()
    sys.meta_path.insert(0, _Finder(wanted, points))
    return points
