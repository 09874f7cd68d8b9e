"""Tests of how local models write: sampling, batches, rows that leave, both engines."""

import dataclasses
import inspect

import pytest

from collector.providers.base import ProviderError, Request

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from transformers import (  # noqa: E402
    BloomConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    MambaConfig,
    Qwen3Config,
)

from collector.providers.continuous import ContinuousWriter  # noqa: E402
from collector.providers.decoding import Row, can_shrink, write, write_unshrinking  # noqa: E402
from collector.providers.sampling import SeededSampler  # noqa: E402
from tests.tiny_models import LETTERS, tiny_config, tiny_model  # noqa: E402

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": LETTERS}
ENDS = {"eos_token_id": 256, "pad_token_id": 257, "bos_token_id": None}
SHAPES = {
    "llama": tiny_config(),
    "qwen3": Qwen3Config(**SIZES, **ENDS, intermediate_size=64, num_key_value_heads=2, head_dim=8),
    "gemma2": Gemma2Config(
        **SIZES, **ENDS, intermediate_size=64, num_key_value_heads=2, head_dim=8, sliding_window=8
    ),
    "gpt2": GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=LETTERS, **ENDS),
    "gpt_neox": GPTNeoXConfig(**SIZES, **ENDS, intermediate_size=64),
    "bloom": BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=LETTERS, **ENDS),
    "mamba": MambaConfig(hidden_size=32, num_hidden_layers=2, vocab_size=LETTERS, state_size=4, **ENDS),
}


def make_rows(limits, *, prompts=3, temperature=1.0):
    """Rows with limits of their own; row n has one of a few prompts of different lengths."""
    request = Request([], temperature=temperature)
    return [
        Row(
            n,
            dataclasses.replace(request, seed=n, max_new_tokens=limit),
            [65 + n % prompts] * (4 + n % prompts),
        )
        for n, limit in enumerate(limits)
    ]


def written(model, rows, stops=frozenset()):
    for _step in write(model, rows, stops=set(stops), pad=257):
        pass
    return [row.new for row in rows]


def draw(*requests, steps=50, likelihoods=(0.5, 0.3, 0.15, 0.05)):
    scores = torch.tensor([likelihoods]).log().repeat(len(requests), 1)
    sampler = SeededSampler(requests, torch.device("cpu"))
    return [sampler.sample(scores).tolist() for _ in range(steps)]


def asked(seed, **fields):
    return Request([], seed=seed, **fields)


def test_rows_sample_from_their_own_seed_and_within_the_nucleus():
    # A nucleus of 0.8 of 0.5, 0.3, 0.15, 0.05 holds the first two.
    together = draw(asked(1, temperature=1.0, top_p=0.8), asked(2, temperature=1.0, top_p=0.8))

    assert [row[1] for row in together] == [row[0] for row in draw(asked(2, temperature=1.0, top_p=0.8))]
    assert {token for row in together for token in row} == {0, 1}


def test_tokens_come_as_often_as_the_model_says():
    often = [row[0] for row in draw(asked(3, temperature=1.0, top_p=1.0), steps=2000)]

    assert 0.45 < often.count(0) / 2000 < 0.55
    assert 0.02 < often.count(3) / 2000 < 0.08


@pytest.mark.parametrize("fields", [{"temperature": 0.0, "top_p": 1.0}, {"temperature": 1.0, "top_p": 0.0}])
def test_without_chance_the_likeliest_token_is_taken(fields):
    assert {row[0] for row in draw(asked(1, **fields))} == {0}


def test_a_model_that_computes_nonsense_is_an_error_and_no_endless_loop():
    with pytest.raises(ProviderError, match="MODEL_DTYPE"):
        SeededSampler([asked(1)], torch.device("cpu")).sample(torch.full((1, 4), torch.nan))


def test_a_row_that_is_over_leaves_and_the_others_go_on_as_if_alone():
    model = tiny_model()
    widths = []
    forward = model.forward

    def counting(**inputs):
        widths.append(len(inputs["input_ids"]))
        return forward(**inputs)

    counting.__signature__ = inspect.signature(forward)
    model.forward = counting
    together = written(model, make_rows([2, 6, 4, 6]))
    seen = list(widths)
    alone = [written(model, [row])[0] for row in make_rows([2, 6, 4, 6])]

    assert [len(tokens) for tokens in together] == [2, 6, 4, 6]
    assert together == alone
    # Three different prompts for four rows; the first row leaves after two tokens, the third after four.
    assert seen == [3, 4, 3, 3, 2, 2]


def test_a_stop_token_ends_a_row_and_is_not_part_of_it():
    model = tiny_model()
    [free] = written(model, make_rows([8]))
    rows = make_rows([8])

    assert written(model, rows, stops={free[3]}) == [free[:3]]
    assert rows[0].finish_reason == "stop"


def test_the_same_batch_gives_the_same_tokens():
    model = tiny_model().to(torch.bfloat16)

    assert written(model, make_rows([9] * 8)) == written(model, make_rows([9] * 8))


@pytest.mark.parametrize("name", SHAPES)
def test_any_shape_of_model_writes_what_its_own_generate_does(name):
    model = tiny_model(SHAPES[name])
    rows, plain = (make_rows([12, 3, 12, 7, 12], temperature=0) for _ in range(2))
    write_unshrinking(model, plain, stops={256}, pad=257)

    if not can_shrink(model):
        assert name == "mamba"
        assert [len(row.new) <= limit for row, limit in zip(plain, [12, 3, 12, 7, 12], strict=True)] == [
            True
        ] * 5
        return
    assert written(model, rows, {256}) == [row.new for row in plain]


def test_continuous_batches_write_what_plain_ones_do_and_each_row_from_its_seed():
    model = tiny_model()
    writer = ContinuousWriter(model, stops={256}, pad=257, blocks=64)
    likeliest, plain = (make_rows([5, 9, 3, 7], temperature=0) for _ in range(2))
    first, again = make_rows([5, 9, 3, 7]), make_rows([5, 9, 3, 7])
    other_company = make_rows([5, 9, 3, 7, 4, 4])
    for rows in (likeliest, first, again, other_company):
        writer.write(rows)
    writer.close()

    assert [row.new for row in likeliest] == written(model, plain, {256})
    assert [row.new for row in first] == [row.new for row in again]
    assert [row.new for row in first] == [row.new for row in other_company[:4]]
    assert first[0].new != likeliest[0].new
