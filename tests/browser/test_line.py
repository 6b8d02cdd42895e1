"""The tab's line to the server in a real browser: over full navigations, and when it falls silent."""

import pytest

pytestmark = pytest.mark.browser

WATCH = """window.heard = [performance.now()];
    new MutationObserver(() => window.heard.push(performance.now())).observe(document.querySelector('#updated'),
        {childList: true, characterData: true, subtree: true})"""
GAP = """const gaps = (window.heard ?? []).slice(1).map((time, i) => time - window.heard[i]);
    return gaps.length ? Math.max(...gaps) : null"""
LASTED = "return window.heard.at(-1) - window.heard[0] > arguments[0]"
MENU = "const menu = document.querySelector('.menu'); return menu.scrollWidth <= menu.clientWidth"
DEAFEN = """const Whole = window.SharedWorker;
    let count = 0;
    window.SharedWorker = function (url, options) {
        const worker = new Whole(url, options);
        if (!count++) window.deafen = () => worker.port.close();
        return worker;
    }"""


@pytest.mark.parametrize("way", [["journal"], ["journal", ""], ["about:blank", ""], ["journal", "back"]])
def test_the_clock_goes_on_after_a_full_navigation_in_the_same_tab(open_window, serve, fake_world, way):
    world = fake_world()
    url, window = serve(world.services), open_window()
    window.open(url)
    for step in way:
        if window.run("return document.querySelector('#updated') !== null"):
            window.run(WATCH)
            window.until(LASTED, 1_500)
        if step == "back":
            window.driver.back()
        else:
            window.driver.get(step if step.startswith("about") else url + step)
    window.until("return document.querySelector('#updated') !== null")
    window.run(WATCH)
    window.until(LASTED, 8_000, within=25)
    assert window.run(GAP) < 5_000
    assert window.run("return document.body.className") == ""


def test_a_line_that_fell_silent_is_laid_anew_and_what_is_typed_stays(open_window, serve, fake_world):
    world = fake_world()
    url, window = serve(world.services), open_window()
    window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DEAFEN})
    window.driver.get(url + "journal")
    window.until("return document.querySelector('#jr-filter-text') !== null")
    window.run(WATCH)
    window.until(LASTED, 1_500)
    window.driver.find_element("css selector", "#jr-filter-text").send_keys("not here")
    window.run("window.deafen()")
    window.until("return document.body.classList.contains('is-stale')")
    assert window.text(".reconnecting") == "reconnecting… figures are old"
    assert window.run(MENU)
    window.until("return document.body.className === ''", within=20)
    heard = window.run("return window.heard.length")
    window.until("return window.heard.length > arguments[0] + 2", heard)
    assert window.run("return document.querySelector('#jr-filter-text').value") == "not here"
