"""Generation: starting runs, working their candidates off batch by batch, and picking up what was dropped.

The candidates are the jobs and the database the only truth; a broker message only says that a queue may
have work. Messages may be lost, doubled or late, and workers killed, without losing or doubling a candidate.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from collector.claims import MAX_ATTEMPTS, claim_batch, held, kept_alive, release, store
from collector.costs import cost_changes
from collector.distinct import ask_for_marks, awaits_marks, plan_further_samples
from collector.lifecycle import WrongState
from collector.models import Campaign, Candidate, GenerationRun, Generator
from collector.persistence import persist
from collector.planning import UnknownProvider, plan_candidates, provider_class
from collector.providers.base import Provider, ProviderError, Request, Response
from collector.queues import has_work, publish_lost, publish_queue
from collector.rendering import render_markdown
from collector.scheduling import Loaded, next_run, stay_with
from collector.steering import Steering, SteeringRemoved, find_entry, steering_record
from collector.waits import wait_changes

__all__ = ["claim_batch", "plan_candidates"]

# One message is worth this many seconds of batches: the broker then costs little however short a batch is.
TURN_SECONDS = 10.0
# Whoever was first with the last candidates of a run needs this long to store its claim.
SECONDS_FOR_OTHERS = 0.02

State = GenerationRun.State
log = structlog.get_logger(__name__)


class Turn(NamedTuple):
    """What a worker did with one message, and the model it holds in memory now."""

    candidates: int
    loaded: Loaded | None


def start_generation(
    campaign: Campaign,
    *,
    now: datetime,
    retry_failed: bool = False,
    priority: int | None = None,
    publish: bool = True,
) -> list[GenerationRun]:
    """Plans what the campaign lacks and returns its open runs, one per generator that has work.

    Starting again joins the open runs; one that is paused stays so. Raises UnknownProvider or WrongState
    before anything is planned. `publish=False` leaves telling the workers to the sweeper, for a caller who
    works here and now.
    """
    if campaign.state == Campaign.State.CLOSED:
        raise WrongState(_("This campaign is closed and takes no more candidates."))
    generators = list(campaign.generators.select_related("campaign").order_by("pk"))
    for generator in generators:
        provider_class(generator)
    runs = [run for generator in generators if (run := _start_run(generator, retry_failed, priority))]
    if publish:
        publish_runs(runs, now)
    return runs


def publish_runs(runs: list[GenerationRun], now: datetime) -> None:
    """Tells the workers of every queue in which one of the runs is active."""
    for name in sorted({run.generator.queue for run in runs if run.state in GenerationRun.ACTIVE}):
        publish_queue(name, now)


def make_provider(generator: Generator) -> Provider:
    return provider_class(generator)(generator.model, generator.extra)


def work_turn(
    queue: str,
    ticket: int,
    loaded: Loaded | None,
    *,
    clock: Callable[[], datetime],
    goes_on: Callable[[], bool],
) -> Turn:
    """Works batches of the queue off for about TURN_SECONDS, or until it has none or `goes_on` says no.

    Where there is more than the first batch, passes the queue on before working, so that several workers
    share it, and again at the end where work is left. `ticket` is that of the message that brought us here.
    """
    ends_at = clock() + timedelta(seconds=TURN_SECONDS)
    candidates, is_first = 0, True
    while is_first or (clock() < ends_at and goes_on()):
        run = _choose_run(queue, loaded, clock())
        if run is None:
            return Turn(candidates, loaded)
        loaded = stay_with(run, loaded, clock())
        batch = _claim(run, clock())
        if is_first:
            _pass_on(queue, ticket, clock())
            is_first = False
        _work_claimed(run, batch, clock)
        candidates += len(batch)
    _pass_on(queue, None, clock())
    return Turn(candidates, loaded)


def work_batch(run: GenerationRun, provider: Provider, *, now: datetime) -> int:
    """Claims one batch of the run and works it off; returns how many candidates it claimed."""
    batch = claim_batch(run, _batch_size(type(provider)), now)
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
    # The batch by name: some models say the same again only in the same company.
    circumstances = {
        "batch": str(batch[0].lease_token),
        "batch_size": len(batch),
        "batch_seconds": seconds,
    }
    changes = [
        _failed(candidate, result, now)
        if isinstance(result, ProviderError)
        else _done(candidate, request, result, now, circumstances)
        for candidate, request, result in zip(batch, requests, results, strict=True)
    ]
    stored = persist(lambda: store(batch, changes))
    log.info(
        "batch generated", generator=batch[0].generator.name, size=len(batch), stored=stored, seconds=seconds
    )


def finish_run(run: GenerationRun, now: datetime) -> bool:
    """Marks the run done if it owes no candidate any more; returns whether it is over.

    Where so many are to be distinct, it owes some until they have been compared and found to be enough.
    """
    if run.candidates.unfinished().exists():
        return False
    with transaction.atomic():
        # Locked first: planning locks the run too, so nothing joins it between the look and the mark.
        still_open = GenerationRun.objects.open().select_for_update().filter(pk=run.pk).first()
        if still_open is None:
            return True
        if still_open.candidates.unfinished().exists() or awaits_marks(run):
            return False
        GenerationRun.objects.open().filter(pk=run.pk).update(state=State.DONE, finished_at=now)
    return True


def sweep(now: datetime) -> int:
    """Closes finished runs and publishes the queues again whose message seems lost; returns how many."""
    for run in GenerationRun.objects.finished().order_by("pk"):
        finish_run(run, now)
    return publish_lost(now)


def open_run(generator: Generator, priority: int | None = None) -> GenerationRun:
    """The generator's run that is not over, or a new one; locked for the rest of the transaction."""
    given = {} if priority is None else {"priority": priority}
    runs = GenerationRun.objects.open().select_for_update()
    run, is_new = runs.get_or_create(generator=generator, defaults=given)
    if given and not is_new:
        GenerationRun.objects.filter(pk=run.pk).update(**given)
    run.generator = generator
    return run


def _start_run(generator: Generator, retry_failed: bool, priority: int | None) -> GenerationRun | None:
    # Outside the transaction: a long plan is stored bit by bit, and may be begun again where it broke off.
    plan_candidates(generator)
    plan_further_samples(generator.candidates.all())
    with transaction.atomic():
        if retry_failed:
            generator.candidates.filter(state=Candidate.State.FAILED).update(
                state=Candidate.State.PLANNED, attempts=0, error=""
            )
        if not generator.candidates.unfinished().exists():
            return None
        run = open_run(generator, priority)
        # Only those not yet in it: the others may be locked by a worker that stores them.
        generator.candidates.unfinished().filter(Q(run=None) | ~Q(run=run)).update(run=run)
    return run


def _choose_run(queue: str, loaded: Loaded | None, now: datetime) -> GenerationRun | None:
    return persist(lambda: next_run(queue, now, loaded))


def _claim(run: GenerationRun, now: datetime) -> list[Candidate]:
    """A batch of the run; empty where others were first, or where its provider is gone, which fails it."""
    try:
        size = _batch_size(provider_class(run.generator))
    except UnknownProvider as error:
        _give_up(run, str(error), now)
        return []
    return persist(lambda: claim_batch(run, size, now))


def _batch_size(provider: type[Provider]) -> int:
    return settings.GENERATION_BATCH_SIZE or provider.batch_size()


def _pass_on(queue: str, ticket: int | None, now: datetime) -> None:
    persist(lambda: has_work(queue, now) and publish_queue(queue, now, ticket=ticket))


def _work_claimed(run: GenerationRun, batch: list[Candidate], clock: Callable[[], datetime]) -> None:
    if batch:
        work_candidates(batch, make_provider(run.generator), now=clock())
    else:
        time.sleep(SECONDS_FOR_OTHERS)
    persist(lambda: finish_run(run, clock()) or ask_for_marks(run))


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
        return again | cost_changes(candidate, response) | {"seed": request.seed + 1}
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
        **cost_changes(candidate, response),
        "error": "",
        "generated_at": now,
        "lease_token": None,
        "lease_until": None,
    }


def _failed(candidate: Candidate, error: ProviderError, now: datetime) -> dict[str, Any]:
    """The changes that leave the candidate for another try, or failed where none would help."""
    change: dict[str, Any] = {"error": str(error), "lease_token": None, "lease_until": None, "provenance": {}}
    if error.retry_after and (wait := wait_changes(candidate, error.retry_after, now)):
        return change | wait
    if error.permanent or candidate.attempts >= MAX_ATTEMPTS:
        return change | {"state": Candidate.State.FAILED}
    return change


def _storable(text: str) -> str:
    """Without what a database refuses: NUL bytes and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
