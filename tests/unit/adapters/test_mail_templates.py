"""Every mail to a customer exists in every language, with the same values in it."""

from pathlib import Path
from string import Template

import pytest

from shared.adapters import ses_mailer
from shared.adapters.ses_mailer import render
from shared.application.privacy import words

MAILS = Path(ses_mailer.__file__).parent.parent / "mails"
LANGUAGES = sorted(folder.name for folder in MAILS.iterdir() if folder.is_dir())
# The staff's address has no language.
TEMPLATES = sorted(
    path.stem for path in (MAILS / "en").glob("*.txt") if not path.stem.startswith("staff_")
)


def test_there_is_more_than_one_language() -> None:
    assert LANGUAGES == ["de", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_is_missing_and_none_stands_alone(language: str) -> None:
    found = {path.stem for path in (MAILS / language).glob("*.txt")}
    assert {name for name in found if not name.startswith("staff_")} == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_has_the_same_values_in_every_language(template: str) -> None:
    fields = {
        language: set(Template(_text(language, template)).get_identifiers())
        for language in LANGUAGES
    }
    assert all(names == fields["en"] for names in fields.values()), fields
    subjects = {_text(language, template).splitlines()[0] for language in LANGUAGES}
    assert len(subjects) == len(LANGUAGES)
    assert all(subject.startswith("Subject: ") for subject in subjects)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_is_written_as_text_and_as_html_in_its_own_language(
    language: str, template: str
) -> None:
    names = Template(_text(language, template)).get_identifiers()
    mail = render(template, {name: f"<{name}> & = " for name in names}, f"{language}-XX")
    assert mail.language == language
    assert "$" not in mail.subject + mail.text
    assert f'<html lang="{language}">' in mail.html
    assert not any(f"<{name}>" in mail.html for name in names)


def test_what_is_said_of_personal_data_is_said_in_both_languages() -> None:
    for english, german in (
        (words.DONE, words.DONE_GERMAN),
        (words.KEPT, words.KEPT_GERMAN),
        (words.BECAUSE, words.BECAUSE_GERMAN),
    ):
        assert set(english) == set(german)
        said = words.sentences("done", english, (english, german))
        values = {"request": "r", "kept": "-", "kept@de": "-"} | said
        assert render("privacy_answered", values, "de").text.count("\n- ") == len(german)


def _text(language: str, template: str) -> str:
    return (MAILS / language / f"{template}.txt").read_text("utf-8")
