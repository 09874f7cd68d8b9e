"""How alike texts are: as vectors, which of them are near-duplicates, how dispersed, and what they cover.

Numbers from texts and vectors only: the encoder is in `sentence_encoder.py`, the database in `marking.py`.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]  # one row a text, of length one, or zero where a text says nothing

SHINGLE = 5  # characters
BUCKETS = 4096
ROUNDING = 1e-6
# "Tell her" and "never tell her" are nearly one to an encoder, and nearly the same letters.
NEGATIONS = frozenset(
    word
    for line in (
        "no not never none nothing nobody neither nor without cannot cant dont doesnt didnt wont wouldnt",
        "shouldnt couldnt mustnt isnt arent wasnt werent havent hasnt",
        "nicht kein keine keinen keinem keiner keines nie niemals nichts niemand ohne",
        "nunca jamás nada nadie ningún ninguna ninguno ni sin",
        "لا لم لن ليس ليست لست بدون غير नहीं नही न मत बिना",
    )
    for word in line.split()
)
NEGATIVE_CHARACTERS = "不没沒无無非别"  # of languages written without spaces


def normalise(text: str) -> str:
    """Words alone: case, width, spaces and punctuation do not tell two texts apart, in any script.

    >>> normalise("  Don’t — *ever*!\\n") == normalise("don't ever")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_WORD_CHARACTERS).split())


def shingle_vectors(texts: Sequence[str]) -> Vectors:
    """For texts in any language: the set of a text's 5-character shingles, hashed into signed buckets.

    The cosine of two such vectors estimates |A and B| / sqrt(|A| |B|) of the sets, without bias and with a
    standard deviation of about 1 / sqrt(4096) (feature hashing: Weinberger et al., ICML 2009).
    """
    vectors = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        hashes = _shingle_hashes(normalise(text))
        np.add.at(row, hashes % BUCKETS, np.where(hashes >> np.uint64(63), 1.0, -1.0))
    return to_unit_length(vectors)


def to_unit_length(vectors: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def find_repeats(texts: Sequence[str], vectors: Vectors, threshold: float) -> list[int | None]:
    """For each text the position of the earliest that it repeats, or None; only firsts are repeated.

    A text repeats an earlier one of the same words; or one whose cosine with it is at least `threshold`, if
    both say "no" and "not" equally often. In one pass and in the order given, so that what follows never
    changes what was found before.
    """
    words = [normalise(text) for text in texts]
    negations = np.array([_count_negations(text) for text in words])
    firsts: list[int] = []
    by_words: dict[str, int] = {}
    found: list[int | None] = []
    for position, said in enumerate(words):
        first = by_words.get(said)
        if first is None and firsts:
            is_near = vectors[firsts] @ vectors[position] >= np.float32(threshold)
            near = np.flatnonzero(is_near & (negations[firsts] == negations[position]))
            first = firsts[near[0]] if near.size else None
        if first is None:
            firsts.append(position)
        by_words.setdefault(said, position if first is None else first)
        found.append(first)
    return found


def dispersion(vectors: Vectors) -> float | None:
    """The mean cosine distance over all pairs of rows; None below two rows.

    With s the sum of n unit rows, the mean cosine is (|s|^2 - n) / (n (n - 1)), so that no pair is looked at.
    """
    n = len(vectors)
    if n < 2:
        return None
    rows = vectors.astype(np.float64)
    total = rows.sum(axis=0)
    mean_cosine = (total @ total - (rows * rows).sum()) / (n * (n - 1))
    return float(np.clip(1 - mean_cosine, 0.0, 2.0))


def coverage(people: Vectors, candidates: Vectors) -> float | None:
    """The share of people's answers that have a candidate in their neighbourhood; None where undefined.

    The neighbourhood of an answer reaches as far as the nearest of the other people's (Naeem et al.,
    "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020, with k = 1, as a prompt has
    few answers). Undefined below three people, or without candidates.
    """
    if len(people) < 3 or not len(candidates):
        return None
    among = people @ people.T
    np.fill_diagonal(among, -np.inf)
    reach = among.max(axis=1)
    return float(np.mean((people @ candidates.T).max(axis=1) >= reach - ROUNDING))


class _WordCharacters(dict[int, str]):
    """For `str.translate`: letters, marks and digits stay, all else parts words; apostrophes join them."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = unicodedata.category(character)[0] in "LMN"
        self[code] = character if kept else "" if character in "'’ʼ" else " "
        return self[code]


_WORD_CHARACTERS = _WordCharacters()


def _count_negations(words: str) -> int:
    characters = sum(words.count(character) for character in NEGATIVE_CHARACTERS)
    return characters + sum(word in NEGATIONS for word in words.split())


def _shingle_hashes(words: str) -> npt.NDArray[np.uint64]:
    codes = np.frombuffer(f" {words} ".ljust(SHINGLE).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    hashes = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
    for offset in range(SHINGLE):
        hashes = hashes * np.uint64(1_099_511_628_211) + codes[offset : offset + len(hashes)]
    return np.unique(_mix(hashes))


def _mix(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spreads every bit over all of them (the finaliser of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
