import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InferenceError } from "../../../src/errors.ts";
import { compileTemplate } from "../../../src/prompt/bounded-template.ts";
import { maxItems, maxWhitespaceRun } from "../../../src/prompt/template-limits.ts";

const render = (template: string, variables: Record<string, unknown> = {}): string =>
  compileTemplate(template).render(variables);

// A text of two million characters by doubling, which is inside the limits.
const grow =
  "{% set ns = namespace(a='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') %}{% for i in range(16) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}";

// Each would take minutes or gigabytes, or end the process, in an engine without limits.
const hostile: Record<string, string> = {
  "a loop of ten million rounds": "{% for i in range(10000000) %}{% endfor %}",
  "a loop in a loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
  "5,000 nested ifs": "{% if true %}".repeat(5000) + "{% endif %}".repeat(5000),
  "a chain of 2,000 ~": `{{ 'a'${" ~ 'a'".repeat(2000)} }}`,
  "a chain of 5,000 +": `{{ 1${" + 1".repeat(5000)} }}`,
  "5,000 parentheses": `{{ ${"(".repeat(5000)}1${")".repeat(5000)} }}`,
  "20,000 times not": `{{ ${"not ".repeat(20000)}1 }}`,
  "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  "a text doubled by ~":
    "{% set ns = namespace(a='aa') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
  "a text doubled by +":
    "{% set ns = namespace(a='aa') %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
  "a list doubled by +":
    "{% set ns = namespace(a=['x']) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
  "a list of lists of lists":
    "{% set ns = namespace(a=['x']) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
  "a mapping of mappings":
    "{% set ns = namespace(a={}) %}{% for i in range(60) %}{% set ns.a = {'a': ns.a, 'b': ns.a} %}{% endfor %}{{ ns.a | tojson }}",
  "a namespace inside itself": "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
  "replace as a method": `${grow}{{ ns.a.replace('a', ns.a) }}`,
  "replace as a filter": `${grow}{{ ns.a | replace('a', ns.a) }}`,
  "replace of nothing": `${grow}{{ ns.a | replace('', ns.a) }}`,
  "replace kept in a variable": `${grow}{% set f = ns.a['replace'] %}{{ f('a', ns.a) }}`,
  "replace by a call block": `${grow}{% set f = ns.a.replace %}{% call f('a', ns.a) %}{% endcall %}`,
  "replace by a filter block": "{% filter replace('a', 'b') %}aaaa{% endfilter %}",
  "split into characters": `${grow}{{ ns.a.split('a') }}`,
  "split at white space": `${grow}{{ ns.a.replace('aa', 'a ').split() }}`,
  "join with a long text": "{{ range(99999) | join(range(9999) | join('y')) }}",
  "join of a text": `${grow}{{ ns.a | join('abcd') }}`,
  "indent by a large number": "{{ 'a\nb' | indent(100000000) }}",
  "indent by a keyword": "{{ 'a\nb' | indent(width=100000000) }}",
  "tojson with a large indent": "{{ range(1000) | tojson(indent=1000000) }}",
  "tojson with long separators": "{{ range(9999) | tojson(separators=[range(9999) | join, 'x']) }}",
  "a long text printed again and again": `${grow}{% for i in range(9999) %}{{ ns.a }}{% endfor %}`,
  "long texts compared again and again": `${grow}{% set other = ns.a ~ 'b' %}{% for i in range(99999) %}{% if ns.a == other %}{% endif %}{% endfor %}`,
  "a long list searched again and again":
    "{% set r = range(99999) %}{% for i in range(99999) %}{% if 'x' in r %}{% endif %}{% endfor %}",
  "a long list sorted again and again":
    "{% set r = range(99999) %}{% for i in range(99999) %}{% if r | sort %}{% endif %}{% endfor %}",
  "a long path looked up in a long list": `${grow}{% set ns.l = [{}] %}{% for i in range(15) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{% if ns.l | map(attribute=ns.a) %}{% endif %}`,
  "unknown names": `{% for i in range(99999) %}${"{{ x }}".repeat(500)}{% endfor %}`,
  "methods made again and again": `{% for i in range(99999) %}${"{{ 'a'.strip() }}".repeat(500)}{% endfor %}`,
  breaks: "{% for i in range(99999) %}{% for j in [1] %}{% break %}{% endfor %}{% endfor %}",
  "a large macro defined in a loop": `{% for i in range(99999) %}{% macro f() %}${"{{ a }}".repeat(5000)}{% endmacro %}{% endfor %}`,
  "a source of 200,000 characters": "x".repeat(200_000),
  "a long run of white space": " ".repeat(100_000),
  "a source of 60,000 parts": `{{ [${"1,".repeat(60_000)}] }}`,
};

test.each(Object.entries(hostile))("compileTemplate() stops %s", (_, template) => {
  // Not any failure, which would hide that a limit is never reached.
  const message = expect.stringMatching(/at most \d+ are allowed|call stack/i);
  expect(() => render(template)).toThrow(expect.objectContaining({ code: "template", message }));
});

test("compileTemplate() lets through what stays inside the limits", () => {
  expect(render(`{{ range(${maxItems}) | length }}`)).toBe(String(maxItems));
  expect(() => render(`{{ range(${maxItems + 1}) | length }}`)).toThrow(/list of too many items/);
  expect(render(`${grow}{{ ns.a | length }}`)).toBe(String(31 * 2 ** 16));
  expect(render(`a${" ".repeat(maxWhitespaceRun)}b`)).toHaveLength(maxWhitespaceRun + 2);
  expect(render("{% if true %}".repeat(100) + "x" + "{% endif %}".repeat(100))).toBe("x");
  expect(render(`{{ 'a'${" ~ 'a'".repeat(300)} }}`)).toHaveLength(301);
});

test("compileTemplate() says what was too much and where the bound lies", () => {
  expect(() => render("{% for i in range(10000000) %}{% endfor %}")).toThrow(
    expect.objectContaining({ code: "template", details: { limit: maxItems } }),
  );
});

test.each([
  "{% if",
  "{{ [1, ",
  "{{ x",
  "{% for a in b %}",
  "{{ 'a' | nofilter }}",
  "{{ 1 is notest }}",
  "{{ none + 1 }}",
])("compileTemplate() gives the failure of %s the code template and keeps the cause", (template) => {
  expect(() => render(template)).toThrow(expect.objectContaining({ code: "template", cause: expect.any(Error) }));
});

test("compileTemplate() reports raise_exception in the template's words", () => {
  expect(() => render("{{ raise_exception('Roles must alternate') }}")).toThrow(
    expect.objectContaining({ code: "template", message: expect.stringContaining("Roles must alternate") }),
  );
});

test("compileTemplate() keeps the host's objects out of reach", () => {
  const template =
    "{{ ''.constructor }}|{{ list.__proto__ }}|{{ map.constructor }}|{{ range.constructor }}|{{ map['__proto__'] }}";
  expect(render(template, { list: [], map: {} })).toBe("||||");
});

test("compileTemplate() gives range() Python's three forms", () => {
  expect(render("{{ range(3) }} {{ range(1, 3) }} {{ range(5, 0, -2) }} {{ range(3, 1) }}")).toBe(
    "[0, 1, 2] [1, 2] [5, 3, 1] []",
  );
  expect(() => render("{{ range(0, 5, 0) }}")).toThrow(/step other than 0/);
  expect(() => render("{{ range(0, 5, 0.001) }}")).toThrow(/whole numbers/);
});

test("compileTemplate() loops over what is not defined without a round, as Python does", () => {
  expect(render("a{% for x in nothing %}b{% endfor %}c{% for x in nothing if x %}d{% else %}e{% endfor %}")).toBe(
    "ace",
  );
});

test("compileTemplate() formats the date it is given in English, and defines no date without one", () => {
  const template = compileTemplate(
    "{% if strftime_now is defined %}{{ strftime_now('%A %a %d %b %B %Y %y %m %H %I %p %M %S %% %Q') }}{% else %}none{% endif %}",
  );
  expect(template.render({}, { now: new Date(2025, 6, 4, 15, 7, 9) })).toBe(
    "Friday Fri 04 Jul July 2025 25 07 15 03 PM 07 09 % %Q",
  );
  expect(template.render({})).toBe("none");
});

test("compileTemplate() resolves names by scope as the engine itself does", () => {
  expect(render("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}")).toBe("2 4 1");
  expect(render("{% macro f(a, b=2) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{% set c = 3 %}{{ f(1) }}")).toBe("123");
});

test("compileTemplate() ends or fails with its own error, whatever the template", () => {
  const words = [
    "{{",
    "}}",
    "{%",
    "%}",
    "for",
    "in",
    "if",
    "endif",
    "endfor",
    "range(9)",
    "x",
    "'a'",
    "~",
    "+",
    "|",
    "join",
    "(",
    ")",
    "[",
    "]",
    ",",
    "set",
    "=",
    "macro",
    "endmacro",
    "not",
    "is",
    "1",
    " ",
    "\n",
    "{#",
    "#}",
    "*",
    "**",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 40 }), (parts) => {
      try {
        expect(typeof render(parts.join(" "))).toBe("string");
      } catch (error) {
        if (!InferenceError.is(error, "template")) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
