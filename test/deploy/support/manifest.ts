import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Job } from "kubernetes-models/batch/v1/Job";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { parse } from "yaml";
import { projectRoot } from "../../support/project.js";

/** A manifest that a cluster would take. */
export type Manifest = ConfigMap | Deployment | Job;

const folder = join(projectRoot, "deploy/kubernetes");

/** The names of our manifests. */
export const manifestNames = readdirSync(folder).sort();

export function manifestText(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

/**
 * Reads a manifest as a cluster does.
 * @throws Error if the published schema, or one of the API server's further rules, refuses it.
 */
export function readManifest(text: string): Manifest {
  // Kubernetes reads YAML 1.1, where 0444 is octal.
  const data = parse(text, { version: "1.1" });
  const kinds = [ConfigMap, Deployment, Job];
  const kind = kinds.find((one) => one.is(data));
  if (kind === undefined) throw new Error("the manifest has a kind that is not used here");
  const unread = fieldsUnread(data, (watched) => kind.prototype.validate.call(watched));
  if (unread.length > 0) throw new Error(`the schema does not have ${unread.join(", ")}`);
  const manifest: Manifest = new kind(data);
  if (manifest instanceof Job) checkJob(manifest);
  return manifest;
}

/**
 * The fields of `data` that `validate` does not look at. The validators of the schemas look at every
 * field that they know, and let others pass.
 */
function fieldsUnread(data: unknown, validate: (watched: unknown) => void): readonly string[] {
  const unread = new Set<string>();
  const watch = (value: unknown, path: string): unknown => {
    if (typeof value !== "object" || value === null) return value;
    for (const key of Object.keys(value)) unread.add(`${path}.${key}`);
    return new Proxy(value, {
      get: (target, key) => {
        const at = `${path}.${String(key)}`;
        unread.delete(at);
        return watch(Reflect.get(target, key), at);
      },
    });
  };
  validate(watch(data, ""));
  return [...unread];
}

/** What the API server checks of a Job that the schema does not say. */
function checkJob({ spec }: Job): void {
  const pod = spec?.template.spec;
  const names = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])].map(({ name }) => name);
  if (spec?.podFailurePolicy !== undefined && pod?.restartPolicy !== "Never")
    throw new Error("podFailurePolicy needs restartPolicy Never");
  for (const { action, onExitCodes, onPodConditions } of spec?.podFailurePolicy?.rules ?? []) {
    if (action === "FailIndex" && spec?.backoffLimitPerIndex === undefined)
      throw new Error("FailIndex needs backoffLimitPerIndex");
    if ((onExitCodes === undefined) === (onPodConditions === undefined))
      throw new Error("a rule has exit codes or conditions");
    if (onExitCodes === undefined) continue;
    const { containerName = "", values } = onExitCodes;
    if (!names.includes(containerName)) throw new Error(`there is no container ${containerName}`);
    if (values.some((value, index) => value <= (values[index - 1] ?? 0)))
      throw new Error("exit codes are above 0, in ascending order, each once");
  }
}

/** The pod that a manifest makes; undefined if it makes none. */
export function podOf(manifest: Manifest): IPodSpec | undefined {
  return manifest instanceof ConfigMap ? undefined : manifest.spec?.template.spec;
}

/** The container of a pod that runs tele-sessions. */
export function ourContainerOf({ initContainers = [], containers }: IPodSpec): IContainer {
  const ours = [...initContainers, ...containers].find(({ name }) => name === "tele-sessions");
  if (ours === undefined) throw new Error("the pod has no container tele-sessions");
  return ours;
}
