/** How pages look: by the reader's light or dark setting, down to the width of a phone, and on paper. */

/** Of series, in their order: names of {@link lightColours}. */
export const colours = ["--a", "--b", "--c", "--d", "--e", "--f"] as const;

/** On white paper: of pages in light mode and of PNGs. */
export const lightColours: Readonly<Record<string, string>> = {
  "--text": "#1f2328",
  "--faint": "#59636e",
  "--line": "#d1d9e0",
  "--ground": "#ffffff",
  "--track": "#eff2f5",
  "--shadow": "#1f232840",
  "--a": "#2f6db5",
  "--b": "#c9711a",
  "--c": "#2f8a50",
  "--d": "#8a4fa3",
  "--e": "#b5433f",
  "--f": "#5f6b76",
};

const darkColours: Readonly<Record<string, string>> = {
  "--text": "#e6edf3",
  "--faint": "#9198a1",
  "--line": "#3d444d",
  "--ground": "#0d1117",
  "--track": "#21262d",
  "--shadow": "#e6edf340",
  "--a": "#6aa5e8",
  "--b": "#f0a254",
  "--c": "#63c183",
  "--d": "#c08ad8",
  "--e": "#ef807b",
  "--f": "#a3adb8",
};

const variables = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}:${value}`)
    .join(";");

/** The colour of the n-th series, of a page or a figure; more than there are begin again. */
export function colourOf(index: number): string {
  return `var(${colours[index % colours.length]})`;
}

export const style = `
:root{color-scheme:light dark;${variables(lightColours)}}
@media (prefers-color-scheme:dark){:root{${variables(darkColours)}}}
@media print{:root{color-scheme:light;${variables(lightColours)}}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;overflow-wrap:anywhere}h2{font-size:1.2rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}
p.faint,td.faint,.faint{color:var(--faint)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
p.line{margin:.4rem 0;overflow-wrap:anywhere}
/* A shadow at an edge where the table goes on: the ground scrolls with it and covers the shadow at its end. */
.wide{overflow-x:auto;margin-bottom:.6rem;background:linear-gradient(90deg,var(--ground) 30%,transparent) 0/2rem 100% local no-repeat,
linear-gradient(270deg,var(--ground) 30%,transparent) 100%/2rem 100% local no-repeat,
linear-gradient(90deg,var(--shadow),transparent) 0/.7rem 100% scroll no-repeat,
linear-gradient(270deg,var(--shadow),transparent) 100%/.7rem 100% scroll no-repeat}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
td,th{border-bottom:1px solid var(--line);padding:.3rem .7rem .3rem 0;text-align:left;white-space:nowrap}
th{font-weight:600}.number{text-align:right}
.legend span{margin-right:1.2rem;overflow-wrap:anywhere}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:1.2rem;margin:1rem 0}
figure{margin:0;break-inside:avoid}figure svg{display:block;width:100%;height:auto}
.maps{display:flex;flex-wrap:wrap;gap:1rem;margin:.6rem 0}.maps figure{width:min(12rem,calc(50% - .5rem))}
.maps figcaption{font-size:.8rem;color:var(--faint);overflow-wrap:anywhere}
.maps img{display:block;image-rendering:pixelated;width:100%;box-sizing:border-box;border:1px solid var(--line)}
.task{margin:.9rem 0}.row{display:grid;grid-template-columns:1fr 8.5rem;gap:.6rem;align-items:center;margin:.15rem 0}
.row b{font-weight:normal;font-variant-numeric:tabular-nums;font-size:.9rem;white-space:nowrap}
.track{position:relative;height:1.1rem;background:var(--track);border-radius:2px}
.bar{position:absolute;inset:0 auto 0 0;border-radius:2px}
.error{position:absolute;top:50%;height:0;border-top:2px solid var(--text)}
.chance{position:absolute;top:-.2rem;bottom:-.2rem;border-left:2px dashed var(--text)}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--track);border-radius:4px;padding:.5rem .7rem;margin:.4rem 0;font-size:.85rem}
.right{color:var(--c)}.wrong{color:var(--e)}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}.row{grid-template-columns:1fr 7.5rem}.row b{font-size:.8rem}td,th{padding-right:.5rem}table{font-size:.8rem}
td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:7rem}}
@media print{body{max-width:none}details{break-inside:avoid}.wide{overflow:visible;background:none}
.figures{grid-template-columns:1fr 1fr}table{font-size:.7rem}td,th{white-space:normal;overflow-wrap:break-word;padding-right:.4rem}}
`;
