"""Keeping the processes of one Empanel alive on one machine: start, watch, start again, stop."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

STOP_SECONDS = 5.0
STEADY_SECONDS = 30.0
LONGEST_DELAY = 30.0
FAILURES_BEFORE_GIVING_UP = 5
PR_SET_PDEATHSIG = 1

# Looked up before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One process of Empanel, in a process group of its own, so that all it started stops with it."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_after = 0.0
        self.failures = 0
        self.rest = b""  # output after the last line break

    def start(self, environment: Mapping[str, str], folder: Path) -> None:
        parent = os.getpid()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own commands, no shell)
            self.command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=lambda: _die_with(parent),
        )

    def signal(self, number: int) -> None:
        """Send the signal to the whole process group, whether or not its leader still lives."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs the children until told to stop; `print_line` gets every line they and the supervisor say."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        environment: Mapping[str, str],
        folder: Path,
        print_line: Callable[[str, str], None],
    ) -> None:
        self.children = list(children)
        self.environment = environment
        self.folder = folder
        self.print_line = print_line
        self.stop_signals = 0
        self.gave_up = False
        self._selector = selectors.DefaultSelector()

    def run(self, on_tick: Callable[[], None]) -> int:
        """Start all children and keep them running; 0 after a stop signal, 1 where one would not stay up."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            while not self.stop_signals and not self.gave_up:
                for child in self.children:
                    self._keep_running(child)
                self._read_output(timeout=0.1)
                on_tick()
        except BrokenPipeError:  # whoever read our output has gone, and so has the terminal
            self.print_line = lambda name, line: None
        finally:
            self.stop()
        return 1 if self.gave_up else 0

    def stop(self) -> None:
        """Ask every process group to end, and kill what is left after a few seconds or a second signal."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        asked, deadline = self.stop_signals, time.monotonic() + STOP_SECONDS
        while any(child.is_running for child in self.children) and time.monotonic() < deadline:
            self._read_output(timeout=0.1)
            if self.stop_signals > max(asked, 1):
                break
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_signals += 1

    def _keep_running(self, child: Child) -> None:
        if child.is_running or time.monotonic() < child.start_after:
            return
        if child.process is None or child.start_after > child.started_at:
            child.start(self.environment, self.folder)
            self._listen_to(child)
            return
        self._plan_restart(child)

    def _plan_restart(self, child: Child) -> None:
        # What the dead leader started may still hold the port or a task.
        child.signal(signal.SIGKILL)
        now = time.monotonic()
        child.failures = 1 if now - child.started_at > STEADY_SECONDS else child.failures + 1
        delay = min(LONGEST_DELAY, 0.5 * 2 ** (child.failures - 1))
        child.start_after = now + delay
        status = child.process.returncode if child.process else 0
        why = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        if child.failures >= FAILURES_BEFORE_GIVING_UP:
            self.gave_up = True
            self.print_line(
                "empanel", f"{child.name} {why} {child.failures} times in a row; its lines above say why"
            )
            return
        self.print_line("empanel", f"{child.name} {why}; starting it again in {delay:g} s")

    def _listen_to(self, child: Child) -> None:
        if child.process is None or child.process.stdout is None:
            return
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _read_output(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            child: Child = key.data
            data = os.read(key.fd, 65536)
            if not data:
                self._selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                data = b"\n" if child.rest else b""
            *lines, child.rest = (child.rest + data).split(b"\n")
            for line in filter(None, (line.decode(errors="replace").rstrip() for line in lines)):
                self.print_line(child.name, line)


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent dies, even by kill -9 (Linux only)."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
