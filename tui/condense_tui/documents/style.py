"""The look of the page: one style sheet, light and dark as the reader's system is, nothing from elsewhere."""

from __future__ import annotations

from condense_tui.documents import heat

_LIGHT = (
    "--ground:#fdfcf9;--card:#fff;--ink:#1c1e22;--soft:#5d6470;--line:#e3e0d8;--accent:#1f5fae;"
    "--good:#1d7a46;--part:#9a6400;--bad:#b3261e;--none:#6b7280;--t0:#1f5fae;--t1:#b8560f;--t2:#2f7d40;--t3:#74479f;--t4:#0b7f86;--t5:#7a5c3e;"
)
_DARK = (
    "--ground:#101216;--card:#171a20;--ink:#e6e7ea;--soft:#9aa1ad;--line:#2a2e37;--accent:#7db8f7;"
    "--good:#5cc48a;--part:#e0a94a;--bad:#f2857c;--none:#9aa1ad;--t0:#7db8f7;--t1:#f0a05c;--t2:#74bf69;--t3:#b98ae6;--t4:#5cc5cc;--t5:#c9a984;"
)

_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:20px;margin:52px 0 6px;padding-top:18px;border-top:2px solid var(--ink)}
h3{font-size:17px;margin:0;display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
h3 .figure{color:var(--soft);font-weight:400}
p{margin:8px 0}
a{color:inherit;text-decoration-color:var(--accent);text-underline-offset:3px}
.soft,.source{color:var(--soft)}
.counts{display:flex;gap:28px;flex-wrap:wrap;margin:24px 0 8px;padding:0;list-style:none}
.counts b{display:block;font-size:28px;line-height:1.1;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;font-size:12.5px;color:var(--soft);padding:5px 14px 5px 0;
  border-bottom:1px solid var(--line)}
td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.wide{width:38%}
td.key{white-space:nowrap}
.wrap{overflow-x:auto}
.badge{font-size:13px;font-weight:600}
.mark{font-size:12.5px;color:var(--soft);border-bottom:1px dotted var(--soft);margin-left:8px;
  white-space:nowrap;font-weight:400}
.holds{color:var(--good)}.holds-in-some-draws{color:var(--part)}.does-not-hold,.failed{color:var(--bad)}
.no-claim,.not-tested-here{color:var(--none)}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 22px 14px;margin:18px 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:12px 0}
dt{color:var(--soft)}dd{margin:0}
.pictures{margin:18px 0 10px}
.heatmaps{display:flex;flex-wrap:wrap;gap:16px 20px}.heatmaps figure{width:170px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:14px 20px}
figure{margin:0}
figcaption{font-size:12.5px;color:var(--soft);margin-top:5px}
svg{display:block;max-width:100%}
.heat{width:170px;height:170px;border-radius:3px;shape-rendering:crispEdges}
.heat path{stroke:var(--c);stroke-width:1.04;fill:none}.heat rect,.scale rect{fill:var(--c)}
.scale{display:inline-block;width:150px;height:10px;vertical-align:middle;border-radius:2px}
.legend{white-space:nowrap}
.plot{width:100%;max-width:400px;height:auto}
.grid{stroke:var(--line);stroke-width:1}
.strip{width:100%;max-width:620px;height:auto;margin:12px 0 6px}.dot{fill:var(--t0);fill-opacity:.55}
.mean{stroke:var(--ink);stroke-width:2}
.rule{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3}
.tick,.note{font-size:10px;fill:var(--soft)}.name{font-size:10.5px}
.curve{fill:none;stroke:var(--t);stroke-width:1.8;stroke-linejoin:round}.curve.behind{stroke-width:1;opacity:.38}
.curve.wide{stroke-width:5;opacity:.5}
.dots{fill:none;stroke:var(--t);stroke-width:4;stroke-linecap:round}.dots.behind{stroke-width:2;opacity:.38}
text.name{fill:var(--t)}
.field{width:100%;max-width:300px;height:auto}
.axis{stroke:var(--line);fill:none}.arrow{stroke:var(--soft);stroke-width:.8;fill:none}
.stable{stroke:var(--t1);stroke-width:2}.neuron{fill:var(--t0)}
.tone0{--t:var(--t0)}.tone1{--t:var(--t1)}.tone2{--t:var(--t2)}.tone3{--t:var(--t3)}
.tone4{--t:var(--t4)}.tone5{--t:var(--t5)}
details{margin:6px 0;font-size:13.5px}summary{cursor:pointer;color:var(--soft)}
pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:6px;padding:10px 12px;
  font:12px/1.5 ui-monospace,Menlo,Consolas,monospace}
@media(max-width:640px){main{padding:24px 14px 60px}article{padding:16px 14px 10px}dl{grid-template-columns:1fr}
  dt{margin-top:6px}}
@media print{article{break-inside:avoid}}
"""


def style_sheet() -> str:
    """Everything that stands in the page's `style` element."""
    dark = f"@media(prefers-color-scheme:dark){{:root{{{_DARK}}}{heat.rules(dark=True)}}}"
    return f":root{{{_LIGHT}}}{heat.rules(dark=False)}{dark}{_RULES}"
