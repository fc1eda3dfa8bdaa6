import gc
import sys

import pytest

from engines.engine_import import import_engine

MANY = 9_999


@pytest.fixture
def write_engine(tmp_path, monkeypatch):
    """Give what writes the engine of a framework called `made`, of which nothing is left afterwards."""
    monkeypatch.setattr("engines.__path__", [str(tmp_path)])
    yield lambda text: (tmp_path / "made_engine.py").write_text(text, encoding="utf-8")
    sys.modules.pop("engines.made_engine", None)
    gc.unfreeze()


def test_no_garbage_is_looked_for_in_what_an_engine_brings_along(write_engine):
    write_engine(f"import gc\nwas_looked_for = gc.isenabled()\nmade = [[number] for number in range({MANY})]")
    engine = import_engine("made")
    assert not engine.was_looked_for
    assert gc.get_freeze_count() >= MANY
    assert gc.isenabled()
    assert import_engine("made") is engine


def test_garbage_is_looked_for_again_where_an_engine_cannot_be_imported(write_engine):
    write_engine("raise ImportError('no such library')")
    with pytest.raises(ImportError, match="no such library"):
        import_engine("made")
    assert gc.isenabled()
