/** The live page: one HTML file with uPlot and its script (`live_page_script.js`) inside. */
import { createRequire } from "node:module";
import path from "node:path";
import { packageDirectory } from "../../src/files/package.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import { escapeHtml } from "../../src/report/markup.ts";
import { htmlPage } from "../../src/report/page.ts";

const style = `
.state{display:inline-block;border-radius:1rem;padding:.1rem .7rem;border:1px solid var(--line);font-size:.9rem}
.state.running{color:var(--c)}.state.ended{color:var(--a)}.state.lost{color:var(--e)}
progress{width:100%;height:.7rem;accent-color:var(--a)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.6rem;margin:1rem 0}
.tiles div{border:1px solid var(--line);border-radius:6px;padding:.4rem .6rem}
.tiles span{display:block;color:var(--faint);font-size:.8rem}.tiles b{font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.u-legend td,.u-legend th{border:0;padding:0 .2rem}
.plot h3{margin:.2rem 0}.plot{min-width:0}.u-legend{font-size:.85rem}.u-legend .u-value{font-variant-numeric:tabular-nums}
`;

function uplotFile(name: string): string {
  return readTextFile(createRequire(import.meta.url).resolve(`uplot/dist/${name}`));
}

/** In a source tree and in an installed package. */
const scriptFile = () => path.join(packageDirectory(), "cli/dashboard/live_page_script.js");

export function livePage(name: string): string {
  return htmlPage(
    `${name}: training`,
    [
      `<h1>${escapeHtml(name)}</h1>`,
      `<p><span class="state" id="state" role="status">connecting</span> <span class="faint" id="left"></span></p>`,
      `<progress id="progress" max="1" value="0"></progress>`,
      `<div class="tiles" id="tiles"></div>`,
      `<div id="notes"></div>`,
      `<div class="figures" id="plots"></div>`,
      `<h2>Samples</h2><div id="samples"><p class="faint">none yet</p></div>`,
      `<h2>Run</h2><dl id="facts"></dl>`,
      `<script>${uplotFile("uPlot.iife.min.js")}</script>`,
      `<script>${readTextFile(scriptFile())}</script>`,
    ],
    `<style>${uplotFile("uPlot.min.css")}${style}</style>`,
  );
}
