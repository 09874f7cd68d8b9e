"""The translations as files: where they lie, the words that code marks, and their placeholders."""

import ast
import re
from collections.abc import Iterator
from gettext import c2py
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[1]
APPS = ("collector", "annotations", "exports", "console")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# Which arguments of each function are msgids.
FUNCTIONS = {"_": [0], "gettext": [0], "ngettext": [0], "pgettext": [1], "npgettext": [1]}
STRING = r"""(u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*")"""
IN_TEMPLATE = re.compile(rf"\bn?(p?)gettext\({STRING}(?:, {STRING})?|\b()_\({STRING}\)")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z](?!\w)|%%|</?\w+|`\w[\w-]*`")


def po_file(language: str) -> polib.POFile:
    return polib.pofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.po"))


def mo_file(language: str) -> polib.MOFile:
    return polib.mofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.mo"))


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def plural_form(po: polib.POFile, number: int) -> int:
    """Which of the language's forms a number takes, by the rule in the file's head."""
    return c2py(re.search(r"plural=(.*);", po.metadata["Plural-Forms"])[1])(number)


def marked_words() -> Iterator[tuple[str, str]]:
    """Every msgid that a template or a line of code marks, with the file it stands in."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix == ".html":
                found = _in_template(path.read_text())
            elif path.suffix == ".py" and "migrations" not in path.parts:
                found = _in_code(path.read_text())
            else:
                continue
            yield from ((str(path.relative_to(ROOT)), words) for words in found)


def _in_template(text: str) -> Iterator[str]:
    for with_context, first, second, _, short in IN_TEMPLATE.findall(templatize(text)):
        yield ast.literal_eval((second if with_context else first) or short)


def _in_code(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id.removesuffix("_lazy")
            arguments = [node.args[index] for index in FUNCTIONS.get(name, []) if index < len(node.args)]
            yield from (argument.value for argument in arguments if isinstance(argument, ast.Constant))
