/** The page at `/`: a chat with one of the models, in one file. */
import path from "node:path";
import { packageDirectory } from "../../src/files/package.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import { escapeHtml } from "../../src/report/markup.ts";
import { htmlPage } from "../../src/report/page.ts";

const style = `
body{display:flex;flex-direction:column;min-height:100dvh;box-sizing:border-box;margin:0 auto;padding-top:1rem;padding-bottom:0}
header{display:flex;gap:.6rem;align-items:center;flex-wrap:wrap}header h1{font-size:1.1rem;margin:0 auto 0 0}
#log{flex:1;padding:1rem 0}
.message{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0;padding:.5rem .8rem;border:1px solid var(--line);border-radius:8px;max-width:85%;width:fit-content}
.message.user{margin-left:auto;border-color:var(--a)}
.message.error{border-color:var(--e)}
form{position:sticky;bottom:0;background:var(--ground);display:flex;gap:.5rem;align-items:end;padding:.6rem 0}
textarea{flex:1;min-width:0;resize:none;max-height:40dvh;font:inherit;padding:.5rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit}
button,select,input{font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:8px;padding:.45rem .8rem}
details{width:100%}details label{display:flex;gap:.5rem;align-items:center;margin:.3rem 0}details label span{min-width:6.5rem}details input{flex:1;min-width:0}
`;

/** In a source tree and in an installed package. */
const scriptFile = () => path.join(packageDirectory(), "native/serve/chat_page_script.js");

/** @param models ids */
export function chatPage(models: readonly string[]): string {
  const options = models.map((id) => `<option>${escapeHtml(id)}</option>`).join("");
  return htmlPage(
    "bitnet-lab: chat",
    [
      `<header><h1>bitnet-lab</h1>`,
      `<select id="model" aria-label="Model">${options}</select>`,
      `<button id="new" type="button">New chat</button>`,
      `<details><summary>Settings</summary>`,
      `<label><span>System</span><input id="system" placeholder="none"></label>`,
      `<label><span>Temperature</span><input id="temperature" type="number" min="0" step="0.1" value="0.8"></label>`,
      `<label><span>Most tokens</span><input id="max" type="number" min="1" value="256"></label>`,
      `<label><span>API key</span><input id="key" type="password" autocomplete="off" placeholder="none"></label>`,
      `</details></header>`,
      `<main id="log" aria-live="polite"></main>`,
      `<form id="form"><textarea id="text" rows="1" placeholder="Message" title="Enter sends, Shift+Enter breaks the line" aria-label="Message" autofocus></textarea><button id="send">Send</button></form>`,
      `<script>${readTextFile(scriptFile())}</script>`,
    ],
    `<link rel="icon" href="data:,"><style>${style}</style>`,
  );
}
