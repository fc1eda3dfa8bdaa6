"""What is done to a run's worker from outside, and waiting for the moment to do it."""

import os
import signal
import time

import real_worker

from engines import run_lock

EPOCHS = 6
STEPS_PER_EPOCH = 45


def start(store, **asked):
    """Start the run that most faults happen to; it takes about a second."""
    return real_worker.start(store, **{"epochs": EPOCHS, **asked})


def kill(worker, number=signal.SIGKILL):
    """Send a signal and wait for the end; gives the return code, negative for a signal."""
    worker.process.send_signal(number)
    return worker.process.wait(real_worker.PATIENCE_SECONDS)


def wait_for(condition, what):
    """Poll `condition` until it gives something true, and give that."""
    until = time.monotonic() + real_worker.PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.002)
    return found


def wait_for_epoch(directory, epoch):
    return real_worker.wait_until(directory, lambda state: state.epochs and state.epochs[-1].epoch >= epoch)


def wait_for_queued(queue, run_ids):
    """Wait until none of these waits or is alive any more; whoever keeps the queue is replaced where it died."""

    def is_over():
        if {order.run_id for order in queue.orders()} & {*run_ids}:
            queue.see_to_it()
            return False
        return not any(worker_of(queue.store.root / run_id) for run_id in run_ids)

    wait_for(is_over, "the queued runs to end")


def worker_of(directory):
    """Give the process id of a run's worker; None where it has none."""
    return run_lock.holder(directory / "lock")


def end_all(root):
    """Kill every worker that holds the lock of a run in `root`."""
    for lock in root.glob("*/lock"):
        if pid := run_lock.holder(lock):
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda lock=lock: run_lock.holder(lock) is None, f"the end of process {pid}")
