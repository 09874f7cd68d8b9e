"""Attention items in our own words: prompts that say plainly what to answer, one in each language."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotations.rating_page import answer_in_words
from collector.intake import last_position, refuse_state
from collector.models import Campaign, Candidate, Criterion, Generator, Prompt
from collector.rendering import render_markdown

GENERATOR = "attention-items"


def make_attention_items(campaign: Campaign, expected: Mapping[str, float]) -> list[Prompt]:
    """One item a language that asks for these values; raises WrongState where the campaign takes no rows."""
    criteria = list(campaign.criteria.filter(name__in=expected))
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        refuse_state(locked)
        generator, _made = Generator.objects.get_or_create(
            campaign=locked, name=GENERATOR, defaults={"provider": "imported"}
        )
        number = locked.prompts.filter(purpose=Prompt.Purpose.ATTENTION).count() + 1
        items = []
        first = last_position(locked.prompts.all()) + 1
        for position, language in enumerate(locked.languages or ["en"], first):
            with override(language):
                prompt = Prompt.objects.create(
                    campaign=locked,
                    external_id=f"attention-{number}-{language}",
                    text=_instruction(criteria, expected, language),
                    language=language,
                    purpose=Prompt.Purpose.ATTENTION,
                    expected=dict(expected),
                    position=position,
                )
                _give_candidate(prompt, generator)
            items.append(prompt)
    return items


def _instruction(criteria: list[Criterion], expected: Mapping[str, float], language: str) -> str:
    wanted = {one: answer_in_words(one, expected[one.name], language) for one in criteria}
    lines = [f"- {one.worded(language)['question']} **{answer}**" for one, answer in wanted.items()]
    asks = _("This is not a real question. To show that you read it, please answer below exactly like this:")
    return "\n".join([asks, "", *lines])


def _give_candidate(prompt: Prompt, generator: Generator) -> None:
    text = _("There is nothing to judge here. Please follow the instruction above.")
    Candidate.objects.create(
        campaign=prompt.campaign,
        prompt=prompt,
        generator=generator,
        external_id=f"{prompt.external_id}-0",
        state=Candidate.State.DONE,
        text=text,
        html=render_markdown(text),
        generated_at=timezone.now(),
    )
