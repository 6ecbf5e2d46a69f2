"""Test clocks as Stripe's API has them, over the one clock of this server.

At Stripe each test clock has its own time for its own customers; here there is one time for all.
"""

from infrastructure.local.stripe.due import run_due
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Cause, Json, Store, snapshot

URL = "/v1/test_helpers/test_clocks"
KIND = "test_helpers.test_clock"
KEPT_SECONDS = 30 * 24 * 3600  # test clocks are deleted after 30 days (documentation)


@endpoint("POST", URL, "frozen_time name")
def create_test_clock(store: Store, params: Json) -> Json:
    """The clock moves to `frozen_time` when that lies ahead."""
    clock = store.add(
        KIND,
        deletes_after=store.now() + KEPT_SECONDS,
        frozen_time=params["frozen_time"],
        name=params.get("name"),
        status="ready",
        status_details={},
    )
    store.emit(f"{KIND}.created", clock)
    _move(store, params["frozen_time"])
    return clock


@endpoint("POST", URL + "/{id}/advance", "frozen_time")
def advance_test_clock(store: Store, params: Json, identifier: str) -> Json:
    """Answers `advancing`; here all is done, and `ready`, by the time of the answer."""
    clock = store.get(KIND, identifier, "test_clock")
    target = params["frozen_time"]
    if target <= clock["frozen_time"]:  # text unverified
        raise invalid(
            "The frozen_time must be after the test clock's current frozen_time.",
            param="frozen_time",
        )
    clock |= {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    store.emit(f"{KIND}.advancing", clock)
    answer: Json = snapshot(clock)
    _move(store, target)
    clock |= {"frozen_time": target, "status": "ready", "status_details": {}}
    store.emit(f"{KIND}.ready", clock)
    return answer


def _move(store: Store, instant: int) -> None:
    """What is due on the way has no request as its cause."""
    cause, store.cause = store.cause, Cause()
    run_due(store, instant)
    store.clock.move_to(instant)
    store.cause = cause


@endpoint("DELETE", URL + "/{id}")
def delete_test_clock(store: Store, _params: Json, identifier: str) -> Json:
    """Its customers stay here; at Stripe they go with it (documentation)."""
    clock = store.get(KIND, identifier, "test_clock")
    store.emit(f"{KIND}.deleted", clock)
    return store.drop(clock)
