import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Job } from "kubernetes-models/batch/v1/Job";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { exitCodes } from "../../src/report/exit-code.js";
import { settingEntries } from "../../src/settings/definitions.js";
import { checkCommandLine } from "../support/documents/command-lines.js";
import { jobActionOf } from "../support/job-rules.js";
import { projectRoot } from "../support/project.js";
import { manifestNames, manifestText, ourContainerOf, podOf, readManifest } from "./support/manifest.js";

const manifests = manifestNames.map((name) => ({ name, manifest: readManifest(manifestText(name)) }));
const pods = manifests.flatMap(({ name, manifest }) => {
  const pod = podOf(manifest);
  return pod === undefined ? [] : [{ name, pod, container: ourContainerOf(pod) }];
});
const { version }: { readonly version: string } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
const variables = settingEntries.flatMap(([, { variable }]) => variable ?? []);

describe("a manifest that a cluster would not take is refused", () => {
  const rows: readonly (readonly [name: string, from: string, to: string, reason: RegExp])[] = [
    ["a kind that is not there", "batch/v1", "batch/v1beta7", /has a kind/],
    ["a field at the top that is not there", "\nspec:", "\nspecs:", /does not have \.specs$/],
    ["a field deep inside", "podFailurePolicy:", "podFailurePolcy:", /have \.spec\.podFailurePolcy$/],
    ["a field in a list", "terminationMessagePath:", "terminationMesagePath:", /containers\.0\.terminationMesage/],
    ["a text for a number", "backoffLimit: 3", "backoffLimit: three", /backoffLimit/],
    ["a number for a text", "memory: 512Mi", "memory: [1]", /memory/],
    [
      "an object for a list",
      'onPodConditions: [{ type: DisruptionTarget, status: "True" }]',
      'onPodConditions: { type: DisruptionTarget, status: "True" }',
      /onPodConditions/,
    ],
    ["a field that must be there", "      - action: Ignore\n        onPod", "      - onPod", /action/],
    ["an action that is not there", "action: Ignore", "action: Ignored", /action/],
    ["no pods", "  template:", "  templates:", /template/],
    ["an octal mode as text", "defaultMode: 0444", 'defaultMode: "0444"', /defaultMode/],
    ["restartPolicy OnFailure", "restartPolicy: Never", "restartPolicy: OnFailure", /needs restartPolicy Never/],
    ["exit codes in disorder", "[1, 2, 4, 5, 70]", "[1, 4, 2, 5, 70]", /ascending order/],
    ["exit code 0", "[1, 2, 4, 5, 70]", "[0, 1]", /above 0/],
    ["a container that is not there", "containerName: tele-sessions", "containerName: copy", /no container copy/],
    ["FailIndex in a Job without indexes", "action: FailJob", "action: FailIndex", /needs backoffLimitPerIndex/],
  ];
  for (const [name, from, to, reason] of rows) {
    it(name, () => {
      const text = manifestText("copy-job.yaml");
      assert.ok(text.includes(from));
      assert.throws(() => readManifest(text.replace(from, to)), reason);
    });
  }
});

it("there is a manifest for each way to run in a cluster", () => {
  assert.deepEqual(
    manifests.map(({ name, manifest }) => [name, manifest.kind]),
    [
      ["copy-indexed-job.yaml", "Job"],
      ["copy-job.yaml", "Job"],
      ["helm-hook.yaml", "Job"],
      ["init-container.yaml", "Deployment"],
      ["purge-job.yaml", "Job"],
      ["settings.yaml", "ConfigMap"],
    ],
  );
});

/** What the cluster does about a pod of this Job that fails: the first rule that fits counts. */
function actionOn({ spec }: Job, exitCode: number, isDisrupted: boolean): string {
  const rule = spec?.podFailurePolicy?.rules.find(
    ({ onExitCodes, onPodConditions = [] }) =>
      onExitCodes?.values.includes(exitCode) ||
      (isDisrupted && onPodConditions.some(({ type, status }) => type === "DisruptionTarget" && status === "True")),
  );
  return rule?.action ?? "no rule";
}

for (const { name, manifest } of manifests) {
  if (!(manifest instanceof Job)) continue;
  const isIndexed = manifest.spec?.completionMode === "Indexed";
  describe(`${name}: each exit code has the rule that the documents say`, () => {
    for (const { code, job } of exitCodes.filter(({ job }) => job !== "done")) {
      const action = jobActionOf(code, isIndexed) ?? "";
      it(`${code}: ${action}`, () => assert.equal(actionOn(manifest, code, false), action));
      const ifDisrupted = job === "retry" ? "Ignore" : action;
      it(`${code} of a pod that is disrupted: ${ifDisrupted}`, () =>
        assert.equal(actionOn(manifest, code, true), ifDisrupted));
    }
    it("a pod that is killed has no rule, so it counts", () => assert.equal(actionOn(manifest, 137, false), "no rule"));
    it("it fails after a few tries", () => {
      const { backoffLimit, backoffLimitPerIndex } = manifest.spec ?? {};
      assert.equal(isIndexed ? backoffLimitPerIndex : backoffLimit, 3);
    });
  });
}

for (const { name, pod, container } of pods) {
  describe(name, () => {
    const args = container.args ?? [];
    const mounts = container.volumeMounts ?? [];

    it("runs a command line that exists, by the entry point of our image", () => {
      checkCommandLine(args);
      assert.equal(container.command, undefined);
      assert.equal(container.image, `registry.example/tele-sessions:${version}`);
    });

    it("logs JSON, and says why it ended where the kubelet looks for it", () => {
      assert.ok(args.join(" ").includes("--log-format json"));
      const at = args.indexOf("--termination-log");
      assert.equal(args[at + 1], container.terminationMessagePath);
      assert.equal(container.terminationMessagePath, "/dev/termination-log");
    });

    it("has no rights that it does not need", () => {
      assert.deepEqual(container.securityContext, {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      });
      const { runAsUser, runAsGroup, ...others } = pod.securityContext ?? {};
      assert.deepEqual(others, { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      assert.ok(runAsUser !== undefined && runAsUser > 0 && runAsUser === runAsGroup);
    });

    it("can read the password without fsGroup, which would change the files of the server", () => {
      assert.equal(pod.securityContext?.fsGroup, undefined);
      const { projected } = pod.volumes?.find((volume) => volume.name === "redis-password") ?? {};
      // The file belongs to root, so it is the mode for others that counts.
      assert.equal(projected?.defaultMode, 0o444);
      assert.equal(projected?.sources?.[0]?.secret?.name, "tele-session-redis");
    });

    it("mounts the sessions read-only, unless it removes files", () => {
      const data = mounts.find((mount) => mount.name === "data");
      const removes =
        args.includes("purge") || args.includes("--purge") || JSON.stringify(container.env ?? []).includes("PURGE");
      assert.equal(data?.readOnly ?? false, !removes);
      assert.ok(mounts.every((mount) => mount === data || mount.readOnly));
    });

    it("mounts volumes that the pod has", () => {
      const volumes = pod.volumes?.map((volume) => volume.name) ?? [];
      const unknown = mounts.filter((mount) => !volumes.includes(mount.name));
      assert.deepEqual(unknown, []);
    });

    it("has longer to end than a run that is stopped takes, which is 10 s", () =>
      assert.ok((pod.terminationGracePeriodSeconds ?? 0) > 10));

    it("asks for memory, and has a limit", () => {
      assert.deepEqual(container.resources?.requests?.["memory"], "256Mi");
      assert.deepEqual(container.resources?.limits, { memory: "512Mi" });
    });

    it("takes its settings from the ConfigMap, and sets only variables that exist", () => {
      const { metadata } = manifests.map((one) => one.manifest).find((one) => one instanceof ConfigMap) ?? {};
      assert.deepEqual(container.envFrom, [{ configMapRef: { name: metadata?.name } }]);
      const unknown = (container.env ?? []).filter((one) => !variables.includes(one.name));
      assert.deepEqual(unknown, []);
    });
  });
}

it("settings.yaml: every variable exists, also those commented out", () => {
  const names = [...manifestText("settings.yaml").matchAll(/^ {2}(?:# )?([A-Z_]+): /gm)].map(([, name]) => name);
  assert.ok(names.length >= 10);
  assert.deepEqual(
    names.filter((name = "") => !variables.includes(name)),
    [],
  );
});

it("settings.yaml: the directory and the password are where the pods mount them", () => {
  const { data = {} } = manifests.map((one) => one.manifest).find((one) => one instanceof ConfigMap) ?? {};
  for (const { container } of pods) {
    const paths = new Map(container.volumeMounts?.map((mount) => [mount.name, mount.mountPath]));
    assert.equal(data["TELE_SESSION_DIR"], `${paths.get("data")}/sessions`);
    assert.equal(data["TELE_SESSION_REDIS_PASSWORD_FILE"], `${paths.get("redis-password")}/password`);
  }
});

it("copy-indexed-job.yaml: there are as many pods as parts", () => {
  const job = readManifest(manifestText("copy-indexed-job.yaml"));
  assert.ok(job instanceof Job);
  const args = job.spec?.template.spec?.containers[0]?.args ?? [];
  assert.equal(args[args.indexOf("--shard-count") + 1], String(job.spec?.completions));
});

it("docs/recipes/kubernetes.md: its sed makes a verify of the copy, which the cluster takes", () => {
  const recipe = readFileSync(join(projectRoot, "docs/recipes/kubernetes.md"), "utf8");
  const [, command = ""] = /^(sed .*?) \| kubectl/ms.exec(recipe) ?? [];
  const text = execFileSync("/bin/sh", ["-c", command], { cwd: projectRoot, encoding: "utf8" });
  const job = readManifest(text);
  const pod = podOf(job);
  assert.ok(pod !== undefined);
  assert.equal(job.metadata?.name, "tele-sessions-verify");
  assert.deepEqual(ourContainerOf(pod).args?.[0], "verify");
});

it("helm-hook.yaml runs before an upgrade and after it; it and the init container do the pre-deploy step", () => {
  const hook = readManifest(manifestText("helm-hook.yaml"));
  assert.equal(hook.metadata?.annotations?.["helm.sh/hook"], "pre-upgrade,post-upgrade");
  const steps = pods.filter(({ container }) => container.args?.includes("--stop-after-init"));
  assert.deepEqual(
    steps.map(({ name }) => name),
    ["helm-hook.yaml", "init-container.yaml"],
  );
  for (const { container } of steps) {
    assert.deepEqual(container.env, [
      { name: "TELE_SESSION_REDIS", value: "1" },
      { name: "TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS", value: "1" },
    ]);
  }
});

it("init-container.yaml stops the old server before the copy", () => {
  const server = readManifest(manifestText("init-container.yaml"));
  assert.ok(server instanceof Deployment);
  assert.equal(server.spec?.strategy?.type, "Recreate");
});
