/** Adds "did you mean" to what the parser says of a word it does not know. */
import type { Usage, UsageTerm } from "@optique/core/usage";
import { closest } from "./closest.ts";

/** Option and command names in a usage, as far as the commands already given lead. */
function words(usage: Usage, given: ReadonlySet<string>, into: Set<string>): void {
  for (const term of usage) {
    if (term.type === "option") { for (const name of term.names) into.add(name); }
    else if (term.type === "command") {
      into.add(term.name);
      if (!given.has(term.name)) return;
    } else if (term.type === "exclusive") { for (const branch of term.terms) words(branch, given, into); }
    else if ("terms" in term) words((term as UsageTerm & { terms: Usage }).terms, given, into);
  }
}

/** The parser's sentence, made ours: which word, and which known one is near. */
export function explain(text: string, usage: Usage, args: readonly string[]): string {
  const sentence = text.replace(/^Error: /, "error: ").trimEnd();
  const unknown =
    /^error: Unexpected option or (?:subcommand|argument): [`"](.+?)[`"]\.(?:\s+Did you mean .*)?$/s.exec(
      sentence,
    )?.[1];
  const known = new Set<string>(["--help"]);
  words(usage, new Set(args), known);
  const commands = [...known].filter((word) => !word.startsWith("-"));
  if (sentence.startsWith("error: No matching option, command")) {
    const command = args.find((word) => commands.includes(word));
    return `error: ${
      command === undefined ? "No command given" : `"${args.join(" ")}" is not complete`
    }; see twinspec ${command === undefined ? "" : command + " "}--help.`;
  }
  if (unknown === undefined) return sentence;
  const option = unknown.startsWith("-");
  const name = unknown.replace(/=.*/s, "");
  const near = closest(name, [...known].filter((word) => word.startsWith("-") === option)) ??
    (option ? [...known].find((word) => word.startsWith(name) && name.length > 3) ?? null : null);
  const kind = option ? "option" : commands.some((word) => args.includes(word)) ? "argument" : "command";
  return `error: Unknown ${kind} ${name}${near === null ? "" : `; did you mean ${near}?`}`;
}
