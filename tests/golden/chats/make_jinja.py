"""Writes what Python's jinja2, in the environment of transformers 5, makes of small templates: `python make_jinja.py` (jinja2,
transformers). jinja.json holds by kind of construct lists of [template, text], or [template, null] where jinja2 raises. All are rendered
with the values under `values`. Made with jinja2 3.1.6, transformers 5.24.0."""

import json
import pathlib

from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = pathlib.Path(__file__).parent
VALUES = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "  Hi\n"},
        {"role": "assistant", "content": "A\u00e9\U0001F600b", "tool_calls": [{"name": "f", "arguments": {"x": 1, "y": [True, None]}}]},
        {"role": "user", "content": None},
        {"role": "user", "content": ""},
    ],
    "xs": [3, 1, 2], "ys": ["b", "a", "C"], "none_yet": [], "pairs": [[1, "one"], [2, "two"]], "nested": [[1, 2], [3]],
    "d": {"k": "v", "n": 1, "f": 2.5, "t": True, "z": None, "items_": [1]}, "empty": {}, "text": " x y\tz\n", "word": "hELLO wORLD",
    "one": 1, "zero": 0, "half": 0.5, "big": 123456789012, "yes": True, "no": False, "nothing": None,
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "tools": None, "documents": None,
}

KINDS = {
    "set in loops": [
        "{% for x in xs %}{% if loop.first %}{% set seen = x %}{% endif %}[{{ seen }}]{% endfor %}",
        "{% for m in messages %}{% if m.role == 'system' %}{% set s = m.content %}{% endif %}{{ m.role }}:{{ s }};{% endfor %}",
        "{% for x in xs %}{{ y }}{% set y = x %}{{ y }},{% endfor %}{{ y }}",
        "{% set y = 0 %}{% for x in xs %}{% set y = y + x %}{{ y }},{% endfor %}{{ y }}",
        "{% set y = 'out' %}{% for x in xs %}{{ y }}{% set y = 'in' %}{{ y }} {% endfor %}{{ y }}",
        "{% for x in xs %}{% for z in [1,2] %}{{ w }}{% set w = z %}{% endfor %}{{ w }}|{% endfor %}",
        "{% for x in xs %}{% if x == 1 %}{% set found = true %}{% endif %}{% if found %}!{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% if x is odd %}{% set a, b = x, x * 2 %}{% endif %}{{ a }}-{{ b }};{% endfor %}",
        "{% for x in xs %}{% if loop.index == 2 %}{% set t %}<{{ x }}>{% endset %}{% endif %}{{ t }}.{% endfor %}",
        "{% set ns = namespace(n=0) %}{% for x in xs %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}",
        "{% for x in xs %}{% set x = x * 10 %}{{ x }},{% endfor %}",
        "{% for m in messages %}{% set content = m.content if m.content else 'EMPTY' %}{{ content }}/{% endfor %}",
        "{% for a, b in pairs %}{% if a == 1 %}{% set keep = b %}{% endif %}{{ keep }}{{ b }};{% endfor %}",
        "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
        "{% for x in xs if x > 1 %}{% if loop.first %}{% set q = 'q' %}{% endif %}{{ q }}{{ x }}{% endfor %}",
        "{% for x in none_yet %}a{% else %}{% set e = 'none' %}{{ e }}{% endfor %}{{ e }}",
        "{% if true %}{% set v = 'kept' %}{% endif %}{{ v }}",
        "{% if false %}{% set v = 1 %}{% else %}{% set v = 2 %}{% endif %}{{ v }}",
        "{% for x in xs %}{% if true %}{% set v = x %}{% endif %}{% endfor %}{{ v is defined }}",
        "{% for x in xs %}{% endfor %}{{ x is defined }}{{ loop is defined }}",
        "{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
        "{% set x = 'outer' %}{% for x in xs %}{{ x }}{% endfor %}{{ x }}",
        "{% for x in xs %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.last }}{{ loop.length }} {% endfor %}",
        "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
        "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
        "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}",
        "{% set t %}{% set inner = 1 %}{{ inner }}{% endset %}{{ t }}{{ inner is defined }}",
        "{% filter upper %}{% set inner = 'a' %}{{ inner }}{% endfilter %}{{ inner is defined }}",
    ],
    "break and continue": [
        "{% for x in xs %}{{ x }}{% if x == 1 %}{% break %}{% endif %},{% endfor %}",
        "{% for x in xs %}{{ x }}{% if x == 1 %}{% continue %}{% endif %},{% endfor %}",
        "{% for x in xs %}{% if x == 1 %}stop{% break %}{% endif %}{{ x }}{% endfor %}!",
        "{% for x in xs %}{% if x == 1 %}skip{% continue %}{% endif %}{{ x }}{% endfor %}!",
        "{% for x in xs %}a{% if true %}b{% if true %}c{% break %}{% endif %}d{% endif %}e{% endfor %}f",
        "{% for x in xs %}a{% if true %}b{% if true %}c{% continue %}{% endif %}d{% endif %}e{% endfor %}f",
        "{% for x in xs %}{% for y in xs %}{{ y }}{% break %}{% endfor %}|{{ x }}{% endfor %}",
        "{% for x in xs %}{% for y in xs %}{{ y }}{% if y == 1 %}{% break %}{% endif %}{% endfor %};{% if x == 1 %}out{% break %}{% endif %}{% endfor %}",
        "{% for x in xs %}{% break %}{% else %}none{% endfor %}",
        "{% for x in xs %}{% continue %}{% else %}none{% endfor %}",
        "{% for x in xs %}x{% continue %}{% else %}none{% endfor %}",
        "{% for m in messages %}{{ m.role }}{% if m.role == 'user' %}:{{ m.content }}{% break %}{% endif %}\n{% endfor %}end",
        "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% continue %}{% endif %}{{ m.role }} {% endfor %}",
        "{% for m in messages %}{% set t = m.role %}{{ t }}{% if loop.index == 2 %}{% break %}{% endif %} {% endfor %}",
        "{% for x in xs %}{{ loop.index }}{% continue %}{% endfor %}",
        "{% for x in xs %}{% if x == 3 %}{% set s = 1 %}{% continue %}{% endif %}{{ s }}{{ x }}{% endfor %}",
        "{% for x in xs if x != 3 %}{{ x }}{% break %}{% endfor %}",
        "{% for x in xs %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    ],
    "line ends": [
        "{% if true %}\r\na\r\n{% endif %}\r\nb", "a\r\n{{ one }}\r\nb\r\n", "{% for x in xs %}\r\n{{ x }}\r\n{% endfor %}\r\n",
        "a\r\n  {% if true %}\r\n  b\r\n  {% endif %}\r\nc", "{# c #}\r\nx", "{%- if true -%}\r\n a \r\n{%- endif -%}\r\nb", "a\rb\r{% if true %}\rc{% endif %}",
        "{% set a = 1 %}\r\n{% set b = 2 %}\r\n{{ a }}{{ b }}\r\n", "x\r\n", "x\r\n\r\n", "x\n\n", "x\r", "\r\n{{ one }}", "{{ 'a\r\nb' }}",
        "{{ 'a\\r\\nb' }}", "{% if true %}\r\n\r\na{% endif %}", "{% if true %}\n\na{% endif %}", "a\u2028  {% if true %}b{% endif %}",
        "  {% if true %}a{% endif %}  {% if true %}b{% endif %}", "a  {% if true %}b{% endif %}", "\t{% if true %}\t\nb{% endif %}",
        "{% if true -%}\r\n\r\n a{% endif %}", "a\r\n\r\n{%- if true %}b{% endif %}", "{%+ if true %}a{% endif %}", "  {%+ if true %}a{% endif %}",
        "{% if true +%}\na{% endif %}", "  {# c #}\n  a", "a {#- c -#} b", "{{- one -}}\n x", "x \n{{- one }}\n", "{% if true %}{{ one }}\n{% endif %}",
        "  {-x\n", "a -}\nb", "a #}\nb", "a %}\nb", "{{ '%}\n' }}b", "{{ '#}\n' }}b", "{{ '\n  {% x' }}", "{ {{ one }} }", "{{ {'a': {'b': 1}} }}", "a:{\n{%- if true %}b{% endif %}}", "{ {%- if true %}b{% endif %}", "{{# c #}{ x", "{{#- c -#} % x", "a{ {{- one }}", "{\n{%- set x = 1 %}{# c #}#{{ x }}",
        "{% generation %}\na{% endgeneration %}\nb", "x {%- generation -%} a {%- endgeneration -%} y", "  {% generation %}a{% endgeneration %}",
        "\ufeffa{%- if true %}b{% endif %}", "a\ufeff{%- if true %}b{% endif %}", "a\u00a0{%- if true %}b{% endif %}", "a\x1c{%- if true %}b{% endif %}",
    ],
    "printing": [
        "{{ yes }}{{ no }}", "{{ nothing }}", "{{ messages[3].content }}", "{{ missing }}", "{{ xs }}", "{{ ys }}", "{{ d }}", "{{ nested }}{{ pairs }}",
        "{{ [yes, nothing, 1.5, 'a\\'b', \"q\"] }}", "{{ (1, 'a') }}", "{{ (1,) }}", "{{ {'a': 'b\\n'} }}", "{{ half }} {{ 2.0 }} {{ big }}", "{{ 1000.0 }}", "{{ 10 / 2 }} {{ 7 / 2 }}",
        "{{ 1.0 * 3 }}", "{{ one ~ half ~ yes ~ nothing ~ xs }}", "{{ 'a' ~ missing ~ 'b' }}", "{{ d.z }}{{ d.t }}{{ d['f'] }}", "{{ none }}{{ None }}{{ true }}{{ True }}",
        "{{ messages[2].tool_calls[0].arguments }}", "{{ [] }}{{ {} }}", "{{ ['\u00e9', '\U0001F600', '\\x00', '\\\\'] }}", "{{ 'it' 's' }}", "{{ 0.1 + 0.2 }}",
        "{{ yes | string }}{{ nothing | string }}{{ xs | string }}", "{{ d.get('missing') }}", "{{ d.get('k') }}{{ d.get('q', 'default') }}",
        "{% set a = nothing %}{{ a }}", "{% set t %}{{ nothing }}{% endset %}{{ t }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(yes) }}{{ m(nothing) }}{{ m() }}",
        "{{ 'a' if nothing }}", "{{ 'a' if no else yes }}", "{{ 1 if yes }}", "{{ 2 ** 3 }}{{ 2 ** -1 }}{{ 2.0 ** 2 }}", "{{ 1e16 }}", "{{ 12345678.0 * 10000000000 }}{{ 0.00001 }}{{ 0.0001 }}{{ 1.5 * 10 ** 30 }}", "{{ 123456789 * 1000 }}",
    ],
    "comparing": [
        "{{ '1' == 1 }}{{ 1 == 1.0 }}{{ yes == 1 }}{{ nothing == missing }}{{ nothing == no }}{{ '' == no }}", "{{ [1, 2] == [1, 2] }}{{ xs == [3, 1, 2] }}{{ {'a': 1} == {'a': 1} }}",
        "{{ missing == none }}{{ missing != none }}{{ missing is none }}", "{{ messages[3].content == none }}{{ messages[0].tool_calls == none }}", "{{ none == none }}{{ none != '' }}",
        "{{ [1] in [[1], [2]] }}{{ 1 in xs }}{{ '1' in xs }}{{ 1.0 in xs }}{{ yes in [1] }}{{ none in [none] }}", "{{ 'a' in 'cat' }}{{ 'k' in d }}{{ 'v' in d }}{{ 'x' not in d }}{{ '' in '' }}",
        "{{ 'a' < 'b' }}{{ 'B' < 'a' }}{{ 1 < 2.5 }}{{ [1, 2] < [1, 3] }}", "{{ 'a' < 1 }}", "{{ none < 1 }}", "{{ 1 < 2 < 3 }}", "{{ 3 > 2 > 1 }}", "{{ 3 > 2 > 2 }}", "{{ not 1 == 2 }}", "{{ 1 in xs and 5 not in xs }}",
        "{{ 'a' in missing }}", "{{ 'a' in none }}", "{{ 'b' in ys }}{{ 'B' in ys }}", "{{ messages[0]['role'] == 'system' and not tools }}", "{{ yes is true }}{{ 1 is true }}{{ no is false }}",
        "{{ one is number }}{{ yes is number }}{{ 'a' is string }}{{ xs is iterable }}{{ 'a' is iterable }}{{ d is mapping }}{{ d is iterable }}{{ xs is sequence }}{{ one is iterable }}",
        "{{ one is integer }}{{ 2.0 is integer }}{{ 2.0 is float }}{{ yes is boolean }}{{ nothing is none }}{{ yes is integer }}", "{{ 4 is divisibleby(2) }}{{ 4 is divisibleby 3 }}", "{{ 'a' is in ['a'] }}", "{{ one is eq(1) }}{{ one is equalto 1 }}{{ 2 is gt(1) }}{{ 2 is ne(1) }}",
        "{{ missing is defined }}{{ d.k is defined }}{{ d.q is defined }}{{ d['z'] is defined }}", "{{ missing is undefined }}{{ d.q is not defined }}", "{{ 'abc' is lower }}{{ 'ABC' is upper }}", "{{ one is sameas one }}",
        "{{ 1 == 1 == true }}", "{{ 1 if 'x' else 2 }}{{ 1 if none_yet else 2 }}{{ 1 if empty else 2 }}{{ 1 if '' else 2 }}{{ 1 if half else 2 }}", "{{ none or 'a' }}{{ '' or 0 or 'b' }}{{ 1 and 'c' }}{{ none and 1 }}",
    ],
    "arithmetic": [
        "{{ -1 % 3 }}{{ 7 % 3 }}{{ -7 % 3 }}{{ 7 % -3 }}", "{{ 5 // 2 }}{{ -5 // 2 }}{{ 5.0 // 2 }}", "{{ -1.5 | int }}{{ 1.9 | int }}{{ '3' | int }}{{ '3.7' | int }}{{ 'a' | int }}{{ '12abc' | int }}{{ ' 4 ' | int }}",
        "{{ 'abc' | int(7) }}{{ none | int }}{{ yes | int }}", "{{ '1.5' | float }}{{ '3abc' | float }}{{ 2 | float }}{{ 'x' | float(1.5) }}", "{{ 'a' + 1 }}", "{{ 1 + 'a' }}", "{{ 'a' + none }}", "{{ 'a' + missing }}",
        "{{ 'a' * 3 }}{{ [1] * 2 }}", "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ yes + 1 }}{{ yes + yes }}", "{{ xs + [4] }}{{ xs | length + 1 }}", "{{ (xs | length) * 2 }}", "{{ (messages | length) % 2 == 1 }}",
        "{{ loop }}", "{{ -one }}{{ - one }}{{ +one }}", "{{ 1 - 1 }}{{ 1 -1 }}", "{{ one-1 }}", "{{ xs[0]-1 }}", "{{ 2 + 3 * 4 }}{{ (2 + 3) * 4 }}", "{{ 3.7 | abs }}{{ -3 | abs }}{{ (-3) | abs }}", "{{ 2.5 | round }}{{ 2.567 | round(2) }}{{ 3 | round }}", "{{ '%s is %d' | format('a', 3) }}{{ '%s' % 'b' }}",
        "{{ xs | sum }}{{ xs | min }}{{ xs | max }}", "{{ range(3) | list }}{{ range(1, 6, 2) | list }}{{ range(3, 0, -1) | list }}", "{% for i in range(2) %}{{ i }}{% endfor %}", "{{ 'x' % 2 }}",
    ],
    "strings": [
        "{{ 'xxaxx'.strip('x') }}|{{ 'xxaxx'.lstrip('x') }}|{{ 'xxaxx'.rstrip('x') }}", "{{ 'a\\n\\n '.rstrip('\\n') }}|{{ ' a\\n\\n'.rstrip('\\n') }}|", "{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|", "{{ messages[1].content | trim }}|", "{{ 'xax' | trim('x') }}",
        "{{ word.capitalize() }}{{ word | capitalize }}{{ word.title() }}{{ word | title }}{{ word.upper() }}{{ word | lower }}", "{{ \"it's a dog's\" | title }}{{ \"it's\".title() }}", "{{ messages[2].content | length }}{{ 'a\U0001F600'[1] }}{{ '\U0001F600a'[-1] }}{{ '\U0001F600ab'[1:] }}", "{{ 'abc'[5] }}", "{{ 'abc'[-1] }}{{ 'abc'[1:2] }}{{ 'abc'[::-1] }}{{ 'abc'[:-1] }}",
        "{{ 'a,b,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ ' a  b '.split() }}{{ 'abc'.split('x') }}", "{{ 'a</think>b</think>c'.split('</think>')[-1] }}{{ 'x'.split('</think>')[0] }}", "{{ 'a.b.c'.rsplit('.', 1) }}", "{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}", "{{ 'a\\nb\\n'.splitlines() }}", "{{ 'aXbX'.replace('X', 'y') }}{{ 'aXbX'.replace('X', 'y', 1) }}{{ 'aXbX' | replace('X', '') }}{{ 'aXbX' | replace('X', 'z', 1) }}",
        "{{ 'abc'.startswith('a') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'abc'.startswith('b', 1) }}", "{{ 'a-b'.join(['1', '2']) }}{{ ', '.join(ys) }}", "{{ 'abc'.find('c') }}{{ 'abc'.find('z') }}{{ 'abcabc'.count('b') }}{{ 'abc'.index('b') }}", "{{ '{} {}'.format(1, 'a') }}{{ '<x{}>'.format(':y') }}{{ '{1}{0}'.format('a', 'b') }}{{ '{{}}{}'.format(2) }}", "{{ '{a}'.format(a=3) }}", "{{ '{:>5}'.format(3) }}", "{{ 'abc'.isdigit() }}{{ '12'.isdigit() }}{{ 'a'.isalpha() }}{{ 'A'.isupper() }}{{ 'a'.islower() }}{{ ' '.isspace() }}{{ 'a1'.isalnum() }}", "{{ '5'.zfill(3) }}{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3) }}|{{ 'a'.center(3) }}|", "{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}", "{{ 'aBc'.swapcase() }}{{ 'ABC'.casefold() }}",
        "{{ 'a\\tb\\\\c\\u00e9\\x41\\d' }}", "{{ 'a' | upper }}{{ 1 | upper }}", "{{ 'a\\nb' | indent }}{{ 'a\\nb' | indent(2, true) }}{{ 'a\\n\\nb' | indent(1, blank=true) }}{{ 'a\\nb' | indent('> ') }}", "{{ 'a b' | urlencode }}{{ '<a>' | escape }}{{ '<a>' | e }}{{ '<a>' | safe }}", "{{ 'a b c' | wordcount }}{{ 'abcdef' | truncate(4) }}{{ 'x' | center(3) }}|", "{{ 'abc' | first }}{{ 'abc' | last }}{{ 'abc' | list }}{{ 'abc' | reverse }}", "{{ 'a' | default('b') }}{{ missing | default('b') }}{{ '' | default('b') }}{{ '' | default('b', true) }}{{ none | default('b') }}{{ missing | d('c') }}{{ '' | default('b', boolean=true) }}",
        "{{ 'A\\u0130'.lower() }}{{ '\u00df'.upper() }}{{ '\u0130'.lower() }}", "{{ ' \ufeffa' | trim }}|{{ '\\x1ca'.strip() }}|", "{% for c in 'ab' %}{{ c }},{% endfor %}", "{{ 'abc' | string }}{{ 'ab' ~ 'c' }}",
    ],
    "lists and maps": [
        "{{ ys | sort }}{{ xs | sort }}{{ xs | sort(reverse=true) }}{{ ys | sort(case_sensitive=true) }}", "{{ ys | join }}{{ xs | join(', ') }}{{ [yes, none, 1.0] | join('-') }}{{ messages | join('|', attribute='role') }}", "{{ xs | first }}{{ xs | last }}{{ none_yet | first }}", "{{ xs | reverse | list }}{{ xs[::-1] }}{{ xs[1:] }}{{ xs[-1] }}{{ xs[:-1] }}{{ xs[9] }}",
        "{{ ['a', 'A', 'b', 'a'] | unique | list }}", "{{ messages | map(attribute='role') | list }}{{ messages | map(attribute='role') | join(',') }}{{ ys | map('upper') | list }}{{ messages | map(attribute='q', default='-') | join }}", "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | selectattr('role', '==', 'user') | map(attribute='content') | list }}{{ messages | rejectattr('role', 'eq', 'user') | list | length }}",
        "{{ messages | selectattr('tool_calls', 'defined') | list | length }}{{ messages | selectattr('tool_calls', 'undefined') | list | length }}{{ messages | selectattr('content') | list | length }}{{ messages | selectattr('content', 'none') | list | length }}{{ messages | selectattr('role', 'in', ['user']) | list | length }}",
        "{{ xs | select('odd') | list }}{{ xs | reject('odd') | list }}{{ [0, 1, '', 'a'] | select | list }}", "{{ xs | batch(2) | list }}{{ xs | slice(2) | list }}", "{{ messages | groupby('role') | list | length }}", "{{ d | length }}{{ d | list }}{{ d.keys() | list }}{{ d.values() | list }}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for k, v in d | dictsort %}{{ k }}{% endfor %}", "{{ d | items | list }}", "{{ d['k'] }}{{ d.k }}{{ d.missing }}{{ d['missing'] }}", "{{ d.missing.more }}", "{{ missing.more }}", "{{ missing['x'] }}", "{{ none.x }}", "{{ messages[9] }}", "{{ messages[9].role }}", "{{ messages[-1]['role'] }}{{ messages[0]['missing'] is defined }}",
        "{% for x in missing %}a{% else %}b{% endfor %}", "{% for x in none %}a{% endfor %}", "{% for x in 5 %}a{% endfor %}", "{{ xs | length }}{{ none_yet | length }}{{ missing | length }}", "{{ none | length }}", "{{ xs | count }}", "{{ [1, [2, 3]] | tojson }}{{ d | tojson }}{{ 'a\"\u00e9</' | tojson }}{{ none | tojson }}{{ yes | tojson }}{{ 1.0 | tojson }}", "{{ d | tojson(indent=2) }}{{ {} | tojson(indent=2) }}", "{{ d | tojson(ensure_ascii=true) }}{{ '\u00e9' | tojson(ensure_ascii=true) }}{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}", "{{ {'a': 1}['a'] }}{{ {'a': 1}.a }}{{ {1: 'x'}[1] }}", "{{ [[1, 2], [3, 4]][1][0] }}",
        "{% set x, y = pairs[0] %}{{ x }}{{ y }}", "{% for a, b in pairs %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }},{% endfor %}", "{{ dict(a=1, b='x') }}", "{{ namespace(a=1).a }}", "{% set l = [1] %}{% set l = l + [2] %}{{ l }}", "{{ xs.append(4) }}", "{{ xs.index(1) }}{{ xs.count(1) }}", "{{ (xs | length) }}{{ xs | length > 2 }}", "{{ xs is not none and xs | length }}", "{{ 1 in xs | list }}", "{{ messages | map(attribute='content') | select('string') | join('+') }}", "{{ messages[0].items() | list }}", "{{ d.items_ }}{{ d['items'] is defined }}",
    ],
    "macros": [
        "{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}", "{% for x in xs %}{{ m() if m is defined }}{% endfor %}{% macro m() %}{{ x }}{% endmacro %}", "{% macro m() %}[{{ x }}]{% endmacro %}{% for x in xs %}{{ m() }}{% endfor %}", "{% set g = 'g' %}{% macro m() %}{{ g }}{% endmacro %}{% set g = 'h' %}{{ m() }}", "{% macro m() %}{% set v = 1 %}{{ v }}{% endmacro %}{{ m() }}{{ v is defined }}", "{% macro m(a) %}{{ varargs | join }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro outer() %}<{{ caller() }}>{% endmacro %}{% call outer() %}in{% endcall %}", "{% macro outer() %}<{{ caller('v') }}>{% endmacro %}{% call(a) outer() %}{{ a }}{% endcall %}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro a() %}A{% endmacro %}{% macro b() %}{{ a() }}B{% endmacro %}{{ b() }}", "{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}{{ m('a') }}|", "{{ m() }}{% macro m() %}a{% endmacro %}", "{% macro m(x) %}{% for y in x %}{{ y }}{% if loop.last %}.{% endif %}{% endfor %}{% endmacro %}{% for z in nested %}{{ m(z) }}{% endfor %}", "{% macro m() %}{{ loop is defined }}{% endmacro %}{% for x in xs %}{{ m() }}{% endfor %}", "{% macro m() %}a{% endmacro %}{{ m() | upper }}{{ m() ~ 'b' }}{{ m() == 'a' }}{{ m() | length }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(none) }}", "{% set x = 1 %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m() }}{{ m(2) }}{{ x }}",
    ],
    "errors": [
        "{{ raise_exception('no') }}", "{% if messages[0].role != 'user' %}{{ raise_exception('roles') }}{% endif %}", "{% endif %}", "{% if true %}", "{{ 1 + }}", "{{ unknown() }}", "{{ 'a' | unknown }}", "{{ 'a' is unknown }}", "{% for x in xs %}", "{{ none() }}", "{{ d.k() }}",
    ],
    "other blocks": [
        "{% raw %}{{ a }}{% endraw %}", "{% with a = 1 %}{{ a }}{% endwith %}{{ a is defined }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}", "{% filter upper %}a{{ word }}{% endfilter %}", "{% set t | upper %}a{% endset %}{{ t }}", "{% if a is defined and a %}x{% elif one == 1 %}y{% else %}z{% endif %}", "{% if no %}a{% elif no %}b{% elif yes %}c{% endif %}", "{# a {{ b }} #}x", "{% for x in nested recursive %}{{ x }}{% endfor %}", "{{ strftime_now is defined }}", "{% do xs %}", "{% set a = b = 1 %}", "{{ bos_token }}{% for m in messages %}{{ '<|' ~ m.role ~ '|>' }}{{ m.content | trim if m.content }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
    ],
}


def render(template):
    try:
        return _compile_jinja_template(template).render(**json.loads(json.dumps(VALUES)))
    except Exception:  # noqa: BLE001
        return None


rendered = {kind: [[template, render(template)] for template in templates] for kind, templates in KINDS.items()}
(HERE / "jinja.json").write_text(json.dumps({"values": VALUES, "kinds": rendered}, indent=0) + "\n")
for kind, cases in rendered.items():
    print(kind, len(cases), "of them raise:", sum(text is None for _, text in cases))
