"""A study on screen: ticks that outlive an error, and late answers that the next tick mends."""

import asyncio

from dash import no_update

from callbacks import automl, automl_study, following
from layouts import ids
from layouts.automl import page as layout
from tests.fakes.fake_services import FakeWorld
from tests.fakes.fake_studies import FakeStudies


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def begun():
    clock = Clock()
    port = FakeStudies(seconds=10.0, clock=clock)
    services = FakeWorld(studies=port).services
    port.resume("cut")
    clock.now = 3.0
    return services, port.view("cut"), clock


def tick(services, shown):
    return asyncio.run(automl.on_tick(services, shown))


def live(services, seen):
    return asyncio.run(automl_study.on_live(services, {"key": "cut"}, seen))


def test_a_tick_survives_whatever_goes_wrong_and_asks_for_the_next(caplog):
    async def broken():
        raise OSError("disk is busy")

    told = asyncio.run(following.or_nothing(broken(), "how far the study is"))
    assert following.answered(automl.FRAME, told, 4) == [no_update] * len(automl.FRAME) + [5]
    assert "how far the study is cannot be told" in caplog.text


def test_the_tick_that_draws_the_end_names_no_study_and_the_next_one_stops_the_ticks():
    services, before, clock = begun()
    clock.now = 20.0
    shown = {"key": "cut", "shape": layout.shape(before)}
    end = tick(services, shown)
    assert (ids.AM_BODY, "children") in end and (ids.AM_TICK, "disabled") not in end
    drawn = end[ids.AM_RUN, "data"].to_plotly_json()
    assert "'key'" not in str(drawn["operations"])
    after = tick(services, {**shown, "shape": layout.shape(services.studies.view("cut"))})
    assert after[ids.AM_TICK, "disabled"] is True and (ids.AM_BODY, "children") not in after


def test_studies_in_the_same_state_have_pages_of_different_shape():
    port = FakeStudies()
    assert layout.shape(port.view("passed")) != layout.shape(port.view("denied"))


def test_figures_that_came_late_are_mended_before_nothing_more_is_asked():
    services, before, clock = begun()
    clock.now = 20.0
    late = layout.picture(before)
    mended = live(services, late)
    assert mended[ids.AM_SEEN, "data"] != late and (ids.AM_LIVE, "disabled") not in mended
    assert live(services, mended[ids.AM_SEEN, "data"]) == {(ids.AM_LIVE, "disabled"): True}
