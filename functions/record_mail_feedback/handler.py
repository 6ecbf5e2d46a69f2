"""What SES tells of mails that bounced or were complained of: on record, and a person hears of it.

Trigger: the queue of mail feedback, filled by the two rules on SES's events; a message holds SES's
words and our own tags, and no address.
Idempotency: one record a mail; the same feedback again changes nothing.
Outcomes: counted in `MailFeedback`.
"""

from shared.application.record_mail_trouble import record_mail_trouble
from shared.runtime.bootstrap import services_for
from shared.runtime.mail_feedback import feedback_of
from shared.runtime.settings import Effects, Table
from shared.runtime.sqs import Message, consumer


def record(message: Message) -> str:
    """What came back of one mail."""
    return record_mail_trouble(services_for(Table, Effects), feedback_of(message))


lambda_handler = consumer("MailFeedback", record)
