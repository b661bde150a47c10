/** `--upload owner/name`: what was exported, committed to the Hub with a line of progress. */
import { uploadModel } from "../src/data/hub_upload.ts";
import { Progress } from "./progress.ts";
import { say } from "./terminal/say.ts";

/** @throws {DataError} of the Hub */
export async function uploadExport(name: string, out: string, signal: AbortSignal): Promise<void> {
  const progress = new Progress({ lines: "none" });
  try {
    const { url, commit, files } = await uploadModel(name, out, {
      signal,
      onProgress: (done, total) => progress.update("uploading", done, total),
    });
    progress.close();
    say(`uploaded: ${files.join(", ")} to ${url} (commit ${commit.slice(0, 12)})`);
  } finally {
    progress.close();
  }
}
