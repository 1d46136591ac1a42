import { describe, expect, test } from "vitest";
import { schemaProblems } from "../../../src/prompt/json-schema.ts";

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 }, tags: { items: { type: "string" } } },
  required: ["name"],
  additionalProperties: false,
};
const tree = {
  $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" }, value: { type: "number" } } } },
  $ref: "#/$defs/node",
};

describe("schemaProblems()", () => {
  test.each<[unknown, unknown]>([
    [{ name: "Ned", age: 3, tags: ["a"] }, person],
    [{ anything: 1 }, {}],
    [{ anything: 1 }, true],
    [1, { type: ["string", "number"] }],
    [2.0, { type: "integer" }],
    [null, { type: "null" }],
    ["b", { enum: ["a", "b"] }],
    [{ b: [1], a: 2 }, { const: { a: 2, b: [1] } }],
    ["👍👍", { minLength: 2, maxLength: 2 }],
    ["a1", { pattern: "^[a-z]\\d$" }],
    ["a1", { pattern: "(" }],
    [0.3, { multipleOf: 0.1 }],
    [5, { minimum: 5, maximum: 5, exclusiveMinimum: 4, exclusiveMaximum: 6 }],
    [[1, "a", true], { prefixItems: [{ type: "number" }, { type: "string" }], items: { type: "boolean" } }],
    [[{ a: 1 }, { a: 2 }], { uniqueItems: true, minItems: 2, maxItems: 2 }],
    [{ x_a: 1 }, { patternProperties: { "^x_": { type: "number" } }, additionalProperties: false }],
    [{ a: "b" }, { additionalProperties: { type: "string" }, minProperties: 1, maxProperties: 1 }],
    [1, { anyOf: [{ type: "string" }, { type: "number" }] }],
    [1, { oneOf: [{ type: "string" }, { type: "number" }] }],
    [1, { allOf: [{ type: "number" }, { minimum: 1 }], not: { const: 2 } }],
    [{ value: 1, next: { value: 2, next: {} } }, tree],
    [1, { $ref: "other.json#/a" }],
    [1, { $ref: "#/no/where" }],
    [1, { $defs: { "a/b": { type: "number" } }, $ref: "#/$defs/a~1b" }],
  ])("lets %j pass by %j", (value, schema) => {
    expect(schemaProblems(value, schema)).toEqual([]);
  });

  test.each<[unknown, unknown, string]>([
    [{}, person, "name is missing"],
    [{ name: 1 }, person, "name must be of type string, not number"],
    [{ name: "Ned", age: -1 }, person, "age must be at least 0"],
    [{ name: "Ned", age: 1.5 }, person, "age must be of type integer, not number"],
    [{ name: "Ned", tags: ["a", null] }, person, "tags[1] must be of type string, not null"],
    [{ name: "Ned", shoe: 1 }, person, "shoe is not allowed"],
    [[], { type: "object" }, "the whole must be of type object, not array"],
    ["1", { type: ["number", "null"] }, "the whole must be of type number or null, not string"],
    ["c", { enum: ["a", "b"] }, 'the whole must be one of "a", "b"'],
    ["c", { const: "a" }, 'the whole must be "a"'],
    ["a", { minLength: 2 }, "the whole is shorter than 2"],
    ["abc", { maxLength: 2 }, "the whole is longer than 2"],
    ["a", { pattern: "^b" }, "the whole must match ^b"],
    [6, { maximum: 5 }, "the whole must be at most 5"],
    [5, { exclusiveMinimum: 5 }, "the whole must be more than 5"],
    [5, { exclusiveMaximum: 5 }, "the whole must be less than 5"],
    [7, { multipleOf: 2 }, "the whole must be a multiple of 2"],
    [[], { minItems: 1 }, "the whole has fewer than 1 items"],
    [[1, 2], { maxItems: 1 }, "the whole has more than 1 items"],
    [
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      { uniqueItems: true },
      "the whole has an item twice",
    ],
    [[1], { prefixItems: [{ type: "string" }] }, "[0] must be of type string, not number"],
    [{ a: {} }, { properties: { a: { required: ["b"] } } }, "a.b is missing"],
    [{}, { minProperties: 1 }, "the whole has fewer than 1 properties"],
    [{ a: 1 }, { maxProperties: 0 }, "the whole has more than 0 properties"],
    [{ x_a: "" }, { patternProperties: { "^x_": { type: "number" } } }, "x_a must be of type number, not string"],
    [{ a: 1 }, { additionalProperties: { type: "string" } }, "a must be of type string, not number"],
    [true, { anyOf: [{ type: "string" }, { type: "number" }] }, "the whole fits none of"],
    [true, { oneOf: [{ type: "string" }] }, "the whole fits none of"],
    [1, { oneOf: [{ type: "number" }, { minimum: 0 }] }, "the whole fits 2 alternatives"],
    [1, { allOf: [{ minimum: 2 }] }, "the whole must be at least 2"],
    [1, { not: { type: "number" } }, "the whole has a form that is excluded"],
    [{ next: { next: { value: "" } } }, tree, "next.next.value must be of type number, not string"],
    [1, false, "the whole is not allowed"],
  ])("says what is wrong with %j by %j", (value, schema, problem) => {
    const [first] = schemaProblems(value, schema);
    expect(first).toContain(problem);
  });

  test("ends where a schema refers to itself alone, or grows at each step", () => {
    expect(schemaProblems(1, { $ref: "#" })).toMatchObject([expect.stringContaining("too deep")]);
    const growing = { anyOf: Array.from({ length: 10 }, () => ({ $ref: "#" })) };
    expect(schemaProblems(1, growing)[0]).toContain("too deep");
  });

  test("has a few problems to tell, not thousands", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, index]));
    expect(schemaProblems(many, { additionalProperties: false }).length).toBeLessThan(10);
  });

  test("takes names of an object's own alone", () => {
    expect(schemaProblems({}, { required: ["toString"] })).toEqual(["toString is missing"]);
    expect(schemaProblems({ constructor: 1 }, { properties: {}, additionalProperties: false })).toHaveLength(1);
  });
});
