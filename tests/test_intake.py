"""Prompts and ready-made candidates from files: all rows or none, every fault named."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from collector.candidate_intake import load_candidates
from collector.intake import load_prompts
from collector.lifecycle import WrongState, close_campaign
from collector.models import Prompt
from collector.tabular import IntakeError
from tests.builders import make_campaign, make_candidate, make_generator, make_open_campaign, make_prompt

pytestmark = pytest.mark.django_db


def load(campaign, text, name="prompts.csv", **options):
    return load_prompts(campaign, io.BytesIO(text.encode()), name, **options)


def faults(campaign, text, name="prompts.csv"):
    """What the file is refused for; nothing may have been stored."""
    before = Prompt.objects.count()
    with pytest.raises(IntakeError) as caught:
        load(campaign, text, name)

    assert Prompt.objects.count() == before
    return str(caught.value).splitlines()


def candidate_faults(campaign, text):
    with pytest.raises(IntakeError) as caught:
        load_candidates(campaign, io.BytesIO(text.encode()), "answers.csv")
    return str(caught.value).splitlines()


def test_csv_with_every_column():
    campaign = make_campaign(languages=["en", "es"])
    load(campaign, "prompt_id,text,language,topic,source,licence,x_wave\nq1,Hola,es,work,us,CC0-1.0,2\n")

    prompt = campaign.prompts.get()
    assert (prompt.external_id, prompt.text, prompt.language) == ("q1", "Hola", "es")
    assert (prompt.topic, prompt.source, prompt.licence) == ("work", "us", "CC0-1.0")
    assert prompt.extra == {"x_wave": "2"}


def test_prompts_without_ids_are_numbered():
    campaign = make_campaign()
    load(campaign, "text\nFirst\nSecond\n")
    load(campaign, "text\nThird\n")

    assert list(campaign.prompts.values_list("external_id", "text")) == [
        ("p0001", "First"),
        ("p0002", "Second"),
        ("p0003", "Third"),
    ]


def test_numbering_steps_over_ids_that_are_taken():
    campaign = make_campaign()
    make_prompt(campaign, "p0002")
    load(campaign, "text\nFirst\n")

    assert campaign.prompts.get(text="First").external_id == "p0003"


def test_conversations_from_jsonl():
    campaign = make_campaign()
    load(campaign, '{"prompt_id": "a", "messages": [{"role": "user", "content": "Hi"}]}\n', "p.jsonl")

    assert campaign.prompts.get().conversation == [{"role": "user", "content": "Hi"}]


def test_parquet():
    buffer = io.BytesIO()
    pq.write_table(pa.table({"prompt_id": ["a", "b"], "text": ["One", "Two"]}), buffer)
    buffer.seek(0)
    campaign = make_campaign()

    assert load_prompts(campaign, buffer, "p.parquet").rows == 2


def test_dry_run_stores_nothing_and_counts():
    campaign = make_campaign(languages=["en", "de"])
    intake = load(campaign, "text,language\nA,en\nB,de\nC,de\n", dry_run=True)

    assert intake.rows == 3
    assert intake.counts["language"] == {"de": 2, "en": 1}
    assert not campaign.prompts.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "text,language\nA,xx\n",
            'prompts.csv line 2: "language" "xx" is none of the campaign\'s languages: en',
        ),
        ("text,language\nA,???\n", 'prompts.csv line 2: "language" "???" is no language code'),
        ("prompt_id,text\na, \n", 'prompts.csv line 2: "text" is empty'),
        ("prompt_id,text\n,A\n", 'prompts.csv line 2: "prompt_id" is empty'),
        ("prompt_id\na\n", 'prompts.csv line 2: "text" is missing'),
        (
            "prompt_id,text\na,A\na,B\n",
            'prompts.csv line 3: "prompt_id" "a" stands in line 2 already',
        ),
        (
            "text,colour\nA,red\n",
            'prompts.csv line 2: "colour" is no known column; name it "x_colour" to keep it',
        ),
        ('messages\n"[1]"\n', 'prompts.csv line 2: "messages" is not a list of {role, content}'),
        (
            'messages\n"[{""role"": ""assistant"", ""content"": ""Hi""}]"\n',
            'prompts.csv line 2: "messages" does not end with the user\'s turn',
        ),
        ("text\n", "prompts.csv: there are no rows"),
        ("", "prompts.csv: the file is empty"),
    ],
)
def test_faults_name_file_line_and_column(text, said):
    assert faults(make_campaign(), text) == [said]


def test_ids_of_the_campaign_are_refused():
    campaign = make_campaign()
    make_prompt(campaign, "a")

    assert faults(campaign, "prompt_id,text\nb,B\na,A\n") == [
        'prompts.csv line 3: "prompt_id" "a" is in the campaign already'
    ]


def test_wrong_types_are_refused():
    said = faults(make_campaign(), '{"prompt_id": 1, "text": ["A"]}\n', "p.jsonl")

    assert said == ['p.jsonl line 1: "text" is not text', 'p.jsonl line 1: "prompt_id" is not text']


def test_ten_thousand_bad_rows_show_twenty_and_the_count():
    said = faults(make_campaign(), "prompt_id,text\n" + "".join(f"p{i},\n" for i in range(10_000)))

    assert len(said) == 21
    assert said[-1] == "and 9,980 more problems (10,000 in all)"


def test_prompts_may_come_while_the_campaign_is_open():
    campaign = make_open_campaign(prompts=1)
    load(campaign, "text\nLate\n")

    assert campaign.prompts.count() == 2


def test_a_closed_campaign_takes_nothing():
    campaign = make_open_campaign(prompts=1)
    close_campaign(campaign, now=timezone.now())

    with pytest.raises(WrongState):
        load(campaign, "text\nLate\n")


def test_ready_made_candidates_get_an_imported_generator():
    campaign = make_campaign()
    prompt = make_prompt(campaign, "a")
    load_candidates(campaign, io.BytesIO(b"prompt_id,text,generator\na,One,gpt\na,Two,gpt\n"), "answers.csv")

    generator = campaign.generators.get()
    assert (generator.name, generator.provider, generator.samples) == ("gpt", "imported", 2)
    assert list(prompt.candidates.values_list("external_id", "text", "html", "state")) == [
        ("a-gpt-0", "One", "<p>One</p>\n", "done"),
        ("a-gpt-1", "Two", "<p>Two</p>\n", "done"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt_id,text\nz,One\n", 'answers.csv line 2: "prompt_id" "z" is no prompt of this campaign'),
        ("prompt_id,text\na,\n", 'answers.csv line 2: "text" is empty'),
        (
            "prompt_id,text,sample_index\na,One,half\n",
            'answers.csv line 2: "sample_index" is not a whole number',
        ),
        (
            "prompt_id,text,sample_index\na,One,0\na,Two,0\n",
            'answers.csv line 3: "sample_index" is taken for this prompt and generator',
        ),
        (
            "candidate_id,prompt_id,text\nc,a,One\nc,a,Two\n",
            'answers.csv line 3: "candidate_id" "c" stands in line 2 already',
        ),
        (
            "prompt_id,text,generator\na,One,live\n",
            'answers.csv line 2: "generator" "live" makes its own candidates; name another generator',
        ),
    ],
)
def test_faults_of_candidates(text, said):
    campaign = make_campaign()
    make_prompt(campaign, "a")
    make_prompt(make_campaign(), "z")
    make_generator(campaign, "live")

    assert candidate_faults(campaign, text) == [said]
    assert not campaign.candidates.exists()


def test_candidates_of_a_jury_at_work_do_not_change():
    campaign = make_open_campaign(prompts=1)
    name = campaign.prompts.get().external_id

    assert candidate_faults(campaign, f"prompt_id,text\n{name},Late\n") == [
        f'answers.csv line 2: "prompt_id" "{name}" has candidates already, and this campaign has been opened'
    ]


def test_command_adds_prompts(tmp_path, capsys):
    campaign = make_campaign("study")
    file = tmp_path / "prompts.csv"
    file.write_text("text\nA\n")
    call_command("load_prompts", "study", str(file), "--dry-run")
    call_command("load_prompts", "study", str(file))

    assert campaign.prompts.count() == 1
    assert capsys.readouterr().out.splitlines()[0] == "1 prompts would be added to study"


def test_command_says_what_is_wrong(tmp_path):
    make_candidate(make_prompt(make_campaign("study"), "a"), make_generator(make_campaign()))
    file = tmp_path / "prompts.csv"
    file.write_text("prompt_id,text\na,A\n")

    with pytest.raises(CommandError, match='line 2: "prompt_id" "a" is in the campaign already'):
        call_command("load_prompts", "study", str(file))
