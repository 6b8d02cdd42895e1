"""Figures of the account and of this service, as JSON, or as text that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from services.api.account import Account
from services.api.meter import BOUNDS_S, Counted, Meter
from services.api.parts import Parts
from services.api.values import Figure, Told
from services.version import VERSION
from trading.domain import CockpitView

router = APIRouter(prefix="/api", tags=["metrics"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class RouteTold(Told):
    """A route since the start; `statuses` counts answers by status."""

    method: str
    route: str
    requests: int
    errors: int
    mean_ms: Figure
    statuses: dict[str, int]


class Service(Told):
    """The service since its start: `errors` are its own faults (5xx); times are of the newest 2,000 requests."""

    version: str
    uptime_s: float
    requests: int
    errors: int
    error_rate: float
    p50_ms: Figure
    p95_ms: Figure
    p99_ms: Figure
    routes: list[RouteTold]


class Trading(Told):
    """What trades: its state, the age of the newest price, open positions, working orders, jobs that failed."""

    state: str
    feed: str
    feed_state: str
    price_age_ms: int
    feed_latency_ms: Figure
    positions: int
    working_orders: int
    failed_jobs: int


class Metrics(Told):
    """Everything that can be watched."""

    account: Account
    trading: Trading
    service: Service


@router.get("/metrics", response_model=Metrics, responses={200: {"content": {"text/plain": {
    "schema": {"type": "string"}, "example": "cockpit_equity 10250.75\n"}}}})
async def metrics(request: Request, parts: Parts) -> Metrics | Response:
    """Return the figures; with `Accept: text/plain` in Prometheus's format."""
    view = parts.services.portfolio.view()
    if wants_text(request.headers.get("accept", "")):
        return PlainTextResponse("\n".join(lines(view, parts.meter)) + "\n", media_type=TEXT)
    return Metrics(account=Account.model_validate(view.account), trading=trading_of(view),
                   service=service_of(parts.meter))


def wants_text(accept: str) -> bool:
    """Tell whether a caller asks for text and not for JSON."""
    return "text/plain" in accept and "application/json" not in accept


def trading_of(view: CockpitView) -> Trading:
    """Return what trades, in figures."""
    working = sum(order.status in ("INTENT", "WORKING", "PARTIALLY_FILLED") for order in view.orders)
    return Trading(state=view.session.state, feed=view.feed.badge, feed_state=view.feed.state,
                   price_age_ms=view.feed.age_ms, feed_latency_ms=view.feed.latency_ms,
                   positions=len(view.positions), working_orders=working,
                   failed_jobs=sum(job.state == "failed" for job in view.jobs))


def service_of(meter: Meter) -> Service:
    """Return how the API fares."""
    routes = [_route(key, found) for key, found in sorted(meter.routes.items())]
    n, failed = sum(one.requests for one in routes), sum(one.errors for one in routes)
    p50, p95, p99 = (meter.quantile_ms(rate) for rate in (0.50, 0.95, 0.99))
    return Service(version=VERSION, uptime_s=round(meter.uptime_s, 3), requests=n, errors=failed,
                   error_rate=failed / n if n else 0.0, p50_ms=p50, p95_ms=p95, p99_ms=p99, routes=routes)


def _route(key: tuple[str, str], found: Counted) -> RouteTold:
    return RouteTold(method=key[0], route=key[1], requests=found.n, errors=found.n_failed,
                     mean_ms=round(1_000 * found.seconds / found.n, 3),
                     statuses={str(status): n for status, n in sorted(found.statuses.items())})


def lines(view: CockpitView, meter: Meter) -> Iterator[str]:
    """Yield the text format of Prometheus (exposition format 0.0.4)."""
    account, trading = view.account, trading_of(view)
    gauges = (
        ("equity", "Equity in the quote asset", account.equity), ("cash", "Cash in the quote asset", account.cash),
        ("day_pnl", "Profit or loss since 00:00 UTC", account.day_pnl),
        ("realized_pnl", "Realized profit or loss", account.realized_pnl),
        ("unrealized_pnl", "Unrealized profit or loss", account.unrealized_pnl), ("fees", "Fees paid", account.fees),
        ("drawdown_rate", "Drawdown from the highest equity", account.drawdown_rate),
        ("exposure_rate", "Exposure as a part of equity", account.exposure_rate),
        ("trades", "Finished trades", account.n_trades), ("positions", "Open positions", trading.positions),
        ("working_orders", "Working orders", trading.working_orders),
        ("running", "1 while new entries are let in", int(trading.state == "running")),
        ("killed", "1 while the kill switch is on", int(trading.state == "killed")),
        ("price_age_seconds", "Age of the newest price", trading.price_age_ms / 1000),
        ("uptime_seconds", "Time since the start", round(meter.uptime_s, 3)),
    )
    for name, text, value in gauges:
        yield from (f"# HELP cockpit_{name} {text}.", f"# TYPE cockpit_{name} gauge", f"cockpit_{name} {value}")
    yield from _requests(meter)


def _requests(meter: Meter) -> Iterator[str]:
    counts, times = "cockpit_api_requests_total", "cockpit_api_request_seconds"
    yield from (f"# HELP {counts} Requests by route and status.", f"# TYPE {counts} counter")
    for (method, route), found in sorted(meter.routes.items()):
        for status, n in sorted(found.statuses.items()):
            yield f'{counts}{{method="{method}",route="{route}",status="{status}"}} {n}'
    yield from (f"# HELP {times} Response times by route.", f"# TYPE {times} histogram")
    for (method, route), found in sorted(meter.routes.items()):
        labels, total = f'method="{method}",route="{route}"', 0
        for bound, n in zip((*BOUNDS_S, "+Inf"), found.buckets, strict=True):
            total += n
            yield f'{times}_bucket{{{labels},le="{bound}"}} {total}'
        yield from (f"{times}_sum{{{labels}}} {found.seconds:.6f}", f"{times}_count{{{labels}}} {total}")
