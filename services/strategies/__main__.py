"""Write the shipped JSON Schema anew: `python -m services.strategies`."""

from services.strategies.schema import schema_text
from services.strategies.shelf import SCHEMA

if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
