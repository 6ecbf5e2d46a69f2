"""Answers to somebody who is no customer here (yet): what is personal is sealed in the effect."""

import base64
import json
from collections.abc import Mapping

from shared.application.change import Change
from shared.domain.effects import Effect, EffectKind
from shared.ports import Services

_KIND = "answer"


def answer(change: Change, address: str, template: str, values: Mapping[str, str]) -> None:
    """A mail to `address`, once the change is committed."""
    place = change.services.ids.new()
    content = json.dumps({"address": address, "values": dict(values)}).encode()
    sealed = change.services.vault.seal(content, customer=change.customer, kind=_KIND, record=place)
    to = {"place": place, "sealed": base64.b64encode(sealed).decode()}
    change.effect(EffectKind.SEND_MAIL, {"template": template, "values": {}, "to": to})


def open_answer(services: Services, effect: Effect) -> tuple[str, dict[str, str]]:
    """The address that an answer goes to, and what stands in it.

    Raises:
        ErasedError: it was erased.
    """
    to = effect.params["to"]
    sealed = base64.b64decode(to["sealed"])
    opened = services.vault.open(sealed, customer=effect.customer, kind=_KIND, record=to["place"])
    content = json.loads(opened)
    return content["address"], content["values"]
