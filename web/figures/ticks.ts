/** Ticks of an axis: round values within a range, some `about` of them. */
export function ticksOf(low: number, high: number, about: number, isLog = false): number[] {
  if (!(high > low)) return [low];
  return isLog ? logTicks(low, high, about) : evenTicks(low, high, about);
}

/** Round steps of 1, 2, 2.5 or 5 times a power of ten. */
function evenTicks(low: number, high: number, about: number): number[] {
  const rough = (high - low) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * (1 - 1e-9))!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Powers of ten, with 2 and 5 between them where there is room. */
function logTicks(low: number, high: number, about: number): number[] {
  const decades = Math.log10(high / low);
  const within = decades > about ? [1] : decades > about / 2 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / Math.max(1, about)));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (within.length === 1 && power % every !== 0) continue;
    ticks.push(...within.map((digit) => Number(`${digit}e${power}`)));
  }
  const inside = ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  return inside.length >= 2 ? inside : evenTicks(low, high, about);
}

/** A tick's text, of as many digits as tell it from its neighbours. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e9) return `${short(value / 1e9)}G`;
  if (size >= 1e6) return `${short(value / 1e6)}M`;
  if (size >= 1e5) return `${short(value / 1e3)}k`;
  if (size < 1e-3) return value.toExponential().replace("e+", "e");
  return short(value);
}

const short = (value: number): string => String(Number(value.toPrecision(6)));
