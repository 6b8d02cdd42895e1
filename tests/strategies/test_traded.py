"""Whose trades are these: of the strategy that made them, never of a copy that bears the same name."""

from dataclasses import dataclass, replace

from services.settings import load_settings
from services.strategies import stored_strategies
from services.strategies.compose import origins_of
from services.strategies.traded import Origins, newest_test, trades_of
from tests.fakes.fake_strategies import DIPS, fake_workshop
from tests.services.cockpits import whole_cockpit
from tests.services.test_takeover import FAST, use, with_takeover
from trading.domain.backtests import RunSummary


@dataclass(frozen=True)
class Made:
    """What health reads of a trade."""

    opened_by: str
    symbol: str
    entry_time: int
    exit_time: int
    pnl_rate: float = 0.01


TRADES = tuple(Made("RSI dips", "BTCUSDT", n, n + 1) for n in range(12))


def counts(workshop) -> dict[str, int]:
    return {one.entry.ref: one.health.count for one in workshop.shelf().own}


def test_copy_shows_no_trade_of_the_original(tmp_path):
    workshop = fake_workshop(tmp_path, trades=TRADES)
    assert counts(workshop)["BTCUSDT/rsi-dips"] == 12
    workshop._around = replace(workshop._around, origin=lambda trade: "BTCUSDT/rsi-dips")
    copy = workshop.duplicate("BTCUSDT", "rsi-dips")
    assert counts(workshop)["BTCUSDT/rsi-dips"] == 12 and counts(workshop)[copy.ref] == 0
    assert not workshop.traded(copy, TRADES) and len(workshop.traded(workshop.list("BTCUSDT")[0], TRADES)) == 12


def test_trades_from_before_origins_were_noted_are_nobodys_where_two_bear_the_name(tmp_path):
    workshop = fake_workshop(tmp_path, trades=TRADES)
    copy = workshop.duplicate("BTCUSDT", "rsi-dips")
    assert counts(workshop)[copy.ref] == counts(workshop)["BTCUSDT/rsi-dips"] == 0


def test_renamed_strategy_keeps_its_trades(tmp_path):
    workshop = fake_workshop(tmp_path)
    entry = workshop.save("BTCUSDT", "rsi-dips", DIPS | {"name": "Dips of another name"}, 2)
    assert len(trades_of(entry, TRADES, workshop.list(), lambda _: entry.ref)) == 12
    elsewhere = (replace(TRADES[0], symbol="SOLUSDT"),)
    assert len(trades_of(entry, elsewhere, workshop.list(), lambda _: entry.ref)) == 1, "it was used there"
    assert not trades_of(entry, elsewhere, workshop.list())


def test_origin_is_the_one_of_the_time_of_the_entry_and_outlives_the_process(database):
    origins = Origins(database, "paper")
    origins.begin(5, {("BTCUSDT", "Dips"): "BTCUSDT/dips"})
    origins.begin(9, {("BTCUSDT", "Dips"): "BTCUSDT/dips-2"})
    for known in (origins, Origins(database, "paper")):
        assert [known.of(Made("Dips", "BTCUSDT", time, 99)) for time in (4, 5, 8, 9)] == [
            "", "BTCUSDT/dips", "BTCUSDT/dips", "BTCUSDT/dips-2"]
        assert known.of(Made("by hand", "BTCUSDT", 9, 99)) == known.of(Made("Dips", "ETHUSDT", 9, 99)) == ""
    assert Origins(database, "other").of(Made("Dips", "BTCUSDT", 9, 99)) == ""
    origins.begin(2, {("BTCUSDT", "Dips"): "shipped/dips"})  # a replay that began afresh
    assert Origins(database, "paper").of(Made("Dips", "BTCUSDT", 9, 99)) == "shipped/dips"


def test_takeover_gives_the_trades_that_follow_to_the_strategy_and_not_to_its_copy(tmp_path):
    store = stored_strategies(tmp_path)
    store.save("BTCUSDT", "fast", FAST, 0)
    copy = store.duplicate("BTCUSDT", "fast")
    settings = load_settings(data_dir=tmp_path, feed="sim", speed=1.0, profile="Aggressive")
    with whole_cockpit(tmp_path, 400) as whole:
        origins = origins_of(settings, whole.database, whole.cockpit, with_takeover(whole, tmp_path))
        whole.start()
        assert use(whole, "BTCUSDT/fast").accepted
        whole.trade()
        trades = whole.portfolio.view().trades
        assert trades and {origins.of(trade) for trade in trades} == {"BTCUSDT/fast"}
        assert not trades_of(copy, trades, store.list(), origins.of)
        again = Origins(whole.database, whole.cockpit.recorder.account)
        assert {again.of(trade) for trade in trades} == {"BTCUSDT/fast"}


@dataclass(frozen=True)
class Asked:
    """A question of a backtest."""

    document: dict


class Stored:
    """Stored backtests, the newest first."""

    def __init__(self, *rows) -> None:
        self.rows = rows

    def runs(self):
        return tuple(RunSummary(key, 0, name, symbols, interval, 0.1, 1.0, 30)
                     for key, name, symbols, interval, _ in self.rows)

    def request(self, key):
        return next((Asked(row[4]) for row in self.rows if row[0] == key), None)


def test_expectation_is_the_newest_backtest_of_these_very_rules_on_symbol_and_bars(tmp_path):
    entry = next(one for one in fake_workshop(tmp_path).list() if one.id == "rsi-dips")
    other = DIPS | {"exit": {"any": [{"left": "rsi_14", "op": ">", "right": 71}]}}
    rows = [("symbol", "RSI dips", ("ETHUSDT",), "1h", DIPS), ("rules", "RSI dips", ("BTCUSDT",), "1h", other),
            ("name", "Others", ("BTCUSDT",), "1h", DIPS), ("broken", "RSI dips", ("BTCUSDT",), "1h", {}),
            ("bars", "RSI dips", ("BTCUSDT",), "5m", DIPS),
            ("right", "RSI dips", ("BTCUSDT", "ETHUSDT"), "1h", DIPS | {"notes": "as it was"}),
            ("older", "RSI dips", ("BTCUSDT",), "1h", DIPS)]
    assert newest_test(Stored(*rows), entry, DIPS, "1h").key == "right"
    assert newest_test(Stored(*rows), entry, DIPS).key == "bars"
    assert newest_test(Stored(*rows[:4]), entry, DIPS) is None
    assert newest_test(Stored(*rows), entry, {"version": 2}) is None
