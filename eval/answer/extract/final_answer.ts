/** Sentences such as "the final answer is 7", in the languages in which replies are written. */
import { boxedAnswer } from "../box.ts";
import type { Extracted, Place } from "./extracted.ts";
import { isProse, lastNumber, lastSpan, percentBehind } from "./spans.ts";

const ENGLISH = "final answer(?: is(?!n['’]t)|:)|answer(?: is(?!n['’]t)|:| should be)|final answer(?! is)";

/** What "the answer is" is called where words stand apart; a word begins there. */
const SPACED = [
  ENGLISH,
  "(?:respuesta|solución)(?: final| correcta)?(?: es| sería| será|:)",
  "réponse(?: finale| correcte)?(?: est| :|:)",
  "(?:antwort|lösung|ergebnis|endergebnis)(?: ist| lautet| beträgt|:)",
  "risposta(?: finale| corretta| giusta)?(?: è|:)",
  "respost[ae](?: final| correta)?(?: é| és| será|:)",
  "ответ(?: равен| это| будет|:| [—–-])",
  "відповідь(?: дорівнює| це| є|:| [—–-])",
  "odpowiedź(?: to| wynosi| brzmi| jest|:)",
  "odpověď(?: je|:)",
  "antwoord(?: is| luidt|:)",
  "svaret? (?:är|er|blir)|svar:",
  "vastaus(?: on|:)",
  "(?:cevap|yanıt|cevabı|yanıtı):?(?= )|(?:cevap|yanıt):",
  "răspunsul(?: final| corect)?(?: este|:)|răspuns:",
  "válasz:?(?= )|válasz:",
  "απάντηση(?: είναι|:)",
  "(?:الجواب|الإجابة|الاجابة)(?: النهائية| النهائي| الصحيحة| الصحيح)?(?: هو| هي|:|(?= ))",
  "(?:پاسخ|جواب)(?: نهایی)?(?: برابر است با| برابر با|:|(?= ))",
  "התשובה(?: הסופית| הנכונה)?(?: היא| הינה|:)",
  "उत्तर(?: है|:|(?= ))",
  "উত্তর(?: হল| হলো|:|(?= ))",
  "(?:விடை|பதில்)(?::|(?= ))",
  "(?:సమాధానం|జవాబు)(?::|(?= ))",
  "(?:đáp án|đáp số|câu trả lời)(?: cuối cùng| đúng)?(?: là|:)",
  "(?:jawaban|jawabannya|jawapan)(?: akhir| akhirnya| yang benar)?(?: adalah| ialah|:)",
  "jibu(?: la mwisho| sahihi)?(?: ni|:)",
];

/** The same in scripts that leave no space between words. */
const UNSPACED = [
  "(?:答案|答)(?:应该|应|就)?(?:是|为|為|等于|:)",
  "(?:答え|解答|回答)(?:は|が|:)",
  "(?:정답|답변|답)(?:은|는|이|:)",
  "คำตอบ(?:สุดท้าย)?(?:ที่ถูกต้อง)?(?:คือ|เท่ากับ|:)",
];

const FINAL = new RegExp(`(?:(?<![\\p{L}])(?:${SPACED.join("|")})|${UNSPACED.join("|")})[\\s:*]*`, "giu");
/** A text without any of these has no such sentence: English, or another script or an accent. */
const MAY_HAVE = new RegExp(
  "answer|respuesta|antwort|ergebnis|risposta|respost|antwoord|svar|vastaus|cevap|jawab|jawapan|jibu|\\P{ASCII}",
  "iu",
);

const SENTENCE = /^[^\n]*?(?=\.(?:\s|$)|[。！？।۔]|\n|<\||$)/;

/** The sentence behind the last "final answer is", or the answer in it. */
export function finalAnswer(text: string): Place | null {
  if (!MAY_HAVE.test(text)) return null;
  for (const m of [...text.matchAll(FINAL)].reverse()) {
    const at = m.index + m[0].length;
    const sentence = SENTENCE.exec(text.slice(at, at + 2000))?.[0].trim() ?? "";
    if (sentence === "") continue;
    const box = boxedAnswer(sentence);
    const found = box
      ? { text: box.text + percentBehind(sentence.slice(box.to)), plain: false }
      : inSentence(sentence);
    if (found) return { found, at };
  }
  return null;
}

function inSentence(sentence: string): Extracted | null {
  if (!isProse(sentence)) return { text: sentence, plain: !/[$\\^_{}]/.test(sentence) };
  const span = lastSpan(sentence);
  const number = lastNumber(sentence);
  if (span && (!number || number.at < span.at)) return span.found;
  return number?.found ?? brief(sentence);
}

/** A word or two without a sign of anything else. */
export function brief(text: string): Extracted | null {
  const words = text.replace(/[*"“”]/g, "").trim();
  return /^[A-Za-z][A-Za-z -]{0,40}\.?$/.test(words) && words.split(/\s+/).length <= 4
    ? { text: words, plain: false }
    : null;
}
