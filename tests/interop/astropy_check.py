"""Opens FITS files as a strict reader would: astropy, verify('exception'), checksums, every table and image.

Usage: python3 astropy_check.py FILE...
Prints one line a file; exits 1 with the reason where a file does not pass.
"""
import sys
import warnings

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning


def check(path):
    with fits.open(path, checksum=True, memmap=False) as hdus:
        hdus.verify("exception")
        for hdu in hdus:
            label = f"HDU {hdus.index_of(hdu)} {hdu.name}" if hdu.name else "HDU"
            for key in ("CHECKSUM", "DATASUM"):
                if key not in hdu.header:
                    raise ValueError(f"{label} has no {key}")
            if hdu.verify_datasum() != 1 or hdu.verify_checksum() != 1:
                raise ValueError(f"{label}: checksum does not agree")
            if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)):
                if len(hdu.columns) > 0:
                    table = Table.read(hdu)
                    if len(table) != hdu.header["NAXIS2"]:
                        raise ValueError(f"{label}: {len(table)} rows, expected {hdu.header['NAXIS2']}")
            elif hdu.data is not None:
                np.asarray(hdu.data).sum()
        return len(hdus)


def main(paths):
    if not paths:
        print("astropy_check.py: no files given", file=sys.stderr)
        return 2
    failed = 0
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyWarning)
            warnings.filterwarnings("ignore", message=".*did not parse as fits unit.*")
            try:
                print(f"{path}: ok, {check(path)} HDUs")
            except Exception as error:
                failed += 1
                print(f"{path}: FAILED: {type(error).__name__}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
