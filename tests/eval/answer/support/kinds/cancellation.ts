import { type Kind, R } from "./kind.ts";

const decimals = (precision: number) => ({ precision });
const within = (precision: string) => ({ precision });

/** Large terms that cancel: doubles see nothing of what is left. */
export const cancellation: Kind = {
  same: [
    [R`\sqrt{3}`, R`10^{18}+\sqrt{3}-10^{18}`],
    [R`x`, R`10^{18}+x-10^{18}`],
    [R`1.7321`, R`10^{18}+\sqrt{3}-10^{18}`, decimals(4)],
    [R`3.6458`, R`(10^{19}+\sqrt{7})-10^{19}+1`, decimals(4)],
    [R`\pi`, R`e^{50}+\pi-e^{50}`, decimals(6)],
    [R`3.1416`, R`20!\pi-20!\pi+\pi`, decimals(4)],
    [R`1.414`, R`2^{200}\sqrt2-2^{200}\sqrt2+\sqrt2`, within("1e-3")],
    [R`1.4142`, R`(1+10^{-20}-1)\cdot 10^{20}\sqrt2`, decimals(4)],
    [R`3`, R`\frac{\sqrt{2}(10^{17}+1)-10^{17}\sqrt2}{\sqrt2}+2`, decimals(3)],
    [R`0.6931`, R`10^{25}+\ln 2-10^{25}`, decimals(4)],
    [R`0`, R`\ln(10^{30}+1)-\ln(10^{30})`, decimals(2)],
    [R`1000\sqrt2`, R`1414.214`, decimals(3)],
    [R`0.5`, R`10^{20}+\cos 60^\circ-10^{20}+\sqrt2-\sqrt2`, decimals(3)],
  ],
  different: [
    [R`0`, R`10^{18}+\sqrt{3}-10^{18}`, decimals(4)],
    [R`1`, R`(10^{19}+\sqrt{7})-10^{19}+1`, within("1e-3")],
    [R`0`, R`e^{50}+\sqrt3-e^{50}`, decimals(4)],
    [R`0`, R`20!\pi-20!\pi\cdot(1-10^{-15})`, decimals(2)],
    [R`0`, R`10^{25}+\ln 2-10^{25}`, decimals(3)],
    [R`2`, R`10^{30}+\pi-10^{30}+2`, within("0.01")],
    [R`0`, R`(10^{20}+\pi)-10^{20}`, within("1")],
    [R`5`, R`5+(2^{80}+\sqrt5)-2^{80}`, decimals(1)],
    [R`0`, R`10^{17}(\sqrt2+10^{-17})-10^{17}\sqrt2`, decimals(2)],
    [R`1`, R`\frac{(10^{18}+\sqrt2)-10^{18}}{1}+1`, decimals(2)],
    [R`7`, R`100!+7\sqrt2-100!`, decimals(2)],
    [R`0`, R`\sqrt{10^{18}}+\sqrt{11}-10^{9}-10^{9}+10^{9}`, decimals(3)],
  ],
  near: [
    [R`\sqrt{2}`, R`10^{18}+\sqrt{3}-10^{18}`],
    [R`1.7322`, R`10^{18}+\sqrt{3}-10^{18}`, decimals(4)],
    [R`1.8`, R`10^{18}+\sqrt{3}-10^{18}`, within("0.01")],
    [R`x+1`, R`10^{18}+x-10^{18}`],
    [R`\pi`, R`3.1417`, decimals(4)],
    [R`1000\sqrt2`, R`1414.216`, decimals(3)],
    [R`0`, R`\tan(\frac{\pi}{2}-10^{-20})`, decimals(3)],
    [R`0`, R`\frac{1}{10^{18}+10^{-3}\sqrt2-10^{18}}`, decimals(3)],
    [R`10^{18}`, R`10^{18}+\sqrt{3}`, decimals(2)],
    [R`10^{18}+\sqrt2`, R`10^{18}+\sqrt3`, within("1e-3")],
    [R`10^{18}\sqrt2`, R`10^{18}\sqrt2+1`, within("0.5")],
    [R`e^{40}`, R`e^{40}+0.01`, decimals(3)],
    [R`0`, R`\sqrt2\cdot 10^{20}-141421356237309504881`, decimals(2)],
    [R`3`, R`\frac{\sqrt{2}(10^{17}+2)-10^{17}\sqrt2}{\sqrt2}+2`, decimals(3)],
    [R`\ln(10^{30}+10^{28})`, R`\ln(10^{30})`, decimals(3)],
    [R`1`, R`10^{15}\sin(10^{-15})+0.1`, decimals(2)],
  ],
};
