/**
 * Stand-in for the JSR package `@cliffy/command`, for machines that cannot reach JSR: a facade over npm
 * `commander`, which parses, checks, suggests and writes the help. Names, signatures and messages are
 * Cliffy's; only the part of its API that this project uses is here.
 *
 * @module
 */
export { Command, type CommandResult, type ErrorHandler } from "./command.ts";
export { type OptionOptions } from "./option.ts";
export { type ArgumentValue, EnumType, type TypeHandler, type TypeOrTypeHandler } from "./types.ts";
export { ValidationError, type ValidationErrorOptions } from "./errors.ts";
