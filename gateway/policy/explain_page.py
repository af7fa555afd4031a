"""A `Report` as one page of HTML that needs nothing else: no script, no remote resource, every value escaped. Pure.

What can't be seen, or would turn the line's direction, is written out. Called by `policy explain --html`.
"""

from __future__ import annotations

from gateway.policy.explain_words import WORDS
from gateway.policy.marked import shown
from gateway.policy.render import filled
from gateway.policy.report import Report
from gateway.policy.verdict import Action

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --soft: #555; --line: #999;
  --hold: #ffd7d0; --note: #fff0b3; --return: #f3c6f0; --deliver: #dbe9ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #161616; --soft: #bbb; --line: #777;
  --hold: #6b1f12; --note: #574600; --return: #5b1557; --deliver: #1c3a66; } a { color: #9cc4ff; } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: break-word; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0; }
mark { color: inherit; background: var(--deliver); border-bottom: 2px solid currentColor; }
mark.hold { background: var(--hold); } mark.note { background: var(--note); } mark.return { background: var(--return); }
.label { font-size: .8em; font-weight: bold; white-space: nowrap; }
.zone { border-left: 4px solid var(--line); padding: .3rem .8rem; margin: .5rem 0; }
.zone.new { border-left-color: var(--ink); }
.zone-name { color: var(--soft); font-size: .85rem; margin: 0; }
.finding { border: 1px solid var(--line); border-radius: .3rem; padding: .3rem .8rem; margin: .8rem 0; }
:target, a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
@media print { body { max-width: none; padding: 0; } .finding, tr { break-inside: avoid; }
  mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="{{ report.language }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ say.title }}: {{ say[report.verdict] }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
{% macro numbers(found) %}{% for number in found %}<a href="#finding-{{ number }}">{{ number }}</a>
{% else %}–{% endfor %}{% endmacro %}
<h1>{{ say.title }}</h1>
<p>{{ say.private }}</p>
<table>
<tr><th scope="row">{{ say.verdict }}</th><td><strong>{{ say[report.verdict] }}</strong></td></tr>
<tr><th scope="row">{{ say.policy }}</th><td>{{ report.policy }}</td></tr>
<tr><th scope="row">{{ say.direction }}</th><td>{{ say[report.direction] }}</td></tr>
<tr><th scope="row">{{ say.appointment }}</th><td>{{ say[appointment] }}</td></tr>
</table>
<h2>{{ say.strictness }}</h2>
<table>
<tr><th></th><th scope="col">{{ say.verdict }}</th><th scope="col">{{ say.notes }}</th>
<th scope="col">{{ say.holds }}</th><th scope="col">{{ say.returns }}</th></tr>
{% for outcome in report.outcomes %}
<tr><th scope="row">{{ say[outcome.strictness or "as_it_is"] }}</th><td>{{ say[outcome.verdict] }}</td>
<td>{{ numbers(outcome.noted) }}</td><td>{{ numbers(outcome.held) }}</td><td>{{ numbers(outcome.returned) }}</td></tr>
{% endfor %}
</table>
<h2>{{ say.texts }}</h2>
{% for text in report.texts %}
<section>
<h3>{{ place(text.where) }}</h3>
{% for block in text.blocks %}
<div class="zone {{ block.zone }}"><p class="zone-name">{{ say[block.zone] }}</p>
<pre dir="auto">
{% for part in block.segments %}
{%- if part.numbers %}<mark class="{{ worst(part.numbers) }}">{{ shown(part.text) }}</mark>
{%- for number in part.ending %} <a class="label" href="#finding-{{ number }}" id="mark-{{ number }}">[
{{- say.finding }} {{ number }}: {{ label(number) }}]</a>{% endfor %}
{%- else %}{{ shown(part.text) }}{% endif %}
{%- endfor %}</pre></div>
{% endfor %}
</section>
{% endfor %}
<h2>{{ say.findings }}</h2>
{% for found in report.findings %}
<section class="finding" id="finding-{{ found.number }}">
<h3>{{ say.finding }} {{ found.number }}: {{ label(found.number) }}</h3>
<ul>
<li>{{ say.where }}: {{ place(found.finding.where) }}{% if found.is_marked %}, <a href="#mark-{{ found.number }}">
{{- found.finding.start }}–{{ found.finding.end }}</a>{% endif %}
{% if found.finding.is_quoted %} ({{ say.is_quoted }}){% endif %}</li>
<li>{{ say.category }}: {{ found.finding.category }}; {{ say.score }}: {{ "%.2f"|format(found.finding.score) }}</li>
{% if found.seen %}<li>{{ say.seen }}: {{ found.seen }}</li>{% endif %}
{% if found.explanation %}<li>{{ say.explanation }}: {{ shown(found.explanation) }}</li>{% endif %}
{% for rule in found.weighed %}
<li>{{ say.rule }}: {{ rule.rule }}, {{ say.clause }} {{ rule.clause }}: {{ rule.title }}.
{{ say.does }}: {{ say[effect_key(rule.action)] }}
{%- if rule.is_simulated %} ({{ say.simulated }}){% endif %}</li>
{% endfor %}
</ul>
</section>
{% else %}
<p>{{ say.none }}</p>
{% endfor %}
<h2>{{ say.reader if report.direction == "inbound" else say.sender }}</h2>
{% if report.sender_reads %}<pre class="zone">
{{ report.sender_reads }}</pre>{% else %}<p>{{ say.none }}</p>{% endif %}
<h2>{{ say.rules }}</h2>
<table>
<tr><th scope="col">{{ say.rule }}</th><th scope="col">{{ say.clause }}</th><th scope="col">{{ say.standing }}</th></tr>
{% for rule in report.rules %}
<tr><td>{{ rule.rule }}: {{ rule.title }}</td><td>{{ rule.clause }}</td><td>{{ say[rule.standing] }}</td></tr>
{% endfor %}
</table>
</main>
</body>
</html>
"""


def explain_page(report: Report) -> str:
    """The page, in the report's language."""
    say = WORDS.get(report.language, WORDS["en"])
    actions = {found.number: found.action for found in report.findings}
    severity = {found.number: "deliver" if found.action is None else found.action.value for found in report.findings}
    order = ("return", "hold", "note", "deliver")
    return filled(
        _PAGE,
        {
            "report": report,
            "say": say,
            "shown": shown,
            "place": lambda where: say[where] if where in ("subject", "body", "envelope") else shown(where),
            "effect_key": effect_key,
            "style": _STYLE,
            "appointment": appointment_key(report),
            "worst": lambda numbers: min((severity[number] for number in numbers), key=order.index),
            "label": lambda number: say[effect_key(actions[number])],
        },
        is_html=True,
    )


def effect_key(action: Action | None) -> str:
    """The key of the page's words on what a finding does; DELIVER is that of quoted text and of a rule that counts."""
    if action is None:
        return "unweighed"
    return "weightless" if action is Action.DELIVER else action.value


def appointment_key(report: Report) -> str:
    """The key of the page's words on the appointment lane."""
    if report.is_in_appointment is None:
        return "appointment_unknown"
    return "appointment_yes" if report.is_in_appointment else "appointment_no"
