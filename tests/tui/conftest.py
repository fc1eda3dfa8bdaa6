"""What the tests of the screens may ask for besides: a run that is alive."""

import pytest
import real_worker


@pytest.fixture
def live_run(store):
    """A rehearsal run that trains until the test is over."""
    with real_worker.training(store, epochs=100_000) as worker:
        yield worker
