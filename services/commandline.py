"""The command line: every mode, its arguments and examples."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import NoReturn

from services.keys.tokens import SCOPES
from services.settings import VENUES
from trading.domain import INTERVAL_MS
from trading.domain.learning import LABELS
from trading.domain.studies import SEARCHES

EPILOG = """examples:
  python main.py --mode dashboard
  python main.py --mode dashboard --feed sim --speed 60
  python main.py --mode dashboard --feed replay --data BTCUSDT-1h.parquet --speed 3600
  python main.py --mode paper --assets BTCUSDT --feed replay --data BTCUSDT-1h.parquet --speed max --json out.json
  python main.py --mode backtest --asset BTCUSDT --data BTCUSDT-1h.parquet --json out.json --html out.html
  python main.py --mode backtest --asset BTCUSDT,ETHUSDT --start 2024-01-01 --strategy mine.json
  python main.py --mode backtest --asset BTCUSDT --walk-forward train=180d,test=30d --sweep rsi.period=7:28:7
  python main.py --mode backtest --asset BTCUSDT --sweep rsi.period=5:30:1,rsi.buy_below=20:40:5 --out sweep.parquet
  python main.py --mode optimize --asset BTCUSDT --strategy ema-cross --budget 200 --out champion.json
  python main.py --mode optimize --asset BTCUSDT,ETHUSDT --search evolution --budget 5000 --data candles/ --json
  python main.py --mode import downloads/ --json
  python main.py --mode download --assets BTCUSDT,ETHUSDT --interval 1h --start 2024-01-01
  python main.py --mode train --asset BTCUSDT --interval 1h --json model.json
  python main.py --mode train --asset BTCUSDT,ETHUSDT --data candles/ --label triple_barrier
  python main.py --mode keys set --venue testnet
  python main.py --mode keys token add my-script --scope trade
  python main.py --mode live --venue rehearsal --assets BTCUSDT,ETHUSDT --confirm LIVE
  python main.py --mode dashboard --venue rehearsal
  python main.py --mode report --parity --json parity.json
  python main.py --mode report --from 2024-01-01 --to 2024-03-31 --html quarter.html
  python main.py --mode check --strategy my-rule.json --data BTCUSDT-1h.parquet
  python main.py --mode exchange --speed 10 --fault slow:delay_ms=300 --faults-every 60
  python main.py --mode exchange --port 9100 --data BTCUSDT-1m.parquet --funds USDT=5000
"""
DAY_MS = 86_400_000
KEY_ACTIONS = ("set", "test", "forget", "token")
MODES = {
    "dashboard": "the cockpit in the browser",
    "paper": "trade on paper without a screen; a replay writes its result with --json",
    "live": "trade at a venue without a screen: Binance, its testnet or demo, or the rehearsal exchange",
    "keys": "set, test or forget the API key of a venue, typed unseen; token add, list, revoke for the REST API",
    "backtest": "ask stored or given candles: would this have worked? one run, a sweep or a walk-forward",
    "optimize": "search for better numbers or rules, judged on candles that the search never saw; resumes",
    "import": "read candle files (data.binance.vision zips and CSVs, OHLCV CSVs, Parquet) into the store",
    "download": "fetch candles from Binance into the store; goes on where it stopped",
    "train": "train a model on stored or given candles, judge it against the one that votes, and keep it",
    "exchange": "a local exchange that speaks Binance's protocol and misbehaves on demand, for rehearsals",
    "report": "the journal of an account as one file (--html, --json), or beside its own replay (--parity)",
    "check": "see whether a strategy looks ahead, has enough bars, and when its results are stable",
}


class OneLine(argparse.ArgumentParser):
    """Says what is wrong in one line, as every mode does."""

    def error(self, message: str) -> NoReturn:
        """End with the message."""
        self.exit(2, f"error: {message} (--help has examples)\n")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    modes = "\n".join(f"  {name:<10} {text}" for name, text in MODES.items())
    parser = OneLine(
        prog="main.py", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EPILOG,
        description=f"AI trading cockpit for Binance spot.\n\nmodes:\n{modes}",
    )
    add = parser.add_argument
    add("--mode", choices=MODES, default="dashboard", help="what to do (default: dashboard)")
    add("path", nargs="?", metavar="PATH|ACTION", help="import: a file or a folder; keys: set, test, forget or token")
    add("words", nargs="*", metavar="WORD", help="keys token: add NAME, list, or revoke NAME")
    add("--scope", choices=SCOPES, help="keys token add: read (default), or trade, which may also change things")
    _add_venue(parser)
    add("--feed", choices=("auto", "binance", "replay", "sim"),
        help="where prices come from; auto = Binance if it answers within 3 s, else the simulated market")
    add("--assets", "--asset", dest="assets", metavar="A,B", help="symbols, such as BTCUSDT,ETHUSDT")
    add("--data", metavar="PATH",
        help="replay, backtest, train, optimize: a Parquet, CSV or zip file, or a folder (default: the store)")
    add("--speed", type=_speed, metavar="N|max", help="market seconds a second, or max")
    add("--strategy", metavar="FILE|ID", help="a JSON strategy, or an id, your own or shipped (default: the demo)")
    add("--profile", choices=("Conservative", "Balanced", "Aggressive"), help="risk profile of a new account")
    add("--capital", metavar="AMOUNT", help="what a new account starts with, in the quote asset")
    add("--interval", choices=INTERVAL_MS, help="bar length")
    add("--start", type=_time, metavar="DATE", help="first bar, as 2024-01-31 or 2024-01-31T12:00 (UTC)")
    add("--end", type=_time, metavar="DATE", help="bars before this date (UTC)")
    add("--walk-forward", metavar="train=Nd,test=Nd", help="backtest: choose on N days, test on the next, and so on")
    add("--sweep", metavar="NAME=LOW:HIGH:STEP,...", help="backtest: run every combination of these parameters")
    add("--out", metavar="PATH", help="sweep: the Parquet file of results (default: in the data folder); "
                                      "optimize: the champion's document")
    add("--search", choices=SEARCHES, help="optimize: parameters (default), evolution of rules, or a model")
    add("--budget", type=int, metavar="N", help="optimize: candidates that may be tried (default 200)")
    add("--seed", type=int, metavar="N", help="optimize, exchange: the dice; same seed, same result (default 7)")
    add("--short", action="store_true", help="optimize: evolve long and short rules, for research only")
    add("--cluster", metavar="tcp://HOST:PORT", help="sweep, walk-forward and optimize: use a Dask cluster")
    add("--repeat", metavar="KEY", help="backtest: run a stored run again and compare every byte")
    add("--checks", action="store_true", help="backtest: ask 'Is it real?' as well (--html does)")
    add("--label", choices=LABELS, help="train: what is forecast (default: next_bar, the direction of the next close)")
    add("--parity", action="store_true", help="report: each trade of an account beside its replay on the same candles")
    add("--account", metavar="NAME", help="report: the account (default: the paper account of the settings' market)")
    add("--from", dest="since", type=_time, metavar="DATE", help="report: trades closed from this date on (UTC)")
    add("--to", dest="until", type=_last, metavar="DATE", help="report: and until the end of this day, or this time")
    add("--html", metavar="PATH", help="backtest, report: write the report as one HTML file")
    add("--port", type=int, help="port of the dashboard (default 8050) or the exchange (default 9100, 0 = a free one)")
    add("--sim", action="store_true", help="exchange: the simulated market (what it does without --data)")
    add("--fault", action="append", metavar="NAME[:key=value,...]",
        help="exchange: misbehave so from the start; may be given again (docs/rehearsal.md lists the faults)")
    add("--faults-every", type=float, metavar="S", help="exchange: a fault drawn by the seed every so many seconds")
    add("--funds", metavar="USDT=5000,BTC=1", help="exchange: what the account holds at the start")
    add("--exchange-info", metavar="PATH", help="exchange: symbols from a stored answer of GET /api/v3/exchangeInfo")
    add("--json", nargs="?", const="-", metavar="PATH", help="write the result as JSON (no path: standard output)")
    add("--no-browser", action="store_true", help="dashboard: do not open a browser")
    found = parser.parse_args(arguments)
    found.exchange_port = found.port
    if found.mode == "exchange":
        found.port = None
    _refuse_nonsense(parser, found)
    return found


def _add_venue(parser: argparse.ArgumentParser) -> None:
    """Add what concerns trading outside this process."""
    add = parser.add_argument
    add("--venue", choices=VENUES, help="where orders go (default: paper on the page, binance for live and keys)")
    add("--confirm", metavar="LIVE", help="live: the word LIVE, typed, as on the page")
    add("--override", metavar="REASON", help="live: go on without the proof of the ladder's steps below; it is kept")
    add("--resume-live", action="store_true", help="live: allow entries again after a crash while LIVE")


def _refuse_nonsense(parser: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    """End with one line when arguments do not go together."""
    if found.mode == "import" and not found.path:
        parser.error("--mode import needs a file or a folder: python main.py --mode import downloads/")
    if found.mode == "keys" and found.path not in KEY_ACTIONS:
        parser.error("--mode keys needs set, test, forget or token: python main.py --mode keys set --venue binance")
    if found.words and (found.mode, found.path) != ("keys", "token"):
        parser.error(f"{' '.join(found.words)!r} is not understood; only --mode keys token takes more words")
    if found.mode not in ("import", "keys") and found.path:
        parser.error(f"{found.path!r} is not understood; only --mode import takes a path")
    if found.venue and found.mode not in ("dashboard", "live", "keys"):
        parser.error(f"--venue means nothing to --mode {found.mode}; it belongs to dashboard, live and keys")
    if found.mode == "report" and not (found.parity or found.html or found.json):
        parser.error("--mode report needs to know which report: add --parity, or --html FILE or --json for the journal")
    if found.mode != "report" and (found.since is not None or found.until is not None):
        parser.error(f"--from and --to mean nothing to --mode {found.mode}; use --start and --end")
    if found.since is not None and found.until is not None and found.since >= found.until:
        parser.error("--from is not before --to; give the earlier date first")
    if found.venue == "paper" and found.mode != "dashboard":
        parser.error(f"--mode {found.mode} needs a venue outside; for paper use --mode paper")


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed; use max or a number such as 60") from None
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range; use max or more than 0 and at most 10000")
    return value


def _last(text: str) -> int:
    """Return the first millisecond after what is meant: a day is meant in full."""
    return _time(text) + (DAY_MS if len(text) == len("2024-01-31") else 0)


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write 2024-01-31 or 2024-01-31T12:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
