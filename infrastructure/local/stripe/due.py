"""What the clock brings: tasks register here and run at the instant at which they were due."""

from collections.abc import Callable
from typing import TypeAlias

from infrastructure.local.stripe.state import Store

Task: TypeAlias = Callable[[Store, str], None]

_tasks: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Registers `task(store, subject)`; it must check that there is still something to do."""

    def register(function: Task) -> Task:
        _tasks[name] = function
        return function

    return register


def run_due(store: Store, until: float) -> None:
    """Runs, in the order of their instants, all tasks due at or before `until`."""
    while (due := store.next_due(until)) is not None:
        with store.clock.at(due.at):
            _tasks[due.task](store, due.subject)
