"""What the tests of the screens may ask for besides: a run that is alive."""

import pytest
import real_worker


@pytest.fixture
def live_run(store):
    """A rehearsal run that trains until the test is over."""
    worker = real_worker.start(store, epochs=100_000)
    real_worker.wait_until(worker.run_directory, real_worker.in_training)
    yield worker
    worker.process.kill()
    worker.process.wait()
