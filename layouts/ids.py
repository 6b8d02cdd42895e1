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
PAGE = "page"  # name of the page that is on screen, kept by the shell
PAGE_NAME = "page-name"  # what each page says of itself

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
ARM_ROW = "arm-row"
ARM_WORD = "arm-word"
ARM_NOTE = "arm-note"
ARM = "arm"
DISARM = "disarm"
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


# Page Backtest: what is always there
BT_RUN = "bt-run"  # which run the page shows: {"key", "state"}; the address follows it
BT_TICK = "bt-tick"  # asks how far the run is, only while one runs
BT_FORM = "bt-form"
BT_FOLD = "bt-fold"
BT_FOLD_WORD = "bt-fold-word"
BT_STRATEGY = "bt-strategy"
BT_STRATEGY_NOTE = "bt-strategy-note"
BT_SYMBOLS = "bt-symbols"
BT_INTERVAL = "bt-interval"
BT_START = "bt-start"
BT_END = "bt-end"
BT_COSTS_WORD = "bt-costs-word"
BT_CAPITAL = "bt-capital"
BT_PROFILE = "bt-profile"
BT_MODE = "bt-mode"
BT_MODE_WORD = "bt-mode-word"
BT_TRAIN = "bt-train"
BT_TEST = "bt-test"
BT_GO = "bt-go"
BT_ERROR = "bt-error"
BT_PROGRESS = "bt-progress"
BT_STAGE = "bt-stage"
BT_BAR = "bt-bar"
BT_CANCEL = "bt-cancel"
BT_BODY = "bt-body"
BT_HEADING = "bt-heading"
BT_CHANGED = "bt-changed"
BT_ASKED = "bt-asked"  # what the run on screen was asked, to compare with the form
BT_RESULT = "bt-result"
BT_RUNS = "bt-runs"

# Page Backtest: the sweep's dialog
BT_SWEEP = "bt-sweep"
BT_SWEEP_MODAL = "bt-sweep-modal"
BT_SWEEP_GO = "bt-sweep-go"
BT_SWEEP_CANCEL = "bt-sweep-cancel"
BT_SWEEP_NOTE = "bt-sweep-note"
SWEEP_FIELDS = ("name", "low", "high", "step")

# Page Backtest: a finished run
BT_CHECK_TICK = "bt-check-tick"  # asks for the checks, only while they run
BT_CHECKS = "bt-checks"
BT_TILES = "bt-tiles"
BT_CURVES = "bt-curves"
BT_LOG = "bt-log"
BT_COMPARE = "bt-compare"
BT_COMPARE_WORD = "bt-compare-word"
BT_COMPARED = "bt-compared"
BT_SAVE = "bt-save"
BT_DOWNLOAD = "bt-download"
BT_CSV = "bt-csv"
BT_CSV_DOWNLOAD = "bt-csv-download"
BT_TABS = "bt-tabs"
BT_TRADES = "bt-trades"
BT_TRADE = "bt-trade"  # number of the trade that is looked at
BT_TRADE_MODAL = "bt-trade-modal"
BT_TRADE_TITLE = "bt-trade-title"
BT_TRADE_BODY = "bt-trade-body"
BT_TRADE_BACK = "bt-trade-back"
BT_TRADE_NEXT = "bt-trade-next"

# Page Models: what is always there
MD_STATE = "md-state"  # what the page shows: {"market", "version", "key", "stamp"}; the address follows it
MD_TICK = "md-tick"  # asks how far a training is, and now and then whether anything is new
MD_FORM = "md-form"
MD_FOLD = "md-fold"
MD_FOLD_WORD = "md-fold-word"
MD_SYMBOL = "md-symbol"
MD_INTERVAL = "md-interval"
MD_LABEL = "md-label"
MD_HORIZON = "md-horizon"
MD_SCHEME = "md-scheme"
MD_SCHEME_WORD = "md-scheme-word"
MD_FOLDS = "md-folds"
MD_START = "md-start"
MD_END = "md-end"
MD_PROFILE = "md-profile"
MD_MORE_WORD = "md-more-word"
MD_GO = "md-go"
MD_ERROR = "md-error"
MD_PROGRESS = "md-progress"
MD_STAGE = "md-stage"
MD_BAR = "md-bar"
MD_CANCEL = "md-cancel"
MD_BODY = "md-body"

# Page Models: who votes
MD_FRESH = "md-fresh"
MD_BACK = "md-back"
MD_SILENCE = "md-silence"
MD_MODAL = "md-modal"
MD_MODAL_TITLE = "md-modal-title"
MD_MODAL_TEXT = "md-modal-text"
MD_CHANGE = "md-change"  # what the dialog would do: {"kind", "version"}
MD_REASON = "md-reason"
MD_REASON_WORD = "md-reason-word"
MD_CONFIRM = "md-confirm"
MD_CLOSE = "md-close"
AG_TICK = "ag-tick"
AG_SEEN = "ag-seen"
AG_NOTE = "ag-note"
AG_CARDS = "ag-cards"
AG_RANKING = "ag-ranking"
AG_DECISIONS = "ag-decisions"
AG_STUDY = "ag-study"
AG_STUDY_NOTE = "ag-study-note"
AG_SYMBOL = "ag-symbol"
AG_STRATEGY = "ag-strategy"
AG_TIMEFRAME = "ag-timeframe"
AG_ADD = "ag-add"
AG_ERROR = "ag-error"
AG_COMPARE = "ag-compare"
AG_RANKS = "ag-ranks"
AG_ALPHA = "ag-alpha"
AG_BETA = "ag-beta"
AG_TOP = "ag-top"
AG_LEAST = "ag-least"
AG_SAVE = "ag-save"


def model_setting(field: str) -> str:
    """Id of the input of a model's advanced setting."""
    return f"md-set-{field}"


def appoint(version: str, place: str) -> dict[str, str]:
    """Id of a button that lets a model vote."""
    return {"type": "md-appoint", "version": version, "place": place}


# Page AutoML: what is always there
AM_RUN = "am-run"  # which study the page shows: {"key", "shape"}; the address follows it
AM_TICK = "am-tick"  # asks how far the study is, only while one runs
AM_FORM = "am-form"
AM_FOLD = "am-fold"
AM_FOLD_WORD = "am-fold-word"
AM_SEARCH = "am-search"
AM_SEARCH_NOTE = "am-search-note"
AM_STRATEGY = "am-strategy"
AM_STRATEGY_NOTE = "am-strategy-note"
AM_SYMBOLS = "am-symbols"
AM_INTERVAL = "am-interval"
AM_START = "am-start"
AM_END = "am-end"
AM_HOLDOUT = "am-holdout"
AM_BUDGET = "am-budget"
AM_SEED = "am-seed"
AM_MORE_WORD = "am-more-word"
AM_PROFILE = "am-profile"
AM_EVOLUTION = "am-evolution"  # what only breeding needs
AM_ISLANDS = "am-islands"
AM_POPULATION = "am-population"
AM_SHORT = "am-short"
AM_GO = "am-go"
AM_ERROR = "am-error"
AM_PROGRESS = "am-progress"
AM_BAR = "am-bar"
AM_STAGE = "am-stage"
AM_CANCEL = "am-cancel"
AM_BODY = "am-body"
AM_HEADING = "am-heading"
AM_STUDIES = "am-studies"

# Page AutoML: a study
AM_LIVE = "am-live"  # asks for the figures, until those of the end are on screen
AM_SEEN = "am-seen"  # which of its pictures is on screen
AM_RESUME = "am-resume"
AM_TILES = "am-tiles"
AM_PARETO = "am-pareto"
AM_PARALLEL = "am-parallel"
AM_HISTORY = "am-history"
AM_CHAMPION = "am-champion"
AM_CHAMPION_TITLE = "am-champion-title"
AM_SAVE = "am-save"
AM_SAVED = "am-saved"
AM_RULE = "am-rule"
AM_TABLE = "am-table"
AM_COUNT = "am-count"
AM_CANDIDATE = "am-candidate"
AM_CANDIDATE_TITLE = "am-candidate-title"
AM_CANDIDATE_BODY = "am-candidate-body"

LV_TICK = "lv-tick"
LV_SEEN = "lv-seen"
LV_STRIP = "lv-strip"
LV_TILES = "lv-tiles"
LV_LADDER = "lv-ladder"
LV_LADDER_NOTE = "lv-ladder-note"
LV_WAY = "lv-way"
LV_VENUE = "lv-venue"
LV_KEYS = "lv-keys"
LV_LOSSES = "lv-losses"
LV_FORM = "lv-form"
LV_FORM_NOTE = "lv-form-note"
LV_WORD = "lv-word"
LV_REASON = "lv-reason"
LV_REASON_BOX = "lv-reason-box"
LV_ARM = "lv-arm"
LV_DISARM = "lv-disarm"
LV_COMPARE = "lv-compare"
LV_PARITY = "lv-parity"
LV_TABLE = "lv-table"
LV_TRADES = "lv-trades"
LV_CSV = "lv-csv"
LV_ALONE = "lv-alone"


def release(symbol: str) -> dict[str, str]:
    """Id of the button that ends a quarantine."""
    return {"type": "lv-release", "symbol": symbol}


# Page Rehearsal
RH_SEEN = "rh-seen"  # what is on screen: {part: stamp}; only other stamps are sent
RH_TICK = "rh-tick"
RH_FORM = "rh-form"
RH_FOLD = "rh-fold"
RH_FOLD_WORD = "rh-fold-word"
RH_SOURCE = "rh-source"
RH_SYMBOLS = "rh-symbols"
RH_RULE = "rh-rule"
RH_SEED = "rh-seed"
RH_SPEED = "rh-speed"
RH_EVERY = "rh-every"
RH_GO = "rh-go"
RH_STOP = "rh-stop"
RH_ERROR = "rh-error"
RH_HEADING = "rh-heading"
RH_VERDICT = "rh-verdict"
RH_SAID = "rh-said"  # the statement alone, for who listens: the rest of the strip changes every second
RH_BODY = "rh-body"
RH_TILES = "rh-tiles"
RH_SWITCHES = "rh-switches"
RH_CLEAR = "rh-clear"
RH_SYMBOL = "rh-symbol"
RH_LADDER = "rh-ladder"
RH_PRINTS = "rh-prints"
RH_ACCOUNT = "rh-account"
RH_STATE = "rh-state"
RH_RELEASE = "rh-release"
RH_LEDGER = "rh-ledger"
RH_LATENCY = "rh-latency"
RH_LATENCY_NOTE = "rh-latency-note"
RH_REQUESTS = "rh-requests"
RH_JOURNAL = "rh-journal"


# Strategies
ST_PAGE = "st-page"
ST_SEARCH = "st-search"
ST_STATE = "st-state"  # the draft: all that the server needs to go on with it
ST_ACTS = "st-acts"  # the log of what was done on the builder, numbered
ST_COMMAND = "st-command"
ST_PREVIEWED = "st-previewed"  # what the chart shows: market, lines, and the draft that it belongs to
ST_SHELF = "st-shelf"
ST_TITLE = "st-title"
ST_TOOLS = "st-tools"
ST_TAB = "st-tab"
ST_HEAD = "st-head"
ST_RULES = "st-rules"
ST_JSON = "st-json"
ST_WORDS = "st-words"
ST_MISTAKES = "st-mistakes"
ST_NOTICE = "st-notice"
ST_BUTTONS = "st-buttons"
ST_CHART = "st-chart"
ST_CHART_NOTE = "st-chart-note"
ST_CHART_EMPTY = "st-chart-empty"
ST_SYMBOL = "st-symbol"
ST_TILES = "st-tiles"
ST_VERSIONS = "st-versions"
ST_DIFF = "st-diff"
ST_DIFF_OLD = "st-diff-old"
ST_DIFF_NEW = "st-diff-new"
ST_DIFF_LIST = "st-diff-list"
ST_UPLOAD = "st-upload"
ST_DOWNLOAD = "st-download"
ST_GO = "st-go"


def fault_group(name: str) -> str:
    """Id of the count of what is on in a group of switches."""
    return f"rh-group-{name.lower().replace(' ', '-')}"


def fault(name: str) -> str:
    """Id of a switch of the rehearsal exchange."""
    return f"rh-fault-{name}"


def cost(field: str) -> str:
    """Id of the input of a cost."""
    return f"bt-cost-{field}"


def sweep(axis: str, field: str) -> str:
    """Id of an input of the sweep's dialog; axis: x or y."""
    return f"bt-sweep-{axis}-{field}"


def backtest_pane(name: str) -> str:
    """Id of what a tab of a finished run opens."""
    return f"bt-pane-{name}"


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


def agent_act(act: str, key: str) -> dict[str, str]:
    """Id of a button of an agent's card; act: pause, resume or drop."""
    return {"type": "agent-act", "act": act, "key": key}


# Page Journal
JR_TICK = "jr-tick"
JR_SEEN = "jr-seen"  # how many trades are on screen: figures are added up again when it changes
JR_MINUTE = "jr-minute"  # the minute of the newest record on screen
JR_OPEN = "jr-open"  # what the address wants to see in the drawer: {"trade"} or {"decision"}
JR_RANGE = "jr-range"
JR_TILES = "jr-tiles"
JR_CALENDAR = "jr-calendar"
JR_CURVE = "jr-curve"
JR_CURVE_NOTE = "jr-curve-note"
JR_WATER = "jr-water"
JR_GROUP = "jr-group"
JR_GROUPS = "jr-groups"
JR_TAB = "jr-tab"
JR_CLEAR = "jr-clear"
JR_PLACE = "jr-place"  # which page of the list is shown: {"offset", "below", "next"}
JR_NEWER = "jr-newer"
JR_OLDER = "jr-older"
JR_COUNT = "jr-count"
JR_TRADES = "jr-trades"
JR_TRADES_BOX = "jr-trades-box"
JR_DECISIONS = "jr-decisions"
JR_DECISIONS_BOX = "jr-decisions-box"
JR_EMPTY = "jr-empty"
JR_DRAWER = "jr-drawer"
JR_DRAWER_TITLE = "jr-drawer-title"
JR_DRAWER_BODY = "jr-drawer-body"
JR_KEY = "jr-key"  # the trade in the drawer
JR_NOTES = "jr-notes"
JR_NOTE = "jr-note"
JR_TAGS = "jr-tags"
JR_SAVE = "jr-save"
JR_SAVED = "jr-saved"
JR_CSV = "jr-csv"
JR_JSON = "jr-json"
JR_DOWNLOAD = "jr-download"
JR_UPLOAD = "jr-upload"
JR_IMPORTS = "jr-imports"
JR_TOO_LARGE = "jr-too-large"  # a file that the browser did not send: {"name", "bytes"}
JR_DRAFTS = "jr-drafts"  # notes that are not saved: {key: [note, tags]}
JR_FILTERS = ("symbol", "start", "end", "text", "strategy", "agent", "side", "result", "tag", "origin", "outcome")


def journal_filter(name: str) -> str:
    """Id of a filter of the journal's lists."""
    return f"jr-filter-{name}"


def journal_field(name: str) -> str:
    """Id of what holds a filter with its label."""
    return f"jr-field-{name}"


def journal_day(day: str) -> dict[str, str]:
    """Id of a day of the calendar, which lists its trades."""
    return {"type": "jr-day", "day": day}


def journal_forget(name: str) -> dict[str, str]:
    """Id of the button that removes an imported log."""
    return {"type": "jr-forget", "name": name}
