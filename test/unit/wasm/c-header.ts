// What wasm/glue/api.h declares, read from its text.

export interface Prototype {
  /** Kinds of arguments as src/wasm/abi.ts writes them: `p` address or size, `i` 32-bit number, `l` 64-bit number. */
  readonly takes: string;
  /** `p`, `i`, or nothing. */
  readonly returns: string;
}

/** @throws {TypeError} for a type that the interface has no kind for */
export function prototypes(header: string): Map<string, Prototype> {
  const found = withoutComments(header).matchAll(/^RUMINATE_API\s+([\w\s*]+?)\b(ruminate_\w+)\(([^)]*)\);/gm);
  return new Map(
    Array.from(found, ([, returned = "", name = "", list = ""]) => {
      const given = list.trim() === "void" ? [] : list.split(",");
      const returns = returned.trim() === "void" ? "" : kindOf(returned);
      return [name, { takes: given.map(kindOf).join(""), returns }];
    }),
  );
}

/** Of a structure's fields in order, whether each is an integer or a double; names as JavaScript writes them. */
export function fieldsOf(header: string, structure: string): [name: string, kind: "int" | "float"][] {
  const body = new RegExp(`struct ${structure} \\{([^}]*)\\}`).exec(withoutComments(header))?.[1];
  if (body === undefined) throw new TypeError(`There is no structure ${structure}`);
  const declarations = body.split(";").map((line) => line.trim());
  return declarations.filter(Boolean).flatMap((declaration) => {
    const [, type, names = ""] = /^(int64_t|double)\s+(.+)$/s.exec(declaration) ?? [];
    if (type === undefined)
      throw new TypeError(`${structure} has a field that is not 8 bytes of a number: ${declaration}`);
    const kind = type === "double" ? "float" : "int";
    return names.split(",").map((name): [string, "int" | "float"] => [camelCase(name.trim()), kind]);
  });
}

/** The numbers of an enumeration whose names all say their own. */
export function enumerationOf(header: string, enumeration: string): Map<string, number> {
  const body = new RegExp(`enum ${enumeration}\\b[^{]*\\{([^}]*)\\}`).exec(withoutComments(header))?.[1] ?? "";
  return new Map(Array.from(body.matchAll(/(\w+)\s*=\s*(\d+)/g), ([, name = "", number]) => [name, Number(number)]));
}

function kindOf(declaration: string): string {
  if (declaration.includes("*") || /\bsize_t\b/.test(declaration)) return "p";
  if (/\bint32_t\b/.test(declaration)) return "i";
  if (/\bint64_t\b/.test(declaration)) return "l";
  throw new TypeError(`There is no kind for ${declaration}`);
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\/.*$/gm, "");
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
