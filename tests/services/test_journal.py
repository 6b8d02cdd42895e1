"""The journal's trades, notes and figures: as the ledger has them, to the last unit."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from plotly.io.json import to_json_plotly

from layouts.journal import csv_text, drawer, filters, lists
from services.journal import logs
from services.journal.service import JournalService
from storage.archive import DecisionArchive
from storage.bar_archive import BarArchive
from storage.history import History
from storage.journal_store import JournalStore
from tests.services.cockpits import whole_cockpit
from trading.domain import Side
from trading.domain.journal import FOREVER, DecisionQuery, TradeFilter
from trading.errors import BadInput
from trading.events import Command, PositionUpdated

UNIT = Decimal("1e-8")
BARS = 3_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A cockpit that traded; a position was closed by halves on the way, so that a trade has several exits."""
    with whole_cockpit(tmp_path_factory.mktemp("journal"), BARS) as lived:
        lived.start()
        halved = []

        def halve(event) -> None:
            held = lived.engine.portfolio.open_symbols()
            if held and len(halved) < 3:
                version = lived.engine.session.control_version
                halved.append(held[0])
                lived.engine.bus.post(Command("close", f"half-{len(halved)}", version,
                                              {"symbol": held[0], "rate": 0.5}))

        lived.engine.bus.subscribe(PositionUpdated, halve)
        lived.trade()
        yield lived


@pytest.fixture(scope="module")
def journal(whole):
    return JournalService(whole.database, whole.cockpit.recorder.account)


class Recount:
    """Works everything out again from the executions alone."""

    def __init__(self, whole) -> None:
        self.specs = whole.feed.specs()
        history = History(whole.database, whole.cockpit.recorder.account, self.specs)
        self.trades: list[tuple[str, int, int, int]] = []  # symbol, exit time, pnl, fees in units
        self.realized = self.fees = 0
        self.cash = whole.engine.portfolio.start_units
        self.held: dict[str, list[int]] = {symbol: [0, 0] for symbol in self.specs}  # atoms, cost
        self.open: dict[str, list[int]] = {}
        for fill in sorted(history.fills(), key=lambda each: each.trade_id):
            (self.buy if fill.side is Side.BUY else self.sell)(fill)

    def buy(self, fill) -> None:
        spec, held = self.specs[fill.symbol], self.held[fill.symbol]
        fee = int(Decimal(fill.fee_atoms) * spec.price(fill.price_ticks))
        held[0] += int(spec.quantity(fill.lots) / UNIT) - fill.fee_atoms
        held[1] += fill.quote_units
        self.cash -= fill.quote_units
        self.pay(fill.symbol, fee, 0)

    def sell(self, fill) -> None:
        spec, held = self.specs[fill.symbol], self.held[fill.symbol]
        sold = int(spec.quantity(fill.lots) / UNIT)
        cost = held[1] * sold // held[0]
        gained = fill.quote_units - fill.fee_quote_units - cost
        held[0] -= sold
        held[1] -= cost
        self.cash += fill.quote_units - fill.fee_quote_units
        self.realized += gained
        self.pay(fill.symbol, fill.fee_quote_units, gained)
        if held[0] * UNIT < spec.lot_size:
            gained, fees = self.open.pop(fill.symbol)
            self.trades.append((fill.symbol, fill.time, gained, fees))

    def pay(self, symbol: str, fee: int, gained: int) -> None:
        self.fees += fee
        found = self.open.setdefault(symbol, [0, 0])
        found[0] += gained
        found[1] += fee

    def by(self, name) -> dict[str, tuple[int, int, int, int]]:
        found = defaultdict(lambda: [0, 0, 0, 0])
        for trade in self.trades:
            slot = found[name(trade)]
            for place, value in enumerate((1, trade[2] > 0, trade[2], trade[3])):
                slot[place] += value
        return {key: tuple(value) for key, value in found.items()}


NAMES = {
    "day": lambda t: datetime.fromtimestamp(t[1] / 1000, UTC).date().isoformat(),
    "week": lambda t: "{}-W{:02d}".format(*datetime.fromtimestamp(t[1] / 1000, UTC).isocalendar()),
    "month": lambda t: datetime.fromtimestamp(t[1] / 1000, UTC).date().isoformat()[:7],
    "hour": lambda t: f"{datetime.fromtimestamp(t[1] / 1000, UTC).hour:02d}",
    "symbol": lambda t: t[0],
}


def units(value: Decimal) -> int:
    return int(value / UNIT)


def test_figures_are_what_the_fills_say_to_the_last_unit(whole, journal):
    again, figures = Recount(whole), journal.figures()
    assert len(again.trades) == figures.n_trades > 20
    assert units(figures.pnl) == sum(t[2] for t in again.trades)
    assert units(figures.fees) == sum(t[3] for t in again.trades)
    assert units(figures.realized) == again.realized and figures.agrees is True
    assert units(figures.open_realized) == again.realized - units(figures.pnl)
    for group, name in NAMES.items():
        told = {s.name: (s.n_trades, s.n_wins, units(s.pnl), units(s.fees)) for s in figures.groups[group]}
        assert told == again.by(name), group


def test_equity_is_start_and_what_was_realised_and_what_is_open(whole, journal):
    again, figures = Recount(whole), journal.figures()
    portfolio = whole.engine.portfolio
    assert again.cash == portfolio.cash
    assert units(figures.end_equity) == again.cash + sum(portfolio.value(s) for s in again.held)
    assert units(figures.start_equity) == portfolio.start_units
    assert {s: tuple(held) for s, held in again.held.items()} == {
        s: (h.atoms, h.cost) for s, h in portfolio.holdings.items()}


def test_quantstats_agrees_where_it_knows_the_figure(journal):
    """quantstats leaves zero returns out of its win rate, and has no exact money; its figures of returns are ours."""
    qs = pytest.importorskip("quantstats.stats", reason="quantstats is not installed")
    pd = pytest.importorskip("pandas")
    trades = sorted(journal.trades(TradeFilter(), 0, FOREVER).trades, key=lambda t: (t.exit_time, t.number))
    pnl = pd.Series([float(t.pnl) for t in trades])
    assert all(t.pnl for t in trades)
    found = journal.figures()
    assert found.win_rate == pytest.approx(float(qs.win_rate(pnl)))
    assert found.profit_factor == pytest.approx(float(qs.profit_factor(pnl)))
    assert float(found.average_win) == pytest.approx(float(qs.avg_win(pnl)))
    assert float(found.average_loss) == pytest.approx(float(qs.avg_loss(pnl)))
    assert found.streaks.longest_wins == qs.consecutive_wins(pnl)
    assert found.streaks.longest_losses == qs.consecutive_losses(pnl)
    assert float(found.expectancy) == pytest.approx(float(pnl.mean()), abs=1e-8)


def test_drawdown_is_the_one_of_quantstats(whole, journal):
    qs = pytest.importorskip("quantstats.stats", reason="quantstats is not installed")
    pd = pytest.importorskip("pandas")
    points = whole.cockpit.history.equity()
    prices = pd.Series([p.equity / 1e8 for p in points], index=pd.to_datetime([p.time for p in points], unit="ms"))
    assert journal.figures().max_drawdown_rate == pytest.approx(-float(qs.max_drawdown(prices)), rel=1e-9)
    deepest = journal.figures().underwater[0]
    assert deepest.depth_rate == journal.figures().max_drawdown_rate
    inside = [p for p in points if deepest.start <= p.time <= deepest.trough]
    assert inside[0].equity == max(p.equity for p in inside) and inside[-1].equity == min(p.equity for p in inside)


def test_a_part_of_the_time_counts_only_its_own_trades(journal):
    trades = sorted(journal.trades(TradeFilter(), 0, FOREVER).trades, key=lambda t: t.exit_time)
    middle = trades[len(trades) // 2].exit_time
    early, late = journal.figures(0, middle), journal.figures(middle)
    whole = journal.figures()
    assert early.n_trades + late.n_trades == whole.n_trades and early.pnl + late.pnl == whole.pnl
    assert late.start_equity == early.end_equity and late.end_equity == whole.end_equity
    assert early.agrees is None and early.start_equity == whole.start_equity


def test_trade_knows_why_it_was_opened_and_how_deep_it_fell(whole, journal):
    trades = journal.trades(TradeFilter(), 0, FOREVER).trades
    assert {trade.strategy for trade in trades} == {whole.cockpit.document["strategy"]["name"]}
    for trade in trades:
        opened = journal.decision(trade.decision)
        assert opened is not None and opened.outcome == "entry" and opened.time <= trade.entry_time
        assert 0 <= trade.confidence <= 1 and trade.indicators
        bars = whole.feed.history(trade.symbol, trade.exit_time + 1)
        inside = (bars.open_time >= trade.entry_time) & (bars.open_time + 60_000 - 1 <= trade.exit_time)
        lows = [*bars.low[inside].tolist(), float(trade.exit_price)]
        assert trade.drawdown_rate == pytest.approx(max(0.0, 1 - min(lows) / float(trade.entry_price)))
    assert any(trade.drawdown_rate > 0.0005 for trade in trades)


def test_pages_of_trades_are_the_filtered_whole(journal):
    wanted = TradeFilter(symbol="ETHUSDT", result="loss")
    whole = journal.trades(wanted, 0, FOREVER)
    assert 0 < whole.n_matching < journal.trades(TradeFilter()).n_matching
    assert all((t.symbol, t.result) == ("ETHUSDT", "loss") for t in whole.trades)
    pages = [journal.trades(wanted, start, 3).trades for start in range(0, whole.n_matching, 3)]
    assert tuple(t for page in pages for t in page) == whole.trades
    assert [t.exit_time for t in whole.trades] == sorted((t.exit_time for t in whole.trades), reverse=True)


def test_notes_and_tags_survive_a_new_start_and_can_be_searched(whole, journal):
    key = journal.trades(TradeFilter()).trades[0].key
    journal.note(key, "=bought the rumour\x00", (" news ", "news", "fast"))
    journal.note(journal.trades(TradeFilter()).trades[1].key, "half a sign: \ud83d", ())
    again = JournalService(whole.database, whole.cockpit.recorder.account)
    found = again.trades(TradeFilter(tag="news")).trades
    assert [(t.key, t.note, t.tags) for t in found] == [(key, "=bought the rumour", ("news", "fast"))]
    assert again.trades(TradeFilter(text="RUMOUR")).n_matching == 1 and "fast" in again.choices().tags


@pytest.mark.parametrize(("key", "text", "tags", "said"), [
    ("BTCUSDT@1-1", "", (), "there is no trade"), (None, "x" * 10_001, (), "10,001 characters"),
    (None, "", ("t" * 41,), "shorten"), (None, "", tuple(map(str, range(21))), "at most 20 tags")])
def test_note_that_cannot_be_kept_is_refused_and_changes_nothing(journal, key, text, tags, said):
    key = key or journal.trades(TradeFilter()).trades[-1].key
    before = journal.trade(key)
    with pytest.raises(BadInput, match=said):
        journal.note(key, text, tags)
    assert journal.trade(key) == before


def test_imported_trades_are_marked_and_never_counted(whole, journal):
    name, text = journal.export(TradeFilter(symbol="BTCUSDT", origin="account"))
    assert name == "BTCUSDT_trades.json"
    before, summary = journal.figures(), journal.log_summary()
    record = logs.parsed(name, text.encode())[0] | {"notes": "elsewhere", "mood": "calm"}
    report = journal.import_log("other.json", logs.written([record]).encode())
    try:
        assert (report.n_new, report.n_known) == (1, 0)
        assert journal.import_log("again.json", logs.written([record]).encode()).n_new == 0
        found = journal.trades(TradeFilter(origin="imported")).trades
        assert [(t.imported, t.note, t.number) for t in found] == [("other.json", "elsewhere", 0)]
        after = journal.figures()
        assert (after.pnl, after.n_trades, after.agrees) == (before.pnl, before.n_trades, True)
        assert journal.log_summary() == summary and journal.choices().imports == (("other.json", 1),)
        assert '"mood": "calm"' in journal.export(TradeFilter(origin="imported"))[1]
    finally:
        assert journal.remove_import("other.json") == 1
    assert journal.trades(TradeFilter()).n_matching == before.n_trades


def test_tracker_logs_lists_sums_up_and_clears_only_what_was_logged(journal):
    n = journal.figures().n_trades
    logged = journal.log_trade({"symbol": "SOLUSDT", "entry_time": "2024-05-01T10:00:00Z", "entry_price": 130,
                                "exit_time": "2024-05-01T12:00:00Z", "exit_price": 143, "result": "win"})
    assert logged.roi_rate == pytest.approx(0.1) and logged.duration_ms == 7_200_000
    assert len(journal.get_agent_log(limit=5)) == 5 and journal.get_agent_log(10**6)[0].key == logged.key
    summary = journal.log_summary()
    assert summary.total_trades == n and summary.win_rate + summary.loss_rate == pytest.approx(1, abs=0.002)
    assert journal.clear_log() == 1 and journal.figures().n_trades == n
    with pytest.raises(BadInput, match="entry_price"):
        journal.log_trade({"symbol": "SOLUSDT", "entry_time": 1714557600, "exit_time": 1714557600, "exit_price": 1})


def test_records_are_found_before_and_after_they_are_packed(whole, journal):
    query = DecisionQuery(symbol="BTCUSDT", outcome="denied")
    before = journal.decisions(query, 20)
    assert before.decisions and all(d.outcome.startswith("denied") for d in before.decisions)
    packed = DecisionArchive(whole.database).pack(2**42)
    assert packed.n_decisions > BARS
    after = journal.decisions(query, 20)
    assert (after.decisions, after.next) == (before.decisions, before.next)
    if before.next:
        following = journal.decisions(replace(query, below=before.next), 20)
        assert following.decisions[0].time <= before.decisions[-1].time
    key = before.decisions[0].key
    assert journal.decision(key).time == before.decisions[0].time
    assert journal.decision("no such") is journal.decision("BTCUSDT@1") is journal.decision("@x") is None


ODD = {"symbol": "BTCUSDT", "entry_time": 1706702400, "exit_time": 1706702401, "entry_price": "1e-12",
       "exit_price": "1e15", "notes": "\ud800", "tags": ["\ud800"], "mine\ud800": "\ud801",
       "indicators_used": {"\ud800": "\udfff", "much": 1e308}, "agent": "\ud800"}


def told(journal):
    """All that page, exports and reports say of the imported trades."""
    wanted = TradeFilter(origin="imported")
    page = journal.trades(wanted)
    said = to_json_plotly([*lists.trades(page).values(), filters.options("agent", journal.choices()),
                           *(drawer.body(trade, None) for trade in page.trades)])
    return page.trades, said + csv_text.trades(page.trades) + journal.export(wanted)[1]


def test_odd_trade_that_is_taken_in_can_be_shown_and_written_everywhere(journal):
    journal.import_log("odd\ud800.json", json.dumps([ODD]).encode())
    journal.log_trade(ODD | {"notes": "by hand \ud800"})
    trades, said = told(journal)
    assert said.encode() and [t.note for t in trades] == ["?", "by hand ?"] and trades[0].imported == "odd?.json"
    assert journal.clear_log() == 2


def test_trade_that_an_older_version_took_in_never_stops_the_journal(whole, journal):
    store = JournalStore(whole.database, whole.cockpit.recorder.account)
    poison = {"half": ODD, "tiny": ODD | {"entry_price": "1e-999999", "exit_price": "1e10"},
              "much": ODD | {"roi": float("inf")}}
    store.add({key: {"symbol": "BTCUSDT", "exit_time": 1, "body": body} for key, body in poison.items()}, "old", 1)
    fresh = JournalService(whole.database, whole.cockpit.recorder.account)
    trades, said = told(fresh)
    assert [t.key for t in trades] == ["half"] and said.encode()
    assert fresh.remove_import("old") == 3


def test_how_deep_a_trade_fell_is_the_same_from_packed_bars_and_asks_few_questions(whole, journal, monkeypatch):
    before = [trade.drawdown_rate for trade in journal.trades(TradeFilter(origin="account"), 0, FOREVER).trades]
    BarArchive(whole.database).pack(2**42)
    asked, rows = [], whole.database.rows
    monkeypatch.setattr(whole.database, "rows", lambda query: asked.append(query) or rows(query))
    fresh = JournalService(whole.database, whole.cockpit.recorder.account)
    trades = fresh.trades(TradeFilter(origin="account"), 0, FOREVER).trades
    assert [trade.drawdown_rate for trade in trades] == before and len(before) > 10
    assert len(asked) < len(before)
