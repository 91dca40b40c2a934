import { failureReasons, outcomeKinds } from "../../../src/model/outcome.js";
import { reportJsonSchema } from "../../../src/report/schema/report-schema.js";

type TypeName = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

/** The parts of JSON Schema that a report's schema uses. */
interface Schema {
  readonly type?: TypeName | readonly TypeName[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
}

/** The names that the model has a type for, which programs know from results too. */
const modelTypes: readonly (readonly [type: string, names: readonly string[]])[] = [
  ["FailureReason", failureReasons],
  ["OutcomeKind", outcomeKinds],
];

/** The report's type for programs that have no zod: TypeScript, made from the JSON Schema. */
export function reportType(): string {
  const schema: Schema = reportJsonSchema();
  const imported = modelTypes.map(([type]) => type).join(", ");
  return `// Made from src/report/schema/report-schema.ts: npm run docs

import type { ${imported} } from "../model/outcome.js";

/** Counts by name. Absent: an outcome of other commands, a reason for which no session failed. */
type Counts<Names extends string> = { readonly [Name in Names]?: number };

/** ${schema.description} */
export interface Report ${typeOf(schema, "")}\n`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, indent)).join(" | ");
  const literals = "const" in schema ? [schema.const] : schema.enum;
  if (literals) return modelTypeOf(literals) ?? literals.map((one) => JSON.stringify(one)).join(" | ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type: TypeName) => typeOf({ type }, indent)).join(" | ");
  }
  if (schema.type === "array") {
    const item = typeOf(schema.items ?? {}, indent);
    return `readonly ${item.includes(" & ") ? `(${item})` : item}[]`;
  }
  if (schema.type === "object") return objectOf(schema, indent);
  if (typeof schema.type !== "string") throw new Error(`a schema without a type: ${JSON.stringify(schema)}`);
  return schema.type === "integer" ? "number" : schema.type;
}

/** The type that stands for exactly these names, in whatever order. */
function modelTypeOf(names: readonly unknown[]): string | undefined {
  return modelTypes.find(([, those]) => String([...those].sort()) === String([...names].sort()))?.[0];
}

function objectOf({ properties = {}, additionalProperties, required = [] }: Schema, indent: string): string {
  if (additionalProperties) return `{ readonly [name: string]: ${typeOf(additionalProperties, indent)} }`;
  const inner = `${indent}  `;
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const counted = modelTypeOf(optional);
  const members = Object.entries(properties).map(([name, schema]) => {
    if (counted !== undefined && optional.includes(name)) return [];
    const mark = required.includes(name) ? "" : "?";
    const member = `${inner}readonly ${name}${mark}: ${typeOf(schema, inner)};`;
    return schema.description === undefined ? [member] : [`${inner}/** ${schema.description} */`, member];
  });
  const counts = counted === undefined ? [] : [`Counts<${counted}>`];
  const own = members.flat();
  const object = own.length === 0 ? [] : [`{\n${own.join("\n")}\n${indent}}`];
  return [...counts, ...object].join(" & ");
}
