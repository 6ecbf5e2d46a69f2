"""An identifier that follows from what it is for: made again from the same, it is the same."""

import hashlib

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26


def derived_id(*parts: str) -> str:
    """An identifier in the form of the others (a ULID's), from all of the parts."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:16], "big")
    text = ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, 32)
        text = _ALPHABET[digit] + text
    return text
