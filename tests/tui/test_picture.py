from textual.geometry import Size

from tui.widgets.picture import Picture


class Wide(Picture):
    """As wide as it is told; `refreshed` are the regions of each refresh, none for all of it."""

    size = Size(6, 2)

    def __init__(self):
        super().__init__()
        self.refreshed = []
        self.word = "one"

    def draw(self, width, height):
        return [[(self.word, "")]] * height

    def refresh(self, *regions, **_):
        self.refreshed.append(regions)
        return self


def test_only_what_changed_is_drawn_again():
    picture = Wide()
    picture.redraw()
    picture.word = "ore"
    picture.redraw()
    assert picture.refreshed[0] == ()
    assert [(region.x, region.y, region.width) for region in picture.refreshed[1]] == [(1, 0, 1), (1, 1, 1)]


def test_a_new_width_that_nobody_told_of_yet_draws_all():
    picture = Wide()
    picture.redraw()
    picture.size = Size(9, 2)
    picture.redraw()
    assert picture.refreshed == [(), ()]
