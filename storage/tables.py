"""Tables of the database. Money and quantities are decimal text, times UTC milliseconds, documents JSON text.

A replay's equity points and quiet decisions are packed into blocks (`storage.blocks`), as are the bars that were seen
(`storage.bar_archive`).
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()


def _account_table(name: str, *columns: Column | Index) -> Table:
    return Table(name, metadata, Column("account", String(64), primary_key=True), *columns)


accounts = _account_table(
    "accounts",
    Column("settings", Text, nullable=False),
    Column("state", String(16), nullable=False),
)

snapshots = _account_table(
    "snapshots",
    Column("sequence", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

orders = _account_table(
    "orders",
    Column("client_id", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("side", String(4), nullable=False),
    Column("type", String(16), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("filled", Text, nullable=False),
    Column("limit_price", Text, nullable=False),
    Column("stop_price", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
)

fills = _account_table(
    "fills",
    Column("symbol", String(32), primary_key=True),
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", String(36), nullable=False),
    Column("side", String(4), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("quote_quantity", Text, nullable=False),
    Column("commission_base", Text, nullable=False),
    Column("commission_quote", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

trades = _account_table(
    "trades",
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("symbol", String(32), nullable=False),
    Column("side", String(8), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("entry_time", BigInteger, nullable=False),
    Column("entry_price", Text, nullable=False),
    Column("exit_time", BigInteger, nullable=False),
    Column("exit_price", Text, nullable=False),
    Column("fees", Text, nullable=False),
    Column("pnl", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("closed_because", Text, nullable=False),
)

decisions = _account_table(
    "decisions",
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol", String(32), primary_key=True),
    Column("action", String(8), primary_key=True),
    Column("outcome", String(40), primary_key=True),
    Column("price", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("client_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
)

equity = _account_table(
    "equity",
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("equity", Text, nullable=False),
    Column("benchmark", Text, nullable=False),
    Column("drawdown_ppm", Integer, nullable=False),
)

decision_blocks = _account_table(
    "decision_blocks",
    Column("symbol", String(32), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("header", Text, nullable=False),
    Column("numbers", LargeBinary, nullable=False),
)

equity_blocks = _account_table(
    "equity_blocks",
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("points", LargeBinary, nullable=False),
)

journal = _account_table(
    "journal",
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("tone", String(8), nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

backtests = Table(
    "backtests",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("question", String(64), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("request", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("hashes", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("lineage", String(64), primary_key=True),
    Column("data_hash", String(64), primary_key=True),
    Column("parameters", String(64), primary_key=True),
    Column("market", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("sharpe", Float, nullable=True),
    Column("created", BigInteger, nullable=False),
)

study_journal = Table(
    "study_journal",
    metadata,
    Column("study", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
)

venue_orders = _account_table(
    "venue_orders",
    Column("client_id", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("order_id", String(36), nullable=False),
    Column("list_id", String(36), nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("side", String(4), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("state", String(12), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("venue_id", BigInteger, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("price", Text, nullable=False),
    Column("stop_price", Text, nullable=False),
    Column("executed", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("params", Text, nullable=False),
    Index("ix_venue_orders_state", "account", "state"),
    Index("ix_venue_orders_order_id", "account", "order_id"),
)

leases = Table(
    "leases",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("host", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
)

evidence = _account_table(
    "evidence",
    Column("kind", String(32), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

seen_bars = _account_table(
    "seen_bars",
    Column("symbol", String(32), primary_key=True),
    Column("open_time", BigInteger, primary_key=True, autoincrement=False),
    Column("open", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("close", Float, nullable=False),
    Column("volume", Float, nullable=False),
    Column("live", Integer, nullable=False),
)

seen_blocks = _account_table(
    "seen_blocks",
    Column("symbol", String(32), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("bars", LargeBinary, nullable=False),
)

trade_notes = _account_table(
    "trade_notes",
    Column("trade", String(96), primary_key=True),
    Column("note", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

imported_trades = _account_table(
    "imported_trades",
    Column("trade", String(96), primary_key=True),
    Column("symbol", String(32), nullable=False),
    Column("exit_time", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("imported", BigInteger, nullable=False),
)

ACCOUNT_TABLES = (snapshots, orders, fills, trades, decisions, equity, decision_blocks, equity_blocks, journal,
                  seen_bars, seen_blocks)
