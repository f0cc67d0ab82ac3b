"""The page's style: light and dark, a telephone and a desk, and paper."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;
--good:#116329;--good-bg:#dafbe1;--bad:#a40e26;--bad-bg:#ffebe9;--warn:#7d4e00;--warn-bg:#fff8c5;--mark:#8250df;--bar:#0969da}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ea7b3;--paper:#0d1117;--card:#161b22;--line:#30363d;
--good:#56d364;--good-bg:#0f2d1a;--bad:#ff7b72;--bad-bg:#3c1618;--warn:#e3b341;--warn-bg:#33270a;--mark:#d2a8ff;--bar:#58a6ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:16px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 4px}h2{font-size:1.15rem;margin:36px 0 8px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:20px 0 6px}p{margin:6px 0}ul{margin:6px 0;padding-left:20px}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.87em;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:10px;white-space:pre-wrap;margin:6px 0}
.soft{color:var(--soft)}.small{font-size:.87em}
.verdict{border:1px solid var(--line);border-left:8px solid var(--line);border-radius:6px;padding:14px 16px;margin:8px 0 16px}
.verdict.pass{border-left-color:var(--good);background:var(--good-bg)}.verdict.fail{border-left-color:var(--bad);background:var(--bad-bg)}
.verdict.pass h1{color:var(--good)}.verdict.fail h1{color:var(--bad)}
.practice{background:var(--mark);color:var(--paper);font-weight:600;padding:8px 16px;border-radius:6px;margin:8px 0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:8px;margin:10px 0}
.figure{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:8px 10px}
.figure b{display:block;font-size:1.15rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}.figure span{color:var(--soft);font-size:.82em}
.wide{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;width:100%;font-size:.93em}
th,td{text-align:left;vertical-align:top;padding:5px 8px;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{font-weight:600;color:var(--soft);border-bottom-width:2px;overflow-wrap:normal}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
table.grid td:first-child,table.grid th:first-child{position:sticky;left:0;background:var(--paper);min-width:110px}
table.grid{font-size:.85em}table.grid td,table.grid th{padding:3px 6px}table.grid td{white-space:nowrap}table.grid th.n{white-space:normal}td.none{color:var(--soft)}
table.checks td:nth-child(2){min-width:190px;width:26%}
.tables{columns:320px 3;column-gap:28px}.tables>div{break-inside:avoid}.tables h3{margin:0;padding-top:10px}.tables table.plain{width:100%}
summary{cursor:pointer;color:var(--bar);margin:6px 0}
table.plain{width:auto;min-width:min(100%,300px)}
.s{display:inline-block;white-space:nowrap;min-width:3.4em;text-align:center;font-weight:600;font-size:.8em;border-radius:4px;padding:1px 6px}
.s.pass{color:var(--good);background:var(--good-bg)}.s.fail{color:var(--bad);background:var(--bad-bg)}
.s.warn{color:var(--warn);background:var(--warn-bg)}.s.skip{color:var(--soft);background:var(--card)}
.remedy{color:var(--bar)}.bad{color:var(--bad);font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
svg{width:100%;height:auto;max-width:760px;display:block}svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg .bar{fill:var(--bar);opacity:.55}svg .axis{stroke:var(--line)}svg .mark{stroke:var(--ink)}svg .limit{stroke:var(--bad);stroke-dasharray:5 4}
svg .ink{fill:var(--ink)}svg .over{fill:var(--bad)}
footer{margin:40px 0 16px;color:var(--soft);font-size:.87em;border-top:1px solid var(--line);padding-top:8px}
@media (max-width:640px){main{padding:10px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}
table.checks thead{display:none}table.checks,table.checks tbody{display:block}
table.checks tr{display:grid;grid-template-columns:max-content 1fr max-content;gap:2px 8px;border-bottom:1px solid var(--line);padding:8px 0}
table.checks td,table.checks td:nth-child(2){border:0;padding:0;min-width:0;width:auto}table.checks td.found{grid-column:1/-1}table.checks td.took{grid-row:1;grid-column:3}}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--card:#fff;--line:#bbb;--good:#116329;--good-bg:#fff;--bad:#a40e26;--bad-bg:#fff;
--warn:#7d4e00;--warn-bg:#fff;--mark:#000;--bar:#0550ae}
body{font-size:11px}main{max-width:none;padding:0}h2{break-after:avoid}tr,.figure,.verdict,svg{break-inside:avoid}.wide{overflow:visible}
table.grid td{white-space:normal}}
"""
