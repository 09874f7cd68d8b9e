"""The registry of providers: to add one, copy its neighbour and name it here."""

from collector.providers.base import Provider
from collector.providers.imported import Imported
from collector.providers.llama_cpp import LlamaCpp
from collector.providers.openai_compatible import OpenAICompatible
from collector.providers.scripted import Scripted
from collector.providers.transformers_local import TransformersLocal

PROVIDERS: dict[str, type[Provider]] = {
    "transformers_local": TransformersLocal,
    "llama_cpp": LlamaCpp,
    "openai_compatible": OpenAICompatible,
    "scripted": Scripted,
    "imported": Imported,
}
