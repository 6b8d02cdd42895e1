"""The look of a report; on paper it is black on white."""

from __future__ import annotations

from layouts import theme

STYLE = f"""
:root {{ --ground: {theme.GROUND}; --card: {theme.CARD};
  --line: {theme.LINE}; --text: {theme.TEXT}; --muted: {theme.MUTED};
  --up: {theme.UP}; --down: {theme.DOWN}; --accent: {theme.ACCENT}; --warning: {theme.WARNING}; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 1180px; padding: 20px; background: var(--ground); color: var(--text);
  font: 13px/1.4 {theme.FONT}; font-variant-numeric: tabular-nums; }}
h1 {{ font-size: 20px; margin: 0 0 2px; }} h2 {{ font-size: 14px; margin: 0 0 8px; }} .muted {{ color: var(--muted); }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: 5px; padding: 12px 14px;
  margin-top: 10px;
  overflow-x: auto; }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; margin-top: 12px; }}
.tiles section {{ margin: 0; }} .value {{ font-size: 19px; font-weight: 700; }}
.up, .pass {{ color: var(--up); }} .down, .fail {{ color: var(--down); }} .warning, .warn {{ color: var(--warning); }}
table {{ border-collapse: collapse; width: 100%; font-size: 12px; }}
th {{ color: var(--muted); font-weight: 400; text-align: left; }}
td, th {{ padding: 4px 8px; border-bottom: 1px solid var(--line); }}
.number, .months td, .months th {{ text-align: right; white-space: nowrap; }}
@media screen {{ .wide td, .wide th {{ white-space: nowrap; }} }}
.detail {{ text-align: right; min-width: 9em; }} td:first-child {{ white-space: nowrap; }}
svg {{ width: 100%; height: auto; display: block; }} svg text {{ fill: var(--muted); font-size: 13px; }}
svg .value-in {{ fill: var(--text); font-size: 11px !important; }}
.dot {{ fill: var(--accent); }} .dot.chosen {{ fill: var(--text); stroke: var(--accent); }}
.mid {{ text-anchor: middle; }} .end {{ text-anchor: end; }} .grid {{ stroke: var(--line); }}
.line {{ fill: none; stroke-width: 1.5; }} .area {{ stroke: none; opacity: .15; }}
.line.equity {{ stroke: var(--accent); }} .line.hold {{ stroke: var(--muted); stroke-dasharray: 3 3; }}
.line.low, .line.high {{ stroke: var(--muted); stroke-width: .8; opacity: .6; }}
.line.drawdown {{ stroke: var(--warning); }} .area.drawdown {{ fill: var(--warning); }}
.line.exposure {{ stroke: var(--accent); }} .area.exposure {{ fill: var(--accent); }}
.gain {{ fill: var(--up); }} .loss {{ fill: var(--down); }} .chosen {{ stroke: var(--text); stroke-width: 2; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }} td {{ overflow-wrap: anywhere; }}
@media (max-width: 700px) {{ body {{ padding: 8px; }} section {{ padding: 10px; }} svg {{ min-width: 680px; }}
  svg text {{ font-size: 16px; }} .side {{ transform: translate(-926px, -1px); }}
  .checks tr {{ display: block; border-bottom: 1px solid var(--line); padding: 5px 0; }}
  .checks td {{ display: block; border: 0; padding: 1px 0; text-align: left; white-space: normal; }}
  .months, .number {{ font-size: 12px; }} }}
@media print {{ :root {{ --ground: #fff; --card: #fff; --line: #d5d9df; --text: #14171a; --muted: #555; --up: #0b7a4b;
  --down: #b3172c; --accent: #1c56c4; --warning: #8a6800; }} section {{ break-inside: avoid; }} }}
"""
