"""Bugs that are read off the code.

Each item of a transaction, each condition, each look-up, each part of a key, left out in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.proof.bugs.planting import ROOT, Change

APPLICATION = ROOT / "shared" / "application"
# What a decision writes beside `change.put`, by the function that does.
WRITES = {"put", "effect", "post", "mail", "publish", "audit", "alert"}
WRITERS = {
    "remember", "hand_over", "settle", "document_refunds", "document_credits", "announce_end",
    "put_back", "note_exposures", "hand_to_operation", "suspend", "lift", "end", "book_funds",
    "_book", "_count", "_hold_again", "_book_credit", "_schedule", "_end_now", "_undo",
}  # fmt: skip
LOOKS = {"look_up", "overtaken"}
LOOKERS = {"_already_ended", "replay", "may_rotate"}
KEYS = {
    "shared/domain/effects.py": {"sending"},
    "shared/application/document_return.py": {"_issue", "issue_note", "_note_name"},
    "shared/application/withdraw_cancellation.py": {"put_back"},
}


@dataclass(frozen=True, slots=True)
class Left:
    """A bug: what of `kind` stands at `number` in `file` is left out."""

    file: str
    kind: str
    number: int
    what: str

    def plant(self) -> Change:
        """The change that makes it."""

        def change(source: str) -> ast.Module:
            tree = ast.parse(source)
            leaver = _Leaver(self.kind, self.number, self.file)
            changed: ast.Module = ast.fix_missing_locations(leaver.visit(tree))
            found = leaver.passed[-1]
            assert found == self.what, f"{found} stands where {self.what} stood"
            return changed

        return change


def left_out() -> Iterator[Left]:
    """Every bug that can be read off the code."""
    files = [path.relative_to(ROOT).as_posix() for path in sorted(APPLICATION.rglob("*.py"))]
    for file in ["shared/domain/effects.py", *files]:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        for kind in ("item", "condition", "look-up", "part of a key", "consequence"):
            leaver = _Leaver(kind, None, file)
            leaver.visit(tree)
            for number, what in enumerate(leaver.passed):
                yield Left(file, kind, number, what)


class _Leaver(ast.NodeTransformer):
    """Leaves out the `number`th of a kind; `passed` says what it came by, with its function.

    The last of them is the one that it leaves out; without a number it changes nothing.
    """

    def __init__(self, kind: str, number: int | None, file: str) -> None:
        self._number = number
        self._file = file
        self._function = ""
        self.passed: list[str] = []
        self._kind = kind

    def _hit(self, node: ast.AST, more: str = "") -> bool:
        if self._number is not None and len(self.passed) > self._number:
            return False
        name = Path(self._file).stem
        what = " ".join(ast.unparse(node).split())[:140]
        self.passed.append(f"{name}.{self._function}: {what}{more}")
        return len(self.passed) - 1 == self._number

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self._function = self._function, node.name
        self.generic_visit(node)
        self._function = outer
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        written = isinstance(call, ast.Call) and _writes(call)
        if self._kind == "item" and written and self._hit(node):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        account = ast.unparse(node.targets[0]) == "change.account"
        if self._kind == "item" and account and self._hit(node):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        written = ast.unparse(node.value) in ("checks", "passed", "self._beside")
        if self._kind == "condition" and written and self._hit(node):
            return ast.Starred(ast.Tuple([], ast.Load()), ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if self._kind == "condition" and name == "Put" and self._hit(node):
            node.func = ast.Name("Unconditional", ast.Load())
            return node
        if self._kind == "condition" and name == "Go" and node.args and self._hit(node):
            return ast.Call(node.func, [], [])
        looks = name in LOOKERS or attribute in LOOKS
        if self._kind == "look-up" and looks and self._hit(node):
            return ast.Constant(name == "may_rotate" or None)
        if name == "Performer":
            self._performer(node)
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        again = "services.billing" in ast.unparse(node.values[0])
        if self._kind == "look-up" and isinstance(node.op, ast.Or) and again and self._hit(node):
            return node.values[1]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        mark = ast.unparse(node.test).startswith("change.load(EventMark")
        if self._kind == "look-up" and mark and self._hit(node.test):
            return ast.Pass()
        return self.generic_visit(node)

    def _performer(self, node: ast.Call) -> None:
        kinds = {
            "look-up": ("look_up", "may_send"),
            "consequence": ("adopt", "overtaken", "reject", "hand_over"),
        }
        for keyword in list(node.keywords):
            beside = f" as {keyword.arg} beside {ast.unparse(node.keywords[0].value)}"
            if keyword.arg in kinds.get(self._kind, ()) and self._hit(keyword.value, beside):
                node.keywords.remove(keyword)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        # What an error says is no key.
        return node if self._kind == "part of a key" else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        if self._kind == "part of a key" and self._function in KEYS.get(self._file, ()):
            for value in list(node.values):
                if isinstance(value, ast.FormattedValue) and self._hit(value):
                    node.values.remove(value)
        return self.generic_visit(node)


def _writes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute):
        owner = ast.unparse(call.func.value)
        return owner == "announce" or (owner in ("change", "self") and call.func.attr in WRITES)
    return isinstance(call.func, ast.Name) and call.func.id in WRITERS
