/** Chat templates are rendered as Python's jinja2 renders them: what @huggingface/jinja does otherwise is mended or refused, never written. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readTemplate, renderWithin } from "../../../model/tokenizer/render_template.ts";
import { root } from "../../support/places.ts";

const golden: {
  values: Record<string, unknown>;
  kinds: Record<string, [template: string, text: string | null][]>;
} = JSON
  .parse(Deno.readTextFileSync(`${root}tests/golden/chats/jinja.json`));

/** What the library's parser does not read, or the interpreter does not know: refused, which is safe. */
const REFUSED = [
  /\(1,\)/,
  /1e16/,
  /\d [<>] \d [<>] \d/,
  / is (divisibleby|in \[|eq\(|sameas)/,
  /\| (format|urlencode|truncate|batch|groupby)|\.center\(|\{:>5\}|xs\.index/,
  /\{1: /,
  /dict\(/,
  /\{% (with|set t \|)| recursive/,
];

const render = (template: string) => renderWithin(readTemplate(template), structuredClone(golden.values));

for (const [kind, cases] of Object.entries(golden.kinds)) {
  Deno.test(`templates as jinja2 renders them: ${kind}, ${cases.length}`, () => {
    for (const [template, text] of cases) {
      if (text === null || REFUSED.some((pattern) => pattern.test(template))) {
        assertThrows(() => render(template), Error, "", template);
      } else assertEquals(render(template), text, template);
    }
  });
}

Deno.test("of 326 templates at most 25 are refused that jinja2 renders", () => {
  const rendered = Object.values(golden.kinds).flat().filter(([_, text]) => text !== null);
  const refused = rendered.filter(([template]) => REFUSED.some((pattern) => pattern.test(template)));
  assert(rendered.length > 280 && refused.length <= 25, `${refused.length} of ${rendered.length}`);
});

Deno.test("templates that make long texts are stopped in loops, operators and methods, too", () => {
  for (
    const template of [
      "{% for i in range(100000) %}{{ 'x' * 4000000 }}{% endfor %}",
      "{% set ns = namespace(s='x' * 4000000) %}{{ ns.s ~ ns.s }}",
      "{{ 'x' * 4000000 + 'x' * 4000000 }}",
      "{{ 'x' * 5000000 }}{{ [1] * 1000000 }}",
      "{{ ([1] * 100000) * 100000 }}",
      "{{ ('x' * 4000000).replace('x', 'x' * 4000000) }}",
      "{% for i in range(3) %}{{ 'x' * 4000000 }}{% continue %}{% endfor %}",
    ]
  ) assertThrows(() => render(template), Error);
});
