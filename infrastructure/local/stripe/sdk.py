"""What the pinned `stripe` package says about endpoints, parameters and objects.

The package is generated from Stripe's own specification, so its source is the schema. It is read as
syntax, never imported: a module is parsed on first use (a few milliseconds), so starting is cheap.
"""

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Scalar:
    """One of `int`, `str`, `bool`, `float`, `decimal` (a decimal written as a string), `any`."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the listed literal values.

    The SDK writes open enumerations as `Literal[...] | str`; they are taken as closed here, since
    a local server that invents a value is wrong.
    """

    values: tuple[object, ...]


@dataclass(frozen=True)
class Wrapper:
    """A type made of another one."""

    inner: "Node"


class Nullable(Wrapper):
    """The inner type, null, or absent: the SDK does not tell the last two apart."""


class Sequence(Wrapper):
    """A JSON array."""


class Table(Wrapper):
    """An object with arbitrary keys, as `metadata` is."""


class Page(Wrapper):
    """A Stripe list: `{object: "list", data, has_more, url}`."""


class Expandable(Wrapper):
    """An identifier, or the object itself once expanded."""


@dataclass(frozen=True, slots=True)
class Union:
    """Any of the alternatives."""

    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A class of the SDK by module file and dotted class name; `Sdk.record` reads its fields."""

    module: str
    name: str


Node: TypeAlias = (
    Scalar | Choice | Nullable | Sequence | Table | Page | Expandable | Union | Reference
)
ANY = Scalar("any")
SCALARS = {"int": "int", "str": "str", "bool": "bool", "float": "float", "Decimal": "decimal"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: its type, and whether it must be there."""

    node: Node
    required: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of a service class: `params` and `result` as the SDK names them."""

    method: str
    path: str
    params: Node
    result: Node


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed file: its classes by dotted name and what its imports mean."""

    path: str
    classes: Mapping[str, ast.ClassDef]
    imports: Mapping[str, tuple[str, str]]


class Sdk:
    """Reads the installed `stripe` package; every answer is cached for the process's life."""

    def __init__(self, root: Path | None = None) -> None:
        """Takes the package's folder; by default the one that `import stripe` would load."""
        if root is None:
            spec = importlib.util.find_spec("stripe")
            if spec is None or spec.origin is None:
                raise RuntimeError("the package 'stripe' is not installed in this environment")
            root = Path(spec.origin).parent
        self._root = root
        self.module = cache(self._module)
        self.record = cache(self._record)
        self.version = self._constant("_version", "VERSION")
        self.api_version = self._constant("_api_version", "CURRENT")

    def _constant(self, module: str, name: str) -> str:
        tree = ast.parse((self._root / f"{module}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=str(text))):
                    if found == name:
                        return text
        raise RuntimeError(f"the stripe package has no {name} in {module}.py")

    def _module(self, path: str) -> Module:
        tree = ast.parse((self._root / f"{path}.py").read_text(encoding="utf-8"))
        imports = {
            alias.asname or alias.name: (node.module.removeprefix("stripe."), alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe.")
            for alias in node.names
            if node.module is not None
        }
        return Module(path, dict(_classes(tree.body, "")), imports)

    def object_reference(self, kind: str) -> Reference:
        """The response class of a Stripe object's `object` value."""
        file = {"line_item": "invoice_line_item", "invoiceitem": "invoice_item"}
        folder, _, name = file.get(kind, kind).rpartition(".")
        module = self.module(f"{folder.replace('.', '/')}/_{name}".removeprefix("/"))
        for name, node in module.classes.items():
            for statement in node.body:
                match statement:
                    case ast.AnnAssign(
                        target=ast.Name(id="OBJECT_NAME"), value=ast.Constant(value=found)
                    ) if found == kind:
                        return Reference(module.path, name)
        raise KeyError(f"the stripe package declares no object named {kind}")

    def _record(self, reference: Reference) -> dict[str, Field]:
        module = self.module(reference.module)
        node = module.classes[reference.name]
        fields: dict[str, Field] = {}
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    if "ClassVar" in ast.dump(annotation) or name.startswith("_"):
                        continue
                    fields[name] = self._field(annotation, module, reference.name)
        return fields

    def _field(self, annotation: ast.expr, module: Module, scope: str) -> Field:
        match annotation:
            case ast.Subscript(value=ast.Name(id="NotRequired"), slice=inner):
                return Field(self._node(inner, module, scope, quoted=False), required=False)
        node = self._node(annotation, module, scope, quoted=False)
        return Field(node, required=not isinstance(node, Nullable))

    def _node(self, expression: ast.expr, module: Module, scope: str, *, quoted: bool) -> Node:
        match expression:
            case ast.Constant(value=str(text)):
                inner = ast.parse(text, mode="eval").body
                return self._node(inner, module, scope, quoted=True)
            case ast.Name(id=name) if name in SCALARS:
                return Scalar(SCALARS[name])
            case ast.Name(id="Any"):
                return ANY
            case ast.Name(id=name):
                return _resolve(name, module, scope, quoted=quoted)
            case ast.BinOp(op=ast.BitOr()):
                options = list(_flatten(expression))
                return self._union(options, module, scope, quoted=quoted)
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return Choice(tuple(ast.literal_eval(element) for element in elements))
            case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=options)):
                return self._union(options, module, scope, quoted=quoted)
            case ast.Subscript(value=ast.Name(id=name), slice=inner):
                if isinstance(inner, ast.Tuple):  # Dict[str, X]
                    inner = inner.elts[-1]
                return _wrap(name, self._node(inner, module, scope, quoted=quoted))
        raise TypeError(f"cannot read the type {ast.unparse(expression)} in {module.path}.py")

    def _union(self, options: list[ast.expr], module: Module, scope: str, *, quoted: bool) -> Node:
        nodes = [self._node(option, module, scope, quoted=quoted) for option in options]
        if any(isinstance(node, Choice) and node.values != ("",) for node in nodes):
            nodes = [node for node in nodes if node != Scalar("str")]
        return nodes[0] if len(nodes) == 1 else Union(tuple(nodes))

    def blank(self, reference: Reference) -> dict[str, Any]:
        """A record with nothing in it: null, empty lists and hashes, and records that are all so.

        What must have a value, as an amount or a status, is left out.
        """
        found: dict[str, Any] = {}
        for name, field in self.record(reference).items():
            match field.node:
                case _ if not field.required:
                    found[name] = None
                case Sequence():
                    found[name] = []
                case Table():
                    found[name] = {}
                case Reference() as inner:
                    inside = self.blank(inner)
                    if inside.keys() == self.record(inner).keys():
                        found[name] = inside
        return found

    def endpoints(self, services: tuple[str, ...]) -> dict[tuple[str, str], Endpoint]:
        """The endpoints of these service modules by method and path template."""
        found = {}
        for service in services:
            module = self.module(service)
            for node in module.classes.values():
                for function in node.body:
                    if isinstance(function, ast.FunctionDef):
                        for endpoint in self._endpoint(function, module):
                            found[endpoint.method, endpoint.path] = endpoint
        return found

    def _endpoint(self, function: ast.FunctionDef, module: Module) -> Iterator[Endpoint]:
        params = [arg.annotation for arg in function.args.args if arg.arg == "params"]
        for node in ast.walk(function):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="_request"),
                    args=[ast.Constant(value=str(method)), path, *_],
                ):
                    node_of = [self._node(p, module, "", quoted=False) for p in params if p]
                    params_node = node_of[0] if node_of else ANY
                    if isinstance(params_node, Nullable):
                        params_node = params_node.inner
                    result = function.returns
                    yield Endpoint(
                        method=method.upper(),
                        path=_template(path),
                        params=params_node,
                        result=self._node(result, module, "", quoted=False) if result else ANY,
                    )


def _classes(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _classes(node.body, f"{prefix}{node.name}.")


def _resolve(name: str, module: Module, scope: str, *, quoted: bool) -> Node:
    """A bare name is looked up from the inside out; a quoted one from the imports first."""
    if quoted and name in module.imports:
        return Reference(*_imported(module.imports[name]))
    while True:
        candidate = f"{scope}.{name}" if scope else name
        if candidate in module.classes:
            return Reference(module.path, candidate)
        if not scope:
            break
        scope = scope.rpartition(".")[0]
    if name in module.imports:
        return Reference(*_imported(module.imports[name]))
    raise TypeError(f"cannot resolve the type {name} in {module.path}.py")


def _imported(target: tuple[str, str]) -> tuple[str, str]:
    return target[0].replace(".", "/"), target[1]


def _flatten(expression: ast.expr) -> Iterator[ast.expr]:
    match expression:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _flatten(left)
            yield from _flatten(right)
        case _:
            yield expression


def _wrap(name: str, inner: Node) -> Node:
    match name:
        case "Optional":
            return Nullable(inner)
        case "List":
            return Sequence(inner)
        case "Dict" | "UntypedStripeObject":
            return Table(inner)
        case "ListObject" | "SearchResultObject":
            return Page(inner)
        case "ExpandableField":
            return Expandable(inner)
    raise TypeError(f"cannot read the generic type {name}")


def _template(path: ast.expr) -> str:
    match path:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)))):
            return text
    raise TypeError(f"cannot read the path {ast.unparse(path)}")
