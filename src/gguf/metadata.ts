import type { ByteCursor } from "./byte-cursor.ts";
import { headerError } from "./header-error.ts";

const maxPairs = 2 ** 16;
const maxKeyBytes = 2 ** 16 - 1;
const maxStringBytes = 16 * 2 ** 20;
// All arrays together: bounds what a file of one-byte elements can blow up to in JavaScript.
const maxElements = 2 ** 23;
const stringType = 8;
const arrayType = 9;
const smallestPair = 8 + 1 + 4 + 1;

/** A fixed-size value type: its name, its bytes, and how to read one. */
interface Scalar {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number | bigint | boolean;
}

const safe = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

const scalars: Readonly<Record<number, Scalar>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => safe(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => safe(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** What reading one header carries along: the cursor, the file's name, and how many array elements are still allowed. */
interface Reading {
  readonly cursor: ByteCursor;
  readonly file: string;
  elementsLeft: number;
}

/**
 * Reads the length of a string and makes its bytes readable.
 *
 * @throws {InferenceError} `format` if it is longer than `limit` or than what is left of the file
 */
export async function stringLength(
  cursor: ByteCursor,
  file: string,
  field: { what: string; limit: number },
): Promise<number> {
  if (!cursor.has(8)) await cursor.fill(8, `the length of ${field.what}`);
  const at = cursor.position;
  const length = cursor.u64();
  if (length > field.limit) {
    throw headerError(
      file,
      `${field.what} at byte ${at} says it is ${length} bytes long; at most ${field.limit} are allowed`,
      {
        offset: at,
      },
    );
  }
  if (!cursor.has(length)) await cursor.fill(length, field.what);
  return length;
}

async function readArray(reading: Reading, key: string): Promise<unknown[]> {
  const { cursor, file } = reading;
  const what = `array "${key}"`;
  await cursor.fill(12, what);
  const at = cursor.position;
  const type = cursor.u32();
  const count = cursor.u64();
  const scalar = scalars[type];
  if (!scalar && type !== stringType) {
    const found = type === arrayType ? "arrays, which llama.cpp does not read" : `unknown type ${type}`;
    throw headerError(file, `${what} at byte ${at} holds values of ${found}; numbers, booleans or strings are wanted`, {
      offset: at,
    });
  }
  const smallest = count * (scalar?.bytes ?? 8);
  if (count > reading.elementsLeft || smallest > cursor.remaining) {
    throw headerError(
      file,
      `${what} at byte ${at} says it has ${count} elements; ${cursor.remaining} bytes and ${reading.elementsLeft} elements are what is left to it`,
      { offset: at },
    );
  }
  reading.elementsLeft -= count;
  const element = { what: `a string of ${what}`, limit: maxStringBytes };
  // Grown by push: a count in the file never sizes an allocation.
  const values: unknown[] = [];
  for (let index = 0; index < count; index++) {
    if (scalar) {
      if (!cursor.has(scalar.bytes)) await cursor.fill(scalar.bytes, what);
      const { view, at: where } = cursor.take(scalar.bytes);
      values.push(scalar.read(view, where));
    } else {
      // Almost all are in the window already, and a vocabulary has 152k of them: an await each would double the time.
      values.push(cursor.shortText() ?? cursor.text(await stringLength(cursor, file, element)));
    }
  }
  return values;
}

async function readValue(reading: Reading, key: string, type: number): Promise<unknown> {
  const { cursor, file } = reading;
  if (type === arrayType) return readArray(reading, key);
  if (type === stringType)
    return cursor.text(await stringLength(cursor, file, { what: `the value of "${key}"`, limit: maxStringBytes }));
  const scalar = scalars[type];
  if (!scalar) {
    throw headerError(
      file,
      `"${key}" has the unknown value type ${type} at byte ${cursor.position - 4}; 0 to 12 are known`,
      {
        offset: cursor.position - 4,
      },
    );
  }
  if (!cursor.has(scalar.bytes)) await cursor.fill(scalar.bytes, `the value of "${key}"`);
  const { view, at } = cursor.take(scalar.bytes);
  return scalar.read(view, at);
}

/**
 * Reads the key-value pairs of a GGUF header. 64-bit integers are numbers where that is exact, else bigints.
 *
 * @throws {InferenceError} `format`
 */
export async function readMetadata(cursor: ByteCursor, file: string, pairs: number): Promise<Map<string, unknown>> {
  if (pairs > maxPairs || pairs * smallestPair > cursor.remaining) {
    throw headerError(
      file,
      `the header says it has ${pairs} key-value pairs; at most ${maxPairs} are allowed and ${cursor.remaining} bytes are left for them`,
    );
  }
  const reading: Reading = { cursor, file, elementsLeft: maxElements };
  const metadata = new Map<string, unknown>();
  for (let index = 0; index < pairs; index++) {
    const at = cursor.position;
    const length = await stringLength(cursor, file, {
      what: `key ${index + 1} of ${pairs}`,
      limit: maxKeyBytes,
    });
    const key = cursor.text(length, true);
    if (key === undefined || key === "") {
      throw headerError(file, `key ${index + 1} of ${pairs} at byte ${at} is not a text; non-empty UTF-8 is wanted`, {
        offset: at,
      });
    }
    if (metadata.has(key)) throw headerError(file, `the key "${key}" at byte ${at} is there twice`, { offset: at });
    if (!cursor.has(4)) await cursor.fill(4, `the type of "${key}"`);
    metadata.set(key, await readValue(reading, key, cursor.u32()));
  }
  return metadata;
}
