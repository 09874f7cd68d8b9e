"""Tests of collector/providers/: the registry, and the providers that need no model."""

from collector.providers import PROVIDERS
from collector.providers.base import Request


def ask(question, seed=1, system="", **fields):
    messages = [{"role": "system", "content": system}] if system else []
    return Request([*messages, {"role": "user", "content": question}], seed=seed, **fields)


def scripted(*requests, **options):
    return [answer.text for answer in PROVIDERS["scripted"]("", options).generate(requests)]


def test_every_provider_is_registered_under_a_name_and_has_a_label():
    assert set(PROVIDERS) >= {"transformers_local", "llama_cpp", "openai_compatible", "scripted", "imported"}
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
