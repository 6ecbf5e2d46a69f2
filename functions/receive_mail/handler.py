"""Mails in: one that asks for a refund in the policy's form opens a case; others are answered.

Trigger: SES's receipt rule, once the message lies in the bucket.
Idempotency: case, evidence and answer carry SES's id of the message; a second delivery finds them.
Outcomes: counted in `InboundMails`; a failure is tried twice more, the message stays for a week.
"""

from shared.application.intake.receive_mail import receive_mail
from shared.domain.mail_verdict import MailReceipt
from shared.runtime.bootstrap import services_for
from shared.runtime.mail_events import mails
from shared.runtime.settings import Effects, Inbox, Stripe, Table, Uploads, Vault


def receive(receipt: MailReceipt) -> str:
    """One message."""
    services = services_for(Table, Effects, Stripe, Vault, Uploads, Inbox)
    own_address = services.settings.get(Inbox).own_address
    return receive_mail(services, receipt, own_address=own_address)


lambda_handler = mails("InboundMails", receive)
