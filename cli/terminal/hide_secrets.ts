import { TOKEN_VARIABLES, variable } from "../../model/hub/hub_environment.ts";

/** What counts as a secret, and what stands before it that may be shown. */
const SECRETS: readonly RegExp[] = [
  // Tokens of the hub.
  /()\b(?:hf|api_org)_[A-Za-z0-9]{16,}/g,
  // A name and a password in an address.
  /(:\/\/)[^\s/@]+(?=@)/g,
  /(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi,
  // Signed links are rights for whoever has them.
  /([?&](?:x-amz-[a-z-]+|signature|key-pair-id|policy|sig|(?:access_)?token)=)[^&\s"'<>()]+/gi,
];

let noted: readonly string[] | undefined;

/** Notes the values of the variables that hold tokens, for when they may no longer be asked for. */
export function noteSecrets(): void {
  noted = tokens();
}

function tokens(): string[] {
  return TOKEN_VARIABLES.map(variable).filter((value) =>
    value !== undefined && value.length >= 6
  ) as string[];
}

/** A message without secrets: known forms of them, and the values of the variables that hold tokens. */
export function hideSecrets(message: string): string {
  const known = (noted ?? tokens()).reduce((text, value) => text.replaceAll(value, "***"), message);
  return SECRETS.reduce((text, pattern) => text.replace(pattern, "$1***"), known);
}
