"""Order that looks random, repeats itself from the same seed, and cannot be guessed without it."""

import hmac


def shuffle_key(seed: str, *parts: object) -> int:
    """A place in [0, 2**63) for whatever `parts` name, keyed by the campaign's seed.

    >>> shuffle_key("seed", 1, 2) == shuffle_key("seed", 1, 2) != shuffle_key("seed", 2, 1)
    True
    """
    message = "/".join(str(part) for part in parts).encode()
    return int.from_bytes(hmac.digest(seed.encode(), message, "sha256")[:8], "big") >> 1
