"""What the page has beside the style of the check's page: charts, and figures that explain themselves."""

from hydra.qc.report.style import STYLE as BASE

STYLE = (
    BASE
    + """
:root{--c0:#0969da;--c1:#b35900;--c2:#8250df;--c3:#1a7f37;--c4:#bf3989;--c5:#9a6700;--c6:#57606a;--c7:#a40e26}
@media (prefers-color-scheme:dark){:root{--c0:#58a6ff;--c1:#f0883e;--c2:#d2a8ff;--c3:#56d364;--c4:#ff9bce;--c5:#e3b341;--c6:#9ea7b3;--c7:#ff7b72}}
.chart{display:grid;grid-template-columns:66px 1fr;grid-template-rows:auto 22px;margin:10px 0 6px}
.chart .ys,.chart .xs{position:relative;color:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.chart .ys span{position:absolute;right:8px;transform:translateY(-50%);white-space:nowrap}
.chart .xs{grid-column:2;height:22px}.chart .xs span{position:absolute;top:4px;white-space:nowrap}
.chart .plot{border-left:1px solid var(--line);border-bottom:1px solid var(--line);min-width:0}
.chart svg{width:100%;height:100%;max-width:none;overflow:visible}
svg path{vector-effect:non-scaling-stroke;fill:none}
svg .line{stroke:var(--c0);stroke-width:1.5;stroke-linejoin:round}svg .thin{stroke-width:1}svg .line.bad{stroke:var(--bad);stroke-width:1}
svg .level,svg .upright{stroke:var(--line);stroke-width:1}svg .upright{stroke-dasharray:2 4}
svg .start{stroke:var(--soft);stroke-width:1;stroke-dasharray:5 4}
svg .under{fill:var(--bad);opacity:.18}
svg .candle{stroke:var(--c0);stroke-width:1;fill:var(--c0)}svg .candle.up{fill:var(--paper)}
svg .dot{stroke-width:8;stroke-linecap:round;opacity:.9}svg .dot:hover{stroke-width:13}
svg .in{stroke:var(--c2)}svg .out{stroke:var(--c1)}svg .stop{stroke:var(--bad);stroke-linecap:square;stroke-width:7}svg .target{stroke:var(--good)}
svg .c0{stroke:var(--c0)}svg .c1{stroke:var(--c1)}svg .c2{stroke:var(--c2)}svg .c3{stroke:var(--c3)}
svg .c4{stroke:var(--c4)}svg .c5{stroke:var(--c5)}svg .c6{stroke:var(--c6)}svg .c7{stroke:var(--c7)}
.legend{color:var(--soft);font-size:.87em;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 0 66px}
.key{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px;background:var(--c0)}
.key.c1,.key.out{background:var(--c1)}.key.c2,.key.in{background:var(--c2)}.key.c3{background:var(--c3)}.key.c4{background:var(--c4)}
.key.c5{background:var(--c5)}.key.c6{background:var(--c6)}.key.c7{background:var(--c7)}.key.stop{background:var(--bad);border-radius:1px}.key.target{background:var(--good)}
.figure b.unknown{font-size:.9rem;font-weight:400;color:var(--soft);line-height:1.72}.whole{white-space:nowrap}
.up{color:var(--good)}.down{color:var(--bad)}
.figure[title],td[title],th[title],dt[title]{cursor:help}
table.months td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}table.months td:first-child{text-align:left}
table.grid thead th,table.grid td.n{white-space:nowrap}
table.every td:nth-child(2){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;width:1%}table.every td:first-child{width:26%}
h3 .small{font-weight:400}
.wide td,.wide th{overflow-wrap:break-word}.last{display:inline-block;min-width:13em;overflow-wrap:anywhere}
@media (max-width:640px){.chart{grid-template-columns:52px 1fr}.chart .ys,.chart .xs{font-size:11px}.chart .ys span{right:5px}.legend{margin-left:52px}
.chart .xs span:nth-child(even){display:none}.figures{grid-template-columns:repeat(2,minmax(0,1fr))}
table.every tr{display:grid;grid-template-columns:1fr max-content;border-bottom:1px solid var(--line);padding:6px 0}table.every thead{display:none}
table.every td,table.every td:first-child,table.every td:nth-child(2){border:0;padding:0 4px;width:auto}table.every td:nth-child(3){grid-column:1/-1}}
"""
)
