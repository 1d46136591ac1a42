const months = "January February March April May June July August September October November December".split(" ");
const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

const fields: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => pad(date.getFullYear() % 100, 2),
  m: (date) => pad(date.getMonth() + 1, 2),
  d: (date) => pad(date.getDate(), 2),
  B: (date) => months[date.getMonth()] ?? "",
  b: (date) => (months[date.getMonth()] ?? "").slice(0, 3),
  A: (date) => days[date.getDay()] ?? "",
  a: (date) => (days[date.getDay()] ?? "").slice(0, 3),
  H: (date) => pad(date.getHours(), 2),
  I: (date) => pad(((date.getHours() + 11) % 12) + 1, 2),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  M: (date) => pad(date.getMinutes(), 2),
  S: (date) => pad(date.getSeconds(), 2),
  "%": () => "%",
};

/**
 * Formats a local date as Python's `strftime` does in the C locale, which is what models were trained on.
 *
 * @param format Fields that are not among Y y m d B b A a H I p M S stay as they are.
 */
export function formatDate(date: Date, format: string): string {
  return format.replace(/%([A-Za-z%])/g, (field, letter: string) => fields[letter]?.(date) ?? field);
}
