/** Rotary positions from wherever config.json has them: as transformers 5 reads them, or refused. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { parseHfConfig, toHfConfig } from "../../../model/files/hf_config.ts";
import { scaledFrequency } from "../../../model/transformer/rope_table.ts";
import { root } from "../../support/places.ts";

interface Fact {
  model_type: string;
  config: Record<string, unknown>;
  /** What transformers 5 and 4 compute; null where they do not open it. */
  "5": number[] | null;
  "4": number[] | null;
}

const golden: { shape: Record<string, unknown>; cases: Fact[] } = JSON.parse(
  Deno.readTextFileSync(`${root}tests/golden/ropes/ropes.json`),
);
const base = { ...golden.shape, model_type: "llama" };

/** Rotary frequencies of a config. */
function frequenciesOf(json: unknown): number[] {
  const { headDim, ropeTheta, ropeScaling } = parseHfConfig(json);
  return Array.from(
    { length: headDim / 2 },
    (_, i) => scaledFrequency(ropeScaling, ropeTheta ** (-2 * i / headDim)),
  );
}

Deno.test("RoPE values are read where transformers 5 reads them, 100 config.json", () => {
  for (const { model_type, config, 5: expected } of golden.cases) {
    const found = frequenciesOf({ ...golden.shape, model_type, ...config });
    const error = Math.max(...found.map((frequency, i) => Math.abs(frequency / expected![i] - 1)));
    assert(error < 1e-5, `${model_type} ${JSON.stringify(config)}: ${error}`);
  }
});

Deno.test("RoPE values that are not supported are refused wherever they stand", () => {
  const kind = (type: string) => `of type "${type}", llama3, linear or default is needed`;
  const partial = "1 is needed: rotations of the whole head";
  const refused: [Record<string, unknown>, string][] = [
    [{ rope_parameters: { rope_type: "default", rope_theta: 1e4, partial_rotary_factor: 0.5 } }, partial],
    [{ rope_scaling: { rope_type: "linear", factor: 2, partial_rotary_factor: 0.25 } }, partial],
    [{ partial_rotary_factor: 0.75 }, partial],
    [{ rope_parameters: { rope_type: "llama3", partial_rotary_factor: "1" } }, partial],
    [{ rope_scaling: {}, rope_parameters: { partial_rotary_factor: 0.5 } }, partial],
    [
      { rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { partial_rotary_factor: 0.5 } },
      partial,
    ],
    [{ rope_parameters: { rope_type: "yarn", factor: 4, rope_theta: 1e4 } }, kind("yarn")],
    [{ rope_parameters: { type: "yarn", factor: 4 } }, kind("yarn")],
    [{ rope_scaling: { type: "dynamic", factor: 4 } }, kind("dynamic")],
    [{ rope_scaling: { rope_type: "longrope", short_factor: [1], long_factor: [2] } }, kind("longrope")],
    [{ rope_scaling: { type: "su" } }, kind("su")],
    [{ rope_scaling: { type: "mrope", mrope_section: [2, 3, 3] } }, kind("mrope")],
    [{ rope_scaling: { rope_type: "default", type: "yarn" } }, kind("yarn")],
    [{ rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { rope_type: "yarn" } }, kind("yarn")],
    [{ rope_parameters: { full_attention: { rope_type: "default", rope_theta: 1e4 } } }, "full_attention"],
    [{ rope_scaling: { full_attention: {}, sliding_attention: {} } }, "the same for all layers"],
    [{ rope_parameters: "llama3" }, 'rope_parameters is "llama3", an object is needed'],
    [{ rope_scaling: [] }, "rope_scaling is [], an object is needed"],
    [{ rope_parameters: { rope_theta: "1e6" } }, 'rope_theta is "1e6", a number above 0'],
    [{ rope_scaling: { rope_theta: -1 }, rope_theta: 1e4 }, "rope_theta is -1"],
    [{ rope_parameters: { rope_type: "linear" } }, "factor is not given"],
    [{ rope_parameters: { rope_type: "llama3", factor: 8 } }, "low_freq_factor is not given"],
  ];
  for (const [change, message] of refused) {
    assertThrows(() => parseHfConfig({ ...base, ...change }), UserError, message);
  }
});

Deno.test("RoPE values are written so that transformers 4 and 5 read them back", () => {
  for (const { config } of golden.cases) {
    const parsed = parseHfConfig({ ...base, ...config });
    const written = toHfConfig(parsed);
    assertEquals(parseHfConfig(written), parsed);
    assertEquals([typeof written.rope_theta, written.rope_parameters], ["number", undefined]);
  }
});
