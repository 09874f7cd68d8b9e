"""A finished run's texts come again from what is stored beside them, with the real model on this machine."""

import os

import pytest
from django.core.management import call_command

from collector.models import Candidate
from collector.providers import PROVIDERS
from collector.providers.base import Request
from tests.builders import make_campaign, make_generator, make_prompt

ASKED = ("messages", "seed", "temperature", "top_p", "max_new_tokens")


@pytest.mark.slow
@pytest.mark.django_db
def test_the_stored_provenance_gives_the_same_text_again(settings):
    pytest.importorskip("transformers")
    os.environ["HF_HUB_OFFLINE"] = "1"
    settings.GENERATION_BATCH_SIZE = 6
    campaign = make_campaign("study")
    for _ in range(4):
        make_prompt(campaign)
    model = {"provider": "transformers_local", "model": "smollm2-135m-instruct"}
    make_generator(campaign, samples=3, max_new_tokens=12, **model)
    call_command("generate", "study", "--inline", verbosity=0)

    one = Candidate.objects.get(prompt=campaign.prompts.last(), sample_index=1)
    batch = list(Candidate.objects.filter(provenance__batch=one.provenance["batch"]).order_by("pk"))
    requests = [Request(**{name: mate.provenance[name] for name in ASKED}) for mate in batch]
    again = PROVIDERS[model["provider"]](one.provenance["model"]).generate(requests)

    assert one in batch
    assert len(batch) == one.provenance["batch_size"] == 6
    assert [response.text for response in again] == [mate.text for mate in batch]
    known = one.provenance
    assert known["device"]
    assert known["versions"]["transformers"]
    assert known["chat_template_sha256"]
    assert {"revision", "sha256"} & set(known)
