import { CARD_SHEETS, type CardSheet } from "../../rl/scaling/rates.ts";

/** What a card is said to reach by its maker: 32-bit floating point without tensor cores, and memory. */
export type Card = Pick<CardSheet, "name" | "peak" | "memory">;

// Data sheets of the makers; where variants differ, the faster one. Those of other cards than softcot forecasts for stand here.
const CARDS: [RegExp, Card][] = [
  [/H200/, CARD_SHEETS.h200],
  [/H100/, CARD_SHEETS.h100],
  [/A100/, CARD_SHEETS.a100],
  [/L40S/, CARD_SHEETS.l40s],
  [/\bL4\b/, { name: "L4", peak: 30.3e12, memory: 0.3e12 }],
  [/A10G?\b/, { name: "A10", peak: 31.2e12, memory: 0.6e12 }],
  [/\bT4\b/, { name: "T4", peak: 8.1e12, memory: 0.32e12 }],
  [/4090/, CARD_SHEETS.rtx4090],
  [/3090/, { name: "RTX 3090", peak: 35.6e12, memory: 0.936e12 }],
  [/MI300X/, CARD_SHEETS.mi300x],
  [/7900 XTX/, { name: "RX 7900 XTX", peak: 61.4e12, memory: 0.96e12 }],
  [/A770/, { name: "Arc A770", peak: 19.7e12, memory: 0.56e12 }],
];

/** The card of an adapter's name, if it is one of those whose data sheets are known here. */
export const cardOf = (adapter: string): Card | undefined => CARDS.find(([name]) => name.test(adapter))?.[1];
