"""Work beside the event loop that an exit does not wait for: a look at the network must not hold up leaving."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_background(question: Callable[[], Answer]) -> Answer:
    """Call `question` in a thread of its own, and give what it gives or raise what it raises.

    Unlike the loop's own threads this one is a daemon: the program ends although it may still be at work.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def settle(tell: Callable[[], None]) -> None:
        if not answer.cancelled():
            tell()

    def work() -> None:
        try:
            tell = partial(answer.set_result, question())
        except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
            tell = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # The loop has ended meanwhile; nobody waits.
            loop.call_soon_threadsafe(settle, tell)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    return await answer
