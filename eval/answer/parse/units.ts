/** Units and words after a number: which they are, and when two of them agree. */

/** Canonical spelling of each unit word; words of one line are the same unit. */
const SPELLINGS = `
$ dollar dollars usd buck bucks
€ euro euros eur
£ pound-sterling gbp
¥ yen yuan rmb cny
₹ rupee rupees inr rs
c cent cents ¢
% percent pct percentage percents
nm nanometer nanometers nanometre nanometres
um μm micrometer micrometers micrometre micrometres micron microns
mm millimeter millimeters millimetre millimetres
cm centimeter centimeters centimetre centimetres cms
dm decimeter decimeters decimetre decimetres
m meter meters metre metres
km kilometer kilometers kilometre kilometres kms
in inch inches
ft foot feet
yd yard yards yds
mi mile miles
mg milligram milligrams
g gram grams
kg kilogram kilograms kgs kilo kilos
lb pound pounds lbs
oz ounce ounces
ton tons tonne tonnes
ml milliliter milliliters millilitre millilitres mL cc
L l liter liters litre litres
gal gallon gallons
ns nanosecond nanoseconds
us μs microsecond microseconds
ms millisecond milliseconds
s second seconds sec secs
min minute minutes mins
h hour hours hr hrs
day days
week weeks wk wks
month months mo
year years yr yrs
mph
kph kmh
rpm
Hz hertz
kHz kilohertz
MHz megahertz
GHz gigahertz
kN kilonewton kilonewtons
N newton newtons
kJ kilojoule kilojoules
MJ megajoule megajoules
J joule joules
eV electronvolt electronvolts
MeV
keV
cal calorie calories
kcal kilocalorie kilocalories
kW kilowatt kilowatts
MW megawatt megawatts
W watt watts
kWh
kV kilovolt kilovolts
V volt volts
Pa pascal pascals
kPa kilopascal kilopascals
MPa megapascal megapascals
atm atmosphere atmospheres
bar bars
mol mole moles
F farad farads
C coulomb coulombs
T tesla teslas
H henry henrys
Wb weber webers
ohm ohms Ω
ha hectare hectares
knot knots
dB decibel decibels
A ampere amperes amp amps
mA milliampere milliamperes milliamps
K kelvin kelvins
degC °C celsius centigrade
degF °F fahrenheit
deg degree degrees °
rad radian radians
unit units
acre acres
`;

const CANONICAL = new Map<string, string>();
for (const line of SPELLINGS.trim().split("\n")) {
  const [canonical, ...others] = line.split(" ");
  for (const word of [canonical, ...others]) CANONICAL.set(word, canonical);
}

/** Units so short that in maths the letters are symbols: units in plain text and in `\text` alone. */
const LETTER_UNITS = new Set([
  "c",
  "m",
  "g",
  "s",
  "h",
  "l",
  "N",
  "J",
  "W",
  "V",
  "A",
  "K",
  "L",
  "F",
  "C",
  "T",
  "H",
]);

/** Units that are also ordinary words or products of letters: in maths they need `\text` as well. */
const AMBIGUOUS = new Set([
  "in",
  "mi",
  "min",
  "mo",
  "rad",
  "deg",
  "unit",
  "units",
  "a",
  "rs",
  "amp",
  "sec",
  "ton",
  "day",
  "bar",
  "bars",
  "cal",
  "mol",
  "atm",
  "ns",
  "us",
  "ms",
  "ha",
  "cc",
]);

/** Words that change the value or the claim: a text with one of them is never a mere unit. */
export const NOT_UNITS = new Set(
  ("and or not no none at least most more less than over under about around approximately times plus minus half halves third thirds " +
    "quarter quarters fourth tenth tenths hundredth hundredths thousandth thousandths hundred hundreds thousand thousands million millions " +
    "billion billions trillion trillions dozen dozens score point base mod modulo if when for where with without pi root roots squared cubed negative " +
    "positive to from between inclusive exclusive except only remainder infinity infinitely zero one two three four five six seven eight nine ten " +
    "recurring repeating repeated factorial doubled tripled double triple twice thrice halved inverse reciprocal opposite power powers short off " +
    "each percent pct percentage percents x y z n k e i " +
    // what a sentence says of a number, and what turns it round
    "is are was were be been isn't aren't wasn't wrong incorrect false invalid impossible maybe perhaps probably possibly likely " +
    "unlikely but because since so then thus hence therefore however instead rather although though while whereas unless until yet " +
    "still sorry guess think believe mean should would could can cannot can't might may must will does don't doesn't did didn't seems " +
    "looks appears almost nearly roughly approx circa too neither nor plus another other different same versus vs below above past " +
    "before after beyond gross tens dozens fifth fifths sixth sixths seventh sevenths eighth eighths ninth ninths")
    .split(" "),
);

/** Words that multiply the number before them. */
export const MULTIPLIERS = new Map<string, bigint>(Object.entries({
  hundred: 100n,
  thousand: 1000n,
  million: 1_000_000n,
  billion: 1_000_000_000n,
  trillion: 1_000_000_000_000n,
  dozen: 12n,
}));

/** True for a word that says percent. */
export function isPercentWord(word: string): boolean {
  return CANONICAL.get(word.toLowerCase()) === "%";
}

/**
 * The unit that a bare word after a number stands for, or null where the word is not one.
 *
 * @param plain true in plain text, where a single letter such as m is a unit; in maths it is a symbol
 */
export function bareUnit(word: string, plain: boolean): string | null {
  const canonical = CANONICAL.get(word) ?? (word.length > 2 ? CANONICAL.get(word.toLowerCase()) : undefined);
  if (!canonical || canonical === "%") return null;
  if (!plain && (LETTER_UNITS.has(word) || AMBIGUOUS.has(word))) return null;
  return canonical;
}

/** True for a word that is a unit of measure, and no noun. */
export const isKnownUnit = (word: string): boolean =>
  CANONICAL.has(word) || CANONICAL.has(word.toLowerCase());

/** True for letters that are units where they stand upright or behind another unit: m, s, K, N. */
export const isUnitLetter = (letter: string): boolean => LETTER_UNITS.has(letter);

/** True for words such as `in` and `min`, which are units behind a number, and something else elsewhere. */
export const isAmbiguousUnit = (word: string): boolean => AMBIGUOUS.has(word);

/** The canonical spelling of a unit word; other words are put in the singular. */
export function canonicalWord(word: string): string {
  const known = CANONICAL.get(word) ?? CANONICAL.get(word.toLowerCase());
  if (known) return known;
  const lower = word.toLowerCase();
  return lower.length > 3 && lower.endsWith("s") && !lower.endsWith("ss") ? lower.slice(0, -1) : lower;
}
