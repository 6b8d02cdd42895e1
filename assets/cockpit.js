/* The tab's own life: is the connection alive, title and icon, menus, keys. No trading state is kept here. */
(function () {
    const STALE_MS = 3000;
    const RENEW_MS = 6000;
    const DEAD_MS = 15000;
    const COLOURS = {running: "#2ebd85", paused: "#f0b90b", stopped: "#848e9c", killed: "#f6465d"};
    let heard = performance.now();
    let looked = heard;
    let asking = false;
    let renewed = 0;
    let boot = null;

    function icon(state) {
        const colour = COLOURS[state] || COLOURS.stopped;
        const svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='6' fill='#0b0e11'/>" +
            "<path d='M4 26 28 6v20z' fill='" + colour + "'/></svg>";
        return "data:image/svg+xml," + encodeURIComponent(svg);
    }

    /* Mark the page in the menu, and on a narrow screen bring it into sight within the menu alone. */
    function showPlace() {
        document.querySelectorAll(".nav-page").forEach((item) => {
            const here = item.getAttribute("href") === window.location.pathname;
            const arrived = here && !item.classList.contains("is-here");
            item.classList.toggle("is-here", here);
            const menu = item.parentElement;
            if (arrived) menu.scrollLeft = item.offsetLeft - (menu.clientWidth - item.offsetWidth) / 2;
        });
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        cockpit: {
            beat: function (sign) {
                heard = performance.now();
                boot = boot || (sign && sign.boot);
                if (boot && sign && sign.boot !== boot && !writing()) window.location.reload();  // another run of the server
                document.body.classList.remove("is-stale", "is-dead");
                return window.dash_clientside.no_update;
            },
            title: function (now, page) {
                if (now) {
                    const name = (page && page.title) || "AI Trading Cockpit";
                    const count = now.positions ? "(" + now.positions + ") " : "";
                    window.setTimeout(() => { document.title = count + name + " · " + now.broker; }, 0);
                    showPlace();
                    const link = document.getElementById("favicon");
                    if (link && link.dataset.state !== now.state) {
                        link.dataset.state = now.state;
                        link.href = icon(now.state);
                    }
                }
                return window.dash_clientside.no_update;
            },
        },
    });

    /* Is something being typed that a reload would lose? */
    function writing() {
        const here = document.activeElement;
        return Boolean((here && here.matches("textarea, input:not([type=radio]):not([type=checkbox])")) ||
            document.querySelector(".offcanvas.show textarea"));
    }

    /* The server answers and yet says nothing: lay the line anew. The page and what is typed into it stay. */
    function revive(now) {
        if (asking || now - renewed < RENEW_MS) return;
        asking = true;
        fetch("/api/health", {cache: "no-store"})
            .then((answer) => answer.ok && (answer.headers.get("content-type") || "").startsWith("application/json"))
            .then((alive) => { if (alive && performance.now() - heard > RENEW_MS && window.cockpitLine.renew()) renewed = performance.now(); })
            .catch(() => undefined)
            .finally(() => { asking = false; });
    }

    window.setInterval(() => {
        const now = performance.now();
        if (now - looked > 5000) heard = now;  // the computer slept or the tab was frozen: wait for the next beat
        looked = now;
        orderColumns();
        const silent = now - heard;
        document.body.classList.toggle("is-stale", silent > STALE_MS);
        document.body.classList.toggle("is-dead", silent > DEAD_MS);
        if (silent > RENEW_MS) revive(now);
    }, 1000);

    /* A phone shows one column of a position beside its name: that is the gain. */
    function orderColumns() {
        const grid = document.getElementById("table-positions");
        if (window.innerWidth > 700 || !grid || grid.dataset.ordered || !window.dash_ag_grid) return;
        grid.dataset.ordered = "yes";
        window.dash_ag_grid.getApiAsync("table-positions").then((api) => api.moveColumns(["pnl", "pnl_rate"], 1)).catch(() => undefined);
    }

    /* Menus close on a click elsewhere or Escape. */
    function closeMenus(except) {
        document.querySelectorAll("details.drop[open]").forEach((menu) => { if (menu !== except) menu.open = false; });
    }
    document.addEventListener("click", (event) => closeMenus(event.target.closest && event.target.closest("details.drop")));

    /* Letters find a symbol (all that are typed before the search box is there), digits change the timeframe. */
    let typed = "";
    function search(tries) {
        const box = document.querySelector(".dash-dropdown-search");
        if (!box) {
            if (tries) window.setTimeout(() => search(tries - 1), 30);
            else typed = "";
            return;
        }
        box.focus();
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, typed);
        box.dispatchEvent(new Event("input", {bubbles: true}));
        typed = "";
    }
    function findSymbol(letter) {
        const choice = document.getElementById("price-symbol");
        if (!choice) return;
        typed += letter;
        if (typed.length > 1) return;
        choice.click();
        search(20);
    }
    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") closeMenus(null);
        const busy = event.target.closest && event.target.closest("input:not(.btn-check), textarea, select, .modal, [contenteditable]");
        if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
        if (/^[1-9]$/.test(event.key)) {
            const frames = document.querySelectorAll("#price-timeframe input");
            if (frames[event.key - 1]) frames[event.key - 1].click();
        } else if (/^[a-zA-Z]$/.test(event.key)) {
            event.preventDefault();
            findSymbol(event.key);
        }
    });
})();
