"""Tests of collector/providers/."""

import os
import threading

import pytest

from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Request, Response

SMOLLM2 = "smollm2-135m-instruct"


def ask(question, seed=1, system="", **fields):
    messages = [{"role": "system", "content": system}] if system else []
    return Request([*messages, {"role": "user", "content": question}], seed=seed, **fields)


def scripted(*requests, **options):
    return [answer.text for answer in PROVIDERS["scripted"]("", options).generate(requests)]


def test_every_provider_is_registered_under_a_name_and_has_a_label():
    assert set(PROVIDERS) >= {"transformers_local", "scripted", "imported"}
    assert all(str(provider.label) for provider in PROVIDERS.values())


def test_imported_has_nothing_to_ask_for():
    provider = PROVIDERS["imported"]()

    assert not provider.generates
    assert [error.permanent for error in provider.generate([ask("Why?")])] == [True]


def test_scripted_says_the_same_to_the_same_messages_and_seed():
    assert scripted(ask("Why?")) == scripted(ask("Why?"))


def test_scripted_texts_vary_with_question_and_seed():
    texts = scripted(*(ask(f"Question {n}?", seed) for n in range(10) for seed in range(10)))

    assert len(set(texts)) > 90
    assert all(5 < len(text.split()) < 128 for text in texts)


def test_scripted_shows_its_steering_in_every_first_sentence():
    texts = scripted(*(ask("Why?", seed, system="Tradition first.") for seed in range(5)))

    assert len({text.split(". ")[0] for text in texts}) == 1


def test_scripted_keeps_to_the_token_limit():
    assert len(scripted(ask("Why?", max_new_tokens=7))[0].split()) == 7


def test_a_model_that_does_not_exist_is_a_permanent_error():
    pytest.importorskip("transformers")
    with pytest.raises(ProviderError, match='no model "nonesuch"') as caught:
        PROVIDERS["transformers_local"]("nonesuch").generate([ask("Why?")])

    assert caught.value.permanent


def test_rows_sample_from_their_own_seed_and_within_the_nucleus():
    torch = pytest.importorskip("torch")
    from collector.providers.sampling import SeededSampler

    # Softmax of these is 0.5, 0.3, 0.15, 0.05: a nucleus of 0.8 holds the first two.
    scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()

    def draw(*seeds, steps=50, **fields):
        sampler = SeededSampler([ask("", s, **fields) for s in seeds], torch.device("cpu"))
        return [sampler(None, scores.repeat(len(seeds), 1)).argmax(dim=-1).tolist() for _ in range(steps)]

    together = draw(1, 2, temperature=1.0, top_p=0.8)
    assert [row[1] for row in together] == [row[0] for row in draw(2, temperature=1.0, top_p=0.8)]
    assert {token for row in together for token in row} == {0, 1}
    assert {row[0] for row in draw(1, temperature=0.0, top_p=1.0)} == {0}
    often = [row[0] for row in draw(3, temperature=1.0, top_p=1.0, steps=2000)]
    assert 0.45 < often.count(0) / 2000 < 0.55
    assert 0.02 < often.count(3) / 2000 < 0.08


def test_rows_of_like_length_share_a_bucket():
    pytest.importorskip("transformers")
    from collector.providers.transformers_local import MAX_BUCKET_TOKENS, _buckets, _Row

    rows = [_Row(n, ask("", max_new_tokens=10), [0] * length) for n, length in enumerate([500, 20, 30, 25])]
    huge = [_Row(n, ask("", max_new_tokens=10), [0] * (MAX_BUCKET_TOKENS // 2)) for n in range(2)]

    assert [[row.place for row in bucket] for bucket in _buckets(rows)] == [[1, 3, 2], [0]]
    assert [len(bucket) for bucket in _buckets(huge)] == [1, 1]
    assert list(_buckets([])) == []


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("transformers")
    os.environ["HF_HUB_OFFLINE"] = "1"
    return PROVIDERS["transformers_local"](SMOLLM2)


QUESTIONS = (
    "Should a doctor tell a dying patient the truth?",
    "Is it right to eat animals?",
    "May a father read his daughter's letters?",
    "Tell me about money.",
)


@pytest.mark.slow
def test_smollm2_writes_real_text_and_the_same_again(smollm2):
    requests = [ask(question, seed, max_new_tokens=24) for seed, question in enumerate(QUESTIONS)]

    first, second = smollm2.generate(requests), smollm2.generate(requests)

    assert all(isinstance(answer, Response) and answer.text for answer in first)
    assert sum(len(answer.text.split()) for answer in first) > 40
    assert len({answer.text for answer in first}) == 4
    assert [answer.text for answer in first] == [answer.text for answer in second]
    assert smollm2.generate([ask(QUESTIONS[0], seed=99, max_new_tokens=24)])[0].text != first[0].text


@pytest.mark.slow
def test_smollm2_says_where_its_text_came_from(smollm2):
    [answer] = smollm2.generate([ask("Tell me a long story.", max_new_tokens=4)])

    known = answer.provenance
    assert len(known["sha256"]) == len(known["chat_template_sha256"]) == 64
    assert known["device"]
    assert known["dtype"] == "bfloat16"
    assert known["versions"]["transformers"]
    assert (known["new_tokens"], known["finish_reason"], known["batch_size"]) == (4, "length", 1)
    assert known["prompt_tokens"] > 5


@pytest.mark.slow
def test_a_prompt_longer_than_the_context_fails_alone_and_for_good(smollm2):
    long, short = smollm2.generate([ask("word " * 20_000), ask("Hello!", max_new_tokens=4)])

    assert isinstance(long, ProviderError)
    assert long.permanent
    assert "exceed" in str(long)
    assert isinstance(short, Response)


@pytest.mark.slow
def test_two_who_convert_at_once_end_with_one_whole_folder(smollm2, settings, tmp_path):
    from collector.providers.weights import find_weights

    settings.MODELS_DIR = tmp_path
    found = []
    threads = [threading.Thread(target=lambda: found.append(find_weights(SMOLLM2))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found[0] == found[1]
    [folder] = tmp_path.iterdir()
    assert (folder / "model.safetensors").stat().st_size > 200_000_000
