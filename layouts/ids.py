"""Every component id, once."""

# The shell, on every page
TAB = "tab"  # a random name for one load of the page: makes each click's nonce unique
BEAT = "beat"
VERSION = "control-version"
TITLE = "title"
TOASTS = "toasts"
MENU = "menu"
FEED_STATE = "feed-state"
UPDATED = "updated"
BADGES = "badges"
JOBS = "jobs"
JOBS_WORD = "jobs-word"
PAGE = "page"  # name of the page that is on screen

# Kill switch
KILL = "kill"
KILL_STRIP = "kill-strip"
KILL_MODAL = "kill-modal"
KILL_REASON = "kill-reason"
KILL_CONFIRM = "kill-confirm"
KILL_CANCEL = "kill-cancel"
REARM = "rearm"
REARM_REASON = "rearm-reason"
KILL_TEXT = "kill-text"

# Price chart
PRICE_SYMBOL = "price-symbol"
PRICE_QUOTE = "price-quote"
PRICE_TIMEFRAME = "price-timeframe"
PRICE_LINES = "price-lines"
PRICE_TRADES = "price-trades"
PRICE_LEGEND = "price-legend"
PRICE_CHART = "price-chart"
PRICE_SHOWN = "price-shown"  # what the chart shows: symbol, timeframe, lines, trades
PRICE_EMPTY = "price-empty"
PRICE_VEIL = "price-veil"

# Auto-trading
AUTO_STATE = "auto-state"
AUTO_START = "auto-start"
AUTO_PAUSE = "auto-pause"
AUTO_STOP = "auto-stop"
AUTO_HINT = "auto-hint"
AUTO_MODE = "auto-mode"
RISK_PROFILE = "risk-profile"
RISK_APPLY = "risk-apply"
RISK_NOTE = "risk-note"

# Signals, curves, machine learning, decisions
SIGNALS = "signals"
SIGNALS_NEXT = "signals-next"
EQUITY_RANGE = "equity-range"
EQUITY_GRAPH = "equity-graph"
EQUITY_NOTE = "equity-note"
DRAWDOWN_GRAPH = "drawdown-graph"
DRAWDOWN_NOTE = "drawdown-note"
ML = "ml"
TRACE = "trace"
TRACE_BACK = "trace-back"
TRACE_OPEN = "trace-open"

# Tables
TABLE_TABS = "table-tabs"
FLATTEN = "flatten"
FLATTEN_MODAL = "flatten-modal"
FLATTEN_CONFIRM = "flatten-confirm"
FLATTEN_CANCEL = "flatten-cancel"
EXPORT = "export"
POSITIONS_EMPTY = "positions-empty"
TABLES = ("positions", "orders", "trades", "log")


def kpi(key: str) -> str:
    """Id of a figure's tile."""
    return f"kpi-{key}"


def risk(field: str) -> str:
    """Id of the input of a risk profile's field."""
    return f"risk-{field}"


def table(name: str) -> str:
    """Id of a grid."""
    return f"table-{name}"


def table_box(name: str) -> str:
    """Id of what holds a grid and its empty state."""
    return f"table-{name}-box"


def table_count(name: str) -> str:
    """Id of the count in a table's tab."""
    return f"table-{name}-count"


def table_pane(name: str) -> str:
    """Id of what a table's tab opens."""
    return f"table-{name}-pane"


def decision(key: str) -> dict[str, str]:
    """Id of the row that opens a decision."""
    return {"type": "decision", "key": key}
