"""The look of the report page and of its tables elsewhere: inline style sheets, light and dark, on screen and paper.

Tables are styled inside `.rescore` only, so that a page that already has a look can take them in.
"""

from __future__ import annotations

from rescore_music.structure import Role
from rescore_music.view.palette import ROLE_COLOURS

_PAGE = """
:root{color-scheme:light dark;--paper:#fff;--page:#f6f5f2;--ink:#1f2328;--faint:#63686f;--rule:#dedbd4;--accent:#b4511b;
--good:#00796b;--bad:#b3261e;--soft:#f1efe9}
@media (prefers-color-scheme:dark){:root{--paper:#1c1f23;--page:#131518;--ink:#e8e6e1;--faint:#a3a8ae;--rule:#353a40;
--accent:#f0935a;--good:#5ac8b6;--bad:#ff8a80;--soft:#262a2f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{padding-top:34px}
h1{font:600 2.1rem/1.2 Georgia,"Times New Roman",serif;margin:0}
h2{font:600 1.3rem/1.3 Georgia,"Times New Roman",serif;margin:0 0 4px}
h3{font-size:1rem;margin:18px 0 4px}
p{margin:4px 0 12px;max-width:76ch}
.lead{color:var(--faint);font-size:1.08rem;margin:6px 0 16px}
section{background:var(--paper);border:1px solid var(--rule);border-radius:10px;padding:20px 22px;margin:0 0 18px}
.facts{display:flex;flex-wrap:wrap;gap:10px;margin:0 0 20px;padding:0;list-style:none}
.facts li{background:var(--paper);border:1px solid var(--rule);border-radius:10px;padding:8px 14px;min-width:110px}
.facts b{display:block;font-size:1.25rem;line-height:1.3}
.facts span{color:var(--faint);font-size:.85rem}
svg{display:block;width:100%;height:auto}
.sheet{background:#fff;color:#000;border-radius:6px;padding:14px;max-width:1000px;margin:0 auto}
code{font-size:.85em;overflow-wrap:anywhere}
footer{color:var(--faint);font-size:.85rem;padding-bottom:40px}
@media print{:root{--paper:#fff;--page:#fff;--ink:#000;--faint:#444;--rule:#bbb;--soft:#eee}
body{font-size:11px}section{break-inside:avoid;border:0;padding:0 0 14px}.long{break-inside:auto}
.rescore .scroll{overflow:visible}.rescore .cast td{min-width:0}
.rescore .cast{table-layout:fixed}.rescore .cast th,.rescore .cast th[scope=row]{white-space:normal;font-size:8px}
.rescore .cast .duty{font-size:7px;padding:1px 2px;overflow-wrap:anywhere}}
"""
_TABLES = """
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:6px 10px;border-bottom:1px solid var(--rule)}
thead th{font-size:.8rem;color:var(--faint);font-weight:600;border-bottom:2px solid var(--rule);white-space:nowrap}
tbody th{font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.note{color:var(--faint);font-size:.85rem}
.verdict{white-space:nowrap;font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
.none{color:var(--faint);font-weight:400}
.cast td{padding:4px;min-width:108px}
.cast th[scope=row]{position:sticky;left:0;background:var(--paper);white-space:nowrap}
.duty{display:block;border-left:4px solid var(--c);background:color-mix(in srgb,var(--c) 13%,transparent);
  border-radius:3px;padding:2px 6px;margin:0 0 3px;font-size:.78rem;line-height:1.35}
.duty.double{border-left-style:dotted}
.key{display:flex;flex-wrap:wrap;gap:8px 14px;margin:0 0 10px}
.key .duty{margin:0}
table.choice td:nth-child(2),table.choice thead th:nth-child(2){background:var(--soft);color:var(--ink)}
table.choice{width:auto}
table.choice tbody th{min-width:330px}
tbody th .note{display:block;font-weight:400;max-width:60ch}
details summary{cursor:pointer}
"""
# colours taken from the page around, whatever its theme
_GUEST = """.rescore{--ink:currentColor;--paper:transparent;--rule:color-mix(in srgb,currentColor 18%,transparent);
--faint:color-mix(in srgb,currentColor 68%,transparent);--soft:color-mix(in srgb,currentColor 7%,transparent);
--good:#0a8f7a;--bad:#d9534f}"""


def css() -> str:
    """The report page's style sheet."""
    return _tables() + "".join(_PAGE.splitlines())


def guest_css() -> str:
    """The tables' style for another page: wrap them in an element of class `rescore`."""
    return "".join(_GUEST.splitlines()) + _tables()


def role_class(role: Role) -> str:
    """CSS class of a role."""
    return f"role-{role.name.lower().replace('_', '-')}"


def _tables() -> str:
    rules = []
    for rule in "".join(line.strip() + "\n" * line.endswith("}") for line in _TABLES.splitlines()).splitlines():
        selectors, body = rule.split("{", 1)
        rules.append(",".join(f".rescore {s}" for s in selectors.split(",")) + "{" + body)
    rules += [f".rescore .{role_class(role)}{{--c:{colour}}}" for role, colour in ROLE_COLOURS.items()]
    return "".join(rules)
