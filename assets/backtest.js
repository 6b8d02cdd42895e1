/* The page "Backtest": the address names the run on screen. On a phone every page's choices fold away. */
(function () {
    const PATH = "/backtest";
    let shown = null;
    const asked = () => new URLSearchParams(window.location.search).get("run");

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        backtest: {
            address: function (run) {
                shown = (run && run.key) || null;
                if (shown && window.location.pathname === PATH && asked() !== shown) {
                    window.history.pushState({}, "", PATH + "?run=" + encodeURIComponent(shown));
                }
                return window.dash_clientside.no_update;
            },
        },
    });

    /* Back and forward between runs: the pages' router does not know of addresses that were written here. */
    window.addEventListener("popstate", () => {
        if (window.location.pathname === PATH && shown && asked() !== shown) window.location.reload();
    });

    /* A phone shows one column of a trade beside its symbol: that is the gain. */
    window.setInterval(() => {
        const grid = window.innerWidth <= 700 && document.getElementById("bt-trades");
        if (!grid || grid.dataset.ordered || !window.dash_ag_grid) return;
        grid.dataset.ordered = "yes";
        window.dash_ag_grid.getApiAsync("bt-trades").then((api) => api.moveColumns(["pnl"], 1)).catch(() => undefined);
    }, 1000);

    document.addEventListener("click", (event) => {
        const fold = event.target.closest && event.target.closest(".fold");
        if (!fold) return;
        const open = fold.closest(".panel").classList.toggle("is-open");
        fold.setAttribute("aria-expanded", String(open));
    });
})();
