import { UserError } from "../../gpu/errors.ts";
import { safeText } from "../terminal/safe_text.ts";

/** What a request is refused with, in the shape that OpenAI's clients read. */
export class ApiError extends Error {
  /** Its class, for messages. */
  override name = "ApiError";

  /**
   * The error.
   *
   * @param status of the answer
   * @param message what was found, and what is needed
   * @param param the field of the request that it is about
   * @param code what programs tell it by
   * @param headers of the answer
   */
  constructor(
    readonly status: number,
    message: string,
    readonly param: string | null = null,
    readonly code: string | null = null,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** Types by status, as OpenAI names them. */
const TYPES: Record<number, string> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "server_error",
  504: "server_error",
};

/** The body of an error, also within a stream. */
export const errorBody = ({ status, message, param, code }: ApiError) => ({
  error: { message: safeText(message), type: TYPES[status] ?? "invalid_request_error", param, code },
});

/** An error as an answer. */
export const errorResponse = (error: ApiError): Response =>
  Response.json(errorBody(error), { status: error.status, headers: error.headers });

/** What a mistake in a request is, told by the parts that found it: a text that cannot be encoded, a template that refuses. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UserError) return new ApiError(400, error.message);
  return new ApiError(500, "Something went wrong: the server's log says what");
}
