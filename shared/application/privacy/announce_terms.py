"""Tell everybody concerned of a new version of terms: paced, resumable, once each.

A run is a chain of effects, a page of Stripe's subscriptions each; whatever breaks off is taken up
at the page where it stopped, and nobody is told twice.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.domain.controls import OPERATIONS
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError
from shared.domain.privacy_records import NOTICE_TIME, Announcement, Notice
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus
from shared.ports import Services

PRIVACY_TERMS = "privacy-terms"


def announce_terms(
    services: Services,
    *,
    subject: str,
    version: str,
    wanted_from: datetime,
    summary: str,
    by: str,
) -> Announcement:
    """Begin to tell everybody with a running subscription.

    Args:
        services: the ports.
        subject: a pack's id, or ``privacy-terms``.
        version: the version to come.
        wanted_from: when it shall hold; not before a week after the last notice, whatever it says.
        summary: what changes, in plain words; it goes into the mail.
        by: who publishes.

    Raises:
        ConflictError: that version was announced before.
    """

    def decide(change: Change) -> Announcement:
        name = f"{subject}@{version}"
        if change.load(Announcement, name) is not None:
            raise ConflictError("announced-before", f"{name} was announced before.")
        begun = Announcement(
            OPERATIONS, name, subject, version, wanted_from, summary, change.now, by
        )
        change.put(begun)
        change.effect(EffectKind.TELL_OF_TERMS, {"announcement": name, "after": None})
        change.audit("terms_announced", summary, announcement=name, by=by)
        return begun

    return transact(services, OPERATIONS, by, decide)


def tell_page(services: Services, announcement: str, after: str | None) -> dict[str, Any]:
    """Tell the customers of one page of subscriptions; how many were told, and where it goes on."""
    stored = services.store.get(Announcement, OPERATIONS, announcement)
    assert stored is not None, "a page of an announcement that is stored"
    page = services.billing.page(SubscriptionFacts, since=None, after=after)
    concerned = {one.customer for one in page.rows if one.status is not SubscriptionStatus.ENDED}
    told = sum(_tell(services, customer, stored.record) for customer in sorted(concerned))
    return {"told": told, "after": page.after}


def _tell(services: Services, customer: str, announcement: Announcement) -> bool:
    def decide(change: Change) -> bool:
        if change.load(Notice, announcement.id) is not None:
            return False
        subject, version = announcement.subject, announcement.edition
        change.put(Notice(customer, announcement.id, subject, version, change.now))
        earliest = max(announcement.wanted_from, change.now + NOTICE_TIME)
        values = {
            "subject": subject,
            "version": version,
            "summary": announcement.summary,
            "from": f"{earliest:%Y-%m-%d}",
        }
        params = {"template": "terms_change", "values": values, "announcement": announcement.id}
        change.effect(EffectKind.SEND_MAIL, params)
        change.audit("told_of_terms", announcement.id)
        return True

    return transact(services, customer, "announcement", decide)


def note_sent(change: Change, announcement: str) -> None:
    """A notice went out: the customer has it from now on, and the week counts from the last one."""
    notice = change.load(Notice, announcement)
    if notice is not None:
        change.put(replace(notice, sent_at=change.now))
    known = change.load_of(OPERATIONS, Announcement, announcement)
    if known is not None and known.is_behind(change.now):
        change.put_of(OPERATIONS, known.went_on(change.now), announcement)


def progress_of(announcement: Announcement) -> dict[str, Any]:
    """How far an announcement is."""
    effective = announcement.effective_at
    return {
        "announcement": announcement.id,
        "begun_at": instant(announcement.begun_at),
        "told": announcement.told,
        "finished_at": announcement.finished_at and instant(announcement.finished_at),
        "effective_at": effective and instant(effective),
    }
