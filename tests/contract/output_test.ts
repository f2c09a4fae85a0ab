/** Outputs as other programs see them: what headers declare is what was written; astropy finds nothing to complain of. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FitsFile } from "../../core/io/fits_read.ts";
import { done, ownFolder, simulated } from "./command.ts";

const folder = ownFolder();
let made: Promise<string[]> | null = null;

/** Outputs of an ordinary, a joint and an empty fit. */
function outputs(): Promise<string[]> {
  return made ??= (async () => {
    const input = await simulated(`${folder}/coadd.fits`, 3);
    const ways = {
      plain: [],
      joint: ["--joint-by", "TARGETID"],
      empty: ["--targetid", "5"],
      rv: ["--rv-only"],
    };
    const paths: string[] = [input];
    for (const [name, options] of Object.entries(ways)) {
      const out = `${folder}/${name}`;
      await done(["fit", input, "--output-dir", out, "--arms", "b", "--quiet", ...options]);
      paths.push(`${out}/rvtab_coadd.fits`, `${out}/rvmod_coadd.fits`);
    }
    return paths;
  })();
}

/** TFORM letters of the columns that scripts read. */
const DECLARED: Readonly<Record<string, string>> = {
  VRAD: "D",
  VRAD_ERR: "D",
  VRAD_SKEW: "D",
  VRAD_KURT: "D",
  VSINI: "D",
  LOGG: "D",
  TEFF: "D",
  FEH: "D",
  ALPHAFE: "D",
  CHISQ_TOT: "D",
  NPIX_TOT: "K",
  VRAD_CCF: "D",
  RVS_WARN: "K",
  TARGETID: "K",
  SN_B: "E",
  SUCCESS: "L",
  ROW: "K",
  VRAD_ERR_MARG: "D",
  VSINI_ERR: "D",
  COVAR: "36D",
  M2LNL: "D",
};

Deno.test("declared types are the written types, in empty tables too", async () => {
  for (const path of (await outputs()).filter((path) => path.includes("rvtab"))) {
    using file = FitsFile.open(path);
    const { header } = file.hdu("RVTAB");
    const count = header.integer("TFIELDS")!;
    const columns = Array.from({ length: count }, (_, i) => String(header.get(`TTYPE${i + 1}`)));
    const forms = columns.map((_, i) => String(header.get(`TFORM${i + 1}`)).trim().replace(/^1(?=\D)/, ""));
    for (const [name, form] of Object.entries(DECLARED)) {
      const place = columns.indexOf(name);
      assert.ok(place >= 0, `${path}: no column ${name}`);
      assert.equal(forms[place], form, `${path}: ${name}`);
    }
    // Bytes of a row: what the forms add up to.
    const size: Readonly<Record<string, number>> = { L: 1, A: 1, B: 1, I: 2, J: 4, K: 8, E: 4, D: 8 };
    const bytes = forms.reduce((sum, form) => sum + (parseInt(form) || 1) * size[form.at(-1)!], 0);
    assert.equal(header.integer("NAXIS1"), bytes);
  }
});

const python = "/usr/bin/python3";
const astropy = spawnSync(python, ["-c", "import astropy"]).status === 0;

Deno.test({
  name: astropy ? "astropy verifies every output" : `SKIP outputs in astropy (${python} has none)`,
  ignore: !astropy,
  async fn() {
    const script = fileURLToPath(new URL("../interop/astropy_check.py", import.meta.url));
    const run = spawnSync(python, [script, ...await outputs()], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
  },
});
