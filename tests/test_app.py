"""The application as a whole: no callback may block the event loop, all that is shown exists."""

import inspect
import logging
from itertools import combinations

import pytest

import app as cockpit_app
from callbacks import kpis
from layouts import ids
from tests.fakes.fake_services import FakeWorld


@pytest.fixture(scope="module")
def app():
    return cockpit_app.create_app(FakeWorld().services)


def test_every_callback_is_a_coroutine_function(app):
    waiting = {key: spec["callback"] for key, spec in app.callback_map.items() if "callback" in spec}
    assert len(waiting) > 10
    assert [key for key, function in waiting.items() if not inspect.iscoroutinefunction(function)] == []


def test_no_two_ids_are_the_same():
    names = [v for k, v in vars(ids).items() if k.isupper() and isinstance(v, str)]
    assert len(names) == len(set(names))


def ids_in(component):
    found = [component.id] if getattr(component, "id", None) is not None else []
    return found + [c.id for c in component._traverse() if getattr(c, "id", None) is not None]


STATES = {
    "/backtest": ({"run": "past1"},),
    "/models": ({"market": "BTCUSDT-1h"},),
    "/automl": ({"study": "passed"}, {"study": "stopped"}),
}


def test_every_component_that_a_callback_or_a_push_sets_is_on_its_page(app):
    services = FakeWorld().services
    shell = {i for i in ids_in(app.layout()) if isinstance(i, str)}
    present = [shell | {i for query in STATES.get(page.path, ({},))
                        for i in ids_in(page.build(services, query)) if isinstance(i, str)}
               for page in cockpit_app.PAGES]
    for spec in app.callback_map.values():
        parts = {part["id"] for part in spec["inputs"] + spec["state"]}
        named = {i for i in parts if "{" not in i and not i.startswith("_pages")}
        assert any(named <= held for held in present), named
    for name in ids.TABLES:
        assert {ids.table(name), ids.table_pane(name), ids.table_box(name)} <= present[0]


def test_pages_share_no_component_but_the_name_of_the_page():
    services = FakeWorld().services
    held = [{i for i in ids_in(page.build(services, {})) if isinstance(i, str)} for page in cockpit_app.PAGES]
    for first, second in combinations(held, 2):
        assert first & second == {ids.PAGE_NAME}


def test_a_card_that_cannot_be_drawn_says_so_and_the_others_stay(monkeypatch):
    def fail(_services):
        raise RuntimeError("no figures")

    monkeypatch.setattr(kpis, "build", fail)
    page = cockpit_app.cockpit_page(FakeWorld().services)
    assert "no figures" in str(page) and ids.PRICE_CHART in ids_in(page)


def test_no_outside_address_is_in_the_page_and_the_stylesheet_is_local(app, caplog):
    caplog.set_level(logging.WARNING)
    assert cockpit_app.bootstrap_css().read_text().startswith("@charset")
    assert "http://" not in app.index_string and "https://" not in app.index_string
    assert 'data-bs-theme="dark"' in app.index_string
