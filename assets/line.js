/* The tab's line to the server. Dash lets all pages of a browser share one worker, and so one socket. The browser cuts
   that socket when it puts a page aside for "Back", and the worker then opens two new ones for the next page: questions
   go out on one, answers on the other, and the push ends. So each page has a worker of its own here, and a line
   that fell silent is laid anew without loading the page afresh. */
(function () {
    const Shared = window.SharedWorker;
    const NAME = "dash-ws-worker";
    let renew = () => false;
    let count = 0;

    /* What Dash sees as its worker: the same port, whatever worker is behind it. */
    function OwnWorker(url, options) {
        const name = (options && options.name) || options;
        if (name !== NAME) return new Shared(url, options);
        let worker = null, hear = null, hello = null;

        function lay() {
            count += 1;
            worker = new Shared(url, {name: [NAME, Date.now(), Math.random(), count].join("-")});
            worker.port.onmessage = (event) => { if (hear) hear(event); };
        }
        function send(message) {
            if (message.type === "connect") hello = message;
            worker.port.postMessage(message);
        }
        renew = function () {
            if (!hello || !hear) return false;
            worker.port.onmessage = null;
            send({type: "disconnect", rendererId: hello.rendererId});
            worker.port.close();
            hear({data: {type: "disconnected", payload: {reason: "nothing was heard"}}});
            lay();
            send(hello);
            return true;
        };
        lay();
        this.port = {
            get onmessage() { return hear; },
            set onmessage(listener) { hear = listener; },
            start: () => worker.port.start(),
            close: () => worker.port.close(),
            postMessage: send,
        };
    }

    if (Shared) window.SharedWorker = OwnWorker;
    window.cockpitLine = {renew: () => renew()};
})();
