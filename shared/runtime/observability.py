"""One logger and one metrics sink for every function, made at their first use.

Log messages are constants; what varies stands in fields, and fields are ids, never names,
addresses or payloads: `log_form.py` lets no other out.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.domain.errors import BrokenInvariantError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


@lru_cache(maxsize=1)
def logger() -> "Logger":
    """The logger. Powertools reads the environment when it is imported, so not before."""
    from aws_lambda_powertools import Logger

    from shared.runtime.log_form import AllowList

    return Logger(logger_formatter=AllowList())


@lru_cache(maxsize=1)
def metrics() -> "Metrics":
    """The metrics sink, flushed by whoever adds to it."""
    from aws_lambda_powertools import Metrics

    return Metrics()


def measure(name: str, value: float, **dimensions: str) -> None:
    """Note a value of `name` as it stands, apart by `dimensions`."""
    from aws_lambda_powertools.metrics import MetricUnit

    sink = metrics()
    for dimension, of in dimensions.items():
        sink.add_dimension(name=dimension, value=of)
    sink.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
    sink.flush_metrics()


def count(name: str, **dimensions: str) -> None:
    """Count one of `name`, apart by `dimensions`."""
    from aws_lambda_powertools.metrics import MetricUnit

    sink = metrics()
    for dimension, value in dimensions.items():
        sink.add_dimension(name=dimension, value=value)
    sink.add_metric(name=name, unit=MetricUnit.Count, value=1)
    sink.flush_metrics()


def count_broken(error: BaseException) -> None:
    """Count an invariant that did not hold: its alarm calls a person at the first one."""
    if isinstance(error, BrokenInvariantError):
        count("BrokenInvariants", outcome="stopped")
