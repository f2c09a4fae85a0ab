/** stub */
export function drawFrame(_frame: string, _folder: string): Promise<string[]> {
  return Promise.resolve([]);
}
