"""Notices of new terms: a page of those concerned each, and the next page after it."""

from shared.application.change import Change
from shared.application.effects.performer import Performer, Result
from shared.application.privacy.announce_terms import tell_page
from shared.domain.effects import Effect, EffectKind
from shared.domain.privacy_records import Announcement
from shared.ports import Services


def _tell(services: Services, effect: Effect) -> Result:
    return tell_page(services, effect.params["announcement"], effect.params["after"])


def _told(change: Change, effect: Effect, result: Result) -> None:
    name = effect.params["announcement"]
    known = change.load(Announcement, name)
    assert known is not None, "what was announced stays"
    moved = known.progressed(result["told"], result["after"], change.now)
    change.put(moved)
    if moved.finished_at is None:
        change.effect(EffectKind.TELL_OF_TERMS, {"announcement": name, "after": result["after"]})
    else:
        change.audit("terms_told", f"{moved.told} customers", announcement=name)


def _broke_off(change: Change, effect: Effect, reason: str) -> None:
    change.alert("announcement_stuck", effect.params["announcement"], reason)


PERFORMERS = {
    EffectKind.TELL_OF_TERMS: Performer(
        send=_tell, adopt=_told, reject=_broke_off, hand_over=_broke_off
    ),
}
