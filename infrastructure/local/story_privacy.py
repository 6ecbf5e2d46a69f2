"""The story's copy of one's data: asked for, confirmed by a mailed code, loaded and checked."""

import io
import json
import re
import zipfile

import jsonschema
import requests

from infrastructure.local.story_tools import Json, Scene, Visitor, sales_of
from infrastructure.local.world import Person
from tests.verifier.arithmetic import written

CODE = re.compile(r"^[0-9A-HJKMNP-TV-Z]{8}$", re.MULTILINE)


def ask_for_a_copy(scene: Scene, person: Person) -> None:
    """Ask, confirm, load the archive by its link, and hold it against its schema and Stripe."""
    (sale,) = sales_of(person)
    scene.voice.heading(f"{sale.name} asks for a copy of what is kept of her")
    customer = Visitor(scene.stack, person.email)
    request = customer.post("/v1/privacy-requests", {"kind": "access"})
    place = f"/v1/privacy-requests/{request['id']}"
    scene.settle()
    who = f"{sale.name}: copy of the data"
    with scene.table.reading(who):
        (mail,) = (text for text in scene.mails_to(person.email) if request["id"] in text)
        customer.post(f"{place}/confirmation", {"code": CODE.findall(mail)[0]})
        scene.settle()
        shown = customer.get(place)
        scene.table.expect(who, "state of the request", "answered", shown["state"])
        document, schema = _loaded(shown["archive"]["url"])
        scene.voice.step(f"the archive waits until {shown['archive']['kept_until']}")
        faults = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
        scene.table.expect(who, "faults against its schema", 0, len(faults))
        scene.table.expect(who, "name", person.name, document["person"]["name"])
        charges = scene.stack.stripe.v1.charges.list({"customer": person.customer}).data
        back = sum(charge.amount_refunded for charge in charges)
        told = sum(one["amount"] for one in document["records"]["RefundOperation"])
        expected, observed = (written(amount, sale.currency) for amount in (back, told))
        scene.table.expect(who, "refunds in it", expected, observed)


def _loaded(url: str) -> tuple[Json, Json]:
    """What is in the archive, and the form that it says it has."""
    archive = zipfile.ZipFile(io.BytesIO(requests.get(url, timeout=30).content))
    with archive:
        return json.loads(archive.read("data.json")), json.loads(archive.read("schema.json"))
