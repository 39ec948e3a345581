/** What a card is said to reach by its maker: 32-bit floating point without tensor cores, and memory. */
export interface Card {
  name: string;
  /** TFLOP/s of f32. */
  teraflops: number;
  /** GB/s. */
  bandwidth: number;
}

// Data sheets of the makers; where variants differ, the faster one.
const CARDS: [RegExp, Card][] = [
  [/H200/, { name: "H200", teraflops: 67, bandwidth: 4800 }],
  [/H100/, { name: "H100 SXM", teraflops: 67, bandwidth: 3350 }],
  [/A100/, { name: "A100 80 GB", teraflops: 19.5, bandwidth: 2039 }],
  [/L40S/, { name: "L40S", teraflops: 91.6, bandwidth: 864 }],
  [/\bL4\b/, { name: "L4", teraflops: 30.3, bandwidth: 300 }],
  [/A10G?\b/, { name: "A10", teraflops: 31.2, bandwidth: 600 }],
  [/\bT4\b/, { name: "T4", teraflops: 8.1, bandwidth: 320 }],
  [/4090/, { name: "RTX 4090", teraflops: 82.6, bandwidth: 1008 }],
  [/3090/, { name: "RTX 3090", teraflops: 35.6, bandwidth: 936 }],
  [/MI300X/, { name: "MI300X", teraflops: 163.4, bandwidth: 5300 }],
  [/7900 XTX/, { name: "RX 7900 XTX", teraflops: 61.4, bandwidth: 960 }],
  [/A770/, { name: "Arc A770", teraflops: 19.7, bandwidth: 560 }],
];

/** The card of an adapter's name, if it is one of those whose data sheets are known here. */
export const cardOf = (adapter: string): Card | undefined => CARDS.find(([name]) => name.test(adapter))?.[1];
