// The metadata of a GGUF file as bytes, to be put into another one unchanged.

/** Bytes of values by GGUF's number of their type; texts and arrays say their own length. */
const sizes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const textType = 8;
const arrayType = 9;

/** Type and value of each key. */
export function rawMetadata(file: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 8 + 8;
  const number = (bytes: 4 | 8): number => {
    const value = bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
    at += bytes;
    return value;
  };
  const skip = (type: number): void => {
    const size = sizes[type];
    if (size !== undefined) {
      at += size;
    } else if (type === textType) {
      const length = number(8);
      at += length;
    } else if (type === arrayType) {
      const itemType = number(4);
      const count = number(8);
      const itemSize = sizes[itemType];
      if (itemSize !== undefined) at += count * itemSize;
      else for (let item = 0; item < count; item += 1) skip(itemType);
    } else {
      throw new Error(`GGUF has no type ${type}`);
    }
  };
  const values = new Map<string, Uint8Array>();
  for (let left = number(8); left > 0; left -= 1) {
    const length = number(8);
    const key = new TextDecoder().decode(file.subarray(at, at + length));
    at += length;
    const start = at;
    skip(number(4));
    values.set(key, file.subarray(start, at));
  }
  return values;
}
