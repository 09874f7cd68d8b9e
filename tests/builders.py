"""Makers of rows for tests: each gives a small valid thing and takes what the test cares about."""

from itertools import count
from typing import Any

from django.utils import timezone

from annotations.jury import make_strata, seat_ready_prompts
from annotations.models import ConsentDocument, Recruitment
from collector.lifecycle import open_campaign
from collector.models import Campaign, Candidate, Criterion, Generator, Prompt, User
from collector.rendering import render_markdown

AGE = {"attribute": "age_band", "levels": ["18-34", "35-54", "55+"]}
GENDER = {"attribute": "gender", "levels": ["woman", "man"]}
_number = count(1)


def make_user(username: str = "", **fields: Any) -> User:
    return User.objects.create_user(
        username or f"user-{next(_number)}", password="long enough for a test", **fields
    )


def make_campaign(slug: str = "", **fields: Any) -> Campaign:
    slug = slug or f"campaign-{next(_number)}"
    return Campaign.objects.create(**{"slug": slug, "title": slug.title(), "languages": ["en"]} | fields)


def make_criterion(
    campaign: Campaign, name: str = "acceptable", kind: str = "likert", **fields: Any
) -> Criterion:
    scale = {"likert": (1.0, 5.0), "slider": (0.0, 100.0)}.get(kind, (None, None))
    defaults = {"question": f"Is it {name}?", "scale_min": scale[0], "scale_max": scale[1]}
    return Criterion.objects.create(campaign=campaign, name=name, kind=kind, **defaults | fields)


def make_prompt(campaign: Campaign, external_id: str = "", **fields: Any) -> Prompt:
    number = next(_number)
    defaults = {"text": f"What do you think of question {number}?", "position": number}
    return Prompt.objects.create(
        campaign=campaign, external_id=external_id or f"p{number}", **defaults | fields
    )


def make_generator(campaign: Campaign, name: str = "", **fields: Any) -> Generator:
    return Generator.objects.create(
        campaign=campaign, name=name or f"generator-{next(_number)}", **{"provider": "scripted"} | fields
    )


def make_candidate(
    prompt: Prompt, generator: Generator, text: str = "A considered answer.", **fields: Any
) -> Candidate:
    index = fields.pop("sample_index", 0)
    return Candidate.objects.create(
        campaign_id=prompt.campaign_id,
        prompt=prompt,
        generator=generator,
        sample_index=index,
        external_id=fields.pop("external_id", f"{prompt.external_id}-{generator.name}-{index}"),
        state=Candidate.State.DONE,
        text=text,
        html=render_markdown(text),
        **fields,
    )


def make_consent(campaign: Campaign, language: str = "en", version: int = 1) -> ConsentDocument:
    return ConsentDocument.objects.create(
        campaign=campaign,
        version=version,
        language=language,
        title="About this study",
        text="Please read.",
        sha256="0" * 64,
    )


def make_open_campaign(
    slug: str = "",
    *,
    prompts: int = 3,
    candidates: int = 2,
    strata: list[dict] | None = None,
    recruitment: dict[str, Any] | None = None,
    **fields: Any,
) -> Campaign:
    """Open, with criteria, done candidates, a consent document, strata and quotas; takes unverified ids."""
    defaults = {"strata": [AGE, GENDER] if strata is None else strata, "wildcard_seats": 1}
    campaign = make_campaign(slug, **defaults | fields)
    make_criterion(campaign, "acceptable", position=0)
    make_criterion(campaign, "helpful", kind="slider", position=1)
    generators = [make_generator(campaign, f"generator-{letter}") for letter in "abcdefgh"[:candidates]]
    for _ in range(prompts):
        prompt = make_prompt(campaign)
        for generator in generators:
            make_candidate(prompt, generator)
    make_consent(campaign)
    make_strata(campaign)
    open_campaign(campaign, now=timezone.now())
    seat_ready_prompts(campaign)
    Recruitment.objects.create(campaign=campaign, **{"allow_unverified": True} | (recruitment or {}))
    return campaign
