/** Faults that the operating system reports, told in one sentence that names the file. */
import { InputError } from "./input_error.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a folder, expected a file",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "no space left on the device",
  EDQUOT: "disk quota exceeded",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
};

/** Reason of a system error in words. */
export function systemReason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return (code !== undefined ? REASONS[code] : undefined) ?? message ?? String(error);
}

/** InputError of the form `path: what: reason`. */
export function inputFault(error: unknown, path: string, what: string): InputError {
  return new InputError(`${path}: ${what}: ${systemReason(error)}`, { cause: error });
}
