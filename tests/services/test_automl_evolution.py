"""The same seed breeds the same champion, to the byte: with any hands, and however often it was stopped."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from services.automl.arena import Arena, inside, rules_of, split_of
from services.automl.counting import leave_trials, read_view, trials_of
from services.automl.crew import Crew
from services.automl.evolution import score_of
from services.automl.figures import Figures
from services.automl.genome import document_of, draw_genome, genome_key, leaves
from services.automl.study import run_study, study_key
from services.automl.trials import read_trials
from services.backtests.spread import Hands
from services.strategies import find_strategy, parse_strategy, to_document
from services.worker import Cancelled
from tests.evolution_campaign import loaded_of, market
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.errors import BadInput
from trading.risk import PROFILES

CANDLES = market(-0.1, 5, 2_000)
LOADED = loaded_of(CANDLES)
TWO = loaded_of(CANDLES, market(-0.1, 6, 2_400, "ETHUSDT"))
ASKED = StudyRequest("evolution", "", {}, ("BTCUSDT",), "1h", None, None, CostSettings(), PROFILES[1], budget=260,
                     population=20)
ALONE = Hands(1)


def run(folder: Path, request: StudyRequest = ASKED, loaded=LOADED, hands: Hands = ALONE,
        progress=lambda *_: None):
    return run_study(request, loaded, folder, hands, progress)


def champion(folder: Path) -> bytes:
    return (folder / "champion.json").read_bytes()


def log_of(folder: Path) -> bytes:
    return (folder / "trials.jsonl").read_bytes()


class StopAt:
    """Progress that raises at a call."""

    def __init__(self, n_calls: int, error: BaseException) -> None:
        self.n_left, self.error = n_calls, error

    def __call__(self, share: float, stage: str) -> None:
        self.n_left -= 1
        if not self.n_left:
            raise self.error


def test_the_same_seed_gives_the_byte_identical_champion_and_another_seed_another_search(tmp_path: Path):
    before = random.getstate()
    views = [run(tmp_path / name) for name in ("one", "two")]
    assert random.getstate() == before
    assert champion(tmp_path / "one") == champion(tmp_path / "two")
    assert log_of(tmp_path / "one") == log_of(tmp_path / "two")
    assert views[0].champion == views[1].champion
    run(tmp_path / "three", replace(ASKED, seed=8))
    assert log_of(tmp_path / "three") != log_of(tmp_path / "one")


def test_two_processes_come_to_the_same_champion_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path / "one")
    monkeypatch.setattr("services.automl.crew.TRIED_S", 0.0)
    monkeypatch.setattr("services.automl.crew.WORTH_S", 0.0)
    run(tmp_path / "two", hands=Hands(2))
    assert champion(tmp_path / "one") == champion(tmp_path / "two")
    assert log_of(tmp_path / "one") == log_of(tmp_path / "two")


@pytest.mark.parametrize("n_calls", [2, 90, 170, 258, 262])
def test_a_search_that_was_stopped_goes_on_to_the_same_champion(tmp_path: Path, n_calls: int):
    run(tmp_path / "calm")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "torn", progress=StopAt(n_calls, KeyboardInterrupt()))
    stopped = read_view(tmp_path / "torn")
    assert stopped is not None
    assert stopped.state == "interrupted"
    view = run(tmp_path / "torn")
    assert champion(tmp_path / "torn") == champion(tmp_path / "calm")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "calm")
    assert view.state == "done"
    assert view.version > stopped.version


def test_a_killed_search_with_half_a_line_in_its_log_goes_on_to_the_same_champion(tmp_path: Path):
    run(tmp_path / "calm")
    with pytest.raises(Cancelled):
        run(tmp_path / "torn", progress=StopAt(150, Cancelled()))
    assert read_view(tmp_path / "torn").state == "cancelled"
    with (tmp_path / "torn" / "trials.jsonl").open("a") as file:
        file.write('{"number": 9999, "fig')
    (tmp_path / "torn" / "view.json").unlink()
    run(tmp_path / "torn")
    assert champion(tmp_path / "torn") == champion(tmp_path / "calm")


def test_a_finished_search_is_read_and_never_looks_at_the_untouched_window_again(tmp_path: Path):
    first = run(tmp_path)
    calls = []
    again = run(tmp_path, progress=lambda *said: calls.append(said))
    assert calls == []
    assert (again.champion, again.gate, again.version) == (first.champion, first.gate, first.version)


def test_every_evaluation_is_logged_once_and_counted(tmp_path: Path):
    view = run(tmp_path)
    rows = read_trials(tmp_path / "trials.jsonl")
    assert view.n_trials == len(rows) == ASKED.budget
    assert [row.number for row in rows] == list(range(len(rows)))
    assert max(Counter((row.group, row.key) for row in rows).values()) == 1
    assert all(row.key == genome_key(row.genome) for row in rows)
    assert f"the best of {len(rows)} without skill" in view.gate.lines[0][1]
    trials = trials_of(tmp_path, view)
    assert len({(t.lineage, t.data_hash, t.parameters) for t in trials}) == len(rows)
    assert len({t.lineage for t in trials}) == 1


def test_the_champion_is_a_document_that_trades_as_it_was_judged(tmp_path: Path):
    view = run(tmp_path)
    document = json.loads(champion(tmp_path))
    assert document == view.champion.document == to_document(parse_strategy(document))
    (row,) = [row for row in read_trials(tmp_path / "trials.jsonl") if row.number == view.champion.number]
    arena = Arena(inside(LOADED, split_of(ASKED, LOADED)), rules_of(ASKED))
    assert arena.do((0, row.genome)) == row.figures
    assert row.score == max(r.score for r in read_trials(tmp_path / "trials.jsonl"))


def test_islands_train_on_their_own_symbols_and_the_champion_is_judged_on_all(tmp_path: Path):
    asked = replace(ASKED, symbols=("BTCUSDT", "ETHUSDT"), budget=240)
    view = run(tmp_path, asked, TWO)
    rows = read_trials(tmp_path / "trials.jsonl")
    assert {row.group for row in rows} == {0, 1, 2}
    assert view.n_trials == len(rows) <= asked.budget
    (best,) = [row for row in rows if row.number == view.champion.number]
    assert best.group == 2
    assert view.champion.document["symbols"] == ["BTCUSDT", "ETHUSDT"]
    by_group = [{row.key for row in rows if row.group == group} for group in (0, 1)]
    assert by_group[0] & by_group[1], "nothing migrated"
    assert {row.key for row in rows if row.group == 2} <= by_group[0] | by_group[1]


def test_a_given_strategy_is_the_ancestor_and_its_numbers_come_first(tmp_path: Path):
    document = to_document(find_strategy("ema-cross"))
    asked = replace(ASKED, document=document, strategy="EMA cross", budget=300)
    run(tmp_path, asked)
    rows = read_trials(tmp_path / "trials.jsonl")
    assert [leaf["left"][:3] for _, leaf in leaves(rows[0].genome["entry"])] == ["ema"]
    early = [row for row in rows if 0 < row.step <= 2]
    kept = [row for row in early if json.dumps(row.genome).count("ema_") == 4]
    assert len(kept) >= len(early) * 0.4


def test_evolution_finds_what_is_there(tmp_path: Path):
    view = run(tmp_path, replace(ASKED, short=True, costs=CostSettings(0.0, 0.0, 0.0), budget=600, population=40))
    assert view.champion.inside["sharpe"] > 4.0
    assert view.champion.outside["sharpe"] > 2.0
    assert any("research only" in note for note in view.notes)
    assert "Research only" in view.champion.document["notes"]


def test_a_view_can_be_read_while_the_search_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.automl.study.SHOWN_EVERY_S", 0.0)
    seen, shares = [], []

    def progress(share: float, _: str) -> None:
        shares.append(share)
        if (view := read_view(tmp_path)) is not None:
            seen.append((view.state, view.version, view.n_trials, view.gate, len(view.history)))

    run(tmp_path, progress=progress)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    running = [one for one in seen if one[0] == "running"]
    assert len({one[1] for one in running}) >= 3
    assert [one[2] for one in running] == sorted(one[2] for one in running)
    assert all(one[3] is None for one in running)
    view = read_view(tmp_path)
    assert view.objectives.shape[1] == 2
    assert len(view.candidates) <= 500
    assert sum(bool(one.outside) for one in view.candidates) >= 30
    assert list(view.history) == sorted(view.history)


def test_a_study_has_one_runner(tmp_path: Path):
    def meddle(*_: object) -> None:
        with pytest.raises(BadInput, match="runs already"):
            run(tmp_path)

    run(tmp_path, progress=meddle)


def test_the_key_tells_questions_and_candles_apart():
    keys = {study_key(ASKED, LOADED), study_key(replace(ASKED, seed=8), LOADED), study_key(ASKED, TWO)}
    assert len(keys) == 3
    assert study_key(ASKED, LOADED) in keys


@pytest.mark.parametrize(("change", "said"), [
    ({"search": "luck"}, "luck"), ({"budget": 0}, "budget"), ({"islands": 99}, "islands"),
    ({"population": 1}, "population"), ({"symbols": ()}, "no symbol"), ({"search": "parameters"}, "needs a strategy"),
    ({"holdout_rate": 0.99}, "holdout_rate"),
])
def test_a_question_without_sense_is_refused_in_one_line(tmp_path: Path, change: dict, said: str):
    with pytest.raises(BadInput, match=said) as error:
        run(tmp_path, replace(ASKED, **change))
    assert "\n" not in str(error.value)


def test_processes_answer_in_the_order_of_the_tasks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.automl.crew.TRIED_S", 0.0)
    monkeypatch.setattr("services.automl.crew.WORTH_S", 0.0)
    rng = random.Random(1)
    tasks = [(0, draw_genome(rng, with_risk=True)) for _ in range(40)]
    arena = Arena(inside(LOADED, split_of(ASKED, LOADED)), rules_of(ASKED))
    heard = []
    with Crew(arena, Hands(2)) as crew:
        found = crew.judge(tasks, heard.append)
    assert found == [arena.do(task) for task in tasks]
    assert heard == sorted(heard)
    assert heard[-1] == len(tasks)


def test_a_cluster_comes_to_the_same_champion(tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        run(tmp_path / "there", hands=Hands(cluster=cluster.scheduler_address))
    run(tmp_path / "here")
    assert champion(tmp_path / "there") == champion(tmp_path / "here")


def test_a_cluster_that_does_not_answer_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("services.automl.crew.CONNECT", "0.2s")
    with pytest.raises(BadInput, match="does not answer"):
        run(tmp_path, hands=Hands(cluster="tcp://127.0.0.1:9"))
    assert read_view(tmp_path).state == "failed"


def test_what_hardly_trades_ranks_below_everything_and_longer_rules_below_shorter_ones():
    good = Figures(n=10_000, sharpe=0.05, n_trades=30)
    assert score_of(good._replace(n_trades=29), 1) < score_of(good._replace(sharpe=-0.15), 1)
    assert score_of(good._replace(n_trades=12), 1) < score_of(good._replace(n_trades=13), 1)
    assert score_of(good, 5) < score_of(good, 2)


def test_documents_of_genomes_carry_the_interval():
    genome = draw_genome(random.Random(3), with_risk=False)
    assert parse_strategy(document_of(genome, "bred", ("BTCUSDT",), "4h")).interval == "4h"


def test_a_search_of_two_markets_counts_what_it_tried_also_when_stopped_without_a_champion(tmp_path: Path):
    asked = replace(ASKED, symbols=("BTCUSDT", "ETHUSDT"), budget=2_000)
    with pytest.raises(Cancelled):
        run(tmp_path / "study", asked, TWO, progress=StopAt(300, Cancelled()))
    view = read_view(tmp_path / "study")
    assert view.champion is None and view.candidates
    n_logged = len(read_trials(tmp_path / "study" / "trials.jsonl"))
    assert leave_trials(tmp_path / "study", tmp_path / "spool") == n_logged > 0
    assert leave_trials(tmp_path / "study", tmp_path / "spool") == 0


@pytest.mark.parametrize("damage", ["log is short", "state is odd", "state is no object"])
def test_a_damaged_checkpoint_begins_anew_and_says_so(tmp_path: Path, damage: str):
    with pytest.raises(Cancelled):
        run(tmp_path / "torn", progress=StopAt(150, Cancelled()))
    log, state = tmp_path / "torn" / "trials.jsonl", tmp_path / "torn" / "state.json"
    if damage == "log is short":
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:10]))
    else:
        state.write_text('{"generation": 3}' if damage == "state is odd" else "[1]")
    view = run(tmp_path / "torn")
    run(tmp_path / "calm")
    assert view.state == "done" and any("began anew" in note for note in view.notes)
    assert champion(tmp_path / "torn") == champion(tmp_path / "calm")


def test_a_search_that_is_cancelled_at_its_last_word_shows_nothing_of_the_untouched_window(tmp_path: Path):
    def last(share: float, stage: str) -> None:
        if share == 1.0:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(tmp_path, progress=last)
    view = read_view(tmp_path)
    assert (view.state, view.gate) == ("cancelled", None)
    assert not any(one.outside for one in (view.champion, *view.candidates))
    assert run(tmp_path).gate is not None


def test_a_negative_seed_is_refused_before_anything_is_searched(tmp_path: Path):
    with pytest.raises(BadInput, match="seed"):
        run(tmp_path, replace(ASKED, seed=-5))
