"""The process that says what a drawing is: started beside the screen, asked and heard without a wait."""

import asyncio
import base64
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from engines.inquiry import Answer, Question

_ENDED = "the process that answers has ended: go back and come again."


class Classifier:
    """Asks for the run in `directory`; while one question is open the newest waits, and those between are dropped."""

    def __init__(self, directory: Path, hear: Callable[[Answer], None]) -> None:
        self._directory = directory
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: bytes | None = None
        self._is_open = False

    def ask(self, image: bytes) -> None:
        """Have `hear` called with what the image (784 bytes) is taken for, as soon as that is known."""
        self._waiting = image
        self._send()

    async def serve(self) -> None:
        """Start the process and hear its answers until it ends, or this is cancelled, which ends it."""
        try:
            self._process = await self._start()
        except OSError as error:
            self._hear(Answer(problem=f"no process could be started: {error.strerror}."))
            return
        try:
            self._send()
            await self._listen()
            self._hear(Answer(problem=_ENDED))
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "engines.inference", str(self._directory)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            # One image is too little work to share out; threads would only be started for nothing.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    async def _listen(self) -> None:
        assert self._process
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            self._is_open = False
            self._hear(msgspec.json.decode(line, type=Answer))
            self._send()

    def _send(self) -> None:
        if self._process and self._process.stdin and self._waiting is not None and not self._is_open:
            question = Question(base64.b64encode(self._waiting).decode())
            self._process.stdin.write(msgspec.json.encode(question) + b"\n")
            self._waiting, self._is_open = None, True
