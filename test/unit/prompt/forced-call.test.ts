import { expect, test } from "vitest";
import { forcedCallGrammar } from "../../../src/prompt/forced-call.ts";

test("forcedCallGrammar() begins with the name of a tool, as the family writes it", () => {
  const names = ["search", 'say "hi"'];
  expect(forcedCallGrammar({ callFormat: "name-line" }, names)).toMatch(
    /^root ::= name "\\n" object\nname ::= "search" \| "say \\"hi\\""\n/,
  );
  expect(forcedCallGrammar({ callFormat: "tool-call-tags" }, ["search"])).toContain(
    String.raw`root ::= "<tool_call>\n{\"name\": " name ", \"arguments\": " object "}\n</tool_call>"
name ::= "\"search\""
`,
  );
  expect(forcedCallGrammar({ callFormat: "json-object" }, ["search"])).toContain(
    String.raw`root ::= "{\"name\": " name ", \"arguments\": " object "}"
name ::= "\"search\""
`,
  );
});

test("forcedCallGrammar() has no way for a family that calls no tools", () => {
  expect(forcedCallGrammar({ callFormat: "none" }, ["search"])).toBeUndefined();
});
