"""A module of ours with one bug in it, made as it is imported; the tree stays as it is."""

from __future__ import annotations

import ast
import builtins
import copy
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

ROOT = Path(__file__).resolve().parents[3]
Change = Callable[[str], ast.Module]


class StaleBugError(Exception):
    """A planted bug no longer fits the code that it was written for."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the changed source, and neither reads nor writes a cache of it."""

    def __init__(self, name: str, path: str, change: Change) -> None:
        super().__init__(name, path)
        self._change = change

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.get_filename(fullname)).read_text(encoding="utf-8")
        return compile(self._change(source), self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, change: Change) -> None:
        self._module = module
        self._change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._change)
        return spec


def plant(file: str, change: Change) -> None:
    """Let `file` (`shared/application/change.py`) be imported with the bug from now on."""
    module = file.removesuffix(".py").replace("/", ".")
    if module in sys.modules:
        raise StaleBugError(f"{module} is imported already")
    sys.meta_path.insert(0, _Finder(module, change))
    _offer_unconditional()


def patch(file: str, change: Change) -> bool:
    """Put the bug into the functions of `file` as it is imported; whether they hold all of it."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    source = (ROOT / file).read_text(encoding="utf-8")
    tree = change(source)
    if _outside(ast.parse(source)) != _outside(tree):
        return False
    codes = dict(_codes(compile(tree, str(ROOT / file), "exec")))
    for function in _functions(module):
        if function.__qualname__ in codes:
            function.__code__ = codes[function.__qualname__]
    _offer_unconditional()
    return True


def _outside(tree: ast.Module) -> str:
    """What a module holds beside the bodies of its functions."""

    class Emptier(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            node.body = [ast.Pass()]
            return node

    return ast.dump(Emptier().visit(copy.deepcopy(tree)))


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner.co_qualname, inner
            yield from _codes(inner)


def _functions(owner: ModuleType | type) -> Iterator[FunctionType]:
    """Those that a module or class has defined itself, decorated ones too."""
    module = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    for thing in list(vars(owner).values()):
        inner = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
        inner = getattr(inner, "__wrapped__", inner)
        if isinstance(inner, FunctionType) and inner.__module__ == module:
            yield inner
        elif isinstance(thing, type) and thing.__module__ == module and thing is not owner:
            yield from _functions(thing)


def _offer_unconditional() -> None:
    # Imported only now, since it imports our ports, and they what may have the bug.
    from infrastructure.proof.simulated.unconditional import Unconditional  # noqa: PLC0415

    builtins.Unconditional = Unconditional  # type: ignore[attr-defined]


def replacing(old: str, new: str) -> Change:
    """The change that puts one text in the place of another that stands there once."""

    def change(source: str) -> ast.Module:
        if source.count(old) != 1:
            raise StaleBugError(f"{source.count(old)} times in the source: {old}")
        return ast.parse(source.replace(old, new))

    return change
