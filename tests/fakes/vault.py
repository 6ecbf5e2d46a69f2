"""The vault in memory: real seals, keys that no KMS wraps."""

import json
import os
from collections.abc import Iterator
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import BrokenInvariantError, ErasedError
from shared.personal_ports import Destroyed


class FakeVault:
    """`Vault` on two dictionaries."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.ledger: dict[str, datetime] = {}

    def seal(self, content: bytes, *, customer: str, kind: str, record: str) -> bytes:
        self._refuse_the_erased(customer)
        key = self.keys.setdefault(customer, os.urandom(32))
        nonce = os.urandom(12)
        return b"\x01" + nonce + AESGCM(key).encrypt(nonce, content, _place(customer, kind, record))

    def open(self, sealed: bytes, *, customer: str, kind: str, record: str) -> bytes:
        self._refuse_the_erased(customer)
        try:
            key = AESGCM(self.keys[customer])
            return key.decrypt(sealed[1:13], sealed[13:], _place(customer, kind, record))
        except (KeyError, InvalidTag, ValueError) as error:
            raise BrokenInvariantError("not sealed for this place") from error

    def destroy(self, customer: str, *, at: datetime) -> None:
        self.keys.pop(customer, None)
        self.ledger.setdefault(customer, at)

    def destroyed(self) -> Iterator[Destroyed]:
        yield from (Destroyed(customer, at) for customer, at in self.ledger.items())

    def _refuse_the_erased(self, customer: str) -> None:
        if customer in self.ledger:
            raise ErasedError("What this customer had written is erased.")


def _place(customer: str, kind: str, of: str) -> bytes:
    return json.dumps([customer, kind, of]).encode()
