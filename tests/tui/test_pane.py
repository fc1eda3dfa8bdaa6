import asyncio

import pytest
from textual.app import App
from views import batch, started, view_of

import tui.widgets.pane as pane_module
from tui.widgets.pane import Pane


class CountingPane(Pane):
    PERIOD = 1.0

    def __init__(self):
        super().__init__()
        self.drawn = []

    def key_of(self, view):
        return view.state.batch_count

    def draw_view(self, view, width, height):
        self.drawn.append(view.state.batch_count)
        return [[("a", "train"), ("b", "ink 3/15")]]


class PaneApp(App):
    def compose(self):
        yield CountingPane()


@pytest.fixture
def clock(monkeypatch):
    """Stop the time that panes go by; a test sets it."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(pane_module, "monotonic", lambda: Clock.now)
    return Clock


def runs(*counts):
    return [view_of(started(), *(batch(step=step + 1) for step in range(count))) for count in counts]


def play(steps):
    """Have `steps` use a pane that is on a screen."""

    async def run():
        async with PaneApp().run_test() as pilot:
            await steps(pilot, pilot.app.query_one(CountingPane))

    asyncio.run(run())


def test_it_draws_what_is_new_and_no_more_often_than_its_period(clock):
    async def steps(_, pane):
        one, two, three = runs(1, 2, 3)
        pane.offer(one)
        pane.offer(two)
        assert pane.drawn == [1]
        clock.now += 1.0
        pane.offer(two)
        pane.offer(three)
        assert pane.drawn == [1, 2]
        clock.now += 1.0
        pane.offer(three)
        clock.now += 9.0
        pane.offer(three)
        assert pane.drawn == [1, 2, 3]

    play(steps)


def test_before_the_first_step_a_rare_pane_says_what_is_waited_for_as_soon_as_any(clock):
    class RarePane(CountingPane):
        PERIOD = 4.0

    pane = RarePane()
    pane.offer(view_of(started()))
    assert pane.period == Pane.PERIOD
    pane.offer(runs(1)[0])
    assert pane.period == 4.0


def test_a_new_size_is_drawn_at_once(clock):
    async def steps(pilot, pane):
        pane.offer(runs(1)[0])
        await pilot.resize_terminal(70, 30)
        await pilot.pause()
        assert pane.drawn == [1, 1]
        assert pane.render_line(0).cell_length == 70

    play(steps)
