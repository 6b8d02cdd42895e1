/* The page "Strategies": what is done on the builder becomes a numbered log of acts that the server follows.

   An act is sent with all before it that the server has not answered yet, so none is lost when answers overtake one
   another; the server passes over those it knows. Commands (save, open ...) wait until every act has arrived. */
(function () {
    "use strict";
    const TYPING_MS = 300, TEXT_MS = 450, RETRY_MS = 60, KEPT = "st-drafts", PATH = "/strategies";
    let counter = 0, acked = 0, log = [], waiting = [], sentAt = 0, mounted = null, dragged = null, focus = null, current = null, ordered = "", byKeys = false;
    const timers = new Map();
    const by = (id) => document.getElementById(id);
    const builder = () => by("st-builder");
    const keep = () => window.dash_clientside.no_update;

    function isBusy() {
        const page = by("st-page");
        return (page !== null && page.classList.contains("is-busy")) || Date.now() - sentAt < 2 * RETRY_MS;
    }

    function send() {
        if (!log.length || builder() === null) return;
        if (isBusy()) { window.setTimeout(send, RETRY_MS); return; }
        window.dash_clientside.set_props("st-acts", { data: { acts: log.slice() } });
    }

    function push(act) {
        counter += 1;
        focus = focused();
        log.push(Object.assign({ n: counter }, act));
        send();
    }

    const LEAVES = ["open", "new", "adopt", "restore", "delete", "duplicate"];

    function order(command) {
        settle();
        const unsaved = current !== null && current.changed && (current.past.length > 0 || log.length > 0);
        const leaves = LEAVES.includes(command.do) && unsaved;
        if (leaves && !window.confirm("This strategy has edits that are not saved. Leave them?")) return;
        if (leaves) forget(refOf(current));
        const kept = command.do === "open" && !command.version ? drafts()[command.ref] : undefined;
        waiting.push(kept ? { do: "resume", state: kept.state } : command);
        flush();
    }

    function flush() {
        if (!waiting.length || log.length) return;
        if (isBusy()) { window.setTimeout(flush, RETRY_MS); return; }
        counter += 1;
        sentAt = Date.now();
        const command = Object.assign({}, waiting.shift(), { n: counter });
        ordered = command.do;
        window.dash_clientside.set_props("st-command", { data: command });
        if (waiting.length) window.setTimeout(flush, RETRY_MS);
    }

    /* What is typed and not told yet is told now. */
    function settle() {
        for (const [box, timer] of Array.from(timers)) {
            window.clearTimeout(timer.id);
            timers.delete(box);
            if (box.isConnected) push(timer.act());
        }
    }

    function later(box, act, wait) {
        const old = timers.get(box);
        if (old) window.clearTimeout(old.id);
        const id = window.setTimeout(() => { timers.delete(box); push(act()); }, wait);
        timers.set(box, { id: id, act: act });
    }

    function actOf(box, live) {
        const holder = box.closest("[data-field], [data-path], [data-text]");
        if (holder === null || builder() === null || !builder().contains(holder)) return null;
        const said = holder.dataset;
        const base = live ? { live: true } : {};
        if (said.text) return Object.assign({ op: said.text, value: box.value }, {});
        if (said.field) return Object.assign({ op: "set", node: said.node, field: said.field, value: box.value }, base);
        return Object.assign({ op: "head", path: JSON.parse(said.path), value: box.value }, base);
    }

    function onInput(event) {
        const box = event.target;
        if (box.id === "st-search") { filter(box.value); return; }
        if (box.tagName === "SELECT" || actOf(box, true) === null) return;
        const isText = box.closest("[data-text]") !== null;
        later(box, () => actOf(box, true), isText ? TEXT_MS : TYPING_MS);
    }

    function onChange(event) {
        const box = event.target, act = actOf(box, false);
        if (act === null) return;
        const timer = timers.get(box);
        if (timer) { window.clearTimeout(timer.id); timers.delete(box); } else if (act.op === "json") return;
        push(act);
    }

    function filter(words) {
        const wanted = words.toLowerCase().trim();
        document.querySelectorAll("#st-shelf [data-search]").forEach((item) => {
            item.classList.toggle("hidden", wanted !== "" && !item.dataset.search.includes(wanted));
        });
        if (wanted) document.querySelectorAll("#st-shelf details").forEach((one) => { one.open = true; });
    }

    function onClick(event) {
        const button = event.target.closest("[data-op], [data-do]");
        if (button === null || button.disabled || builder() === null) return;
        const said = Object.assign({}, button.dataset);
        const sheet = button.closest(".st-more");
        if (sheet) sheet.open = false;
        if (said.do) { order(said); return; }
        settle();
        if (said.path) said.path = JSON.parse(said.path);
        if (said.source) { said.name = by(said.source).value; by(said.source).value = ""; }
        if (said.op === "open" && button.closest(".st-row.is-open")) said.node = "";
        push(said);
    }

    const STEPS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };

    function onKey(event) {
        byKeys = true;
        if (builder() === null) return;
        const key = event.key.toLowerCase(), held = event.ctrlKey || event.metaKey;
        const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
        if (held && key === "s") { event.preventDefault(); order({ do: "save" }); return; }
        if (held && !typing && (key === "z" || key === "y")) {
            event.preventDefault();
            push({ op: key === "y" || event.shiftKey ? "redo" : "undo" });
            return;
        }
        const row = event.target.closest ? event.target.closest("[data-row]") : null;
        if (row === null) return;
        if (event.altKey && STEPS[event.key]) {
            event.preventDefault();
            settle();
            push({ op: "shift", node: row.dataset.row, direction: STEPS[event.key] });
        } else if (event.target === row) {
            onRowKey(event, row);
        } else if (event.key === "Escape" && row.classList.contains("is-open")) {
            row.focus();
            push({ op: "open", node: "" });
        } else if (event.key === "Enter" && event.target.tagName === "INPUT") {
            event.target.blur();
            row.focus();
        }
    }

    function onRowKey(event, row) {
        const rows = Array.from(builder().querySelectorAll("[data-row]")), at = rows.indexOf(row);
        if (event.key === "Delete" || event.key === "Backspace") {
            event.preventDefault();
            push({ op: "remove", node: row.dataset.row });
            focus = null;
            if (rows[at + 1] || rows[at - 1]) (rows[at + 1] || rows[at - 1]).focus();
        } else if (event.key === "Enter") {
            event.preventDefault();
            push({ op: "open", node: row.classList.contains("is-open") ? "" : row.dataset.row });
        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)];
            if (next) next.focus();
        }
    }

    /* Dragging: a row goes before or after another one, or into a group. */
    function onDragStart(event) {
        const handle = event.target.closest ? event.target.closest(".st-handle") : null;
        if (handle === null) return;
        const row = handle.closest("[data-row]");
        settle();
        dragged = row;
        row.classList.add("is-dragged");
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", row.dataset.row);
        event.dataTransfer.setDragImage(row, 12, 12);
    }

    function target(event) {
        const found = event.target.closest ? event.target.closest("[data-row], [data-group]") : null;
        if (found === null || dragged === null || dragged.contains(found) || !builder().contains(found)) return null;
        const said = found.dataset;
        if (said.row === undefined) return { box: found, mark: "drop-in", to: said.group };
        const box = found.getBoundingClientRect(), index = Number(said.index);
        if (found.classList.contains("st-group")) {
            if (event.clientY - box.top < 10) return { box: found, mark: "drop-before", to: said.parent, index: index };
            return { box: found, mark: "drop-in", to: said.row, index: 0 };
        }
        const below = event.clientY - box.top > box.height / 2;
        return { box: found, mark: below ? "drop-after" : "drop-before", to: said.parent, index: index + Number(below) };
    }

    function unmark() {
        document.querySelectorAll(".drop-before, .drop-after, .drop-in").forEach((one) => {
            one.classList.remove("drop-before", "drop-after", "drop-in");
        });
    }

    function onDragOver(event) {
        if (dragged === null) return;
        unmark();
        const where = target(event);
        if (where === null) return;
        event.preventDefault();
        where.box.classList.add(where.mark);
    }

    function onDrop(event) {
        if (dragged === null) return;
        const where = target(event);
        if (where === null) return;
        event.preventDefault();
        push({ op: "move", node: dragged.dataset.row, to: where.to, index: where.index });
        onDragEnd();
    }

    function onDragEnd() {
        unmark();
        if (dragged !== null) dragged.classList.remove("is-dragged");
        dragged = null;
    }

    /* What had the focus gets it again after the rows were drawn anew. */
    function focused() {
        const box = document.activeElement, inside = builder();
        if (!box || inside === null || !inside.contains(box)) return null;
        const holder = box.closest("[data-field], [data-path]");
        if (holder !== null && holder.dataset.field) return selector("data-node", holder, "data-field") + " :is(input,select)";
        if (holder !== null && holder.dataset.path) return selector("data-path", holder) + " :is(input,select,textarea)";
        const row = box.closest("[data-row]");
        return row === null ? null : "#" + row.id;
    }

    function selector(...names) {
        const holder = names.splice(1, 1)[0];
        return names.map((name) => "[" + name + "=" + JSON.stringify(holder.getAttribute(name)) + "]").join("");
    }

    function refocus(opened, before) {
        window.setTimeout(() => {
            const now = document.activeElement, inside = builder();
            if (inside === null || (now && now !== document.body)) return;
            if (!byKeys) return;
            const wanted = opened && opened !== before ? inside.querySelector("#st-" + opened) : null;
            const old = focus ? inside.querySelector(focus) : null;
            if (wanted || old) (wanted || old).focus({ preventScroll: false });
        }, 80);
    }

    /* Drafts that are not saved stay with the tab, each with its strategy ("" is the new one), until they are saved or
       left on purpose: another page, or a link to another strategy, loses none. */
    function refOf(state) {
        return state.origin[2] ? state.origin[0] + "/" + state.origin[1] : "";
    }

    function drafts() {
        try {
            return JSON.parse(window.sessionStorage.getItem(KEPT) || "{}") || {};
        } catch (error) { return {}; /* what cannot be read is forgotten */ }
    }

    function store(found) {
        try { window.sessionStorage.setItem(KEPT, JSON.stringify(found)); } catch (error) { /* a full storage keeps nothing */ }
    }

    function forget(ref) {
        const found = drafts();
        delete found[ref];
        store(found);
    }

    function remember(state) {
        const ref = refOf(state), found = drafts();
        if (state.changed && (state.past.length || state.typed !== null)) {
            found[ref] = { state: state, at: Date.now() };
            store(found);
        } else {
            forget(ref);
        }
        if (window.location.pathname === PATH) {
            window.history.replaceState(window.history.state, "", PATH + (ref ? "?strategy=" + ref : ""));
        }
    }

    /* A tab that left the page with unsaved edits goes on with them: with those of the strategy that is asked for, and
       where none is, with the newest. */
    function resume() {
        const found = drafts(), asked = new URLSearchParams(window.location.search).get("strategy");
        const newest = Object.keys(found).sort((one, other) => found[other].at - found[one].at)[0];
        const ref = asked === null ? newest : asked;
        if (ref === undefined || found[ref] === undefined) return false;
        forget(ref);
        order({ do: "resume", state: found[ref].state });
        return true;
    }

    let openedBefore = "";

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        strategies: {
            arrived: function (state) {
                if (!state || !state.origin) return keep();
                const isFresh = mounted !== builder();
                mounted = builder();
                if (isFresh || state.done < acked) { log = []; waiting = []; }
                if (!isFresh && ordered && current !== null && refOf(current) !== refOf(state)) forget(refOf(current));
                ordered = "";
                current = state;
                acked = state.done;
                counter = Math.max(counter, acked);
                log = log.filter((act) => act.n > acked);
                if (isFresh && resume()) return keep();
                remember(state);
                refocus(state.opened, openedBefore);
                openedBefore = state.opened;
                if (log.length) window.setTimeout(send, RETRY_MS); else flush();
                return keep();
            },
            tab: function (value) {
                const box = builder();
                if (box !== null) {
                    box.classList.toggle("is-json", value === "JSON");
                    box.classList.toggle("is-rules", value !== "JSON");
                }
                return keep();
            },
        },
    });

    document.addEventListener("input", onInput);
    document.addEventListener("change", onChange);
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", () => { byKeys = false; });
    document.addEventListener("dragstart", onDragStart);
    document.addEventListener("dragover", onDragOver);
    document.addEventListener("drop", onDrop);
    document.addEventListener("dragend", onDragEnd);
})();
