"""The one model a worker process keeps in memory: loaded on first use, shared by tasks, let go when idle."""

import gc
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings

Model = TypeVar("Model")
log = structlog.get_logger(__name__)


class Resident(Generic[Model]):
    """At most one model at a time: a second would double the memory, so it waits until the first is free."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._key: Hashable = None
        self._model: Model | None = None
        self._users = 0
        self._last_used = 0.0
        self._timer: threading.Timer | None = None

    @contextmanager
    def borrowed(self, key: Hashable, load: Callable[[], Model]) -> Iterator[Model]:
        """The model called `key`, loaded in the place of another one; it stays while the block runs."""
        model = self._take(key, load)
        try:
            yield model
        finally:
            self._give_back()

    def is_loaded(self, key: Hashable) -> bool:
        return self._model is not None and self._key == key

    def unload(self) -> None:
        """Lets the model go as soon as nobody uses it."""
        with self._changed:
            self._changed.wait_for(lambda: self._users == 0)
            self._drop()

    def _take(self, key: Hashable, load: Callable[[], Model]) -> Model:
        with self._changed:
            self._changed.wait_for(lambda: self._users == 0 or self.is_loaded(key))
            if self._model is None or self._key != key:
                self._drop()
                self._model, self._key = load(), key
            self._users += 1
            return self._model

    def _give_back(self) -> None:
        with self._changed:
            self._users -= 1
            self._last_used = time.monotonic()
            if self._timer is not None:
                self._timer.cancel()
            if settings.MODEL_IDLE_SECONDS:
                self._timer = threading.Timer(settings.MODEL_IDLE_SECONDS, self._drop_if_idle)
                self._timer.daemon = True
                self._timer.start()
            self._changed.notify_all()

    def _drop_if_idle(self) -> None:
        with self._changed:
            # Somebody may have come while the timer waited for the lock; giving back starts the next one.
            idle = time.monotonic() - self._last_used
            if self._users == 0 and idle >= settings.MODEL_IDLE_SECONDS and self._model is not None:
                log.info("model unloaded", idle_seconds=round(idle))
                self._drop()

    def _drop(self) -> None:
        """Frees the memory of this process and of its accelerator; without a model there is nothing to do."""
        if self._model is None:
            return
        if callable(close := getattr(self._model, "close", None)):
            close()
        self._model = self._key = None
        gc.collect()
        empty_accelerator()


def empty_accelerator() -> None:
    """Gives cached memory back to the device, where torch is in use at all."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


# Shared by all local engines.
RESIDENT: Resident[Any] = Resident()
