"""What tests of training may ask for."""

from itertools import count

import pytest
from scripted_training import Trained


@pytest.fixture
def trained(tmp_path):
    """Train by a script, each time in a folder of its own."""
    numbers = count()
    return lambda **how: Trained(tmp_path / f"run{next(numbers)}", **how)
