"""What the page has beside the style of a study's page: cells shaded by what they hold, and the two lines of a reliability diagram."""

from hydra.study.report.style import STYLE as BASE

STYLE = (
    BASE
    + """
td.shade{background:color-mix(in srgb,var(--c0) calc(var(--a)*60%),transparent);text-align:center;font-variant-numeric:tabular-nums;white-space:nowrap}
td.self{color:var(--soft);text-align:center}table.matrix{width:auto}table.matrix th,table.matrix td{min-width:64px;text-align:center}
table.matrix td:first-child,table.matrix th:first-child{min-width:0;text-align:left}
.warn{color:var(--warn);background:var(--warn-bg);border-radius:6px;padding:8px 12px;margin:8px 0}
.square{max-width:560px}svg .even{stroke:var(--soft);stroke-dasharray:5 4}
svg .c8{stroke:var(--c0);stroke-dasharray:6 3}svg .c9{stroke:var(--c1);stroke-dasharray:6 3}.key.c8{background:var(--c0);opacity:.6}.key.c9{background:var(--c1);opacity:.6}
svg .strong{stroke:var(--ink)}svg .line.strong{stroke-width:2.2}.key.strong{background:var(--ink)}
td.name{white-space:nowrap}.none{color:var(--soft)}
table.board td:first-child{white-space:nowrap}table.board tr.seat td:first-child,table.board tr.consensus td:first-child{font-weight:600}
table.board tr.consensus td{border-bottom-width:2px}.pair{display:block;font-size:.86em;color:var(--soft);white-space:nowrap}
"""
)
