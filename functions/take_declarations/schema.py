"""The bodies of declarations and of their confirmations."""

from typing import Annotated

import msgspec

from shared.domain.declaration import DeclarationKind


class DeclarationForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the law lets a form ask for: a name, a contract, an address; words are free."""

    kind: DeclarationKind
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    contract: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    email: Annotated[
        str, msgspec.Meta(pattern="^[^@ \t\r\n<>,;]+@[^@ \t\r\n<>,;]+$", max_length=254)
    ]
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class ConfirmationForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The code that came by mail."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
