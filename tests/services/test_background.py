"""Long jobs in the background: a queue, one process, and what became of each job."""

import os
import signal
import threading
import time

import pytest

from services.background import Background
from services.worker import WorkerDied, WorkerProcess
from tests.fakes.fake_worker import HandWorker, until_asked_to_stop
from trading.errors import BadInput

PATIENCE_S = 30.0


class Kill:
    """A job in a real process; the first try of it dies."""

    def __init__(self, folder):
        self.folder = folder


class KillStation:
    def warm(self):
        pass

    def do(self, job, progress):
        if isinstance(job, Kill):
            mark = job.folder / "tried"
            if not mark.exists():
                mark.write_text("once")
                os.kill(os.getpid(), signal.SIGKILL)
            return os.getpid()
        for step in range(10_000):
            progress(step / 10_000, f"step {step}")
            time.sleep(0.01)
        return "never"


@pytest.fixture
def make():
    made = []

    def make_one(**choices):
        made.append(Background(HandWorker(), **choices))
        return made[-1]

    yield make_one
    for background in made:
        background.close()


def state(background, key):
    said = background.progress(key)
    return said.state if said else None


def wait(until):
    limit = time.monotonic() + PATIENCE_S
    while not (found := until()):
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.005)
    return found


def test_the_answer_is_settled_before_the_job_counts_as_done(make):
    background, seen = make(), []
    background.submit("a", lambda *_: 42, lambda answer: seen.append((answer, state(background, "a"))))
    wait(lambda: state(background, "a") == "done")
    assert seen == [(42, "running")] and background.active() == ()
    assert background.progress("a").done == 1.0


def test_progress_is_told_and_its_version_rises(make):
    told = []
    background = make(told=told.append)

    def job(progress, _unwanted):
        progress(0.25, "a quarter")
        progress(0.5, "a half")

    background.submit("a", job, lambda _: None)
    wait(lambda: state(background, "a") == "done")
    assert [(p.state, p.done, p.stage) for p in told] == [
        ("waiting", 0.0, "waiting"), ("running", 0.0, "starting"), ("running", 0.25, "a quarter"),
        ("running", 0.5, "a half"), ("done", 1.0, "done"),
    ]
    assert [p.version for p in told] == [1, 2, 3, 4, 5]


def test_a_key_that_waits_or_runs_is_entered_once_and_may_come_again_afterwards(make):
    background, go, n = make(), threading.Event(), []

    def job(*_):
        go.wait(PATIENCE_S)

    for _ in range(3):
        background.submit("a", job, lambda _: n.append(1))
    assert background.active() == ("a",)
    go.set()
    wait(lambda: state(background, "a") == "done")
    background.submit("a", job, lambda _: n.append(1))
    wait(lambda: len(n) == 2 and state(background, "a") == "done")


def test_jobs_run_one_after_the_other_in_their_order(make):
    background, seen, busy = make(), [], []

    def job(name):
        def work(*_):
            busy.append(name)
            assert len(busy) == 1
            time.sleep(0.01)
            busy.remove(name)
            return name
        return work

    for name in "abc":
        background.submit(name, job(name), seen.append)
    wait(lambda: state(background, "c") == "done")
    assert seen == ["a", "b", "c"]


def test_a_cancelled_job_that_waits_is_never_begun(make):
    background, go, begun = make(), threading.Event(), []
    background.submit("first", lambda *_: go.wait(PATIENCE_S), lambda _: None)
    wait(lambda: state(background, "first") == "running")
    background.submit("second", lambda *_: begun.append(1), lambda _: None)
    background.cancel("second")
    assert state(background, "second") == "cancelled" and background.active() == ("first",)
    go.set()
    background.submit("third", lambda *_: None, lambda _: None)
    wait(lambda: state(background, "third") == "done")
    assert begun == []


def test_a_cancelled_job_that_runs_is_stopped_and_not_settled(make):
    background, settled = make(), []
    background.submit("a", until_asked_to_stop, settled.append)
    wait(lambda: state(background, "a") == "running")
    background.cancel("a")
    wait(lambda: state(background, "a") == "cancelled")
    assert settled == [] and background.active() == ()
    background.cancel("a")
    background.cancel("nobody")
    assert state(background, "a") == "cancelled" and state(background, "nobody") is None


def test_a_job_asked_again_while_it_is_being_cancelled_runs_again(make):
    background, settled = make(), []
    background.submit("a", until_asked_to_stop, settled.append)
    wait(lambda: state(background, "a") == "running")
    background.cancel("a")
    background.submit("a", lambda *_: "second", settled.append)
    wait(lambda: settled == ["second"] and state(background, "a") == "done")


def test_what_is_wrong_with_a_job_is_said_and_the_queue_goes_on(make):
    background = make()

    def wrong(*_):
        raise BadInput("too few candles")

    def unsettled(_answer):
        raise RuntimeError("the disk is full")

    background.submit("wrong", wrong, lambda _: None)
    background.submit("unsettled", lambda *_: 1, unsettled)
    background.submit("good", lambda *_: 1, lambda _: None)
    wait(lambda: state(background, "good") == "done")
    assert background.progress("wrong").error == "too few candles" and state(background, "wrong") == "failed"
    assert "RuntimeError: the disk is full" in background.progress("unsettled").error


def test_a_job_whose_process_dies_is_tried_once_more_and_then_given_up(make):
    background, tries = make(), {"once": 0, "always": 0}

    def dying(name, n_deaths):
        def work(*_):
            tries[name] += 1
            if tries[name] <= n_deaths:
                raise WorkerDied("the process ended (-9)")
            return name
        return work

    background.submit("once", dying("once", 1), lambda _: None)
    background.submit("always", dying("always", 99), lambda _: None)
    wait(lambda: state(background, "always") == "failed")
    wait(lambda: state(background, "once") == "done")
    assert tries == {"once": 2, "always": 2}
    assert background.progress("always").error.startswith("the process ended (-9); choose fewer bars")


def test_too_many_waiting_jobs_are_refused(make):
    background, go = make(max_waiting=2), threading.Event()
    for name in "abc":
        background.submit(name, lambda *_: go.wait(PATIENCE_S), lambda _: None)
    with pytest.raises(BadInput, match="3 errands wait already"):
        background.submit("d", lambda *_: None, lambda _: None)
    assert state(background, "d") is None
    go.set()


def test_closing_leaves_what_waits_and_runs_as_it_is():
    worker = HandWorker()
    background = Background(worker)
    background.submit("a", until_asked_to_stop, lambda _: None)
    background.submit("b", lambda *_: None, lambda _: None)
    wait(lambda: state(background, "a") == "running")
    background.close()
    assert (state(background, "a"), state(background, "b"), worker.stopped) == ("running", "waiting", True)


def test_a_killed_process_is_replaced_and_its_job_done_in_the_next_one(tmp_path):
    background, answers = Background(WorkerProcess("errands", KillStation())), []
    try:
        background.submit("a", Kill(tmp_path), answers.append)
        wait(lambda: state(background, "a") == "done")
        assert (tmp_path / "tried").exists() and answers[0] != os.getpid()
        background.submit("long", "long", answers.append)
        wait(lambda: state(background, "long") == "running" and background.progress("long").stage.startswith("step"))
        background.cancel("long")
        wait(lambda: state(background, "long") == "cancelled")
        background.submit("again", Kill(tmp_path), answers.append)
        wait(lambda: state(background, "again") == "done")
        assert answers[1] == answers[0], "a job that notices its end leaves the process as it is"
    finally:
        background.close()
