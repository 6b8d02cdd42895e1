/* Formats of the grids' cells; layouts/columns.py names them. */
(function () {
    const none = (value) => value === null || value === undefined || Number.isNaN(value);
    const write = (value, low, high) =>
        value.toLocaleString("en-US", {minimumFractionDigits: low, maximumFractionDigits: high}).replace("-", "−");
    const two = (n) => String(n).padStart(2, "0");
    const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const day = (t) => two(t.getUTCDate()) + " " + MONTHS[t.getUTCMonth()];
    const sign = (value) => (value > 0 ? "+" : "");

    window.dashAgGridFunctions = Object.assign({}, window.dashAgGridFunctions, {
        price: (value, decimals) => (none(value) ? "–" : write(value, decimals, decimals)),
        plain: (value) => (none(value) ? "–" : write(value, 0, 8)),
        fixed: (value, digits) => (none(value) ? "–" : write(value, digits, digits)),
        signed: (value, digits) => (none(value) ? "–" : sign(value) + write(value, digits, digits)),
        signedPercent: (value) => (none(value) ? "–" : sign(value) + write(100 * value, 2, 2) + " %"),
        utc: (value) => {
            if (none(value)) return "–";
            const t = new Date(value);
            return day(t) + " " + two(t.getUTCHours()) + ":" + two(t.getUTCMinutes());
        },
        utcLong: (value) => (none(value) ? "–" : new Date(value).toISOString().slice(0, 16).replace("T", " ")),
        utcSeconds: (value) => {
            if (none(value)) return "–";
            const t = new Date(value);
            return day(t) + " " + two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()) + ":" + two(t.getUTCSeconds());
        },
        /* A cell that begins like a formula is text, not a formula; times are exported as ISO 8601. */
        csvCell: (params) => {
            const value = params.value;
            const field = params.column.getColId();
            if (none(value)) return "";
            if ((field === "time" || field === "entry_time") && typeof value === "number") return new Date(value).toISOString();
            return typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
        },
    });
})();
