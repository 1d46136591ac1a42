/** How a handler guards its model, and what it calls itself. */
export interface HandlerOptions {
  /** One key or several, each not empty; clients send one as `Authorization: Bearer …`. Default: none is asked for. */
  apiKey?: string | readonly string[];
  /** The origin whose pages may call, such as "https://chat.example", or "*" for all. Default: no page may. */
  cors?: string;
  /** How many requests may wait while one is answered, 0 or more; whoever comes then gets 429. Default 16. */
  maxQueue?: number;
  /** Bytes that the body of a request may have, at least 1; more gets 413. Default 10 MiB. */
  maxBodyBytes?: number;
  /** The names that requests may ask for, the first of which answers bear. Default: the model's own name. */
  modelId?: string | readonly string[];
  /** Told of every failure that was the server's, not the client's; must not throw. Default: nobody is told. */
  onerror?: (error: unknown) => void;
}

/** The same, checked, with nothing left out. */
export interface Settings {
  readonly apiKeys: readonly string[];
  readonly cors: string | undefined;
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  /** None: the model's own name. */
  readonly modelIds: readonly string[];
  readonly onerror: (error: unknown) => void;
}

/** @throws {TypeError | RangeError} if an option is not of its kind */
export function readOptions(options: HandlerOptions): Settings {
  if (typeof options !== "object" || options === null) throw new TypeError("The options must be an object");
  const { apiKey, cors, maxQueue = 16, maxBodyBytes = 10 * 2 ** 20, modelId, onerror } = options;
  if (cors !== undefined && cors !== "*" && originOf(cors) !== cors) {
    throw new TypeError(`cors must be "*" or an origin such as "https://chat.example", not ${JSON.stringify(cors)}`);
  }
  if (onerror !== undefined && typeof onerror !== "function") throw new TypeError("onerror must be a function");
  return {
    apiKeys: apiKey === undefined ? [] : texts("apiKey", apiKey),
    cors,
    maxQueue: wholeNumber("maxQueue", maxQueue, 0),
    maxBodyBytes: wholeNumber("maxBodyBytes", maxBodyBytes, 1),
    modelIds: modelId === undefined ? [] : texts("modelId", modelId),
    onerror: onerror ?? (() => {}),
  };
}

/** An empty list is refused, too: of keys it would open what was meant to be closed. */
function texts(name: string, value: string | readonly string[]): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const good = list.filter((text) => typeof text === "string").filter((text) => text !== "");
  if (good.length > 0 && good.length === list.length) return good;
  throw new TypeError(`${name} must be a string that is not empty, or an array of at least one of them`);
}

function wholeNumber(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`${name} must be a whole number, ${min} or more, not ${String(value)}`);
}

function originOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).origin : undefined;
}
