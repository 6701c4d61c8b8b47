"""Calls a tracker in a thread, so that the training never waits for it or fails because of it."""

import logging
import textwrap
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from contracts.artifacts.training_record import TrackerRecord
from trainer.tracking.tracker import Point, TrackedTraining, Tracker

LOGGER = logging.getLogger(__name__)

# During a training, a server may be away for five minutes and nothing is lost.
SECONDS_BETWEEN_ATTEMPTS = 15.0
ATTEMPTS = 20
# After the training, delivery of the rest may take so long.
END_WITHIN_S = 20.0
SECONDS_BETWEEN_LAST_ATTEMPTS = 1.0
LAST_ATTEMPTS = 3

LONGEST_CAUSE = 120  # characters; the log has all of it


class Delivery:
    """Calls a tracker with each message in order, from a thread of its own."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._place = ""
        # Calls, or points; neighbouring points are delivered in one call.
        self._waiting: deque[Callable[[], None] | Point] = deque()
        self._changed = threading.Condition()
        self._is_ending = False
        self._received = self._lost = 0
        self._error: Exception | None = None
        self._thread = threading.Thread(
            target=self._deliver, daemon=True, name=f"tracking-{tracker.name}"
        )

    def begin(self, training: TrackedTraining) -> None:
        """Start the tracker's run.

        Raises:
          ComponentError: it cannot be started.
        """
        self._place = self._tracker.begin(training)
        self._thread.start()

    def used(self, parameters: Mapping[str, str]) -> None:
        """Deliver parameters."""
        self._put(partial(self._tracker.used, parameters))

    def log(self, point: Point) -> None:
        """Deliver a point that the run does not hold, together with others that wait."""
        if not self._tracker.logged.has(point):
            self._put(point)

    def picture(self, name: str, path: Path) -> None:
        """Deliver a picture; its file has to stay until the end."""
        self._put(partial(self._tracker.picture, name, path))

    def artifact(self, path: Path) -> None:
        """Deliver a file or folder; it has to stay until the end."""
        self._put(partial(self._tracker.artifact, path))

    def end(self, *, is_finished: bool) -> TrackerRecord:
        """Deliver the rest, within END_WITHIN_S, and say what could not be."""
        self._put(partial(self._tracker.end, is_finished=is_finished))
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join(END_WITHIN_S)
        with self._changed:
            lost = self._lost + len(self._waiting)
        if not lost:
            return TrackerRecord(self._tracker.name, self._place, self._tracker.run_id)
        cause = f"{type(self._error).__name__}: {self._error}" if self._error else "no answer"
        cause = textwrap.shorten(cause, LONGEST_CAUSE, placeholder=" ...")
        trouble = f"{lost} of {self._received} messages were not delivered ({cause})"
        LOGGER.warning("%s: %s", self._tracker.name, trouble)
        return TrackerRecord(self._tracker.name, self._place, self._tracker.run_id, trouble)

    def _put(self, message: Callable[[], None] | Point) -> None:
        with self._changed:
            self._waiting.append(message)
            self._received += 1
            self._changed.notify_all()

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_ending)
                if not self._waiting:
                    return
                call, messages = self._first()
            is_delivered = self._try(call)
            with self._changed:
                self._lost += 0 if is_delivered else messages
                for _ in range(messages):
                    self._waiting.popleft()

    def _first(self) -> tuple[Callable[[], None], int]:
        """Return the next call and how many messages it stands for: waiting points go as one."""
        points: list[Point] = []
        for message in self._waiting:
            if not isinstance(message, Point):
                break
            points.append(message)
        if points:
            return partial(self._tracker.log, points), len(points)
        first = self._waiting[0]
        assert not isinstance(first, Point)
        return first, 1

    def _try(self, call: Callable[[], None]) -> bool:
        """Call until it succeeds, or often enough."""
        attempt = 0
        while True:
            try:
                call()
            except Exception as error:
                self._error = error
                attempt += 1
                LOGGER.warning("%s did not take a message", self._tracker.name, exc_info=error)
            else:
                return True
            if attempt >= (LAST_ATTEMPTS if self._is_ending else ATTEMPTS):
                return False
            self._pause()

    def _pause(self) -> None:
        if self._is_ending:
            time.sleep(SECONDS_BETWEEN_LAST_ATTEMPTS)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._is_ending, SECONDS_BETWEEN_ATTEMPTS)
