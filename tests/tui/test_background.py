import asyncio
import subprocess
import sys
import threading

import pytest

from tui.background import in_background


def test_the_answer_comes_from_another_thread():
    assert asyncio.run(in_background(threading.get_ident)) != threading.get_ident()


def test_what_is_raised_there_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_background(lambda: 1 // 0))


def test_an_answer_that_nobody_waits_for_any_more_is_dropped():
    asked, answered, threads, complaints = threading.Event(), threading.Event(), [], []

    def answer():
        threads.append(threading.current_thread())
        asked.set()
        answered.wait()

    async def give_up():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        task = asyncio.create_task(in_background(answer))
        await asyncio.to_thread(asked.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        answered.set()
        await asyncio.to_thread(threads[0].join)
        await asyncio.sleep(0)

    asyncio.run(give_up())
    assert complaints == []


def test_leaving_does_not_wait_for_an_answer():
    script = (
        "import asyncio, threading; from tui.background import in_background\n"
        "async def leave():\n"
        "    task = asyncio.create_task(in_background(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(leave())"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0
