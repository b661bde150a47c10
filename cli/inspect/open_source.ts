/** What the user named: a GGUF file, a folder of Hugging Face, a checkpoint or run of ours, or a model on the Hub. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { checkpointDirectory, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { ggufName } from "../../src/checkpoint/gguf/tensor_names.ts";
import type { HubModelFiles } from "../../src/data/hub_model_files.ts";
import { parseHubFileId } from "../../src/data/hub_model_id.ts";
import { askedInstead } from "../../src/data/mistaken_path.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { openGgufBytes } from "../../src/gguf/gguf_reader.ts";
import type { InspectedModel } from "../../src/inspect/inspected_model.ts";
import { InspectError, localFolder } from "../../src/inspect/model_folder.ts";
import { openFolderModel } from "../../src/inspect/open_folder.ts";
import { openGgufModel } from "../../src/inspect/open_gguf.ts";

export interface OpenedSource {
  model: InspectedModel;
  /** The GGUF file, or the first part of it, on this machine; null for anything else. */
  file: string | null;
  /** It lies on the Hub: its weights are not read unasked. */
  remote: boolean;
}

/** @throws {UserError} with one line. */
export async function openSource(source: string): Promise<OpenedSource> {
  if (existsSync(source)) return openLocal(source);
  const id = parseHubFileId(source);
  if (id === null) throw new InspectError(`no such file or folder: ${source}`);
  const { name, revision, file } = id;
  // The Hub's library is loaded only for this.
  const { openHubModel } = await import("../../src/data/hub_model_files.ts");
  const hub = await askedInstead(source, () => openHubModel(name, revision));
  return { model: await openRemote(hub, file ?? undefined), file: null, remote: true };
}

async function openLocal(source: string): Promise<OpenedSource> {
  const isFolder = statSync(source).isDirectory();
  if (!isFolder && path.basename(source) !== "latest") {
    if (/\.safetensors$|^config\.json$/.test(path.basename(source))) return openLocalFolder(path.dirname(source));
    return { model: await openGgufModel(source, openGgufBytes), file: source, remote: false };
  }
  if (isFolder && !existsSync(path.join(source, "config.json")) && !existsSync(path.join(source, "checkpoints"))) {
    const { files } = await localFolder(source);
    const [first] = ggufFiles(files, source);
    const file = path.join(source, first);
    return { model: await openGgufModel(file, openGgufBytes), file, remote: false };
  }
  return openLocalFolder(await checkpointDirectory(source));
}

async function openLocalFolder(directory: string): Promise<OpenedSource> {
  const model = await openFolderModel(await localFolder(directory), {
    ggufName: knownGgufName,
    ownFault: () => checkpointFault(directory),
  });
  return { model, file: null, remote: false };
}

/** GGUF's name of a parameter, undefined where it has none. */
export function knownGgufName(parameter: string): string | undefined {
  const name = ggufName(parameter) as string | undefined;
  return name?.includes("undefined") ? undefined : name;
}

/** Why our own reader does not take a folder; null if it does. */
async function checkpointFault(directory: string): Promise<string | null> {
  try {
    const checkpoint = await openCheckpoint(directory);
    await checkpoint.tensors.close();
    return null;
  } catch (error) {
    // Beside its own name the folder's says nothing.
    if (error instanceof UserError) return error.message.replace(`${directory}${path.sep}`, "");
    throw error;
  }
}

async function openRemote(hub: HubModelFiles, file: string | undefined): Promise<InspectedModel> {
  if (file === undefined && hub.files.has("config.json") && [...hub.files.keys()].some(isWeightFile)) {
    return openFolderModel(hub, { ggufName: knownGgufName });
  }
  if (file !== undefined && !hub.files.has(file)) throw new InspectError(`model ${hub.path}: it has no file ${file}`);
  const [first] = file === undefined ? ggufFiles(hub.files, hub.path) : [file];
  return openGgufModel(first, (name) => hub.open(name));
}

const isWeightFile = (name: string) => /^model(?:-\d+-of-\d+)?\.safetensors(?:\.index\.json)?$/.test(name);

/** The model that a folder holds as GGUF: one file, or the parts of one. @throws {InspectError} if there are several, or none. */
function ggufFiles(files: ReadonlyMap<string, number>, where: string): string[] {
  const names = [...files.keys()].filter((name) => name.endsWith(".gguf"));
  const models = names.filter((name) => !/-\d{5}-of-\d{5}\.gguf$/.test(name) || /-00001-of-\d{5}\.gguf$/.test(name));
  if (models.length === 1) return models;
  if (models.length === 0)
    throw new InspectError(`${where}: neither config.json with safetensors nor a GGUF file is in it`);
  const listed = models.map((name) => `${name} (${Math.round((files.get(name) ?? 0) / 1e6)} MB)`);
  throw new InspectError(
    `${where} has ${models.length} GGUF files: name one (owner/name:FILE on the Hub): ${listed.join(", ")}`,
  );
}
