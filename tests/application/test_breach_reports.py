"""A breach that a customer suspects: on record, acknowledged and alarmed, once."""

from shared.application.client_keys import ClientCall
from shared.application.privacy.report_breach import report_breach
from shared.domain.privacy_records import BreachReport
from tests.application.builders import CUSTOMER, services_with_annual_plan


def test_whoever_heard_no_answer_and_reports_again_has_reported_once() -> None:
    services = services_with_annual_plan()
    call = ClientCall("POST /v1/breach-reports", "key-1", "digest")
    first = report_breach(services, customer=CUSTOMER, text="I saw another's bill", call=call)
    services.clock.advance(minutes=1)
    again = report_breach(services, customer=CUSTOMER, text="I saw another's bill", call=call)
    services.run_effects()

    assert (again.status, again.body, again.replayed) == (first.status, first.body, True)
    assert len(services.store.all_of(BreachReport, CUSTOMER)) == 1
    assert [mail["template"] for mail in services.mailer.sent] == ["breach_received"]
    alarms = [
        detail["what"] for name, detail in services.bus.published if name == "AttentionNeeded"
    ]
    assert alarms == ["breach_reported"]
