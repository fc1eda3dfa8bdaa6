import pytest
from textual.geometry import Region, Size

from tui.widgets.bench import PANE_NAMES, arrange

RECENT = ["accuracy", "samples", "confusion", *PANE_NAMES]


@pytest.mark.parametrize(
    ("width", "height", "count"), [(78, 18, 1), (78, 34, 2), (118, 18, 2), (118, 33, 4), (198, 53, 9)]
)
def test_the_more_room_there_is_the_more_panes_are_shown(width, height, count):
    places = arrange(Size(width, height), RECENT)
    assert len(places) == count
    assert "accuracy" in places


@pytest.mark.parametrize(
    "size", [Size(58, 10), Size(78, 18), Size(90, 40), Size(118, 33), Size(250, 20), Size(198, 53)]
)
def test_panes_stay_within_the_space_and_off_each_other(size):
    places = list(arrange(size, RECENT).values())
    assert all(size.region.contains_region(place) for place in places)
    assert not any(a.overlaps(b) for at, a in enumerate(places) for b in places[at + 1 :])
    assert all(place.width >= 40 and place.height >= 6 for place in places)


@pytest.mark.parametrize("name", PANE_NAMES)
@pytest.mark.parametrize("size", [Size(78, 18), Size(118, 33), Size(198, 53)])
def test_the_pane_that_was_asked_for_last_is_always_shown(size, name):
    assert name in arrange(size, [name, *RECENT])
    assert arrange(size, [name, *RECENT], zoomed=True) == {name: Region(0, 0, *size)}


def test_a_pane_with_a_place_of_its_own_does_not_take_that_of_another():
    assert set(arrange(Size(118, 33), ["log", *RECENT])) == {"accuracy", "loss", "samples", "log"}
    assert set(arrange(Size(118, 33), ["loss", "log", *RECENT])) == {"accuracy", "loss", "samples", "log"}
