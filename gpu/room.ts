/** How many items a device has room for. */

/** Part of the free memory for arrays; what is left is scratch and slack. */
const ARRAYS = 0.4;

/**
 * Items of a batch for a device with so many bytes free; one where the slack is all that is missing.
 *
 * @param each - bytes of an item
 * @param item - what one is called
 * @param resident - bytes of a job whatever the batch
 * @throws RangeError where not even one fits
 */
export function roomFor(free: number, each: number, item: string, resident = 0): number {
  const items = Math.floor((ARRAYS * free - resident) / each);
  if (items >= 1) return items;
  if (resident + each > free) {
    throw new RangeError(`a job needs ${resident} bytes and ${each} a ${item}, the device has ${free} free`);
  }
  return 1;
}
