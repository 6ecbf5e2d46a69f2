"""What was done, what was kept and why, in the words that go to the person."""

from collections.abc import Iterable, Mapping

from shared.domain.privacy import Deferral, RequestKind

# Codes with their sentences, in English and in German.
Spoken = tuple[Mapping[str, str], Mapping[str, str]]
DONE: Mapping[str, str] = {
    "export_ready": "An archive with all your data waits for you under your request, for a week.",
    "corrected_at_stripe": "Your details were put right at our payment processor, Stripe.",
    "corrected_sign_in": "Your sign-in goes by the new mail address.",
    "restricted": "Your data is only kept, and used where the law or an open contract demands it.",
    "restriction_lifted": "The restriction is lifted.",
    "objected": "You get no mails any more that no duty asks for.",
    "objection_lifted": "You may get optional mails again.",
    "data_key_destroyed": "What you wrote and sent was made unreadable for good, in backups too.",
    "files_deleted": "Your files were deleted, with all earlier versions.",
    "sign_ins_deleted": "Your sign-ins were deleted.",
    "records_emptied": "What told who you are was taken out of our records.",
}
KEPT: Mapping[str, str] = {
    "books": "Payments, refunds and the decisions on them stay ten years, without your name, "
    "because commercial and tax law demand it.",
    "stripe": "Our payment processor keeps what the law asks of it; its copy of your name and "
    "address is redacted by us there.",
    "restricted_duties": "Duties of law and the running contract go on.",
    "required_mails": "Mails about money, deadlines and your rights still come.",
    "other_sign_ins": "A sign-in at another provider is deleted there by a person.",
    "earlier_records": "Documents issued before stay as they were issued.",
}
BECAUSE: Mapping[str, str] = {
    Deferral.LEGAL_HOLD: "a legal matter obliges us to keep everything",
    Deferral.OPEN_DISPUTE: "a dispute at a bank is open",
    Deferral.OPEN_CASE: "a case of yours is open",
    Deferral.UNPAID_BALANCE: "an amount is unpaid",
    Deferral.RUNNING_SUBSCRIPTION: "a subscription is running; cancel it first",
    Deferral.MONEY_UNDER_WAY: "money is on its way to you",
}

DONE_GERMAN: Mapping[str, str] = {
    "export_ready": "Ein Archiv mit allen Ihren Daten liegt eine Woche lang bei Ihrem Antrag.",
    "corrected_at_stripe": "Ihre Angaben wurden bei unserem Zahlungsdienstleister Stripe "
    "berichtigt.",
    "corrected_sign_in": "Ihre Anmeldung läuft jetzt unter der neuen E-Mail-Adresse.",
    "restricted": "Ihre Daten werden nur noch aufbewahrt und nur genutzt, wo das Gesetz oder ein "
    "laufender Vertrag es verlangt.",
    "restriction_lifted": "Die Einschränkung ist aufgehoben.",
    "objected": "Sie bekommen keine E-Mails mehr, zu denen uns nichts verpflichtet.",
    "objection_lifted": "Sie können wieder freiwillige E-Mails bekommen.",
    "data_key_destroyed": "Was Sie geschrieben und gesendet haben, ist endgültig unlesbar, auch "
    "in Sicherungen.",
    "files_deleted": "Ihre Dateien wurden gelöscht, mit allen früheren Fassungen.",
    "sign_ins_deleted": "Ihre Anmeldungen wurden gelöscht.",
    "records_emptied": "Was verriet, wer Sie sind, wurde aus unseren Aufzeichnungen entfernt.",
}
KEPT_GERMAN: Mapping[str, str] = {
    "books": "Zahlungen, Erstattungen und die Entscheidungen darüber bleiben zehn Jahre, ohne "
    "Ihren Namen, weil Handels- und Steuerrecht es verlangen.",
    "stripe": "Unser Zahlungsdienstleister behält, was das Gesetz von ihm verlangt; Ihren Namen "
    "und Ihre Adresse lassen wir dort schwärzen.",
    "restricted_duties": "Gesetzliche Pflichten und der laufende Vertrag gehen weiter.",
    "required_mails": "E-Mails über Geld, Fristen und Ihre Rechte kommen weiterhin.",
    "other_sign_ins": "Eine Anmeldung bei einem anderen Anbieter löscht dort ein Mensch.",
    "earlier_records": "Früher ausgestellte Belege bleiben, wie sie ausgestellt wurden.",
}
BECAUSE_GERMAN: Mapping[str, str] = {
    Deferral.LEGAL_HOLD: "eine Rechtssache verpflichtet uns, alles aufzubewahren",
    Deferral.OPEN_DISPUTE: "bei einer Bank ist eine Beanstandung offen",
    Deferral.OPEN_CASE: "ein Antrag von Ihnen ist offen",
    Deferral.UNPAID_BALANCE: "ein Betrag ist unbezahlt",
    Deferral.RUNNING_SUBSCRIPTION: "ein Abonnement läuft noch; kündigen Sie es zuerst",
    Deferral.MONEY_UNDER_WAY: "Geld ist auf dem Weg zu Ihnen",
}
KIND_GERMAN: Mapping[str, str] = {
    RequestKind.ACCESS: "Auskunft",
    RequestKind.RECTIFICATION: "Berichtigung",
    RequestKind.ERASURE: "Löschung",
    RequestKind.RESTRICTION: "Einschränkung",
    RequestKind.OBJECTION: "Widerspruch",
}


def sentences(name: str, codes: Iterable[str], said: Spoken) -> dict[str, str]:
    """The sentences of some codes, a line each: the value `name` of a mail, and in German."""
    known = list(codes)
    english, german = ("\n".join(f"- {words[code]}" for code in known) for words in said)
    return {name: english or "- nothing", f"{name}@de": german or "- nichts"}
