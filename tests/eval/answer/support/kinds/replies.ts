import { type Kind, R } from "./kind.ts";

const any = { extract: "any" } as const;
const box = { extract: "box" } as const;
const choice = { extract: "choice" } as const;
const far = " and so on".repeat(900);

/** Boxes with their roundings, boxes far from the end, letters of choices in sentences. */
export const replies: Kind = {
  same: [
    [R`\frac{1}{3}`, R`$\boxed{\frac13}$, that is about $\boxed{0.333}$`, any],
    [R`\frac{1}{3}`, R`$\boxed{\frac13} \approx \boxed{0.333}$`, box],
    [R`0.333`, R`$\boxed{\frac13} \approx \boxed{0.333}$`, box],
    [R`\sqrt{2}`, R`$\boxed{\sqrt2}$ or approximately $\boxed{1.41}$.`, any],
    [R`25\pi`, R`\[\boxed{25\pi}\] which is roughly \[\boxed{78.5}\]`, box],
    [R`\ln 2`, R`\boxed{\ln 2} (about \boxed{0.693})`, any],
    [R`x=\sqrt{3}`, R`\boxed{x=\sqrt3} \text{ or about } \boxed{1.73}`, box],
    [R`7`, R`\boxed{7}` + far, any],
    [R`7`, R`\boxed{7}` + far, box],
    [R`7`, `The final answer is 7.` + far, any],
    [R`C`, `C is right, since A and B fail.`, choice],
    [R`C`, `C is the correct option. A, B and D are wrong.`, choice],
    [R`B`, `I choose B rather than D.`, choice],
    [R`D`, `The answer is D because A is too small.`, choice],
    [R`B`, R`\boxed{\textbf{(B)}\ 14}`, choice],
    [R`B`, R`so \boxed{B}, as C cannot hold`, choice],
    [R`D`, `It is D, not A.`, choice],
    [R`A`, `Neither B nor C works, so A.`, choice],
    [R`E`, `Option E must be true; (C) is false.`, choice],
    [R`B`, `A train leaves. The answer: (B)`, choice],
    [R`D`, `(D) is the answer, we can eliminate (A) and (B).`, choice],
  ],
  different: [
    [R`0.333`, R`$\boxed{\frac12}$, that is $\boxed{0.5}$`, any],
    [R`B`, `C is right, since A and B fail.`, choice],
    [R`D`, `C is the correct option. A, B and D are wrong.`, choice],
    [R`D`, `I choose B rather than D.`, choice],
    [R`A`, `It is D, not A.`, choice],
    [R`C`, `Neither B nor C works, so A.`, choice],
    [R`A`, `The answer is D because A is too small.`, choice],
    [R`C`, `so \\boxed{B}, as C cannot hold`, choice],
    [R`C`, `Option E must be true; (C) is false.`, choice],
    [R`B`, `(D) is the answer, we can eliminate (A) and (B).`, choice],
    [R`A`, `B. A train is faster.`, choice],
  ],
  near: [
    [R`7`, R`$\boxed{7} \approx \boxed{3}$`, any],
    [R`7`, R`$\boxed{7}$, or about $\boxed{8}$`, box],
    [R`\frac{1}{3}`, R`$\boxed{\frac13} \approx \boxed{0.36}$`, box],
    [R`\frac{1}{3}`, R`\boxed{\frac13} and after a correction \boxed{0.333}`, box],
    [R`\frac{1}{3}`, R`\boxed{\frac13} \text{ is not } \boxed{0.333}`, box],
    [R`1`, R`\boxed{1} \approx \boxed{2}`, box],
    [R`7`, R`\boxed{7}` + far + R`\boxed{8}`, any],
    [R`7`, R`\boxed{8}` + far, box],
    [R`C`, `A is right, since B and C fail.`, choice],
    [R`C`, `C is wrong, A is right.`, choice],
    [R`C`, `C is not the answer, B is.`, choice],
    [R`B`, R`\boxed{\textbf{(C)}\ 14}`, choice],
    [R`14`, R`\boxed{\textbf{(C)}\ 15}`, box],
    [R`C`, R`\boxed{\textbf{(B)}\ 14}`, box],
    [R`D`, `Not D.`, choice],
    [R`B`, `The answer is not B but C.`, choice],
    [R`0.333`, R`\boxed{0.333} \approx \boxed{\frac12}`, box],
  ],
};
