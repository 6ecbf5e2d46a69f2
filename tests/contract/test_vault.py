"""The vault: the fake that use cases are tested on seals and forgets as KMS and the table do."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.kms_vault import KEYS_HELD, KmsVault
from shared.domain.errors import BrokenInvariantError, ErasedError
from shared.personal_ports import Destroyed, Vault
from tests.fakes.vault import FakeVault

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TEXT = b"I am Ann Example, and my line was dead for a week."


class Tick:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class CountingKms:
    """KMS, with the calls counted."""

    def __init__(self, kms: Any) -> None:
        self._kms = kms
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._kms, name)


def kms_vault(stack: Any, *, environment: str = "test", **options: Any) -> KmsVault:
    return KmsVault(
        options.pop("kms", stack.aws("kms")),
        stack.aws("dynamodb"),
        table=stack.outputs["VaultTableName"],
        key=stack.outputs["VaultKeyArn"],
        environment=environment,
        **options,
    )


@pytest.fixture(params=["fake", pytest.param("kms", marks=pytest.mark.stack)])
def vault(request: pytest.FixtureRequest) -> Vault:
    return FakeVault() if request.param == "fake" else kms_vault(request.getfixturevalue("stack"))


@pytest.fixture
def ann(request: pytest.FixtureRequest) -> str:
    """A customer of this test's own."""
    return f"cus_{abs(hash(request.node.nodeid))}"


def test_what_is_sealed_opens_at_its_place(vault: Vault, ann: str) -> None:
    sealed = vault.seal(TEXT, customer=ann, kind="case_text", record="1")
    assert TEXT not in sealed
    assert len(sealed) == len(TEXT) + 29
    assert vault.open(sealed, customer=ann, kind="case_text", record="1") == TEXT


def test_the_same_content_never_seals_the_same(vault: Vault, ann: str) -> None:
    assert len({vault.seal(b"", customer=ann, kind="k", record="1") for _ in range(20)}) == 20


@pytest.mark.parametrize(("kind", "record"), [("case_text", "2"), ("evidence", "1")])
def test_a_seal_opens_at_no_other_place(vault: Vault, ann: str, kind: str, record: str) -> None:
    sealed = vault.seal(TEXT, customer=ann, kind="case_text", record="1")
    with pytest.raises(BrokenInvariantError):
        vault.open(sealed, customer=ann, kind=kind, record=record)


def test_nobody_opens_what_is_another_customers(vault: Vault, ann: str) -> None:
    sealed = vault.seal(TEXT, customer=ann, kind="case_text", record="1")
    with pytest.raises(BrokenInvariantError):
        vault.open(sealed, customer=ann + "_nobody", kind="case_text", record="1")
    vault.seal(TEXT, customer=ann + "_ben", kind="case_text", record="1")
    with pytest.raises(BrokenInvariantError):
        vault.open(sealed, customer=ann + "_ben", kind="case_text", record="1")


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: s[:20] + b"\0" + s[21:], lambda _: b""]
)
def test_damaged_content_does_not_open(vault: Vault, ann: str, spoil: Any) -> None:
    sealed = vault.seal(TEXT, customer=ann, kind="case_text", record="1")
    with pytest.raises(BrokenInvariantError):
        vault.open(spoil(sealed), customer=ann, kind="case_text", record="1")


def test_once_the_key_is_destroyed_nothing_opens_or_seals(vault: Vault, ann: str) -> None:
    sealed = vault.seal(TEXT, customer=ann, kind="case_text", record="1")
    vault.destroy(ann, at=NOW)
    vault.destroy(ann, at=NOW + timedelta(days=1))
    with pytest.raises(ErasedError):
        vault.open(sealed, customer=ann, kind="case_text", record="1")
    with pytest.raises(ErasedError):
        vault.seal(TEXT, customer=ann, kind="case_text", record="2")
    assert Destroyed(ann, NOW) in list(vault.destroyed())


def test_who_never_wrote_anything_is_destroyed_as_well(vault: Vault, ann: str) -> None:
    vault.destroy(ann, at=NOW)
    with pytest.raises(ErasedError):
        vault.seal(TEXT, customer=ann, kind="case_text", record="1")


@pytest.mark.stack
def test_another_worker_opens_what_one_has_sealed(stack: Any, ann: str) -> None:
    sealed = kms_vault(stack).seal(TEXT, customer=ann, kind="case_text", record="1")
    assert kms_vault(stack).open(sealed, customer=ann, kind="case_text", record="1") == TEXT


@pytest.mark.stack
def test_two_workers_that_make_the_first_key_at_once_share_it(stack: Any, ann: str) -> None:
    """The loser's key is thrown away before anything is sealed under it."""
    start, sealed = threading.Barrier(8), {}

    def work(number: int) -> None:
        vault = kms_vault(stack)
        start.wait()
        sealed[number] = vault.seal(TEXT, customer=ann, kind="k", record=str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = kms_vault(stack)
    opened = {fresh.open(sealed[n], customer=ann, kind="k", record=str(n)) for n in range(8)}
    assert opened == {TEXT}


@pytest.mark.stack
def test_a_warm_worker_forgets_a_destroyed_key_within_five_minutes(stack: Any, ann: str) -> None:
    tick = Tick()
    warm = kms_vault(stack, tick=tick)
    sealed = warm.seal(TEXT, customer=ann, kind="k", record="1")
    kms_vault(stack).destroy(ann, at=NOW)
    tick.seconds = 300
    with pytest.raises(ErasedError):
        warm.open(sealed, customer=ann, kind="k", record="1")


@pytest.mark.stack
def test_a_warm_worker_asks_kms_once_a_customer_and_holds_a_hundred(stack: Any, ann: str) -> None:
    kms = CountingKms(stack.aws("kms"))
    vault = kms_vault(stack, kms=kms)
    for _ in range(3):
        vault.seal(TEXT, customer=ann, kind="k", record="1")
    assert kms.calls == ["generate_data_key"]
    for number in range(KEYS_HELD):
        vault.seal(b"", customer=f"{ann}_{number}", kind="k", record="1")
    vault.seal(TEXT, customer=ann, kind="k", record="1")
    assert kms.calls[-1] == "decrypt"
    assert len(vault._held) == KEYS_HELD


@pytest.mark.stack
def test_a_wrapped_key_that_is_moved_to_another_customer_does_not_unwrap(
    stack: Any, ann: str
) -> None:
    """KMS holds it to the customer that it was made for."""
    kms_vault(stack).seal(TEXT, customer=ann, kind="k", record="1")
    table = {"TableName": stack.outputs["VaultTableName"]}
    item = stack.aws("dynamodb").get_item(**table, Key={"customer": {"S": ann}})["Item"]
    moved = item | {"customer": {"S": ann + "_ben"}}
    stack.aws("dynamodb").put_item(**table, Item=moved)
    with pytest.raises(Exception, match="InvalidCiphertext"):
        kms_vault(stack).seal(TEXT, customer=ann + "_ben", kind="k", record="1")
