import { UserError } from "../../gpu/errors.ts";
import { firstIssue } from "../../model/files/first_issue.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { CARD_SHEETS, type Rates, ratesOfCard, ratesSchema } from "../../rl/scaling/rates.ts";
import { dashed } from "../settings/dashed.ts";
import { percent } from "../terminal/percent.ts";
import { ASSUMED, type ForecastValues } from "./forecast_settings.ts";

/** Rates, and in words where they are from. */
export interface ForecastRates {
  rates: Rates;
  source: string;
}

/**
 * The rates that a forecast is made with.
 * @throws UserError if a file of rates is none, or something is assumed beside it
 */
export function forecastRates(values: ForecastValues): ForecastRates {
  const { rates: file, card: name } = values;
  if (file !== undefined) return { rates: readRates(file, values), source: `rates measured in ${file}` };
  const card = CARD_SHEETS[name];
  const { share = ASSUMED.share, memoryShare = ASSUMED.memoryShare, link = ASSUMED.link } = values;
  return {
    rates: ratesOfCard(card, { share, memoryShare, link: 1e9 * link }),
    source:
      `${card.name} by data sheet, assumed to reach ${percent(share)} of ${card.peak / 1e12} TFLOP/s and ` +
      `${percent(memoryShare)} of ${card.memory / 1e12} TB/s; ${link} GB/s between learners`,
  };
}

function readRates(file: string, values: ForecastValues): Rates {
  for (const key of Object.keys(ASSUMED) as (keyof typeof ASSUMED)[]) {
    if (values[key] === undefined) continue;
    throw new UserError(
      `Cannot forecast with --rates and --${
        dashed(key)
      }: the file says what that assumes, one of them is needed`,
    );
  }
  let json: unknown;
  try {
    json = parseJson(readPlainText(file));
  } catch (error) {
    throw new UserError(`Cannot read the rates in ${file}: ${(error as Error).message}`, MAKE);
  }
  const read = ratesSchema.safeParse(json);
  if (read.success) return read.data;
  throw new UserError(
    `Cannot use the rates in ${file}: ${firstIssue(read.error)}; numbers above 0 by the names ${
      Object.keys(ratesSchema.shape).join(", ")
    } are needed`,
    MAKE,
  );
}

const MAKE = "tests/bench/scaling_bench.ts --out FILE measures a machine's";
