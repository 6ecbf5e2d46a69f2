"""The mail page shows mails as text, whatever they hold."""

from datetime import UTC, datetime

from infrastructure.local.mails import Mail, render

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_markup_in_a_mail_is_shown_and_never_run():
    page = render([Mail("<a@b.c>", "<b>Hi</b>", "<script>alert(1)</script>", NOW)]).decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page
    assert "&lt;a@b.c&gt;" in page


def test_the_newest_mail_stands_first():
    page = render([Mail("a", "older", "", NOW), Mail("a", "newer", "", NOW)]).decode()
    assert page.index("newer") < page.index("older")
    assert "Mails sent: 2" in page
