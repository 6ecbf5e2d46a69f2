"""Delete a file whose term is over, with all its versions; a legal hold keeps it."""

from datetime import timedelta

from shared.application.change import Change, transact
from shared.domain.effects import EffectKind
from shared.domain.privacy import PrivacyChoices
from shared.domain.upload import Upload
from shared.ports import Services

# While a hold stands it is looked at again every day.
_LOOK_AGAIN = timedelta(days=1)


def expire_upload(services: Services, *, customer: str, upload: str) -> str:
    """Delete the file if its term is over; what came of it as a word for the metrics."""

    def decide(change: Change) -> str:
        known = change.load(Upload, upload)
        if known is None or known.due_at is None or known.due_at > change.now:
            return "nothing_to_do"
        choices = change.load(PrivacyChoices)
        if choices is not None and choices.holds:
            change.put(known.kept_until(change.now + _LOOK_AGAIN))
            return "upload_held"
        change.put(known.expired())
        change.effect(EffectKind.DELETE_FILE, {"file": known.sealed_name, "upload": known.id})
        change.audit("upload_expired", known.kind, upload=known.id)
        return "upload_expired"

    return transact(services, customer, "due_work", decide)
