import type { CallFamily } from "./tool-calls.ts";

// JSON as a model writes it in one line: without room for blanks, it can't go on with them for ever.
const json = String.raw`
object ::= "{" ( pair ( "," space pair )* )? "}"
pair ::= string ":" space value
array ::= "[" ( value ( "," space value )* )? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" ( [^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" hex hex hex hex ) )* "\""
hex ::= [0-9a-fA-F]
number ::= "-"? ( "0" | [1-9] [0-9]* ) ( "." [0-9]+ )? ( [eE] [-+]? [0-9]+ )?
space ::= " "?
`;

/**
 * A GBNF grammar of one call, as the family writes it, to one of the tools named; undefined if the family calls no tools.
 * Its arguments are any JSON object.
 */
export function forcedCallGrammar(
  { callFormat }: Pick<CallFamily, "callFormat">,
  names: readonly string[],
): string | undefined {
  if (callFormat === "none") return undefined;
  // A JSON string is a literal of GBNF, too.
  if (callFormat === "name-line") {
    const name = names.map((text) => JSON.stringify(text)).join(" | ");
    return `root ::= name "\\n" object\nname ::= ${name}\n${json}`;
  }
  const name = names.map((text) => JSON.stringify(JSON.stringify(text))).join(" | ");
  const [before, after] = callFormat === "json-object" ? ["", ""] : ["<tool_call>\n", "\n</tool_call>"];
  const [open, between, close] = [`${before}{"name": `, ', "arguments": ', `}${after}`].map((text) =>
    JSON.stringify(text),
  );
  return `root ::= ${open} name ${between} object ${close}\nname ::= ${name}\n${json}`;
}
