/* The page "Models": the address names market and version on screen. */
(function () {
    const PATH = "/models";
    let shown = null;
    const query = (state) => {
        const named = new URLSearchParams({ market: state.market });
        if (state.version) named.set("version", state.version);
        return "?" + named.toString();
    };

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        models: {
            address: function (state) {
                shown = state && state.market ? query(state) : null;
                if (shown && window.location.pathname === PATH && window.location.search !== shown) {
                    const first = new URLSearchParams(window.location.search).get("market") === null;
                    window.history[first ? "replaceState" : "pushState"]({}, "", PATH + shown);
                }
                return window.dash_clientside.no_update;
            },
        },
    });

    /* Back and forward between markets: the pages' router does not know of addresses that were written here. */
    window.addEventListener("popstate", () => {
        if (window.location.pathname === PATH && shown && window.location.search !== shown) window.location.reload();
    });
})();
