"""The vault: content sealed with AES-256-GCM under one data key a customer, wrapped by KMS.

The wrapped keys stand in a table of their own that is never backed up, so that a destroyed key is
destroyed for good: what was sealed under it stays unreadable in every copy and every backup. What
remains of it, a destroyed key's item, is the ledger of erasures.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.adapters.aws_errors import translated
from shared.domain.errors import BrokenInvariantError, ErasedError
from shared.personal_ports import Destroyed

# A destroyed key lives on in a warm worker for this long at the most.
KEY_LIFETIME = timedelta(minutes=5)
KEYS_HELD = 100

_DESTROY = "SET destroyed_at = if_not_exists(destroyed_at, :at) REMOVE data_key"
_FORM = b"\x01"
_NONCE = 12  # 96 random bits: 2^32 seals under one key before a repeat is likelier than 2^-32


class KmsVault:
    """`shared.personal_ports.Vault` on KMS and a table with the key `customer`."""

    def __init__(
        self,
        kms: Any,
        dynamodb: Any,
        *,
        table: str,
        key: str,
        environment: str,
        tick: Callable[[], float] = monotonic,
    ) -> None:
        self._kms = kms
        self._dynamodb = dynamodb
        self._table = table
        self._key = key
        self._environment = environment
        self._tick = tick
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def seal(self, content: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """See `Vault.seal`."""
        key = self._data_key(customer) or self._new_data_key(customer)
        nonce = os.urandom(_NONCE)
        place = self._place(customer, kind, record)
        return _FORM + nonce + AESGCM(key).encrypt(nonce, content, place)

    def open(self, sealed: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """See `Vault.open`."""
        key = self._data_key(customer)
        if key is None:
            raise BrokenInvariantError(f"content of {customer}, who has never had a data key")
        if sealed[:1] != _FORM:
            raise BrokenInvariantError(f"{kind} {record} is sealed in no form that is known")
        nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return AESGCM(key).decrypt(nonce, rest, self._place(customer, kind, record))
        except (InvalidTag, ValueError) as error:
            raise BrokenInvariantError(
                f"{kind} {record} is damaged, or was sealed for another"
            ) from error

    def destroy(self, customer: str, *, at: datetime) -> None:
        """See `Vault.destroy`."""
        self._held.pop(customer, None)
        with translated("vault"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"customer": {"S": customer}},
                UpdateExpression=_DESTROY,
                ExpressionAttributeValues={":at": {"S": at.isoformat()}},
            )

    def destroyed(self) -> Iterator[Destroyed]:
        """See `Vault.destroyed`."""
        start: dict[str, Any] = {}
        while True:
            with translated("vault"):
                answer = self._dynamodb.scan(
                    TableName=self._table,
                    FilterExpression="attribute_exists(destroyed_at)",
                    ConsistentRead=True,
                    **start,
                )
            for item in answer["Items"]:
                at = datetime.fromisoformat(item["destroyed_at"]["S"])
                yield Destroyed(item["customer"]["S"], at)
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _place(self, customer: str, kind: str, of: str) -> bytes:
        """What the seal is bound to: content that is moved to another place does not open."""
        return json.dumps([self._environment, customer, kind, of]).encode()

    def _context(self, customer: str) -> dict[str, str]:
        return {"environment": self._environment, "customer": customer}

    def _data_key(self, customer: str) -> bytes | None:
        """The customer's data key, None if there has never been one."""
        since, key = self._held.get(customer, (0.0, None))
        if key is not None and self._tick() - since < KEY_LIFETIME.total_seconds():
            self._held.move_to_end(customer)
            return key
        self._held.pop(customer, None)
        with translated("vault"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key={"customer": {"S": customer}}, ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        if "data_key" not in answer["Item"]:
            raise ErasedError("What this customer had written is erased.")
        with translated("vault key"):
            opened = self._kms.decrypt(
                KeyId=self._key,
                CiphertextBlob=answer["Item"]["data_key"]["B"],
                EncryptionContext=self._context(customer),
            )
        return self._hold(customer, opened["Plaintext"])

    def _new_data_key(self, customer: str) -> bytes:
        """The customer's first data key; of two made at once the one that is stored counts."""
        with translated("vault key"):
            made = self._kms.generate_data_key(
                KeyId=self._key, KeySpec="AES_256", EncryptionContext=self._context(customer)
            )
        item = {"customer": {"S": customer}, "data_key": {"B": made["CiphertextBlob"]}}
        try:
            with translated("vault"):
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(customer)",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            stored = self._data_key(customer)
            assert stored is not None, "what stands in the way of a key is a key"
            return stored
        return self._hold(customer, made["Plaintext"])

    def _hold(self, customer: str, key: bytes) -> bytes:
        self._held[customer] = (self._tick(), key)
        while len(self._held) > KEYS_HELD:
            self._held.popitem(last=False)
        return key
