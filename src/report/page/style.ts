/** The style sheet of the page, for light, dark and paper, and for every width. */
export const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;
--good:#1a7f37;--good-2:#4a9e62;--good-3:#7abd8e;--neutral:#8c959f;--neutral-2:#6e7781;--warn:#b35900;--warn-2:#d4832f;
--bad:#c21f2b;--bad-2:#8f1620;--bad-3:#e0636c;--series-1:#0969da;--series-2:#bc4c00;--away:#f8c9cc;--track:#e3e7eb}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--line:#30363d;--card:#161b22;
--good:#3fb950;--good-2:#2f8a3d;--good-3:#7ee08c;--neutral:#8b949e;--neutral-2:#6e7681;--warn:#e3a03c;--warn-2:#b97a1f;
--bad:#f5656d;--bad-2:#c93f48;--bad-3:#ff9aa0;--series-1:#58a6ff;--series-2:#f0883e;--away:#5c2226;--track:#2b323a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.1rem;margin:0;color:var(--soft);font-weight:600}
h2{font-size:1.3rem;margin:0 0 .5rem}
h3{font-size:1em;margin:1rem 0 .25rem}
p{margin:.5rem 0}
section{margin:1.5rem 0;padding:1rem;border:1px solid var(--line);border-radius:8px;background:var(--card)}
.verdict{border-left:8px solid var(--bad)}
.verdict.good{border-left-color:var(--good)}
.problem strong,.suspicious strong{color:var(--bad)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.25rem 1.5rem;margin:.75rem 0 0}
dl div{display:flex;gap:.5rem}
dt{color:var(--soft);flex:0 0 8.5rem}
dd{margin:0;min-width:0}
figure{margin:0 0 1rem}
figcaption{color:var(--soft);margin-bottom:.4rem}
svg{display:block;overflow:visible}
svg text{fill:var(--ink);font-size:14px}
svg text.tick{paint-order:stroke;stroke:var(--card);stroke-width:3px;fill:var(--soft);font-size:12px}
.grid{stroke:var(--line);stroke-width:1}
.line{fill:none;stroke:var(--series-1);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3}
.mark.restart{stroke:var(--bad);stroke-width:2;stroke-dasharray:none}
.limit{stroke:var(--bad);stroke-width:2}
.away{fill:var(--away)}
.segment{stroke:var(--card);stroke-width:2}
.good{--fill:var(--good)}.neutral{--fill:var(--neutral)}.warn{--fill:var(--warn)}.bad{--fill:var(--bad)}
.good-identical,.good-newer{--fill:var(--good-2)}.good-kept{--fill:var(--good-3)}
.neutral-ended,.neutral-vanished{--fill:var(--neutral-2)}.warn-denied,.warn-unvisited{--fill:var(--warn-2)}
.bad-missing,.bad-absent{--fill:var(--bad-2)}.bad-different{--fill:var(--bad-3)}
.series-1{--fill:var(--series-1)}.series-2{--fill:var(--series-2)}.track{--fill:var(--track)}
.mark-redis-away{--fill:var(--away)}.mark-pass{--fill:var(--soft)}.mark-restart{--fill:var(--bad)}
rect.segment,rect.track,rect.series-1,rect.series-2{fill:var(--fill)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;margin:.5rem 0;padding:0}
.swatch{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:2px;background:var(--fill);
border:1px solid var(--soft)}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.9em;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid var(--line);font-weight:400}
thead th{color:var(--soft);font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}
.remedies th{white-space:nowrap}
.files tbody th,.files td:nth-child(2){font-family:ui-monospace,monospace;font-size:.85rem}
.files tbody th{width:55%}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{color:var(--soft);padding-bottom:2rem}
@media (max-width:30rem){section{padding:.75rem}dl div{display:block}}
@page{margin:10mm}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#fff;
--good:#1a7f37;--good-2:#4a9e62;--good-3:#7abd8e;--neutral:#8c959f;--neutral-2:#6e7781;--warn:#b35900;--warn-2:#d4832f;
--bad:#c21f2b;--bad-2:#8f1620;--bad-3:#e0636c;--series-1:#0969da;--series-2:#bc4c00;--away:#f8c9cc;--track:#e3e7eb}
body{font-size:8.5pt;line-height:1.25}
svg text{font-size:11px}svg text.tick{font-size:9px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
header,main,footer{max-width:none;padding:0}
header{padding-top:0}
main{display:flex;flex-direction:column}
section{margin:.25rem 0;padding:.2rem .5rem}
figure{margin:0;break-inside:avoid}
p,dl,table,details,ul,.legend{margin:.1rem 0}
h2{font-size:11pt;margin:0}
h3{margin:.3rem 0 0}
th,td{padding:.05rem .3rem}
dl{grid-template-columns:repeat(3,1fr);gap:0 1rem}
dt{flex-basis:auto}
details:not([open]){display:none}
.verdict,.places,.redis,.findings{order:-1}
section:not(.findings){break-inside:avoid}}
`;
