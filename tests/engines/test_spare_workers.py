"""Which spare workers are kept, given away and ended."""

import mishaps
import pytest
from real_worker import spec_of

from engines import launch
from engines.problems import StorageProblem
from engines.spare_workers import SpareWorkers

RUN = spec_of(epochs=1)


@pytest.fixture
def workers():
    workers = SpareWorkers()
    yield workers
    workers.get_ready([])


def test_there_is_one_for_each_run_and_no_other(workers, spares):
    for runs, alive in [([RUN, RUN], [True, True]), ([RUN], [True, False]), ([], [False, False])]:
        workers.get_ready(runs)
        assert [spare.is_alive() for spare in spares] == alive


def test_one_that_died_or_is_of_another_framework_is_replaced(workers, spares):
    workers.get_ready([RUN])
    mishaps.kill(spares[0])
    workers.get_ready([RUN])
    workers.get_ready([spec_of(framework="none")])
    assert [spare.framework for spare in spares] == ["rehearsal", "rehearsal", "none"]
    assert [spare.is_alive() for spare in spares] == [False, False, True]


def test_one_that_still_imports_or_is_of_another_framework_is_kept_for_later(workers, spares, monkeypatch):
    workers.get_ready([RUN])
    with monkeypatch.context() as patch:
        patch.setattr(spares[0], "is_ready", lambda: False)
        assert workers.take(RUN) is None
    mishaps.wait_for(spares[0].is_ready, "a spare that is ready")
    assert workers.take(spec_of(framework="none")) is None
    spare = workers.take(RUN)
    assert spare is spares[0]
    assert workers.take(RUN) is None
    spare.end()


def test_one_whose_run_cannot_begin_is_not_left_behind(workers, spares, store, monkeypatch):
    def refuse(_):
        raise StorageProblem("cannot write there.", "Check the disk.")

    workers.get_ready([RUN])
    mishaps.wait_for(spares[0].is_ready, "a spare that is ready")
    monkeypatch.setattr(store, "create", refuse)
    with pytest.raises(StorageProblem):
        launch.start(store, RUN, workers.take(RUN))
    assert not spares[0].is_alive()
