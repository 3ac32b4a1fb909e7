import type { Tool as McpTool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Tool } from '../toolsets/tool.ts';

export type InputSchema = McpTool['inputSchema'];

/** What the gate checks and no model acts on; without it the whole list takes a tenth less of a model's context. */
const untold: ReadonlySet<string> = new Set(['$schema', 'minLength', 'maxLength', 'propertyNames']);

/** The tool's input as JSON Schema, as far as a client is told of it. */
export const convertInput = ({ schema }: Tool): InputSchema =>
  JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), (key, value) => (untold.has(key) ? undefined : value)),
  );

/** JSON of every tool's converted input by its name; put in when the package is built. */
declare const INPUT_SCHEMAS: string | undefined;

let built: Readonly<Record<string, InputSchema>> | undefined;

/** The same, without the 10 ms that converting all of them takes at a start: a package brings them along. */
export function inputSchemaOf(tool: Tool): InputSchema {
  built ??= typeof INPUT_SCHEMAS === 'string' ? JSON.parse(INPUT_SCHEMAS) : {};
  return built?.[tool.name] ?? convertInput(tool);
}
