import type { Tool as McpTool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Tool } from '../toolsets/tool.ts';

export type InputSchema = McpTool['inputSchema'];

/** What the gate checks and no model acts on; without it the whole list takes a fifth less of a model's context. */
const untold = ['minLength', 'maxLength', 'minimum', 'maximum', 'pattern', 'minItems', 'maxItems', 'propertyNames'];

/** The tool's input as JSON Schema, as far as a client is told of it; where a bound matters, its description says it. */
export function convertInput({ schema }: Tool): InputSchema {
  const whole = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      for (const key of untold) delete jsonSchema[key];
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return JSON.parse(JSON.stringify({ ...whole, $schema: undefined }));
}

/** JSON of every tool's converted input by its name; put in when the package is built. */
declare const INPUT_SCHEMAS: string | undefined;

let built: Readonly<Record<string, InputSchema>> | undefined;

/** The same, without the 10 ms that converting all of them takes at a start: a package brings them along. */
export function inputSchemaOf(tool: Tool): InputSchema {
  built ??= typeof INPUT_SCHEMAS === 'string' ? JSON.parse(INPUT_SCHEMAS) : {};
  // A package knows nothing of the clusters there are.
  return (tool.clusters ? undefined : built?.[tool.name]) ?? convertInput(tool);
}
