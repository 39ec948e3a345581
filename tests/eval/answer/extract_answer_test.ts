import { assertEquals } from "@std/assert";
import { extractAnswer, type Extraction } from "../../../eval/answer/extract_answer.ts";
import { verify } from "../../../eval/answer/verify.ts";

function check(how: Extraction, replies: Record<string, string | null>): void {
  for (const [reply, found] of Object.entries(replies)) {
    assertEquals(extractAnswer(reply, how)?.text ?? null, found, `${how}: ${reply}`);
  }
}

Deno.test("none takes the text as it is", () => check("none", { "x = 5, I think": "x = 5, I think" }));

Deno.test("box takes the last box alone", () => {
  check("box", {
    "first \\boxed{1}. Rather \\boxed{2}": "2",
    "The final answer is 7.": null,
    "$$\\boxed{a} \\text{ and } \\boxed{b}$$": "a, b",
    "\\(\\boxed{1}\\) and \\(\\boxed{-2}\\).": "1, -2",
    "$\\boxed{1}\\boxed{2}$": "1, 2",
    "\\boxed{1} papers and \\boxed{2} bins": "1, 2",
    "\\boxed{1} no no no no no \\boxed{2}": "2",
    "$\\boxed{2} + \\boxed{3} = \\boxed{5}$": "5",
    "$\\boxed{2}$; $\\boxed{3}$": "2, 3",
    "\\( y_1 = \\boxed{3} \\) and \\( y_2 = \\boxed{4} \\)": "3, 4",
    "\\\\boxed{004}": "004",
  });
});

Deno.test("final takes what a sentence calls the answer", () => {
  check("final", {
    "The final answer is: 12.": "12",
    "Final Answer: The final answer is $(0, 1)$. I hope it is correct.": "$(0, 1)$",
    "The answer is 3.5 apples. Then I checked it.": "3.5",
    "**Final Answer**\n\\boxed{143}": "143",
    "The answer should be \\boxed{28}$ pct": "28\\%",
    "Nothing of the kind": null,
  });
});

Deno.test("hashes, maths, number and choice take their signs", () => {
  check("hashes", { "5 + 7 = 12\n#### 1,200": "1,200", "none": null });
  check("maths", {
    "from $x=1$ follows $y = 2$, as said": "y = 2",
    "so $1$ and $2$ and $3$": "1 , 2 , 3",
    "\\[ 9 \\]": "9",
  });
  check("number", {
    "he had 3 and then 1,000.50 euros": "1,000.50",
    "it is -2/3 at last": "-2/3",
    "AZYUK2A": null,
  });
  check("choice", { "So it is (C).": "C", "Answer: B": "B", "so \\boxed{7}": null });
});

Deno.test("any tries the signs in turn, the later of box and final sentence first", () => {
  check("any", {
    "\\boxed{255} more. Final Answer: The final answer is $10,455$. I hope it is correct.": "$10,455$",
    "The final answer is 3: \\boxed{4}": "4",
    "sum\n#### 42": "42",
    "we find $x = 3$ here": "x = 3",
    "there are $d$ of them. Therefore, there are 12 sequences.": "12",
    "1 000": "1 000",
    "(C)": "(C)",
    "It must be Evelyn then, who else could have been here at that time?": null,
  });
});

Deno.test("numbers in plain text have decimal commas and units, in maths they have not", () => {
  const any = { extract: "any" } as const;
  assertEquals(verify("1.22", "1,22", any).equal, true);
  assertEquals(verify("1000.99", "so it is 1,000.99m² in all", any).equal, true);
  assertEquals(verify("1.22", "$1,22$", any).equal, false);
  assertEquals(verify("1.22", "\\boxed{1,22}", any).equal, false);
});

Deno.test("no answer in the reply is said to be so", () => {
  assertEquals(verify("5", "I do not know", { extract: "box" }).rule, "no answer found");
  assertEquals(verify("5", "", {}).rule, "no answer found");
  assertEquals(verify("", "5").rule, "no gold answer");
});
