"""Who customers are, their files and their sign-ins, in memory."""

from collections.abc import Iterator, Mapping
from typing import Any

OWN_ISSUER = "https://issuer.example"


class FakePeople:
    """`People` on a dictionary; `fail_next` is raised by the next correction."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.keys: list[str] = []
        self.fail_next: list[Exception] = []

    def details(self, customer: str) -> Mapping[str, Any]:
        return self.known.get(customer, {})

    def correct(self, customer: str, changes: Mapping[str, Any], *, key: str) -> None:
        self.keys.append(key)
        if self.fail_next:
            raise self.fail_next.pop(0)
        self.known.setdefault(customer, {}).update(changes)


class FakeFiles:
    """`Files` on a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def put(self, name: str, content: bytes, *, customer: str, media_type: str) -> None:
        assert media_type
        self.kept[customer, name] = content

    def link(self, name: str, *, customer: str, seconds: int) -> str:
        assert (customer, name) in self.kept
        return f"https://files.example/{customer}/{name}?expires={seconds}"

    def sealed(self, customer: str) -> Iterator[tuple[str, str, bytes]]:
        for (owner, name), content in self.kept.items():
            kind, _, record = name.partition("/")
            if owner == customer and record:
                yield kind, record, content

    def delete(self, name: str, *, customer: str) -> int:
        return int(self.kept.pop((customer, name), None) is not None)

    def delete_all(self, customer: str) -> int:
        gone = [key for key in self.kept if key[0] == customer]
        for key in gone:
            del self.kept[key]
        return len(gone)


class FakeSignIns:
    """`SignIns` of one issuer."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.emails: dict[str, str] = {}

    def owns(self, issuer: str) -> bool:
        return issuer == OWN_ISSUER

    def delete(self, subject: str) -> None:
        self.deleted.append(subject)

    def change_email(self, subject: str, email: str) -> None:
        self.emails[subject] = email
