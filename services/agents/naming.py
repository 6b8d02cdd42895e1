"""The agents by name: which the engine asks now, and who trades from the moment that orders are let out."""

from __future__ import annotations

from trading.agents.symbol_agent import SymbolAgent
from trading.engine import Engine
from trading.events import CommandAnswered


def trading_now(engine: Engine) -> set[tuple[str, str]]:
    """Return symbol and name of the rules that the engine asks, those without a say too."""
    return {(agent.symbol, agent.name) for agent in engine.agents.agents if isinstance(agent, SymbolAgent)}


def asked_now(engine: Engine) -> set[tuple[str, str]]:
    """Return symbol and name of every source that the engine asks, models too."""
    return {(agent.symbol, agent.name) for agent in engine.agents.agents}


def speaking_now(engine: Engine) -> str:
    """Return who has a say, in words."""
    speaking = [f"{agent.name} on {agent.symbol}" for agent in engine.agents.agents
                if (agent.symbol, agent.name) not in engine.agents.paused and not getattr(agent, "is_silent", False)]
    return ", ".join(speaking) or "nobody"


def tell_when_armed(engine: Engine) -> None:
    """Write into the log who trades, each time that an account at a venue is armed."""
    def answered(answer: CommandAnswered) -> None:
        if answer.kind == "arm" and answer.accepted:
            engine.journal.write(engine.time, "AGENTS", f"armed: {speaking_now(engine)} may buy", "plain")

    engine.bus.subscribe(CommandAnswered, answered)
