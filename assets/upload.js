/* A file that is too large to be sent is told to the page, which says so; the upload itself would only pass it over. */
(function () {
    "use strict";

    function look(event, files) {
        const holder = event.target.closest ? event.target.closest("[data-most]") : null;
        const large = holder === null ? undefined : Array.from(files || []).find((file) => file.size > Number(holder.dataset.most));
        if (large === undefined) return;
        window.dash_clientside.set_props(holder.dataset.told, { data: { name: large.name, bytes: large.size } });
    }

    document.addEventListener("change", (event) => look(event, event.target.files), true);
    document.addEventListener("drop", (event) => look(event, event.dataTransfer && event.dataTransfer.files), true);
})();
