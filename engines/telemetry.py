"""The machine at work, measured every two seconds beside training: this process's CPU and memory, and each GPU."""

import threading
from collections.abc import Callable

import psutil

from engines.events import Telemetry
from engines.gpus import GpuMeter

PERIOD_SECONDS = 2.0


class TelemetryThread:
    """Writes a `telemetry` event every `PERIOD_SECONDS`, and one more when it is closed."""

    def __init__(self, write: Callable[[Telemetry], None]) -> None:
        self._write = write
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait for it."""
        self._ended.set()
        self._thread.join()

    def _measure(self) -> None:
        process = psutil.Process()
        process.cpu_percent()
        gpus = GpuMeter()
        ended = False
        while not ended:
            ended = self._ended.wait(PERIOD_SECONDS)
            memory = process.memory_info().rss
            self._write(Telemetry(cpu_percent=process.cpu_percent(), memory=memory, gpus=gpus.read()))
