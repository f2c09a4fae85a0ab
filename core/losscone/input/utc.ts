/** Times of sweeps. */

/** Seconds since 1970-01-01T00:00:00 UTC, leap seconds not counted. */
export type UnixSeconds = number;

const DATE = /^(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d*)?))?Z?$/;

/** Reads `1999-04-29T14:45:00.123`, or with the day of the year, `1999-119T14:45:00.123`. NaN for anything else. */
export function parseUtc(text: string): UnixSeconds {
  const match = DATE.exec(text.trim());
  if (match === null) return NaN;
  const [, year, month, day, ofYear, hour, minute, second = "0"] = match;
  const date = ofYear === undefined
    ? Date.UTC(Number(year), Number(month) - 1, Number(day))
    : Date.UTC(Number(year), 0, Number(ofYear));
  const back = new Date(date);
  const legal = back.getUTCFullYear() === Number(year) &&
    (month === undefined || back.getUTCMonth() === Number(month) - 1) &&
    Number(ofYear ?? 1) >= 1 && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 61;
  return legal ? date / 1000 + 3600 * Number(hour) + 60 * Number(minute) + Number(second) : NaN;
}
