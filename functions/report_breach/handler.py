"""A customer suspects that their data is in the wrong hands.

Trigger: POST /v1/breach-reports, with the customer's access token.
Idempotency: the first answer to a key is stored with the report and replayed for 24 h.
Answers: 202 with the acknowledgement, which is mailed too; the owner is alarmed.
"""

from shared.application.privacy.report_breach import report_breach
from shared.runtime import privacy_forms as forms
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import CustomerApi, Effects, Table, Vault


def report(request: Request) -> Response:
    """The report, acknowledged."""
    services = services_for(Table, Effects, Vault, CustomerApi)
    customer, call = request.customer(services), request.client_call(request.route)
    text = request.json(forms.BreachForm).text
    return answered(report_breach(services, customer=customer, text=text, call=call))


lambda_handler = api({"POST /v1/breach-reports": report})
