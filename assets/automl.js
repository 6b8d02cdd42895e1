/* The page "AutoML": the address names the study on screen. */
(function () {
    const PATH = "/automl";
    let shown = null;
    const asked = () => new URLSearchParams(window.location.search).get("study");

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        automl: {
            address: function (run) {
                shown = (run && run.key) || null;
                if (shown && window.location.pathname === PATH && asked() !== shown) {
                    window.history.pushState({}, "", PATH + "?study=" + encodeURIComponent(shown));
                }
                return window.dash_clientside.no_update;
            },
        },
    });

    window.addEventListener("popstate", () => {
        if (window.location.pathname === PATH && shown && asked() !== shown) window.location.reload();
    });
})();
