"""The cockpit's version, part of every result."""

VERSION = "0.1.0"
