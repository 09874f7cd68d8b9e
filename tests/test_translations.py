"""Every language of the settings is complete, compiled, and reaches the pages."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from annotations.consent import ensure_documents
from annotations.models import ConsentDocument
from collector.models import Campaign
from tests.builders import make_open_campaign
from tests.catalogue import LANGUAGES, marked_words, mo_file, placeholders, plural_form, po_file
from tests.people import Person

# What the campaign itself says; it is shown as it was written.
CONTENT = re.compile(r"What do you think of question \d+\?|A considered answer\.|Is it \w+\?")
ENGLISH = re.compile(r"[A-Za-z']+(?:[ ,]+[A-Za-z']+){2,}")


class Words(HTMLParser):
    """The texts of a page that a person reads or hears."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        self.found += [
            value or ""
            for name, value in attrs
            if name in ("aria-label", "title", "placeholder", "alt") or name.startswith("data-words")
        ]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)

    @property
    def english(self) -> list[str]:
        return [text for text in self.found if ENGLISH.search(CONTENT.sub("", text))]


@pytest.fixture
def campaign(db, settings) -> Campaign:
    settings.RATELIMIT_ENABLE = False  # Many people come from one address here.
    campaign = make_open_campaign(
        title="Empanel", prompts=2, strata=[], wildcard_seats=2, languages=["en", "es", "de", "ar"]
    )
    ConsentDocument.objects.filter(campaign=campaign).delete()
    ensure_documents(campaign)
    return campaign


def pages(campaign: Campaign, language: str) -> dict[str, str]:
    """What one person of a language sees, from the consent form to the end."""
    person = Person(campaign, accept_language=language)
    seen = {"consent": person.join().text, "unticked": person.agree([]).text}
    seen["profile"] = person.join().agree().text
    seen["rate"] = person.profile({"languages": ["en", language]}).text
    seen["unanswered"] = person.send({"form_nonce": person.nonce}).text
    person.rate(acceptable=4, helpful=70)
    while person.is_rating:
        person.rate(acceptable=4, helpful=70)
    seen["done"] = person.text
    seen["my data"] = person.client.get("/my-data/").content.decode()
    seen["withdraw"] = person.get("withdraw/").text
    seen["withdrawn"] = person.withdraw().text
    seen["afterwards"] = person.join().text
    return seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    unfinished = [entry.msgid for entry in po_file(language) if not entry.translated() or entry.fuzzy]

    assert unfinished == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_was_removed_is_kept(language: str) -> None:
    assert po_file(language).obsolete_entries() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_the_same(language: str) -> None:
    singular = [entry for entry in po_file(language) if not entry.msgid_plural]
    different = [entry.msgid for entry in singular if placeholders(entry.msgid) != placeholders(entry.msgstr)]

    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_lack_a_number_only_where_the_form_says_it(language: str) -> None:
    po = po_file(language)
    numbers: dict[int, set[int]] = {}
    for number in [*range(201), 1_000_000, 2_000_000]:
        numbers.setdefault(plural_form(po, number), set()).add(number)

    for entry in (entry for entry in po if entry.msgid_plural):
        assert set(entry.msgstr_plural) == set(numbers), entry.msgid
        for form, words in entry.msgstr_plural.items():
            lacking = placeholders(entry.msgid_plural) ^ placeholders(words)
            spoken = {"%(n)s", "%(minutes)s", "%(count)s"} if len(numbers[form]) == 1 else set()
            assert lacking <= spoken, words


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_was_written(language: str) -> None:
    written, compiled = (
        {(entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr for entry in catalogue}
        for catalogue in (po_file(language), mo_file(language))
    )

    assert compiled == written, "run: make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marked_text_is_in_the_catalogue(language: str) -> None:
    known = {entry.msgid for entry in po_file(language)}
    unknown = [(file, words) for file, words in marked_words() if words not in known]

    assert unknown == [], "run: make messages"


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_page_says_its_language_and_direction(campaign: Campaign, language: str) -> None:
    direction = "rtl" if language == "ar" else "ltr"
    for name, page in pages(campaign, language).items():
        assert f'<html lang="{language}" dir="{direction}">' in page, name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("address", ["/", "/console/sign-in/", "/my-data/", "/no/such/page/"])
@pytest.mark.django_db
def test_pages_of_no_campaign_are_translated(language: str, address: str) -> None:
    page = Client(headers={"accept-language": language}).get(address).content.decode()

    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
    assert language != "ar" or Words(page).english == []


def test_no_english_sentence_is_left_on_an_arabic_page(campaign: Campaign) -> None:
    left = {name: Words(page).english for name, page in pages(campaign, "ar").items()}

    assert {name: texts for name, texts in left.items() if texts} == {}
    assert all(Words(page).english for page in pages(campaign, "en").values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mistake_is_said_in_the_persons_language(campaign: Campaign, language: str) -> None:
    words = {entry.msgid: entry.msgstr for entry in po_file(language)}
    seen = pages(campaign, language)

    assert words["To take part, please tick the first box."] in seen["unticked"]
    assert words["Please answer this."] in seen["unanswered"]


@pytest.mark.django_db
def test_a_chosen_language_wins_over_the_browsers(campaign: Campaign) -> None:
    person = Person(campaign, accept_language="de").join()
    person.client.post("/i18n/setlang/", {"language": "es", "next": "/"})

    assert '<html lang="es"' in person.join().text
