"""Tests of collector/providers/llama_cpp.py on the packaged model."""

import shutil
import sys

import pytest

from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Response
from collector.providers.gguf_files import find_gguf
from collector.providers.resident import RESIDENT
from tests.test_providers import ask

SMOLLM2 = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def llama():
    pytest.importorskip("xllamacpp")
    yield PROVIDERS["llama_cpp"](SMOLLM2)
    RESIDENT.unload()


def refused(model):
    with pytest.raises(ProviderError) as caught:
        PROVIDERS["llama_cpp"](model).generate([ask("Why?")])
    assert caught.value.permanent
    return str(caught.value)


def test_a_worker_without_the_package_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    assert refused(SMOLLM2) == (
        "this worker has no llama.cpp: install the xllamacpp that requirements-dev.txt names"
    )


def test_a_file_that_does_not_exist_is_refused():
    pytest.importorskip("xllamacpp")

    assert refused("nonesuch.gguf") == 'there is no GGUF file "nonesuch.gguf" in MODELS_DIR'


@pytest.mark.slow
def test_a_file_that_is_no_model_is_refused(settings, tmp_path):
    pytest.importorskip("xllamacpp")
    settings.MODELS_DIR = tmp_path
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)

    assert refused("broken.gguf") == 'llama.cpp cannot load "broken.gguf"'


@pytest.mark.slow
def test_every_request_is_answered_from_its_own_seed(llama):
    questions = ["Should one always tell the truth?", "Is it right to eat animals?"]
    requests = [
        ask(question, seed, max_new_tokens=16, temperature=1.0) for question in questions for seed in (1, 2)
    ]
    answers = llama.generate(requests)
    known = answers[0].provenance

    assert len({answer.text for answer in answers}) == 4
    assert (known["new_tokens"], known["finish_reason"], known["batch_size"]) == (16, "length", 4)
    assert len(known["sha256"]) == 64
    assert known["versions"]["xllamacpp"]
    assert known["tokens_per_second"] > 0


@pytest.mark.slow
def test_alone_a_seed_gives_the_same_text_again(llama):
    request = [ask("Tell me a story.", 7, max_new_tokens=16)]

    assert llama.generate(request)[0].text == llama.generate(request)[0].text


@pytest.mark.slow
def test_a_prompt_that_is_too_long_fails_alone_and_for_good(llama):
    long, short = llama.generate([ask("word " * 40_000), ask("Hello!", max_new_tokens=4)])

    assert isinstance(long, ProviderError)
    assert long.permanent
    assert isinstance(short, Response)


@pytest.mark.slow
def test_a_stream_is_the_response_in_pieces_and_can_be_left(llama):
    pieces, stream = [], llama.stream(ask("Tell me a story.", 7, max_new_tokens=16))
    try:
        while True:
            pieces.append(next(stream))
    except StopIteration as end:
        response = end.value
    left = llama.stream(ask("Tell me a story.", 7, max_new_tokens=200))
    next(left)
    left.close()

    assert len(pieces) > 3
    assert "".join(pieces) == response.text
    assert response.provenance["new_tokens"] == 16


@pytest.mark.slow
def test_a_file_in_the_models_folder_runs_by_its_name(llama, settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    (tmp_path / "mine").mkdir()
    shutil.copy(find_gguf(SMOLLM2).path, tmp_path / "mine" / "small.gguf")
    [answer] = PROVIDERS["llama_cpp"]("mine/small.gguf").generate([ask("Hello!", max_new_tokens=4)])

    assert answer.provenance["file"] == "small.gguf"
    assert "package" not in answer.provenance
