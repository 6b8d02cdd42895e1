/* Buttons in the grids' rows. A press is told once: the buttons rest while it is answered. */
(function () {
    const REST_MS = 1500;
    const h = window.React.createElement;

    function buttons(choices) {
        return function RowButtons(props) {
            const [resting, rest] = window.React.useState(false);
            if (choices.wanted && !choices.wanted(props.data)) return null;
            const press = (action) => (event) => {
                event.stopPropagation();
                rest(true);
                window.setTimeout(() => rest(false), REST_MS);
                props.setData({action: action, id: props.node.id, seen: props.data.time, nonce: Date.now()});
            };
            return h("span", {className: "row-buttons"}, choices.list.map(([action, word, look, title]) =>
                h("button", {key: action, type: "button", className: "btn-row " + look, title: title, disabled: resting,
                    "aria-label": title + " " + props.data.display, onClick: press(action)}, word)));
        };
    }

    const own = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
    own.PositionButtons = buttons({list: [
        ["add", "+", "", "Add to the position, by the risk rules"],
        ["half", "½", "", "Sell half"],
        ["close", "Close", "danger", "Sell all"],
    ]});
    own.OrderButtons = buttons({
        wanted: (row) => row && row.cancelable,
        list: [["cancel", "Cancel", "danger", "Cancel the order"]],
    });
})();
