"""What a failed AWS call means to us."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.errors import OutcomeUnknownError, UnavailableError

_SERVER_ERROR = 500
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors for a failure that passes; anything else stays what it is."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in _THROTTLED:
            raise UnavailableError(f"{what}: {code}") from error
        if status >= _SERVER_ERROR:
            raise OutcomeUnknownError(f"{what}: {code}") from error
        raise
    except BotoCoreError as error:
        raise OutcomeUnknownError(f"{what}: {type(error).__name__}") from error
