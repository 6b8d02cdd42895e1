"""A strategy's document as a list of rows that can be edited, and back, without losing anything."""

from services.strategies.editing.draft import Draft
from services.strategies.editing.outline import Outline, document_of, outline_of

__all__ = ["Draft", "Outline", "document_of", "outline_of"]
