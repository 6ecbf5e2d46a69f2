"""How objects are shown: lists with cursors and expanded fields."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe.errors import Refusal, missing
from infrastructure.local.stripe.sdk import (
    Expandable,
    Node,
    Nullable,
    Page,
    Reference,
    Sequence,
    Union,
)
from infrastructure.local.stripe.state import Json, Store, picture, snapshot

DEFAULT_LIMIT = 10
LIMIT_MAX = 100
DEPTH_MAX = 4  # documentation

# Fields that are there only when they are asked for (recorded).
includable: dict[tuple[str, str], Callable[[Store, Json], Json]] = {}


def page(rows: Iterable[Json], url: str, **state: Any) -> Json:
    """A list object."""
    return {"object": "list", "data": list(rows), "has_more": False, "url": url, **state}


def paged(rows: list[Json], params: Json, url: str) -> Json:
    """Cuts a page out of all rows by `limit`, `starting_after` and `ending_before`."""
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LIMIT_MAX:  # text unverified
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Invalid limit: must be between 1 and {LIMIT_MAX}",
            param="limit",
            executed=False,
        )
    places = {row["id"]: place for place, row in enumerate(rows)}
    for cursor in ("starting_after", "ending_before"):
        if cursor in params and params[cursor] not in places:
            raise missing("object", params[cursor], cursor)
    if "ending_before" in params:
        end = places[params["ending_before"]]
        start = max(0, end - limit)
        return page(rows[start:end], url, has_more=start > 0)
    start = places[params["starting_after"]] + 1 if "starting_after" in params else 0
    return page(rows[start : start + limit], url, has_more=len(rows) > start + limit)


def within(created: int | None, bounds: Any) -> bool:
    """Whether an instant fits a `created` parameter: an instant or its bounds."""
    if bounds is None or created is None:
        return True
    if isinstance(bounds, int):
        return created == bounds
    tests = {
        "gt": created.__gt__,
        "gte": created.__ge__,
        "lt": created.__lt__,
        "lte": created.__le__,
    }
    return all(tests[name](bound) for name, bound in bounds.items())


def show(store: Store, thing: Json, node: Node, paths: Iterable[str]) -> Json:
    """A copy to send, with the fields of `expand[]` filled in."""
    copy = picture(thing)
    if isinstance(node, Page):
        copy["data"] = [picture(row) for row in thing["data"]]
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH_MAX:  # `data` counts (text as reported by users)
            raise _cannot(f"You cannot expand more than {DEPTH_MAX} levels of a property.", path)
        _expand(store, copy, node, steps, path)
    return copy


def _cannot(message: str, path: str) -> Refusal:
    return Refusal(
        HTTPStatus.BAD_REQUEST, f"{message} Property: {path}", param="expand", executed=False
    )


def _expand(store: Store, value: Any, node: Node, steps: list[str], path: str) -> None:
    """Walks the value along its type, since only what the SDK calls expandable may be expanded."""
    match node:
        case Nullable(inner) | Expandable(inner):
            _expand(store, value, inner, steps, path)
        case Sequence(inner):
            for entry in value:
                _expand(store, entry, inner, steps, path)
        case Page(inner):
            if steps[0] != "data":
                raise _cannot("This property cannot be expanded.", path)
            if steps[1:]:
                _expand(store, value["data"], Sequence(inner), steps[1:], path)
        case Union(options) if isinstance(value, dict) and "object" in value:
            reference = store.sdk.object_reference(value["object"])
            if reference in options:
                _expand(store, value, reference, steps, path)
        case Reference() if isinstance(value, dict):
            _expand_field(store, value, node, steps, path)


def _expand_field(store: Store, value: Json, node: Reference, steps: list[str], path: str) -> None:
    name, rest = steps[0], steps[1:]
    field = store.sdk.record(node).get(name)
    if field is None:  # text recorded in part: real ones add a hint
        raise _cannot("This property cannot be expanded.", path)
    include = includable.get((str(value.get("object")), name))
    if include is not None and name not in value:
        value[name] = snapshot(include(store, store.get(value["object"], value["id"])))
    current = value.get(name)
    inner = field.node.inner if isinstance(field.node, Nullable) else field.node
    expandable = isinstance(inner.inner if isinstance(inner, Sequence) else inner, Expandable)
    if expandable and isinstance(current, str | list):
        value[name] = current = _filled(store, current)
    elif not rest and include is None and not expandable:
        raise _cannot("This property cannot be expanded.", path)
    if rest and current is not None:
        _expand(store, current, inner, rest, path)


def _filled(store: Store, value: Any) -> Any:
    """An identifier's object, also of each entry of a list; what is gone stays an identifier."""
    if isinstance(value, list):
        return [_filled(store, entry) for entry in value]
    found = store.deleted.get(value) or store.find(value) if isinstance(value, str) else value
    return value if found is None else picture(found)
