"""How the page of a run looks: inline, since the page is one file."""

STYLE = """
body{font:14px/1.45 system-ui,"Noto Sans CJK SC",sans-serif;margin:1.2rem auto;max-width:1220px;padding:0 1rem;
 color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}h3{font-size:.95rem;margin:.6rem 0 .2rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #dde2e8;padding:.25rem .5rem;text-align:left;
 vertical-align:top}td:nth-child(3),td:nth-child(4){white-space:nowrap}details td{white-space:normal!important}
section{border-top:2px solid #dde2e8}pre{background:#f5f7f9;padding:.6rem;overflow:auto;max-height:28rem;font-size:12px}
ul{margin:.2rem 0;padding-left:1.2rem}code{font-size:12px}a{color:#1b5fa8}.why{color:#a3220f;font-weight:600}
.verdict{border-radius:4px;padding:.05rem .45rem;font-size:.85em;font-weight:600;white-space:nowrap}
.v-pass{background:#d9f0dd;color:#14532d}.v-fail{background:#f8d7d2;color:#8a1c0c}
.v-rig-fault{background:#fde9bf;color:#7a4a00}.v-skipped{background:#e5e8ec;color:#46505c}
.zh{display:none}#zh:checked~main .zh{display:inline}#zh:checked~main .en{display:none}
.timeline{width:100%;height:auto;font:11px system-ui,"Noto Sans CJK SC",sans-serif;background:#fbfcfd}
.timeline .grid{stroke:#e3e8ee}.timeline .base{stroke:#eef1f4}.timeline .axis{text-anchor:middle;fill:#66707c}
.timeline .name{text-anchor:end;fill:#1c2430}.timeline .level{fill:none;stroke:#3b4754;stroke-width:1.3}
.timeline .on{fill:#3b4754;opacity:.14}.timeline .output .on{fill:#d2321e;opacity:.45}
.timeline .output .level{stroke:#b02412}.timeline .trouble .on{fill:#e09a1a;opacity:.4}
.timeline .power .on,.timeline .network .on{fill:none}
.timeline .state{fill:#7fb0e0;opacity:.75}.timeline .s-alarm{fill:#e5523f}.timeline .s-armed{fill:#6dbb7c}
.timeline .s-disarmed{fill:#e9edf1}.timeline .s-cut,.timeline .s-short{fill:#d98a5f}
.timeline .s-entry-delay,.timeline .s-exit-delay{fill:#efc04d}
.timeline .word{fill:#1c2430}.timeline .deed{stroke:#6b3fa0;stroke-width:2}
.timeline .tick{stroke:#1b5fa8;stroke-width:1.4}.timeline .tick.alarm{stroke:#d2321e;stroke-width:2.2}
.timeline .receipts .tick{stroke:#2e8b57}.timeline .number{fill:#46505c;font-size:10px}
.timeline line.step{stroke:#9aa5b1;stroke-dasharray:3 3}.timeline text.step{fill:#66707c}
@media print{label,input{display:none}}
"""
