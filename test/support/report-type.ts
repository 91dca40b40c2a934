import { reportJsonSchema } from "../../src/report/schema/report-schema.js";

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

const maxColumns = 100;

/** The report's type for programs that have no zod: TypeScript, made from the JSON Schema. */
export function reportType(): string {
  const schema: Schema = reportJsonSchema();
  return `// Made from src/report/schema/report-schema.ts: npm run docs\n\n/** ${schema.description} */
export interface Report ${typeOf(schema, "")}\n`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, indent)).join(" | ");
  const literals = "const" in schema ? [schema.const] : schema.enum;
  if (literals)
    return unionOf(
      literals.map((one) => JSON.stringify(one)),
      indent,
    );
  if (Array.isArray(schema.type)) {
    return schema.type.map((type: TypeName) => typeOf({ type }, indent)).join(" | ");
  }
  if (schema.type === "array") return `readonly ${typeOf(schema.items ?? {}, indent)}[]`;
  if (schema.type === "object") return objectOf(schema, indent);
  if (typeof schema.type !== "string") throw new Error(`a schema without a type: ${JSON.stringify(schema)}`);
  return schema.type === "integer" ? "number" : schema.type;
}

/** On one line, or with a line for each member as Biome has it. */
function unionOf(members: readonly string[], indent: string): string {
  const line = members.join(" | ");
  return line.length < maxColumns - 20 ? line : members.map((member) => `\n${indent}  | ${member}`).join("");
}

function objectOf({ properties, additionalProperties, required = [] }: Schema, indent: string): string {
  if (additionalProperties) return `{ readonly [name: string]: ${typeOf(additionalProperties, indent)} }`;
  const inner = `${indent}  `;
  const members = Object.entries(properties ?? {}).map(([name, schema]) => {
    const mark = required.includes(name) ? "" : "?";
    const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
    const member = `${inner}readonly ${key}${mark}: ${typeOf(schema, inner)};`.replace(": \n", ":\n");
    return schema.description === undefined ? member : `${inner}/** ${schema.description} */\n${member}`;
  });
  return `{\n${members.join("\n")}\n${indent}}`;
}
