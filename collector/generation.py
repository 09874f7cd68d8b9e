"""Generation: starting runs, working their candidates off batch by batch, and picking up what was dropped.

The candidates are the jobs and the database the only truth; a broker message only says that a run may
have work. Messages may be lost, doubled or late, and workers killed, without losing or doubling a candidate.
"""

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from collector.celery import app
from collector.claims import MAX_ATTEMPTS, claim_batch, fail_exhausted, held, kept_alive, release
from collector.lifecycle import WrongState
from collector.models import Campaign, Candidate, GenerationRun, Generator
from collector.planning import UnknownProvider, plan_candidates, provider_class
from collector.providers.base import Provider, ProviderError, Request, Response
from collector.rendering import render_markdown
from collector.steering import Steering, SteeringRemoved, find_entry, steering_record

__all__ = ["claim_batch", "plan_candidates"]

State = GenerationRun.State
log = structlog.get_logger(__name__)


def start_generation(
    campaign: Campaign, *, now: datetime, retry_failed: bool = False, publish: bool = True
) -> list[GenerationRun]:
    """Plans what the campaign lacks and returns its active runs, one per generator that has work.

    Starting again joins the active runs. Raises UnknownProvider or WrongState before anything is planned.
    `publish=False` leaves telling the workers to the sweeper, for a caller who works here and now.
    """
    if campaign.state == Campaign.State.CLOSED:
        raise WrongState(_("This campaign is closed and takes no more candidates."))
    generators = list(campaign.generators.select_related("campaign").order_by("pk"))
    for generator in generators:
        provider_class(generator)
    runs = [run for generator in generators if (run := _start_run(generator, retry_failed))]
    if publish:
        for run in runs:
            publish_run(run, now)
    return runs


def make_provider(generator: Generator) -> Provider:
    return provider_class(generator)(generator.model, generator.extra)


def advance_run(run: GenerationRun, *, now: datetime) -> int:
    """Works one batch off; where more is left, passes the run on to whichever worker is free first.

    Passes it on before working, so that several workers share a run and several runs one worker, and once
    at most, so that messages do not multiply.
    """
    try:
        provider = make_provider(run.generator)
    except UnknownProvider as error:
        _give_up(run, str(error), now)
        return 0
    batch = claim_batch(run, settings.GENERATION_BATCH_SIZE, now)
    passed_on = bool(batch) and has_work(run, now) and publish_run(run, now)
    started = time.monotonic()
    work_candidates(batch, provider, now=now)
    now += timedelta(seconds=time.monotonic() - started)
    if not finish_run(run, now) and batch and not passed_on and has_work(run, now):
        publish_run(run, now)
    return len(batch)


def work_batch(run: GenerationRun, provider: Provider, *, now: datetime) -> int:
    """Claims one batch of the run and works it off; returns how many candidates it claimed."""
    batch = claim_batch(run, settings.GENERATION_BATCH_SIZE, now)
    work_candidates(batch, provider, now=now)
    return len(batch)


def work_candidates(batch: list[Candidate], provider: Provider, *, now: datetime) -> None:
    """Asks for the claimed batch's texts at once; stores texts and failures where the claim still stands."""
    if not batch:
        return
    steering = Steering(batch)
    batch = [candidate for candidate in batch if not _lost_its_steering(candidate, now)]
    if not batch:
        return
    requests = [_to_request(candidate, steering) for candidate in batch]
    started = time.monotonic()
    try:
        with kept_alive(batch, now):
            results = _ask(provider, requests)
    except BaseException:  # told to stop: whoever comes next need not wait for the lease to end
        release(batch)
        raise
    seconds = round(time.monotonic() - started, 3)
    now += timedelta(seconds=seconds)
    changes = [
        _failed(candidate, result, now)
        if isinstance(result, ProviderError)
        else _done(candidate, request, result, now, {"batch_size": len(batch), "batch_seconds": seconds})
        for candidate, request, result in zip(batch, requests, results, strict=True)
    ]
    with transaction.atomic():
        stored = sum(
            held(candidate).update(**change) for candidate, change in zip(batch, changes, strict=True)
        )
    log.info(
        "batch generated", generator=batch[0].generator.name, size=len(batch), stored=stored, seconds=seconds
    )


def has_work(run: GenerationRun, now: datetime) -> bool:
    return run.candidates.claimable(now).exists()


def finish_run(run: GenerationRun, now: datetime) -> bool:
    """Marks the run done if none of its candidates is still planned; returns whether it is over."""
    if run.candidates.unfinished().exists():
        return False
    with transaction.atomic():
        # Locked first: planning locks the run too, so nothing joins it between the look and the mark.
        active = _active_runs().select_for_update().filter(pk=run.pk).first()
        if active is None:
            return True
        if active.candidates.unfinished().exists():
            return False
        _active_runs().filter(pk=run.pk).update(state=State.DONE, finished_at=now)
    return True


def sweep(now: datetime) -> int:
    """Closes finished runs and publishes those again whose message seems lost; returns how many it published.

    While some worker holds a batch, messages are probably waiting their turn behind it, so that a run is
    published again only after a lease's time; while nobody works, after SWEEP_SECONDS.
    """
    at_work = Candidate.objects.unfinished().filter(lease_token__isnull=False, lease_until__gte=now).exists()
    patience = max(settings.SWEEP_SECONDS, settings.GENERATION_LEASE_SECONDS if at_work else 0)
    published = 0
    for run in _active_runs().order_by("pk"):
        fail_exhausted(run, now)
        if finish_run(run, now) or not has_work(run, now):
            continue
        if run.published_at is None or run.published_at <= now - timedelta(seconds=patience):
            published += publish_run(run, now)
    return published


def publish_run(run: GenerationRun, now: datetime) -> bool:
    """Tells the workers about the run once the transaction is through; False where someone else just did."""
    if not _active_runs().filter(pk=run.pk, published_at=run.published_at).update(published_at=now):
        return False
    run.published_at = now
    # Robust: a broker that is down costs the message, which the sweeper sends again.
    transaction.on_commit(lambda: app.send_task("collector.tasks.generate_batch", [run.pk]), robust=True)
    return True


def _start_run(generator: Generator, retry_failed: bool) -> GenerationRun | None:
    # Outside the transaction: a long plan is stored bit by bit, and may be begun again where it broke off.
    plan_candidates(generator)
    with transaction.atomic():
        if retry_failed:
            generator.candidates.filter(state=Candidate.State.FAILED).update(
                state=Candidate.State.PLANNED, attempts=0, error=""
            )
        if not generator.candidates.unfinished().exists():
            return None
        run, _created = _active_runs().select_for_update().get_or_create(generator=generator)
        # Only those not yet in it: the others may be locked by a worker that stores them.
        generator.candidates.unfinished().filter(Q(run=None) | ~Q(run=run)).update(run=run)
    return run


def _active_runs() -> QuerySet[GenerationRun]:
    return GenerationRun.objects.filter(state__in=GenerationRun.ACTIVE)


def _give_up(run: GenerationRun, reason: str, now: datetime) -> None:
    run.candidates.unclaimed(now).update(state=Candidate.State.FAILED, error=reason)
    finish_run(run, now)


def _lost_its_steering(candidate: Candidate, now: datetime) -> bool:
    """Fails the candidate, with the reason, where its generator has no steering of its label any more."""
    try:
        find_entry(candidate.generator, candidate.steering)
    except SteeringRemoved as error:
        held(candidate).update(**_failed(candidate, ProviderError(str(error), permanent=True), now))
        return True
    return False


def _to_request(candidate: Candidate, steering: Steering) -> Request:
    generator = candidate.generator
    return Request(
        messages=steering.messages(candidate),
        seed=candidate.seed or 0,
        temperature=generator.temperature,
        top_p=generator.top_p,
        max_new_tokens=generator.max_new_tokens,
    )


def _ask(provider: Provider, requests: list[Request]) -> list[Response | ProviderError]:
    """One result per request whatever happens: a provider that breaks has failed all of them, for now."""
    try:
        return provider.generate(requests)
    except ProviderError as error:
        return [error for _request in requests]
    except Exception as error:
        log.exception("provider broke", provider=type(provider).__name__)
        broken = ProviderError(f"{type(error).__name__}: {error}", permanent=False)
        return [broken for _request in requests]


def _done(
    candidate: Candidate, request: Request, response: Response, now: datetime, circumstances: dict[str, Any]
) -> dict[str, Any]:
    """The changes that make the candidate done; an empty text is a failure, tried again with another seed."""
    text = _storable(response.text)
    if not text:
        again = _failed(candidate, ProviderError("the response was empty", permanent=False), now)
        return again | {"seed": request.seed + 1}
    generator = candidate.generator
    asked = {
        "provider": generator.provider,
        "model": generator.model,
        "messages": request.messages,
        "seed": request.seed,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_new_tokens": request.max_new_tokens,
        "attempt": candidate.attempts,
    }
    steered = steering_record(find_entry(generator, candidate.steering), candidate.prompt.language)
    return {
        "state": Candidate.State.DONE,
        "text": text,
        "html": render_markdown(text),
        "temperature": request.temperature,
        "provenance": asked | steered | circumstances | response.provenance,
        "error": "",
        "generated_at": now,
        "lease_token": None,
        "lease_until": None,
    }


def _failed(candidate: Candidate, error: ProviderError, now: datetime) -> dict[str, Any]:
    """The changes that leave the candidate for another try, or failed where none would help."""
    change: dict[str, Any] = {"error": str(error), "lease_token": None, "lease_until": None}
    if error.permanent or candidate.attempts >= MAX_ATTEMPTS:
        return change | {"state": Candidate.State.FAILED}
    if error.retry_after:
        # No holder, but not to be claimed before this time either.
        change["lease_until"] = now + timedelta(seconds=error.retry_after)
    return change


def _storable(text: str) -> str:
    """Without what a database refuses: NUL bytes and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
