/** Why a request is not answered. */
export interface Refusal {
  status: number;
  why: string;
}

/**
 * Why a request is not answered; undefined where it is. A page of another origin may ask this address, and a name of its own may lead here
 * (DNS rebinding): then Origin or Host tell it. No request changes anything, so none but GET is known.
 */
export function refusalOf({ method, headers }: Request, port: number): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const host = headers.get("host");
  if (host === null || !hosts.includes(host.toLowerCase())) {
    return { status: 403, why: `This is 127.0.0.1:${port}, and not ${JSON.stringify(host)}.` };
  }
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${host.toLowerCase()}`) {
    return { status: 403, why: "Pages of other origins are not answered." };
  }
  const site = headers.get("sec-fetch-site");
  const isVisit = headers.get("sec-fetch-mode") === "navigate";
  if (site !== null && !["same-origin", "none"].includes(site) && !isVisit) {
    return { status: 403, why: "Pages of other sites are not answered." };
  }
  if (method !== "GET" && method !== "HEAD") return { status: 405, why: "Nothing can be changed here." };
  return undefined;
}
