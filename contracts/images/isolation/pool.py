"""The parent's side of the decode processes: a call goes to an idle process."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from queue import SimpleQueue
from threading import Lock
from typing import IO, Any, TypeVar

from contracts.environment.own_packages import python_command
from contracts.images.isolation import worker as decode_worker
from contracts.images.isolation.worker import DecodeAnswer, DecodeCall, DecodeLimits, PositionReport
from contracts.system.errors import ComponentError

Result = TypeVar("Result")

# Environment variables of the C libraries. There is a process a core, so that numpy needs no
# threads. glibc keeps the memory of a decoded photo: given back to the system, it would be cleared
# for the next photo, in a third of the time of decoding. One arena serves the threads that read
# objects: an arena each would count against the memory limit.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # glibc's maximum
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_MAIN = f"from {decode_worker.__name__} import DecodeLimits, serve; serve({{limits!r}})"


class WorkerDied(Exception):
    """A decode process ended during a call, near `position`; `cause` tells how.

    `is_late`: an image took longer than its limit.
    """

    def __init__(self, cause: str, position: int, is_late: bool) -> None:
        super().__init__(cause, position, is_late)
        self.cause = cause
        self.position = position
        self.is_late = is_late


class DecodeWorker:
    """One decode process; if it has died, the next call starts a new one."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.limits = limits
        self._main = _MAIN.format(limits=limits)
        self._lock = Lock()  # between a call that starts a new process, and `close`
        self._is_closed = False
        self._start()

    @property
    def pid(self) -> int:
        """The id of the current process."""
        return self._process.pid

    def call(self, call: DecodeCall, on_position: PositionReport) -> Any:
        """Run a call in the process; return or raise the result of the function.

        Raises:
          WorkerDied: the process died in this call.
          CancelledError: the worker is closed, or was closed in this call.
          ComponentError: the process does not even start.
        """
        with self._lock:
            if self._is_closed:
                raise CancelledError
            if self._process.poll() is not None:
                self._stop()
                self._start()
        if not self._is_ready:
            self._await_ready()
        position = 0
        try:
            pickle.dump(call, self._calls)
            self._calls.flush()
            while (answer := self._receive()).kind == decode_worker.POSITION:
                position = answer.value
                on_position(position)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            if self._is_closed:  # its pipes are closed too: reading them raises various errors
                raise CancelledError from error
            if not isinstance(error, (EOFError, BrokenPipeError, pickle.UnpicklingError)):
                raise
            cause, is_late = self._cause_of_death(), self._process.returncode == -signal.SIGALRM
            raise WorkerDied(cause, position, is_late) from error
        if answer.kind == decode_worker.ERROR:
            raise answer.value
        return answer.value

    def close(self) -> None:
        """End the process at once; later calls are cancelled."""
        with self._lock:
            self._is_closed = True
            self._stop()

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._calls, self._answers):
            try:
                pipe.close()
            except BrokenPipeError:  # the process has not read the whole call
                continue

    def _start(self) -> None:
        self._process = subprocess.Popen(
            python_command(self._main),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ENVIRONMENT,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._calls: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._is_ready = False

    def _await_ready(self) -> None:
        try:
            self._is_ready = self._receive().kind == decode_worker.READY
        except (EOFError, pickle.UnpicklingError) as error:
            raise ComponentError(
                "a process to decode images in did not start "
                f"({self._cause_of_death()}): {sys.executable} -c {self._main!r}."
            ) from error

    def _receive(self) -> DecodeAnswer:
        answer: DecodeAnswer = pickle.load(self._answers)
        return answer

    def _cause_of_death(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


class DecodePool:
    """Decode processes, all started at once, with a thread each that waits for results."""

    def __init__(self, processes: int, limits: DecodeLimits) -> None:
        self.processes = processes
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="decode")
        self._workers = [DecodeWorker(limits) for _ in range(processes)]
        self._idle: SimpleQueue[DecodeWorker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Call `function(worker, *arguments)` in a thread as soon as a worker is idle."""
        return self._threads.submit(self._lend, function, arguments)

    def close(self) -> None:
        """End all processes at once and cancel their calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(wait=True)

    def _lend(self, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
        worker = self._idle.get()
        try:
            return function(worker, *arguments)
        finally:
            self._idle.put(worker)


_shared: list[DecodePool] = []


@cache
def pool_of_this_process(processes: int, limits: DecodeLimits) -> DecodePool:
    """Return the pool that this process shares, opened at the first call.

    On a Beam worker it lives as long as the worker.
    """
    pool = DecodePool(processes, limits)
    _shared.append(pool)
    return pool


def close_shared_pools() -> None:
    """Close every pool that this process shares."""
    while _shared:
        _shared.pop().close()
    pool_of_this_process.cache_clear()


@contextmanager
def open_pool(processes: int, limits: DecodeLimits) -> Iterator[DecodePool]:
    """Give the pool of this process; close it after the block."""
    try:
        yield pool_of_this_process(processes, limits)
    finally:
        close_shared_pools()
