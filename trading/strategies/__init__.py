"""Strategies: frozen rules that turn indicator values into an action and say why."""

from trading.strategies.voting import DIRECTIONS, EmaRule, Moment, RsiRule, Ruling, VotingStrategy

__all__ = ["DIRECTIONS", "EmaRule", "Moment", "RsiRule", "Ruling", "VotingStrategy"]
