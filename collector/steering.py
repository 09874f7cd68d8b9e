"""From a prompt and one of its generator's steerings to the messages a model is sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collector.models import Candidate, Criterion, Generator, Prompt
from collector.providers.base import Messages
from collector.steering_spec import Kind, kind_of, label_of
from collector.steering_words import SHA256, VERSION, language_name, words_for

# Of a long chain of unlike samples only the last so many are shown to the model.
MOST_EARLIER = 12
# Long texts stand in the messages already; what else an entry says is kept beside them.
_TEXTS = ("label", "system", "persona")


class SteeringRemoved(Exception):
    """The candidate was planned under a steering that its generator no longer has."""


class Steering:
    """What the candidates of a batch are to be told, looked up at once for all of them."""

    def __init__(self, batch: Sequence[Candidate]) -> None:
        self._earlier = _earlier_texts(batch)
        self._criteria = _criteria_of(batch)

    def messages(self, candidate: Candidate) -> Messages:
        """Raises SteeringRemoved."""
        return to_messages(
            candidate.prompt,
            find_entry(candidate.generator, candidate.steering),
            earlier=self._earlier[candidate.pk],
            criteria=self._criteria[candidate.campaign_id],
        )


def find_entry(generator: Generator, label: str) -> dict[str, Any]:
    """The generator's steering of that label; raises SteeringRemoved."""
    for entry in generator.steering_plan:
        if label_of(entry) == label:
            return entry
    raise SteeringRemoved(f'the generator "{generator.name}" has no steering "{label}" any more')


def to_messages(
    prompt: Prompt,
    entry: Mapping[str, Any] | None,
    *,
    earlier: Sequence[str] = (),
    criteria: Sequence[Criterion] = (),
) -> Messages:
    """The prompt's conversation, opened by what the steering says in a system message, if it says anything.

    A system message of the prompt's own follows in the same message: many chat templates refuse a second.
    `earlier` are the texts an unlike sample must differ from, `criteria` those that weights are given for.
    """
    messages = [{"role": m["role"], "content": m["content"]} for m in prompt.conversation]
    said = _say(entry or {}, prompt.language, earlier, criteria)
    if not said:
        return messages
    if messages and messages[0]["role"] == "system":
        said = f"{said}\n\n{messages.pop(0)['content']}"
    return [{"role": "system", "content": said}, *messages]


def steering_record(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What a candidate's provenance says of its steering: nothing where it is plain.

    Its kind, what it says apart from texts that are in the messages, and whose words it was put in.
    """
    kind = kind_of(entry)
    if kind == Kind.PLAIN:
        return {}
    record = {"kind": kind.value} | {key: entry[key] for key in entry if key not in _TEXTS}
    if kind != Kind.SYSTEM:
        record["words"] = {"version": VERSION, "language": words_for(kind, language)[1], "sha256": SHA256}
    return {"steering": record}


def unlike_labels(generator: Generator) -> set[str]:
    """The labels of the steerings whose samples wait for each other."""
    return {label_of(entry) for entry in generator.steering_plan if kind_of(entry) == Kind.UNLIKE}


def _say(
    entry: Mapping[str, Any], language: str, earlier: Sequence[str], criteria: Sequence[Criterion]
) -> str:
    kind = kind_of(entry)
    match kind:
        case Kind.PLAIN:
            return ""
        case Kind.SYSTEM:
            return str(entry["system"] or "").strip()
        case Kind.UNLIKE if not earlier:
            return ""  # the first sample is free
    words, language = words_for(kind, language)
    match kind:
        case Kind.PERSONA:
            return words.format(text=entry["persona"].strip())
        case Kind.PROFILE:
            return words.format(text=_profile_text(entry["profile"]))
        case Kind.ATTRIBUTE:
            return words.format(attribute=_readable(entry["attribute"]), level=entry["level"])
        case Kind.WEIGHTS:
            return words.format(text=_weights_text(entry["weights"], criteria, language))
        case Kind.LANGUAGE:
            return words.format(language=language_name(entry["language"]))
    numbered = (f"({number})\n{text}" for number, text in enumerate(earlier[-MOST_EARLIER:], start=1))
    return words.format(text="\n\n".join(numbered))


def _profile_text(profile: Mapping[str, Any]) -> str:
    scores = [f"- {_readable(name)}: {value:g}" for name, value in (profile.get("scores") or {}).items()]
    return "\n\n".join(part for part in ("\n".join(scores), (profile.get("text") or "").strip()) if part)


def _weights_text(weights: Mapping[str, float], criteria: Iterable[Criterion], language: str) -> str:
    questions = {criterion.name: criterion.worded(language)["question"] for criterion in criteria}
    return "\n".join(
        f"- {questions.get(name, _readable(name))} ({weight:.0%})" for name, weight in weights.items()
    )


def _readable(name: str) -> str:
    return name.replace("_", " ")


def _earlier_texts(batch: Sequence[Candidate]) -> dict[int, list[str]]:
    """By candidate, the texts of the done samples before it in its chain; one query for all."""
    texts: dict[int, list[str]] = defaultdict(list)
    waiting = {(one.prompt_id, one.generator_id, one.steering): one for one in batch if one.follows_earlier}
    if not waiting:
        return texts
    done = Candidate.objects.done().filter(
        prompt__in={prompt for prompt, _generator, _label in waiting},
        generator__in={generator for _prompt, generator, _label in waiting},
        steering__in={label for _prompt, _generator, label in waiting},
    )
    rows = done.order_by("sample_index").values_list(
        "prompt_id", "generator_id", "steering", "sample_index", "text"
    )
    for prompt, generator, label, index, text in rows:
        follower = waiting.get((prompt, generator, label))
        if follower is not None and index < follower.sample_index:
            texts[follower.pk].append(text)
    return texts


def _criteria_of(batch: Sequence[Candidate]) -> dict[int, list[Criterion]]:
    """By campaign, the criteria, where some candidate's steering weighs them."""
    criteria: dict[int, list[Criterion]] = defaultdict(list)
    weighing = {
        one.campaign_id
        for one in batch
        if any(kind_of(entry) == Kind.WEIGHTS for entry in one.generator.steering_plan)
    }
    for criterion in Criterion.objects.filter(campaign__in=weighing) if weighing else ():
        criteria[criterion.campaign_id].append(criterion)
    return criteria
