/** Opens a file of spectra of any known kind. The kind is told by what is in the file, never by its name. */
import { looksLikeDesi, looksLikeDesiFrame, openDesi, openDesiFrame } from "./desi.ts";
import { FitsFile } from "./fits_read.ts";
import { InputError } from "./input_error.ts";
import { looksLikeLamost, openLamost } from "./lamost.ts";
import { looksLikeSdss, openSdss } from "./sdss.ts";
import type { SpectrumFile } from "./spectra.ts";

/**
 * @param path - DESI coadd, spectra, frame or cframe; SDSS or BOSS spec; LAMOST low-resolution; gzip-compressed or plain
 * @throws InputError where the file is missing, cut off, damaged, of no known kind, or lacks something
 */
export function openSpectra(path: string): SpectrumFile {
  const file = FitsFile.open(path);
  try {
    return recognised(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function recognised(file: FitsFile): SpectrumFile {
  if (looksLikeDesi(file)) return openDesi(file);
  if (looksLikeDesiFrame(file)) return openDesiFrame(file);
  if (looksLikeSdss(file)) return openSdss(file);
  if (looksLikeLamost(file)) return openLamost(file);
  const names = file.hdus.map((hdu) => hdu.name || `[${hdu.index}]`).join(", ");
  const redrock = file.find("REDSHIFTS") ?? file.find("ZBEST");
  throw new InputError(
    redrock === null
      ? `${file.path}: holds no spectra of a known kind (DESI, SDSS, LAMOST); its HDUs are ${names}`
      : `${file.path}: is a table of redshifts, expected spectra: give the coadd or spectra file beside it`,
  );
}
