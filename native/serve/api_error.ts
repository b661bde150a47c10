/** What a caller is told who cannot be served: a status of HTTP, and OpenAI's body for it. */
import { UserError } from "../../src/errors/user_error.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import { ChatTemplateError } from "../../src/tokenizer/chat_template_error.ts";
import { EngineDisposedError } from "../inference/native_engine.ts";

export interface ApiErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

const typesOfStatus: Record<number, string> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "overloaded_error",
  504: "timeout_error",
};

export class ApiError extends UserError {
  override name = "ApiError";
  readonly status: number;
  /** The field of the request that is wrong. */
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, { param, code }: { param?: string; code?: string } = {}) {
    super(message);
    this.status = status;
    this.param = param ?? null;
    this.code = code ?? null;
  }

  body(): ApiErrorBody {
    const { message, param, code, status } = this;
    return { error: { message, type: typesOfStatus[status] ?? "invalid_request_error", param, code } };
  }
}

/** A field whose value this server does not serve. */
export function unsupported(param: string, what: string): ApiError {
  return new ApiError(400, `${param}: ${what}`, { param, code: "unsupported_value" });
}

/** Errors of the model's side as a caller sees them; null for those that are nobody's request. */
export function asApiError(error: unknown): ApiError | null {
  if (error instanceof ApiError) return error;
  if (error instanceof EngineDisposedError) return new ApiError(503, "the server is shutting down");
  if (error instanceof RequestError) {
    const isTooLong = /context|capacity|positions/.test(error.message);
    return new ApiError(400, error.message, isTooLong ? { code: "context_length_exceeded" } : {});
  }
  if (error instanceof ChatTemplateError) return new ApiError(400, error.message, { param: "messages" });
  return null;
}
